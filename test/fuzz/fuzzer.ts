// One run of the packet fuzzer against a server: so many packets a second over both transports, every answer held against its
// query by the universal checks, and between them good queries, the server's memory and what it prints.

import { setTimeout as after } from 'node:timers/promises'
import { NoAnswer, query } from '../support/dns-client.ts'
import { residentMib } from '../support/process-stat.ts'
import { bugLines, type Target } from '../support/target.ts'
import { NAME } from '../support/target-cluster.ts'
import { Mix } from './mix.ts'
import { Tally } from './tally.ts'
import { runConnection } from './tcp-road.ts'
import { UdpRoad } from './udp-road.ts'

/** What a run is. */
export interface FuzzOptions {
  readonly seed: number
  readonly seconds: number
  /** Packets a second, over UDP and TCP. */
  readonly rate: number
  /** What the server is doing, for what is found. */
  readonly meanwhile?: () => string
}

/** What a run needs of a server. */
export type FuzzTarget = Pick<Target, 'port' | 'pid' | 'output' | 'alive'>

/** How a run ended. */
export interface FuzzReport {
  readonly tally: Tally
  /** Resident memory of the server when V8 had found its size, and at the end. */
  readonly residentMib: readonly [from: number, to: number]
}

const TICK_MS = 10
/** One step in so many is a connection, of some ten packets: a quarter of all. */
const CONNECTION_EVERY = 32
const CONNECTIONS_MAX = 8
/** Packets at once: what comes back has to be read in between. */
const BURST_MAX = 50
/** Packets between two looks at the server's health. */
const LOOK_EVERY = 2000
const GOOD_MS = 1000
/** The share of a run after which growth counts. */
const WARM_SHARE = 0.3
const FINDINGS_MAX = 10
const OVER = ['udp', 'tcp'] as const

/** Runs until the time is over or there are findings enough. */
export async function runFuzzer(
  target: FuzzTarget,
  { seed, seconds, rate, meanwhile }: FuzzOptions,
): Promise<FuzzReport> {
  const tally = new Tally(meanwhile)
  const mix = new Mix(seed)
  const udp = new UdpRoad(target.port, tally)
  const connections = new Set<Promise<unknown>>()
  const beganMs = performance.now()
  const elapsedMs = (): number => performance.now() - beganMs
  const total = (): number => tally.packets.udp + tally.packets.tcp
  let warm = 0
  let lookAt = LOOK_EVERY
  while (elapsedMs() < seconds * 1000 && tally.findings.length < FINDINGS_MAX) {
    const due = Math.floor((elapsedMs() * rate) / 1000)
    for (let left = BURST_MAX; left > 0 && total() < due && total() < lookAt; left--) {
      if (mix.random.below(CONNECTION_EVERY) > 0) {
        await udp.send(mix.next())
        continue
      }
      if (connections.size === CONNECTIONS_MAX) await Promise.race(connections)
      const connection: Promise<unknown> = runConnection(target.port, mix.fork(), tally).finally(() =>
        connections.delete(connection),
      )
      connections.add(connection)
    }
    if (total() >= lookAt) {
      lookAt += LOOK_EVERY
      await udp.settle()
      if (!target.alive()) break
      await look(target, tally)
      if (warm === 0 && elapsedMs() > seconds * 1000 * WARM_SHARE) warm = residentMib(target.pid)
    }
    await after(TICK_MS)
  }
  await Promise.all(connections)
  await after(TICK_MS)
  if (target.alive()) await udp.settle(0)
  await look(target, tally)
  udp.close()
  const now = target.alive() ? residentMib(target.pid) : 0
  return { tally, residentMib: [warm === 0 ? now : warm, now] }
}

/** A good query over UDP and a fresh connection, and the log. */
async function look(target: FuzzTarget, tally: Tally): Promise<void> {
  if (!target.alive()) {
    tally.found({ what: 'the server ended', over: 'udp' })
    return
  }
  for (const over of OVER) {
    const fault = await askTwice(target.port, over === 'tcp')
    if (fault !== '') tally.found({ what: `a good query: ${fault}`, over })
  }
  const [bug] = bugLines(target)
  if (bug !== undefined && tally.findings.every(({ what }) => what !== bug))
    tally.found({ what: bug, over: 'udp' })
  tally.checks++
}

/** '' where a good query is answered within a second, the second time at the latest: datagrams get lost. */
async function askTwice(port: number, tcp: boolean): Promise<string> {
  const ask = async (): Promise<string> => {
    try {
      const { answer } = await query(port, { name: NAME, tcp, timeoutMs: GOOD_MS })
      return answer.length === 1 ? '' : `${answer.length} records`
    } catch (error) {
      if (error instanceof NoAnswer) return error.message
      throw error
    }
  }
  return (await ask()) === '' ? '' : ask()
}
