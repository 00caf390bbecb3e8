// A serving thread of udp.test.ts: answers with its own number in the last octet of the id, so that the test
// sees who did.

import { parentPort, workerData } from 'node:worker_threads'
import { listenUdp } from '../../src/listen/udp.ts'
import { bench } from './fixture.ts'

const { number, port, prefer } = workerData as { number: number; port: number; prefer: 'batch' | 'dgram' }
const { options, responder } = bench()
const answerNow = responder.answerNow.bind(responder)
responder.answerNow = (octets, start, end, out, outAt, ...rest) => {
  const written = answerNow(octets, start, end, out, outAt, ...rest)
  out[outAt + 1] = number
  return written
}
const result = await listenUdp({ ...options, port, prefer })
parentPort?.postMessage(result.ok ? result.listener.port : result.error.code)
