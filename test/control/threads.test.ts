// The serving threads as the control thread sees them: prepared and committed together, refused together, replaced one by
// one, drained at the end.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { constants, getPriority } from 'node:os'
import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { Threads, type Work } from '../../src/control/threads.ts'
import { ProcessLog } from '../../src/observe/log.ts'
import { Registry } from '../../src/observe/registry.ts'
import { readConfiguration } from '../../src/setup/configuration.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { encodeQuestion, exchangeTcp, query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { nameOf, replyTo, type StubRecord, UpstreamStub } from '../support/upstream-stub.ts'

interface Started {
  readonly threads: Threads
  readonly registry: Registry
  readonly workers: Worker[]
  /** Resolves when the log has the text. */
  logged(text: string): Promise<void>
}

async function start(test: Test, count: number, here = false): Promise<Started> {
  const registry = new Registry()
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const output = {
    write(text: string): boolean {
      lines.push(text)
      for (const look of waiting) look()
      return true
    },
    flush: async () => true,
  }
  const log = new ProcessLog(output, systemClock, registry.meters)
  const threads = new Threads({
    registry,
    log,
    quiet: false,
    logForm: 'text',
    traffic: { take: () => undefined },
    tapped: () => undefined,
    operatorEvent: () => undefined,
  })
  const workers: Worker[] = []
  const seen = (worker: Worker): void => void workers.push(worker)
  process.on('worker', seen)
  await threads.start(count, { here })
  // Without a thread nothing else keeps this process.
  const alive = setInterval(() => undefined, 1000)
  test.teardown(async () => {
    clearInterval(alive)
    process.off('worker', seen)
    await threads.drain()
  })
  const logged = (text: string): Promise<void> =>
    new Promise(resolve => {
      const look = (): void => {
        if (lines.some(line => line.includes(text))) resolve()
      }
      waiting.add(look)
      look()
    })
  return { threads, registry, workers, logged }
}

const work = (port: number, lines = 'whoami'): Work => {
  const text = `.:${port} {\n  bind 127.0.0.1\n  ${lines}\n}\n`
  const { setup } = readConfiguration({ file: 'Corefile', text, port: 53 })
  return { setup, tables: [], ownAddresses: [] }
}

const restarts = (registry: Registry): number | undefined =>
  registry.gather().find(({ family }) => family.name === 'seamark_thread_restarts_total')?.samples[0]
    ?.numbers[0]

/** Of each serving thread, as Linux has it (proc_pid_stat(5), field 19). */
const servingNiceness = (): number[] =>
  readdirSync('/proc/self/task').flatMap(task => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'latin1')
    return stat.includes('(serving-') ? [Number(stat.slice(stat.lastIndexOf(')')).split(' ')[17])] : []
  })

t.test('a thread that ends is replaced, counted and logged, while the other serves on', async test => {
  const { threads, registry, workers, logged } = await start(test, 2)
  const port = await freePort()
  const served = work(port)
  test.same(await threads.prepare(served), [], 'prepared on both')
  await threads.commit(served)
  test.equal((await query(port, { name: 'example.org' })).rcode, 'NOERROR')
  test.equal(workers.length, 2)

  const dead = workers[0]!
  const exit = once(dead, 'exit')
  await dead.terminate()
  await exit
  test.equal((await query(port, { name: 'example.org' })).rcode, 'NOERROR', 'the other one answers')
  await logged('serving thread 0 serves again')
  test.equal(workers.length, 3, 'a new one was started')
  test.equal((await query(port, { name: 'example.org', tcp: true })).rcode, 'NOERROR')
  test.equal(restarts(registry), 1)
  if (process.platform !== 'linux') return
  const nicest = Math.max(...servingNiceness())
  test.equal(servingNiceness().length, 2)
  test.ok(
    getPriority() > nicest || nicest === constants.priority.PRIORITY_LOW,
    'changes give way to the queries of the new one, too',
  )
})

