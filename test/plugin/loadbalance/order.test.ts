// The orders, of an answer section that is written as a message, and held to those of trees.

import t from 'tap'
import * as octetwise from '../../../src/plugin/loadbalance/order.ts'
import { contains, ipFromBytes, parseCidr } from '../../../src/shared/ip.ts'
import { Composer } from '../../../src/wire/composer.ts'
import { MESSAGE_MAX } from '../../../src/wire/header.ts'
import { decodeMessage } from '../../../src/wire/message.ts'
import { RecordList } from '../../../src/wire/order.ts'
import { type Rr, rr } from '../../../src/wire/record.ts'
import type { RecordWalk } from '../../../src/wire/walk.ts'
import { messageAt } from '../../support/any-message.ts'
import fc from '../../support/properties.ts'
import * as treewise from '../../support/tree-order.ts'
import { record, shortForm } from '../../support/words.ts'

const { roundRobin } = treewise
const list = new RecordList()

/** The records as a message's answer section, in another order. */
function reordered(records: readonly Rr[], order: (to: number) => void): readonly Rr[] {
  const octets = messageAt(0, { answer: records, authority: [], additional: [] })
  list.read(octets, 0, octets.length)
  if (list.count > 0) order(list.sectionEnd(0))
  const out = new Uint8Array(MESSAGE_MAX)
  return decodeMessage(out.slice(0, list.write(new Composer(), out, MESSAGE_MAX)))!.answer
}

/** The record at which a walk stands, but for its owner. */
const recordAt = ({ octets, type, ttl, rdataAt, rdataEnd }: RecordWalk): Rr =>
  rr(Uint8Array.of(0), type, ttl, octets.slice(rdataAt, rdataEnd))

function weighted(
  records: readonly Rr[],
  weightOf: (record: Rr) => number,
  random: () => number,
): readonly Rr[] {
  const ordered = reordered(records, to =>
    octetwise.weighted(list, 0, to, walk => weightOf(recordAt(walk)), random),
  )
  t.same(shortForm(ordered), shortForm(treewise.weighted(records, weightOf, random)), 'as the tree')
  const inPlace = messageAt(0, { answer: records, authority: [], additional: [] })
  const isDone = octetwise.weightedInPlace(
    inPlace,
    0,
    inPlace.length,
    walk => weightOf(recordAt(walk)),
    random,
  )
  if (isDone) t.same(shortForm(decodeMessage(inPlace)!.answer), shortForm(ordered), 'where they lie')
  return ordered
}

function prefer(records: readonly Rr[], networks: Parameters<typeof treewise.prefer>[1]): readonly Rr[] {
  const rankOf = (walk: RecordWalk): number => {
    const ip = ipFromBytes(recordAt(walk).rdata)
    const rank = networks.findIndex(network => contains(network, ip))
    return rank < 0 ? networks.length : rank
  }
  const ordered = reordered(records, to => octetwise.prefer(list, 0, to, rankOf))
  t.same(shortForm(ordered), shortForm(treewise.prefer(records, networks)), 'as the tree')
  return ordered
}

const of = (...texts: string[]) => texts.map(text => record(`a. 5 ${text}`))
const mixed = of(
  'A 10.0.0.1',
  'MX 1 m1.',
  'CNAME c.',
  'TXT x',
  'AAAA fd00::1',
  'CNAME d.',
  'MX 1 m2.',
  'A 10.0.0.2',
)

/** Gives these numbers, then zeros. */
const sequence =
  (...numbers: number[]) =>
  () =>
    numbers.shift() ?? 0

t.test('round_robin sorts by kind and shuffles addresses and MX', async t => {
  const last = 0.999
  const cases: [what: string, random: () => number, order: string[]][] = [
    [
      'nothing moved',
      () => last,
      ['CNAME c.', 'CNAME d.', 'TXT', 'A 10.0.0.1', 'AAAA fd00::1', 'A 10.0.0.2', 'MX m1.', 'MX m2.'],
    ],
    [
      'the last with the first',
      sequence(0, last, 0),
      ['CNAME c.', 'CNAME d.', 'TXT', 'A 10.0.0.2', 'AAAA fd00::1', 'A 10.0.0.1', 'MX m2.', 'MX m1.'],
    ],
  ]
  for (const [what, random, order] of cases) t.same(shortForm(roundRobin(mixed, random)), order, what)
  t.same(
    roundRobin([], () => last),
    [],
  )
  t.same(shortForm(mixed)[0], 'A 10.0.0.1', 'the given records stay as they are')
})

