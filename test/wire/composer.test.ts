// Messages written record by record, read by the decoder that makes a tree of them and by dns-packet.

import dnsPacket from 'dns-packet'
import t from 'tap'
import { Composer } from '../../src/wire/composer.ts'
import { decodeMessage, MessageWriter, type Sections } from '../../src/wire/message.ts'
import { formatName, type Name, name } from '../../src/wire/name.ts'
import type { Rr } from '../../src/wire/record.ts'
import { CLASS, TYPE } from '../../src/wire/rrtype.ts'
import { RecordWalk } from '../../src/wire/walk.ts'
import { anyName, anySections, HEAD, messageAt } from '../support/any-message.ts'
import fc, { runs } from '../support/properties.ts'

const composer = new Composer()
const walk = new RecordWalk()
const OUT_AT = 5
const question = HEAD.question!

const line = ({ owner, class: rrclass, type, ttlSeconds, rdata }: Rr): string =>
  `${formatName(owner)} ${ttlSeconds} ${rrclass} ${type} ${Buffer.from(rdata).toString('hex')}`
const lines = ({ answer, authority, additional }: Sections): string[][] =>
  [answer, authority, additional].map(section => section.map(line))

/** Signatures that are too short to be one, of which dns-packet says so. */
const hasOddSignature = ({ answer, authority, additional }: Sections): boolean =>
  [...answer, ...authority, ...additional].some(({ type }) => type === TYPE.RRSIG)

/** Composes a message from records; gives it with what stands around it in its buffer. */
function compose(limit: number, write: () => void): { out: Uint8Array; end: number } {
  const out = new Uint8Array(OUT_AT + limit + 300).fill(0xee)
  composer.begin(out, OUT_AT, limit)
  out.fill(0, OUT_AT, OUT_AT + 4)
  composer.question(question.qname, 0, question.qtype, question.qclass)
  write()
  return { out, end: composer.finish() }
}

const fromRecords = (sections: Sections) => (): void => {
  ;[sections.answer, sections.authority, sections.additional].forEach((records, section) => {
    for (const { owner, type, class: rrclass, ttlSeconds, rdata } of records)
      composer.record(section, owner, 0, type, rrclass, ttlSeconds, rdata, 0, rdata.length)
  })
}

const fromMessage = (octets: Uint8Array, start: number) => (): void => {
  for (walk.open(octets, start, octets.length - start); walk.next(); ) composer.copy(walk)
}

t.test('what is written from records or copied from a message is read as it was', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, fc.nat(50), (sections, start) => {
        for (const write of [fromRecords(sections), fromMessage(messageAt(start, sections), start)]) {
          const { out, end } = compose(65535, write)
          const read = decodeMessage(out.slice(OUT_AT, end))
          if (!read || lines(read).join(';') !== lines(sections).join(';')) return false
          if (read.truncated || formatName(read.questions[0]!.qname) !== formatName(question.qname))
            return false
          if (!hasOddSignature(sections)) dnsPacket.decode(Buffer.from(out.subarray(OUT_AT, end)))
        }
        return true
      }),
    ),
  )
})

t.test('is as short as what the tree is written to', async t => {
  const writer = new MessageWriter()
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, sections => {
        const { end } = compose(65535, fromRecords(sections))
        return end - OUT_AT === writer.write(HEAD, sections, undefined, 65535).length
      }),
    ),
  )
})

t.test('leaves out from the end what does not fit, and never touches what is behind the limit', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, fc.integer({ min: 40, max: 700 }), (sections, limit) => {
        for (const write of [fromRecords(sections), fromMessage(messageAt(0, sections), 0)]) {
          const { out, end } = compose(limit, write)
          const read = decodeMessage(out.slice(OUT_AT, end))
          if (!read || end > OUT_AT + limit) return false
          if (out.subarray(OUT_AT + limit).some(octet => octet !== 0xee)) return false
          if (out.subarray(0, OUT_AT).some(octet => octet !== 0xee)) return false
          const kept = lines(read).flat()
          const all = lines(sections).flat()
          if (read.truncated !== kept.length < all.length) return false
          if (kept.join() !== all.slice(0, kept.length).join()) return false
        }
        return true
      }),
      { numRuns: runs(500) },
    ),
  )
})

t.test('another owner and another TTL', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, anyName, fc.nat(1000), (sections, owner, ttl) => {
        const octets = messageAt(0, sections)
        const { out, end } = compose(65535, () => {
          for (walk.open(octets, 0, octets.length); walk.next(); ) composer.copy(walk, 2, ttl, owner)
        })
        const all = [...sections.answer, ...sections.authority, ...sections.additional]
        const read = decodeMessage(out.slice(OUT_AT, end))
        const expected = all.map(record => line({ ...record, owner, ttlSeconds: ttl }))
        return read?.additional.map(line).join() === expected.join() && read.answer.length === 0
      }),
    ),
  )
})

/** Where the first name in the data of a type begins, as anyRecord makes it. */
const NAME_AT: ReadonlyMap<number, number> = new Map([
  [TYPE.CNAME, 0],
  [TYPE.NS, 0],
  [TYPE.PTR, 0],
  [TYPE.DNAME, 0],
  [TYPE.SOA, 0],
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
  [TYPE.NAPTR, 11],
])

t.test('another first name in the data', async t => {
  const renamed = (record: Rr, value: Name): Rr => {
    const at = NAME_AT.get(record.type)
    if (at === undefined) return record
    let end = at
    while (record.rdata[end] !== 0) end += record.rdata[end]! + 1
    const rdata = [...record.rdata.subarray(0, at), ...value, ...record.rdata.subarray(end + 1)]
    return { ...record, rdata: Uint8Array.from(rdata) }
  }
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, anyName, fc.boolean(), (sections, value, all) => {
        const octets = messageAt(0, sections)
        const { out, end } = compose(65535, () => {
          for (walk.open(octets, 0, octets.length); walk.next(); ) {
            if (walk.nameAt >= 0 !== NAME_AT.has(walk.type)) throw new Error(`${walk.type}: ${walk.nameAt}`)
            composer.copy(walk, walk.section, walk.ttl, undefined, all ? value : undefined)
          }
        })
        const expected = [sections.answer, sections.authority, sections.additional].map(records =>
          records.map(record => line(all ? renamed(record, value) : record)),
        )
        return lines(decodeMessage(out.slice(OUT_AT, end))!).join() === expected.join()
      }),
    ),
  )
})

t.test('names that somebody chose to collide, thousands of them: a message that is still right', async t => {
  const records = Array.from({ length: 5000 }, (_, i): Rr => {
    const owner: Name = name(`n${i}.example.org.`)
    return { owner, type: TYPE.A, class: CLASS.IN, ttlSeconds: 5, rdata: Uint8Array.of(10, 0, i >> 8, i) }
  })
  const sections = { answer: records, authority: [], additional: [] }
  const { out, end } = compose(65535, fromRecords(sections))
  const read = decodeMessage(out.slice(OUT_AT, end))!
  t.ok(read.answer.length > 2000)
  t.same(read.answer.map(line), records.slice(0, read.answer.length).map(line))
  t.ok(read.truncated)
})