t.test(
  'a port in use is told with its address and the line that asks for it, and nothing is served',
  async test => {
    const { threads } = await start(test, 1)
    const taken = createSocket('udp4')
    taken.bind(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address()
    const errors = await threads.prepare(work(port))
    test.equal(errors.length, 1)
    test.match(errors[0], new RegExp(`127\\.0\\.0\\.1:${port} .*in use.*Corefile:1:1`))
    taken.close()

    const free = work(await freePort())
    test.same(await threads.prepare(free), [], 'another configuration can be prepared after it')
    await threads.commit(free)
  },
)

t.test('one thread can be a part of the control thread: no worker, and the rest as ever', async test => {
  const { threads, registry, workers } = await start(test, 1, true)
  const port = await freePort()
  const before = work(port)
  test.same(await threads.prepare(before), [])
  await threads.commit(before)
  test.equal((await query(port, { name: 'example.org' })).rcode, 'NOERROR')
  const after = work(port, 'template IN TXT . {\n  answer "{{ .Name }} 60 IN TXT new"\n  }')
  test.same(await threads.prepare(after), [])
  await threads.commit(after)
  for (const tcp of [false, true])
    test.match((await query(port, { name: 'example.org', type: 'TXT', tcp })).answer, [/"new"$/])
  test.same([workers.length, restarts(registry)], [0, 0])
  await threads.drain()
  await test.rejects(
    query(port, { name: 'example.org', tcp: true, timeoutMs: 500 }),
    'its sockets are closed',
  )
})

t.test('a successor that cannot serve is replaced in its turn', async test => {
  const { threads, workers, logged } = await start(test, 1)
  const served = work(await freePort())
  test.same(await threads.prepare(served), [])
  await threads.commit(served)
  const port = served.setup.listens[0]!.port
  await workers[0]!.terminate()
  const taken = createServer().listen(port, '127.0.0.1')
  await once(taken, 'listening')
  await logged('a new serving thread cannot serve: listening on')
  taken.close()
  await logged('serving thread 0 serves again')
  test.equal((await query(port, { name: 'example.org' })).rcode, 'NOERROR')
})

t.test('a reload waits for the successor of a thread that has died', async test => {
  const { threads, workers } = await start(test, 2)
  const port = await freePort()
  const before = work(port)
  test.same(await threads.prepare(before), [])
  await threads.commit(before)
  await workers[0]!.terminate()
  const after = work(port, 'template IN TXT . {\n  answer "{{ .Name }} 60 IN TXT new"\n  }')
  test.same(await threads.prepare(after), [])
  await threads.commit(after)
  test.equal(workers.length, 3)
  for (let i = 0; i < 20; i++) {
    const { answer } = await query(port, { name: 'example.org', type: 'TXT' })
    test.match(answer, [/"new"$/], 'whichever thread answers')
  }
})

t.test(
  'a thread that ends under load, out of heap, ends alone, with its reason, and is replaced',
  async t => {
    const strings = Array.from({ length: 200 }, (_, i) => `${i}${'x'.repeat(240)}`)
    const upstream = await UpstreamStub.start((asked, back) => {
      const answer = strings.map(words => text(nameOf(asked), 300, words))
      back.send(replyTo(asked, { answer }))
    })
    t.teardown(() => upstream.pause())
    const { threads, registry, workers, logged } = await start(t, 1)
    const port = await freePort()
    const busy = work(port, `cache\nforward . ${upstream.to} {\nforce_tcp\n}`)
    t.same(await threads.prepare(busy), [])
    await threads.commit(busy)
    // Its own questions in flight go with it, and none is asked of nobody.
    let ended = false
    workers[0]!.once('exit', () => {
      ended = true
    })
    for (let i = 0; !ended; i += 20) {
      const names = Array.from({ length: 20 }, (_, n) => `n${i + n}.example.org`)
      const packets = names.map((name, n) => encodeQuestion({ name, type: 'TXT' }, n))
      const asking = Promise.allSettled(packets.map(packet => exchangeTcp(port, packet)))
      if (i === 100) endOutOfHeap(workers[0]!)
      await asking
    }
    await logged('serving thread 0 ended and is replaced: Error [ERR_WORKER_OUT_OF_MEMORY]')
    await logged('serving thread 0 serves again')
    t.equal(workers.length, 2, 'one successor')
    t.equal((await query(port, { name: 'again.example.org', type: 'TXT', tcp: true })).rcode, 'NOERROR')
    t.equal(restarts(registry), 1)
  },
)

/**
 * Nothing that is asked makes a thread's heap grow: what Node says of one that has run out is said here. How a real one ends:
 * ../listen/thread-death.test.ts.
 */
function endOutOfHeap(worker: Worker): void {
  const error = new Error('Worker terminated due to reaching memory limit: JS heap out of memory')
  error.stack = `Error [ERR_WORKER_OUT_OF_MEMORY]: ${error.message}`
  worker.emit('error', error)
  void worker.terminate()
}

/** A TXT record of one string. */
const text = (owner: string, ttlSeconds: number, words: string): StubRecord => ({
  owner,
  type: 'TXT',
  ttlSeconds,
  rdata: Uint8Array.of(words.length, ...Buffer.from(words)),
})
