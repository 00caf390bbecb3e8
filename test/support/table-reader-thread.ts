// A worker for test/table/table.test.ts: asks for one headless service again and again until it is told to stop, and says
// how many answers it saw, how many of each whole set, and the first that was neither.

import { parentPort, workerData } from 'node:worker_threads'
import { ClusterAnswers } from '../../src/plugin/kubernetes/answers.ts'
import { TableReader } from '../../src/table/reader.ts'
import { Scan } from '../../src/wire/scan.ts'
import { encodeQuestion } from './dns-question.ts'
import { seededRandom } from './random.ts'
import { KUBERNETES } from './slim-cluster.ts'

const { buffer, reader, control, count } = workerData as {
  buffer: SharedArrayBuffer
  reader: number
  control: SharedArrayBuffer
  count: number
}
const stop = new Int32Array(control)
const answers = new ClusterAnswers(KUBERNETES, 'cluster.local.', new TableReader(buffer, reader), {
  shuffle: reader % 2 === 0,
  flattenedTtl: ttl => ttl,
  random: seededRandom(reader),
  reasons: true,
  ownAddresses: [],
})
const packet = encodeQuestion({ name: 'hl.demo.svc.cluster.local.' }, 1)
const scan = new Scan()
const out = new Uint8Array(65535)
const seen = { asked: 0, x: 0, y: 0, wrong: '' }

/** `x` or `y` when the answer holds that set whole, else what it holds. */
function judge(length: number): string {
  const answerCount = (out[6]! << 8) | out[7]!
  const addresses = new Set<number>()
  const sets = new Set<number>()
  for (let i = 0, at = packet.length + 12; i < answerCount; i++, at += 16) {
    sets.add(out[at + 1]!)
    addresses.add(out[at + 3]!)
  }
  const [set] = sets
  if (sets.size === 1 && addresses.size === count && answerCount === count) return set === 1 ? 'x' : 'y'
  return `${length} octets, ${answerCount} answers, sets ${[...sets]}, ${addresses.size} addresses`
}

parentPort!.postMessage('reading')
while (Atomics.load(stop, 0) === 0) {
  scan.read(packet, 0, packet.length)
  answers.table.enter()
  const length = answers.answer(scan, packet, out, 0, 65535)
  answers.table.leave()
  const verdict = judge(length)
  seen.asked++
  if (verdict === 'x') seen.x++
  else if (verdict === 'y') seen.y++
  else if (seen.wrong === '') seen.wrong = verdict
  Atomics.add(stop, 1, 1)
}
parentPort!.postMessage(seen)