t.test('every order of three addresses comes equally often', async t => {
  const seen = new Map<string, number>()
  const rounds = 6000
  let seed = 1
  const random = (): number => {
    seed = (seed * 48271) % 2147483647
    return seed / 2147483647
  }
  for (let i = 0; i < rounds; i++) {
    const order = shortForm(roundRobin(of('A 10.0.0.1', 'A 10.0.0.2', 'A 10.0.0.3'), random)).join()
    seen.set(order, (seen.get(order) ?? 0) + 1)
  }
  t.equal(seen.size, 6)
  for (const [order, count] of seen) t.ok(count > 850 && count < 1150, `${order}: ${count}`)
})

t.test('no order loses a record', async t => {
  const texts = fc.constantFrom('A 10.0.0.1', 'AAAA ::1', 'CNAME c.', 'MX 1 m.', 'TXT x', 'SRV 0 0 80 t.')
  fc.assert(
    fc.property(
      fc.array(texts, { maxLength: 20 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (list, number) => {
        const records = of(...list)
        const networks = [parseCidr('10.0.0.0/8')!]
        for (const ordered of [
          roundRobin(records, () => number),
          weighted(
            records,
            () => 3,
            () => number,
          ),
          prefer(records, networks),
        ]) {
          if (shortForm(ordered).toSorted().join() !== shortForm(records).toSorted().join()) return false
        }
        return true
      },
    ),
  )
  t.pass('in any of the three')
})

t.test('weighted brings one address to the top by its weight', async t => {
  const weights: Record<string, number> = { 'A 10.0.0.1': 3, 'A 10.0.0.2': 1, 'A 10.0.0.3': 2 }
  const records = of('A 10.0.0.1', 'CNAME c.', 'A 10.0.0.2', 'A 10.0.0.3')
  const first = (random: number): string =>
    shortForm(
      weighted(
        records,
        record => weights[shortForm([record])[0]!]!,
        () => random,
      ),
    )[1]!
  // Six tickets: three for .1, one for .2, two for .3.
  t.same(
    [0, 1, 2, 3, 4, 5].map(ticket => first((ticket + 0.5) / 6)),
    ['A 10.0.0.1', 'A 10.0.0.1', 'A 10.0.0.1', 'A 10.0.0.2', 'A 10.0.0.3', 'A 10.0.0.3'],
  )
  t.same(
    shortForm(
      weighted(
        records,
        () => 1,
        () => 0.99,
      ),
    ),
    ['CNAME c.', 'A 10.0.0.3', 'A 10.0.0.2', 'A 10.0.0.1'],
    'the chosen one changes places with the first',
  )
  const without = of('MX 1 m.', 'CNAME c.')
  t.same(
    shortForm(
      weighted(
        without,
        () => 1,
        () => 0,
      ),
    ),
    shortForm(without),
    'without addresses nothing changes',
  )
})

t.test('addresses behind their alias are weighted where they lie', async t => {
  const records = of('CNAME c.', 'A 10.0.0.1', 'A 10.0.0.2', 'A 10.0.0.3')
  const inPlace = messageAt(0, { answer: records, authority: [], additional: [] })
  t.ok(
    octetwise.weightedInPlace(
      inPlace,
      0,
      inPlace.length,
      () => 1,
      () => 0.99,
    ),
  )
  t.same(shortForm(decodeMessage(inPlace)!.answer), ['CNAME c.', 'A 10.0.0.3', 'A 10.0.0.2', 'A 10.0.0.1'])
})

t.test('prefer sorts addresses by network, as in CoreDNS prefer_test.go', async t => {
  const records = of(
    'A 10.9.30.1',
    'A 10.9.20.5',
    'A 192.168.1.2',
    'A 10.10.0.1',
    'A 10.9.20.3',
    'A 172.16.0.1',
    'AAAA 2001:db8::1',
    'AAAA 2001:db8:abcd::1',
    'AAAA fd00::1',
    'TXT x',
    'MX 1 m.',
    'CNAME alias.example.org.',
  )
  const networks = ['2001:db8::/32', '10.9.20.0/24', '10.9.30.0/24'].map(text => parseCidr(text)!)
  t.same(shortForm(prefer(records, networks)), [
    'CNAME alias.example.org.',
    'AAAA 2001:db8::1',
    'AAAA 2001:db8:abcd::1',
    'A 10.9.20.5',
    'A 10.9.20.3',
    'A 10.9.30.1',
    'A 192.168.1.2',
    'A 10.10.0.1',
    'A 172.16.0.1',
    'AAAA fd00::1',
    'MX m.',
    'TXT',
  ])
})
