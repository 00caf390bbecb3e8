// TTLs and sizes of messages where they lie, and sections left out, against the tree.

import t from 'tap'
import { decodeMessage } from '../../src/wire/message.ts'
import type { Rr } from '../../src/wire/record.ts'
import { dropSections, sectionAt } from '../../src/wire/sections.ts'
import { boundTtls, setTtls, smallestTtl, uncompressedOctets } from '../../src/wire/ttls.ts'
import { anySections, HEAD, messageAt } from '../support/any-message.ts'
import fc from '../support/properties.ts'

const START = 9
const seconds = fc.nat(0x7fffffff)

const ttlsOf = (octets: Uint8Array): number[] => {
  const read = decodeMessage(octets.slice(START, octets.length - START))!
  return [...read.answer, ...read.authority, ...read.additional].map(record => record.ttlSeconds)
}

t.test('the smallest TTL, one for all, and between two bounds', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, seconds, seconds, (sections, a, b) => {
        const [min, max] = a < b ? [a, b] : [b, a]
        const octets = messageAt(START, sections)
        const end = octets.length - START
        const before = ttlsOf(octets)
        if (smallestTtl(octets, START, end) !== Math.min(Number.POSITIVE_INFINITY, ...before)) return false
        boundTtls(octets, START, end, min, max)
        const bounded = before.map(ttl => Math.min(max, Math.max(min, ttl)))
        if (ttlsOf(octets).join() !== bounded.join()) return false
        setTtls(octets, START, end, b)
        return ttlsOf(octets).every(ttl => ttl === b)
      }),
    ),
  )
})

t.test('the size without compression', async t => {
  const sizeOf = (records: readonly Rr[]): number =>
    records.reduce((sum, { owner, rdata }) => sum + owner.length + 10 + rdata.length, 0)
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, sections => {
        const octets = messageAt(START, sections)
        const all = [...sections.answer, ...sections.authority, ...sections.additional]
        const size = 12 + HEAD.question!.qname.length + 4 + sizeOf(all)
        return uncompressedOctets(octets, START, octets.length - START) === size
      }),
    ),
  )
})

t.test('sections are left out from one on', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, fc.nat(2), (sections, from) => {
        const octets = messageAt(START, sections)
        const at = sectionAt(octets, START, octets.length - START, from)
        const end = dropSections(octets, START, octets.length - START, from)
        const read = decodeMessage(octets.slice(START, end))
        const kept = [read?.answer, read?.authority, read?.additional].map(section => section?.length)
        const lengths = [sections.answer, sections.authority, sections.additional].map(({ length }) => length)
        return at === end && kept.join() === lengths.map((length, i) => (i < from ? length : 0)).join()
      }),
    ),
  )
})
