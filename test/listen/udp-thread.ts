// A serving thread of udp.test.ts: answers with its own number in the last octet of the id, so that the test
// sees who did.

import { parentPort, workerData } from 'node:worker_threads'
import { listenUdp } from '../../src/listen/udp.ts'
import { bench } from './fake-responder.ts'

const { number, port, prefer } = workerData as { number: number; port: number; prefer: 'batch' | 'dgram' }
const { options, responder } = bench()
const answer = responder.answer.bind(responder)
responder.answer = packet => {
  const written = answer(packet)
  packet.slot[packet.slotAt + 1] = number
  return written
}
const result = await listenUdp({ ...options, port, prefer })
parentPort?.postMessage(result.ok ? result.listener.port : result.error.code)

/** Ways to die, as thread-death.test.ts asks for one. */
const ways: Readonly<Record<string, () => void>> = {
  exit: () => process.exit(3),
  throw: () => {
    throw new Error('nobody catches it')
  },
  heap: () => {
    const kept: unknown[] = []
    setInterval(() => {
      for (let i = 0; i < 1000; i++) kept.push(new Array(1000).fill(i))
    }, 1)
  },
}
parentPort?.on('message', (way: string) => ways[way]?.())
