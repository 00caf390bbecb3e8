// The order of records in a message, against the order that is made of the tree.

import t from 'tap'
import { Composer } from '../../src/wire/composer.ts'
import { decodeMessage, type Sections } from '../../src/wire/message.ts'
import { formatName, name } from '../../src/wire/name.ts'
import { roundRobin } from '../../src/wire/order.ts'
import { type Rr, rr } from '../../src/wire/record.ts'
import { TYPE } from '../../src/wire/rrtype.ts'
import { anySections, messageAt } from '../support/any-message.ts'
import fc from '../support/properties.ts'
import { Random } from '../support/random.ts'
import { roundRobin as treeRoundRobin } from '../support/tree-order.ts'

const composer = new Composer()
const spare = new Uint8Array(65535)
const START = 4

const line = ({ owner, type, ttlSeconds, rdata }: Rr): string =>
  `${formatName(owner)} ${ttlSeconds} ${type} ${Buffer.from(rdata).toString('hex')}`

/** The message in another order: its records, and whether it stayed where it was. */
function ordered(
  sections: Sections,
  random: () => number,
): { readonly read: Sections; readonly stayed: boolean } {
  const octets = messageAt(START, sections)
  const end = roundRobin(octets, START, octets.length - START, random, composer, spare)
  const read = decodeMessage(end === 0 ? octets.slice(START, octets.length - START) : spare.slice(0, end))!
  return { read, stayed: end === 0 }
}

const seeded = (seed: number): (() => number) => {
  const random = new Random(seed)
  return () => random.below(2 ** 20) / 2 ** 20
}

t.test('each section has the order that the tree gets from the same random numbers', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, fc.nat(), (sections, seed) => {
        const { read, stayed } = ordered(sections, seeded(seed))
        const random = seeded(seed)
        return (['answer', 'authority', 'additional'] as const).every(section => {
          const expected = treeRoundRobin(sections[section], random).map(line)
          const found = read[section].map(line)
          // Where it stays, the same numbers shuffle fewer things: only what may move is compared.
          return stayed
            ? expected.toSorted().join() === found.toSorted().join()
            : expected.join() === found.join()
        })
      }),
    ),
  )
})

t.test('addresses of one name behind their CNAMEs are swapped where they lie, in every order', async t => {
  const owner = name('b.example.org.')
  const addresses = [1, 2, 3].map(octet => rr(owner, TYPE.A, octet, Uint8Array.of(10, 0, 0, octet)))
  const sections = {
    answer: [rr(name('a.example.org.'), TYPE.CNAME, 5, owner), ...addresses],
    authority: [],
    additional: [],
  }
  const seen = new Set<string>()
  const random = seeded(7)
  for (let i = 0; i < 200; i++) {
    const { read, stayed } = ordered(sections, random)
    t.ok(stayed)
    const [first, ...rest] = read.answer
    t.equal(first?.type, TYPE.CNAME)
    t.same(rest.map(line).toSorted(), addresses.map(line).toSorted(), 'each address keeps its TTL')
    seen.add(rest.map(line).join())
  }
  t.equal(seen.size, 6)
})
