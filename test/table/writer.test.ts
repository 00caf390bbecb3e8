// The table's two sides in one thread: what the writer publishes is what readers find, and no memory is lost or handed out
// again while a reader may hold it. Several threads: threads.test.ts.

import t from 'tap'
import { BLOCK, blockKeyAt } from '../../src/table/block.ts'
import { buildMark, namespaceKey, serviceKey } from '../../src/table/build.ts'
import { HEAD, KIND, markOf, READERS_MAX } from '../../src/table/layout.ts'
import { clearReader, TableReader } from '../../src/table/reader.ts'
import { TableWriter } from '../../src/table/writer.ts'
import { shortOrLong } from '../support/long.ts'
import fc, { runs } from '../support/properties.ts'

const OCTETS = 1 << 22

/** A block with that key and some octets behind it, which stand for a version. */
function block(key: Uint8Array, version: number, octets = 4): Uint8Array {
  const mark = buildMark(KIND.SERVICE, key)
  const made = new Uint8Array(mark.length + octets).fill(version, mark.length)
  made.set(mark)
  new DataView(made.buffer).setUint32(0, made.length, true)
  return made
}

/** The version of the block of a key, or undefined. */
function versionOf(reader: TableReader, key: Uint8Array): number | undefined {
  reader.enter()
  const at = reader.find(key, 0, key.length)
  const version = at === 0 ? undefined : reader.octets[at + BLOCK.ADDRESSES + key.length]
  reader.leave()
  return version
}

const key = (n: number): Uint8Array => serviceKey('demo', `web-${n}`)
/** Room for a table's two indexes as they begin, and their size classes' rest. */
const table = (): { writer: TableWriter; reader: TableReader } => {
  const writer = new TableWriter(OCTETS)
  return { writer, reader: new TableReader(writer.buffer, 0) }
}

t.test('publish, publish again, remove', t => {
  const { writer, reader } = table()
  t.equal(versionOf(reader, key(1)), undefined)
  t.equal(writer.publish(key(1), block(key(1), 1)), true)
  t.equal(versionOf(reader, key(1)), 1)
  t.equal(versionOf(reader, key(2)), undefined)
  t.equal(versionOf(reader, namespaceKey('demo')), undefined, 'the end of a key is not a key')
  t.equal(writer.publish(key(1), block(key(1), 1)), false, 'an equal block is left alone')
  t.equal(writer.publish(key(1), block(key(1), 2, 100)), true)
  t.equal(versionOf(reader, key(1)), 2)
  t.equal(writer.nameCount, 1)
  t.equal(writer.remove(key(2)), false)
  t.equal(writer.remove(key(1)), true)
  t.equal(writer.remove(key(1)), false)
  t.equal(versionOf(reader, key(1)), undefined)
  t.equal(writer.nameCount, 0)
  t.end()
})

t.test('a key is found within longer octets, and read back from its block', t => {
  const { writer, reader } = table()
  writer.publish(key(1), block(key(1), 1))
  const name = Uint8Array.of(1, 0x61, ...key(1), 3, 0x73, 0x76, 0x63, 0)
  const at = reader.find(name, 2, 2 + key(1).length)
  t.not(at, 0)
  t.same(reader.octets.slice(blockKeyAt(reader.words, at)).subarray(0, key(1).length), key(1))
  t.end()
})

t.test('the head', t => {
  const { writer, reader } = table()
  t.same([reader.synced, reader.serial], [false, 0])
  writer.setSynced(true)
  writer.setSerial(4_000_000_000)
  t.same([reader.synced, reader.serial], [true, 4_000_000_000])
  t.equal(writer.synced, true)
  t.end()
})

t.test('addresses and their services', t => {
  const { writer, reader } = table()
  const services = (address: number): number[] => {
    const count = reader.servicesOf(address)
    return [...reader.marks.subarray(0, count)].sort()
  }
  writer.addAddress(7, 101)
  writer.addAddress(7, 103)
  writer.addAddress(8, 101)
  t.same([services(7), services(8), services(9)], [[101, 103], [101], []])
  writer.removeAddress(7, 101)
  writer.removeAddress(7, 105)
  t.same([services(7), services(8)], [[103], [101]])
  for (let i = 0; i < 1000; i++) writer.addAddress(9, 201 + 2 * i)
  t.equal(new Set(services(9)).size, 1000, 'as many as there are')
  t.end()
})

t.test('blocksOf gives every block with a hash', t => {
  const { writer, reader } = table()
  writer.publish(key(1), block(key(1), 1))
  const blocks = new Int32Array(4)
  t.equal(reader.blocksOf(markOf(reader.hashOf(key(1), 0, key(1).length)), blocks), 1)
  t.equal(blocks[0], writer.find(key(1)))
  t.equal(reader.blocksOf(markOf(reader.hashOf(key(2), 0, key(2).length)), blocks), 0)
  t.end()
})

t.test('what a reader may hold is not handed out again', t => {
  const { writer, reader } = table()
  writer.publish(key(1), block(key(1), 1, 500))
  writer.endBatch()
  reader.enter()
  reader.enter()
  const at = reader.find(key(1), 0, key(1).length)
  const before = reader.octets.slice(at, at + 500)
  writer.publish(key(1), block(key(1), 2, 500))
  writer.endBatch()
  reader.leave()
  for (let i = 2; i < 20; i++) writer.publish(key(i), block(key(i), 9, 500))
  writer.endBatch()
  t.equal(writer.retiredCount, 1)
  t.same(reader.octets.slice(at, at + 500), before)
  reader.leave()
  writer.endBatch()
  t.equal(writer.retiredCount, 0)
  writer.publish(key(20), block(key(20), 9, 500))
  t.equal(writer.find(key(20)), at, 'now it is')
  t.end()
})

