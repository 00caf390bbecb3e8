// Lines of a watch and items of a list, cut into chunks in every way.

import t from 'tap'
import { EVENT_MAX_OCTETS, LineSplitter } from '../../src/watch/line-splitter.ts'
import { ListSplitter } from '../../src/watch/list-splitter.ts'
import fc, { runs } from '../support/properties.ts'

/** Cuts octets at the places given, in any order and with repetitions. */
function cut(octets: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map(place => place % (octets.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => octets.subarray(from, at[i] ?? octets.length))
}

const places = fc.array(fc.nat(5000), { maxLength: 40 })

t.test('lines come out as they went in, however they are cut', async t => {
  const lines = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map(text => JSON.stringify(text)),
  )
  fc.assert(
    fc.property(lines, places, (wanted, at) => {
      const seen: string[] = []
      const splitter = new LineSplitter(line => seen.push(line))
      const text = wanted.map(line => `${line}\n`).join('')
      for (const chunk of cut(Buffer.from(`${text}"not ended`), at)) splitter.push(chunk)
      return JSON.stringify(seen) === JSON.stringify(wanted)
    }),
    { numRuns: runs(300) },
  )
  t.pass('300 cases')
})

t.test('empty lines and CR LF', async t => {
  const seen: string[] = []
  const splitter = new LineSplitter(line => seen.push(line.trim()))
  splitter.push(Buffer.from('\n\r\n{"a":1}\r\n\n{"b":2}\n'))
  t.same(seen, ['{"a":1}', '{"b":2}'])
})

t.test('a line that grows too long is refused, one that just fits is not', async t => {
  for (const [octets, refused] of [
    [EVENT_MAX_OCTETS, false],
    [EVENT_MAX_OCTETS + 1, true],
  ] as const) {
    const splitter = new LineSplitter(line => t.equal(line.length, octets))
    const push = (): void => {
      for (let left = octets; left > 0; left -= 65_536)
        splitter.push(Buffer.alloc(Math.min(left, 65_536), 'x'))
      splitter.push(Buffer.from('\n'))
    }
    if (refused) t.throws(push, { code: 'protocol' })
    else push()
  }
})

const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' })
const list = fc.record({
  items: fc.array(json, { maxLength: 8 }),
  metadata: json,
  after: json,
  indent: fc.nat(2),
})

t.test('items and envelope of a list, however it is cut and indented', async t => {
  fc.assert(
    fc.property(list, places, ({ items, metadata, after, indent }, at) => {
      const body = { kind: 'ServiceList', metadata, items, after, nested: { items: [1, { items: [2] }] } }
      const seen: unknown[] = []
      const splitter = new ListSplitter(text => seen.push(JSON.parse(text)))
      for (const chunk of cut(Buffer.from(JSON.stringify(body, null, indent)), at)) splitter.push(chunk)
      const envelope = splitter.end()
      return (
        JSON.stringify(seen) === JSON.stringify(items) &&
        JSON.stringify(envelope) === JSON.stringify({ ...body, items: [] })
      )
    }),
    { numRuns: runs(500) },
  )
  t.pass('500 cases')
})

t.test('envelopes without a list of items', async t => {
  for (const body of [
    '{"items":null}',
    '{"metadata":{"items":[1]}}',
    '{"a":"items","b":[1]}',
    '{"\\"items":[1]}',
    '[1,2]',
    '{}',
  ]) {
    const splitter = new ListSplitter(item => t.fail(`an item: ${item}`))
    splitter.push(Buffer.from(body))
    t.same(splitter.end(), JSON.parse(body), body)
  }
})

t.test('bodies that are no JSON are refused at the end', async t => {
  for (const body of [
    '',
    '<html>',
    '{"items":[',
    '{"items":[{}',
    '{"items":[}]',
    '{"items":[]}}',
    ']',
    '{"items":[{}]',
  ]) {
    const splitter = new ListSplitter(() => {})
    splitter.push(Buffer.from(body))
    t.throws(() => splitter.end(), { code: 'protocol' }, body)
  }
})

t.test('an item or an envelope without end is refused', async t => {
  for (const start of ['{"items":[{"a":"', '{"metadata":"']) {
    const splitter = new ListSplitter(() => {})
    splitter.push(Buffer.from(start))
    t.throws(
      () => {
        for (let n = 0; n < 10; n++) splitter.push(Buffer.alloc(1024 * 1024, 'x'))
      },
      { code: 'protocol', message: /too large/ },
    )
  }
})
