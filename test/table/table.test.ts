// The table against a Map, and several threads that read while one writes.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { buildMark, namespaceKey, serviceKey } from '../../src/table/build.ts'
import { KIND } from '../../src/table/layout.ts'
import { clearReader, TableReader } from '../../src/table/reader.ts'
import { TableWriter } from '../../src/table/writer.ts'
import { buildService } from '../support/blocks.ts'
import { shortOrLong } from '../support/long.ts'
import fc, { runs } from '../support/properties.ts'
import { headless, SlimCluster, slimService, slimSlice } from '../support/slim-cluster.ts'
import { PLAIN } from './block-texts.ts'

const blockOf = (name: string, ips: string): Uint8Array =>
  buildService(slimService(`demo/${name}`, ips), [], PLAIN)

t.test('publishes and removes in any order equal a Map', async t => {
  const step = fc.record({
    name: fc.nat(60).map(n => `s${n}`),
    addresses: fc.integer({ min: 0, max: 40 }),
    kind: fc.constantFrom('publish', 'publish', 'remove', 'batch', 'hold', 'let go'),
  })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), steps => {
        const writer = new TableWriter(1 << 22)
        const reader = new TableReader(writer.buffer, 3)
        const model = new Map<string, Uint8Array>()
        let held = 0
        for (const { name, addresses, kind } of steps) {
          const key = serviceKey('demo', name)
          if (kind === 'publish') {
            const block = blockOf(
              name,
              Array.from({ length: addresses }, (_, i) => `10.0.${addresses}.${i}`).join(' '),
            )
            const before = model.get(name)
            if (writer.publish(key, block) === (before !== undefined && Buffer.compare(before, block) === 0))
              return false
            model.set(name, block)
          } else if (kind === 'remove') {
            if (writer.remove(key) !== model.delete(name)) return false
          } else if (kind === 'batch') writer.endBatch()
          else if (kind === 'hold' && held++ >= 0) reader.enter()
          else if (held > 0 && held--) reader.leave()
        }
        for (let n = 0; n <= 60; n++) {
          const key = serviceKey('demo', `s${n}`)
          const block = reader.find(key, 0, key.length)
          const expected = model.get(`s${n}`)
          if (!expected !== (block === 0)) return false
          if (
            expected &&
            Buffer.compare(reader.octets.subarray(block, block + expected.length), expected) !== 0
          )
            return false
        }
        return writer.nameCount === model.size
      }),
    ),
  )
})

t.test('addresses in any order equal a set of pairs', async t => {
  const step = fc.tuple(
    fc.integer({ min: 2, max: 20 }),
    fc.integer({ min: 1, max: 60 }).map(n => 2 * n + 1),
    fc.boolean(),
  )
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3000, minLength: 1000 }), steps => {
        const writer = new TableWriter(1 << 22)
        const reader = new TableReader(writer.buffer, 0)
        const model = new Set<string>()
        for (const [address, service, add] of steps) {
          const pair = `${address} ${service}`
          if (!add) writer.removeAddress(address, service)
          else if (writer.addAddress(address, service) === model.has(pair)) return false
          if (add) model.add(pair)
          else model.delete(pair)
        }
        for (let address = 2; address <= 20; address++) {
          const count = reader.servicesOf(address)
          const found = [...reader.marks.subarray(0, count)].sort()
          const expected = [...model]
            .filter(pair => pair.startsWith(`${address} `))
            .map(pair => Number(pair.split(' ')[1]))
          if (found.join() !== expected.sort().join()) return false
        }
        return true
      }),
      { numRuns: runs(20) },
    ),
  )
})

t.test('names that share a hash are told apart', async t => {
  const writer = new TableWriter(1 << 22)
  const seen = new Map<number, string>()
  let pair: [string, string] | undefined
  for (let i = 0; !pair; i++) {
    const key = namespaceKey(`n${i}`)
    const hash = writer.hashOf(key, 0, key.length)
    const known = seen.get(hash)
    if (known !== undefined) pair = [known, `n${i}`]
    seen.set(hash, `n${i}`)
  }
  const [a, b] = pair.map(namespaceKey) as [Uint8Array, Uint8Array]
  writer.publish(a, buildMark(KIND.NAMESPACE, a))
  t.equal(writer.find(b), 0)
  writer.publish(b, buildMark(KIND.NAMESPACE, b))
  t.not(writer.find(a), writer.find(b))
  writer.remove(a)
  t.equal(writer.find(a), 0)
  t.not(writer.find(b), 0, `${pair} had one hash`)
})

t.test('a reader holds back what it may be reading, and no longer', async t => {
  const writer = new TableWriter(1 << 22)
  const reader = new TableReader(writer.buffer, 5)
  const key = serviceKey('demo', 'web')
  const first = blockOf('web', '10.0.0.1')
  writer.publish(key, first)
  writer.endBatch()
  reader.enter()
  reader.enter()
  const held = reader.find(key, 0, key.length)
  for (let i = 2; i < 50; i++) {
    writer.publish(key, blockOf('web', `10.0.0.${i}`))
    writer.endBatch()
  }
  t.equal(Buffer.compare(reader.octets.subarray(held, held + first.length), first), 0, 'as it was found')
  t.equal(writer.retiredCount, 48)
  reader.leave()
  writer.reclaim()
  t.equal(writer.retiredCount, 48, 'calls nest')
  reader.leave()
  writer.reclaim()
  t.equal(writer.retiredCount, 0)

  reader.enter()
  writer.remove(key)
  writer.endBatch()
  t.equal(writer.retiredCount, 1)
  clearReader(writer.buffer, 5)
  writer.reclaim()
  t.equal(writer.retiredCount, 0, 'a reader that died holds nothing')
})

t.test('several threads see one set or the other, whole', async t => {
  const COUNT = 50
  const READERS = 3
  const WRITES = shortOrLong(1000, 10_000)
  const cluster = new SlimCluster()
  const set = (which: number): string[] => Array.from({ length: COUNT }, (_, i) => `10.${which}.0.${i}`)
  const slices = [1, 2].map(which => slimSlice('demo/hl-1', 'hl', set(which)))
  cluster.list(['demo'], [headless('demo/hl')], [slices[0]!])
  const control = new SharedArrayBuffer(8)
  const words = new Int32Array(control)
  const workers = Array.from(
    { length: READERS },
    (_, i) =>
      new Worker(new URL('../support/table-reader-thread.ts', import.meta.url), {
        workerData: { buffer: cluster.writer.buffer, reader: i + 1, control, count: COUNT },
      }),
  )
  await Promise.all(workers.map(worker => once(worker, 'message')))
  for (let i = 1; i <= WRITES; i++) {
    cluster.cluster.upsert('EndpointSlice', slices[i % 2]!)
    // The readers get their turn on a machine with fewer cores than threads.
    if (i % 100 === 0)
      for (const from = Atomics.load(words, 1); Atomics.load(words, 1) < from + 100; )
        Atomics.wait(words, 0, 0, 1)
  }
  const results = workers.map(worker => once(worker, 'message'))
  Atomics.store(words, 0, 1)
  for (const [seen] of await Promise.all(results)) {
    t.equal(seen.wrong, '')
    t.ok(seen.asked > 0 && seen.x + seen.y === seen.asked, `${seen.asked} answers`)
  }
  await Promise.all(workers.map(worker => worker.terminate()))
})
