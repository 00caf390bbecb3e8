// A TCP listener on a free port and clients for it, closed with the test.

import { setImmediate as turn } from 'node:timers/promises'
import type { Test } from 'tap'
import type { ListenEvent } from '../../src/listen/events.ts'
import type { StreamLimits } from '../../src/listen/stream-limits.ts'
import type { StreamListener } from '../../src/listen/stream-listener.ts'
import { listenTcp } from '../../src/listen/tcp.ts'
import { type ExchangeOptions, TcpClient } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { bench } from './fake-responder.ts'

/** No longer than the sweeps are apart. */
const STEP_MS = 500

/** Opens the listener; `counted` waits until an event has been counted. */
export async function openTcp(
  t: Test,
  limits: Partial<StreamLimits> = {},
  address = '127.0.0.1',
  memoryOctets?: number,
) {
  const parts = bench(memoryOctets)
  const listening = await listenTcp({ ...parts.options, address, limits })
  if (!listening.ok) throw listening.error
  const listener: StreamListener = listening.listener
  t.teardown(() => listener.close())
  const connect = async (options: ExchangeOptions = {}): Promise<TcpClient> => {
    const client = await TcpClient.connect(listener.port, options)
    t.teardown(() => client.destroy())
    return client
  }
  const counted = (event: ListenEvent): Promise<void> => until(event, () => parts.counts.of(event) > 0)
  /** Lets time go by as it does: the loop turns meanwhile. */
  const passes = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= STEP_MS) {
      parts.clock.advance(Math.min(left, STEP_MS))
      await turn()
    }
  }
  return { ...parts, listener, connect, counted, passes }
}

/** The id of a message. */
export const idOf = (message: Uint8Array): number => (message[0]! << 8) | message[1]!