t.test('a thread that died holds nothing back once it is cleared', t => {
  const { writer } = table()
  const last = new TableReader(writer.buffer, READERS_MAX - 1)
  writer.publish(key(1), block(key(1), 1))
  last.enter()
  writer.remove(key(1))
  writer.endBatch()
  t.equal(writer.retiredCount, 1)
  clearReader(writer.buffer, READERS_MAX - 1)
  writer.reclaim()
  t.equal(writer.retiredCount, 0)
  t.end()
})

t.test('the epoch comes round', t => {
  const { writer, reader } = table()
  writer.publish(key(1), block(key(1), 0))
  for (const epoch of [0x7fffffff, -1]) {
    writer.words[HEAD.EPOCH] = epoch
    for (let i = 1; i <= 3; i++) {
      reader.enter()
      writer.publish(key(1), block(key(1), i))
      writer.endBatch()
      t.ok(writer.retiredCount > 0, 'held back while the reader is inside')
      reader.leave()
      writer.endBatch()
      t.equal(writer.retiredCount, 0, 'freed when it has left')
    }
    writer.publish(key(1), block(key(1), 0))
    writer.endBatch()
  }
  t.end()
})

t.test('a full table refuses, changes nothing, and takes what fits', t => {
  const writer = new TableWriter(1 << 16)
  const reader = new TableReader(writer.buffer, 0)
  writer.publish(key(1), block(key(1), 1))
  const { liveOctets, touchedOctets } = writer
  t.throws(() => writer.publish(key(1), block(key(1), 2, 1 << 16)), { code: 'TABLE_FULL' })
  t.throws(() => writer.publish(key(2), block(key(2), 2, 1 << 16)), { code: 'TABLE_FULL' })
  t.same([writer.liveOctets, writer.touchedOctets, writer.nameCount], [liveOctets, touchedOctets, 1])
  t.equal(versionOf(reader, key(1)), 1)
  t.equal(versionOf(reader, key(2)), undefined)
  writer.publish(key(2), block(key(2), 2))
  t.equal(versionOf(reader, key(2)), 2)
  t.end()
})

t.test('any publishing and removing ends as a map would', t => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 40 }),
    version: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    octets: fc.integer({ min: 1, max: 300 }),
    ends: fc.boolean(),
  })
  const equals = fc.property(fc.array(step, { maxLength: 300 }), steps => {
    const { writer, reader } = table()
    const map = new Map<number, number>()
    for (const { key: n, version, octets, ends } of steps) {
      if (version === undefined) t.equal(writer.remove(key(n)), map.delete(n))
      else {
        writer.publish(key(n), block(key(n), version, octets))
        map.set(n, version)
      }
      if (ends) writer.endBatch()
    }
    const found = [...Array(41).keys()].map(n => versionOf(reader, key(n)))
    t.same(
      found,
      [...Array(41).keys()].map(n => map.get(n)),
    )
    t.equal(writer.nameCount, map.size)
    writer.endBatch()
    t.equal(writer.retiredCount, 0)
  })
  fc.assert(equals, { numRuns: runs(60) })
  t.end()
})

t.test('the index grows, and every name stays in it', t => {
  const writer = new TableWriter(1 << 25)
  const reader = new TableReader(writer.buffer, 0)
  const names = 20_000
  for (let i = 0; i < names; i++) writer.publish(key(i), block(key(i), i & 255))
  writer.endBatch()
  t.equal(writer.nameCount, names)
  let wrong = 0
  for (let i = 0; i < names; i++) if (versionOf(reader, key(i)) !== (i & 255)) wrong++
  t.equal(wrong, 0)
  t.end()
})

/** A million in the long form. */
const UPDATES = shortOrLong(100_000, 1_000_000)

t.test('updates without end leave the table as large as it was', t => {
  const writer = new TableWriter(1 << 25)
  const keys = Array.from({ length: 1200 }, (_, i) => key(i))
  const versions = keys.map(key => [1, 2].map(version => block(key, version, 200 * version)))
  /** All names, then each changed once and each taken out and brought back: what may ever be held at the same moment. */
  const round = (from: number, updates: number): void => {
    for (let i = 0; i < updates; i++) {
      const n = i % 1000
      if (i % 10 === 9) {
        writer.remove(keys[1000 + (n % 200)]!)
        writer.publish(keys[1000 + ((n + 10) % 200)]!, versions[1000 + ((n + 10) % 200)]![0]!)
      } else writer.publish(keys[n]!, versions[n]![(from + Math.floor(i / 1000)) & 1]!)
      if (i % 20 === 19) writer.endBatch()
    }
  }
  for (let i = 0; i < keys.length; i++) writer.publish(keys[i]!, versions[i]![1]!)
  round(0, 10_000)
  const { touchedOctets, liveOctets, nameCount } = writer
  round(0, UPDATES)
  t.equal(writer.touchedOctets, touchedOctets)
  t.equal(writer.liveOctets, liveOctets)
  t.equal(writer.nameCount, nameCount)
  t.equal(writer.retiredCount, 0)
  t.end()
})

t.test('as many address pairs that come and go leave it so too', t => {
  const writer = new TableWriter(1 << 25)
  const churn = (updates: number): void => {
    for (let i = 0; i < updates; i++) {
      writer.addAddress((i * 7919) | 1, 5)
      if (i >= 100) writer.removeAddress(((i - 100) * 7919) | 1, 5)
      if (i % 50 === 0) writer.endBatch()
    }
    for (let i = updates - 100; i < updates; i++) writer.removeAddress((i * 7919) | 1, 5)
    writer.endBatch()
  }
  churn(10_000)
  const { touchedOctets } = writer
  churn(300_000)
  t.equal(writer.touchedOctets, touchedOctets)
  t.end()
})
