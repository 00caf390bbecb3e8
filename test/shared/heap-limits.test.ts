import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { serveHeapLimits } from '../../src/shared/heap-limits.ts'

const MIB = 2 ** 20
const MACHINE = 24_000 * MIB

t.test('limits by the memory of the container', async t => {
  const cases: [containerMib: number, threads: number, oldMib: number, youngMib: number][] = [
    [170, 1, 51, 17],
    [170, 2, 32, 8],
    [170, 4, 32, 6],
    [512, 2, 76, 25],
    [4096, 2, 614, 48],
  ]
  for (const [containerMib, threads, old, young] of cases) {
    t.same(
      serveHeapLimits(containerMib * MIB, MACHINE, threads),
      { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young },
      `${containerMib} MiB, ${threads} threads`,
    )
  }
})

t.test('no limit of the container, or one beyond the machine, is none', async t => {
  for (const octets of [0, MACHINE, 2 ** 64]) t.equal(serveHeapLimits(octets, MACHINE, 2), undefined)
})

t.test('a thread that passes its limit ends alone', async t => {
  const resourceLimits = serveHeapLimits(64 * MIB, MACHINE, 2)!
  const code = `const kept = []
    setInterval(() => { for (let i = 0; i < 1000; i++) kept.push(new Array(1000).fill(i)) }, 1)`
  const worker = new Worker(code, { eval: true, resourceLimits })
  const [error] = (await once(worker, 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ERR_WORKER_OUT_OF_MEMORY')
})
