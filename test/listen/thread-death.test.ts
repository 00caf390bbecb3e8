// The death of a thread with batch sockets, by force and at any moment: out of heap, by an exception that nobody catches, by its
// exit, or ended from outside. Nothing native calls into a thread that is ending, which would end the process: each is
// tried as often as that once took to happen, while queries come without end.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { loadLibc } from '../../src/listen/libc.ts'
import { exchangeUdp } from '../support/dns-client.ts'
import { shortOrLong } from '../support/long.ts'
import { ask } from './fake-responder.ts'

// As threads.ts does: Node unloads an add-on with the last thread that has it.
const skip = (await loadLibc()) ? false : 'this machine has no batches'

async function spawn(port: number): Promise<{ worker: Worker; port: number }> {
  const worker = new Worker(new URL('udp-thread.ts', import.meta.url), {
    workerData: { number: 1, port, prefer: 'batch' },
    resourceLimits: { maxOldGenerationSizeMb: 40, maxYoungGenerationSizeMb: 3 },
  })
  const [opened] = await once(worker, 'message')
  return { worker, port: opened }
}

/** How it is brought about, and what the thread's owner hears. */
const deaths: readonly (readonly [title: string, way: string, times: number, error: string | undefined])[] = [
  ['out of heap', 'heap', shortOrLong(8, 100), 'ERR_WORKER_OUT_OF_MEMORY'],
  ['an exception that nobody catches', 'throw', shortOrLong(5, 50), undefined],
  ['its exit', 'exit', shortOrLong(5, 50), undefined],
  ['ended from outside', 'terminate', shortOrLong(5, 50), undefined],
]

for (const [title, way, times, code] of deaths) {
  t.test(title, { skip }, async t => {
    const first = await spawn(0)
    const { port } = first
    const load = new Worker(new URL('udp-load.ts', import.meta.url), { workerData: { port } })
    t.teardown(() => load.terminate())
    let next = Promise.resolve(first)
    const heard: unknown[] = []
    for (let i = 0; i < times; i++) {
      const { worker } = await next
      for (let n = 0; n < 5; n++) await exchangeUdp(port, ask('web'))
      worker.once('error', error => heard.push((error as NodeJS.ErrnoException).code))
      const ended = new Promise(resolve => worker.once('exit', resolve))
      if (way === 'terminate') void worker.terminate()
      else worker.postMessage(way)
      await ended
      next = spawn(port)
    }
    await (await next).worker.terminate()
    t.equal(heard.length, way === 'heap' || way === 'throw' ? times : 0, `${times} times`)
    t.same([...new Set(heard)], heard.length > 0 ? [code] : [])
  })
}
