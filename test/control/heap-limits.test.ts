import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import t from 'tap'
import { freeThreadsOfFlags, serveHeapLimits, streamOctets } from '../../src/control/heap-limits.ts'

const MIB = 2 ** 20
const MACHINE = 24_000 * MIB

t.test('limits by the memory of the container', async t => {
  const cases: [containerMib: number, threads: number, oldMib: number][] = [
    [170, 1, 65],
    [170, 2, 32],
    [170, 4, 32],
    [512, 2, 99],
    [4096, 2, 816],
  ]
  for (const [containerMib, threads, oldMib] of cases) {
    t.same(
      serveHeapLimits(containerMib * MIB, MACHINE, threads),
      { maxOldGenerationSizeMb: oldMib, maxYoungGenerationSizeMb: 3 },
      `${containerMib} MiB, ${threads} threads`,
    )
  }
})

t.test(
  'without a limit of the container, or with one beyond the machine, only the young are limited',
  async t => {
    for (const octets of [0, MACHINE, 2 ** 64]) {
      t.same(serveHeapLimits(octets, MACHINE, 2), { maxYoungGenerationSizeMb: 3 })
    }
  },
)

t.test('more for the young where queries come over HTTPS, and for the old what is left', async t => {
  t.same(serveHeapLimits(0, MACHINE, 2, true), { maxYoungGenerationSizeMb: 12 })
  t.same(serveHeapLimits(170 * MIB, MACHINE, 1, true), {
    maxOldGenerationSizeMb: 56,
    maxYoungGenerationSizeMb: 12,
  })
})

t.test('what connections may keep', async t => {
  const cases: [containerMib: number, threads: number, eachMib: number][] = [
    [170, 1, 17],
    [170, 2, 8.5],
    [64, 8, 2],
    [0, 2, 128],
    [2 ** 40, 1, 256],
  ]
  for (const [containerMib, threads, eachMib] of cases) {
    t.equal(
      streamOctets(containerMib * MIB, MACHINE, threads),
      eachMib * MIB,
      `${containerMib} MiB, ${threads} threads`,
    )
  }
})

t.test('a thread that passes its limit ends alone', async t => {
  const resourceLimits = serveHeapLimits(64 * MIB, MACHINE, 2)
  const code = `const kept = []
    setInterval(() => { for (let i = 0; i < 1000; i++) kept.push(new Array(1000).fill(i)) }, 1)`
  const worker = new Worker(code, { eval: true, resourceLimits })
  const [error] = (await once(worker, 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ERR_WORKER_OUT_OF_MEMORY')
})

/** The most that the heap of a thread with those limits may take, in octets. */
async function heapOctets(resourceLimits: ResourceLimits): Promise<number> {
  const code = `const { parentPort } = require('node:worker_threads')
    parentPort.postMessage(require('node:v8').getHeapStatistics().heap_size_limit)`
  const [octets] = (await once(new Worker(code, { eval: true, resourceLimits }), 'message')) as [number]
  return octets
}

t.test('the room for the young is that of the limits, whatever Node was started with', async t => {
  const limits = (hasHttp: boolean) => ({
    ...serveHeapLimits(0, MACHINE, 2, hasHttp),
    maxOldGenerationSizeMb: 64,
  })
  setFlagsFromString('--max-semi-space-size=2')
  freeThreadsOfFlags()
  const [plain, http] = [await heapOctets(limits(false)), await heapOctets(limits(true))]
  t.ok(http > plain + 4 * MIB, `${plain} and ${http} octets`)
})
