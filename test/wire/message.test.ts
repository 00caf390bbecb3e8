// The slow path's codec judged by another one (dns-packet): what one writes the other reads; and by octets that lie.

import dnsPacket from 'dns-packet'
import t from 'tap'
import { decodeMessage, type Edns, type Head, MessageWriter, type Sections } from '../../src/wire/message.ts'
import { formatName, name } from '../../src/wire/name.ts'
import { type Rr, rr, soaMinimum, soaRdata, srvRdata, txtRdata } from '../../src/wire/record.ts'
import { TYPE } from '../../src/wire/rrtype.ts'
import fc, { runs } from '../support/properties.ts'

const writer = new MessageWriter()
const head: Head = {
  id: 4711,
  response: true,
  opcode: 0,
  authoritative: true,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: 0,
  question: { qname: name('web.demo.svc.cluster.local.'), qtype: TYPE.A, qclass: 1 },
}
const empty: Sections = { answer: [], authority: [], additional: [] }

/** Few labels, so that names share their ends and compression has work. */
const hostText = fc
  .array(fc.constantFrom('a', 'b', 'B', 'web', 'svc', 'cluster', 'local', 'x'.repeat(63)), {
    minLength: 1,
    maxLength: 3,
  })
  .map(labels => labels.join('.'))
const ttl = fc.nat(0x7fffffff)

/** A record as both sides see it. */
interface Both {
  readonly ours: Rr
  readonly theirs: dnsPacket.Answer
}
const both: fc.Arbitrary<Both> = fc.oneof(
  fc.tuple(hostText, ttl, fc.nat(255)).map(([owner, ttl, octet]) => ({
    ours: rr(name(owner), TYPE.A, ttl, Uint8Array.of(10, 0, 0, octet)),
    theirs: { name: owner, type: 'A' as const, ttl, data: `10.0.0.${octet}` },
  })),
  fc
    .tuple(hostText, ttl, hostText, fc.constantFrom('CNAME' as const, 'NS' as const, 'PTR' as const))
    .map(([owner, ttl, target, type]) => ({
      ours: rr(name(owner), TYPE[type], ttl, name(target)),
      theirs: { name: owner, type, ttl, data: target },
    })),
  fc.tuple(hostText, ttl, hostText, fc.nat(65535)).map(([owner, ttl, target, port]) => ({
    ours: rr(name(owner), TYPE.SRV, ttl, srvRdata(0, 50, port, name(target))),
    theirs: { name: owner, type: 'SRV' as const, ttl, data: { priority: 0, weight: 50, port, target } },
  })),
  fc.tuple(hostText, ttl, hostText, fc.nat(0x7fffffff)).map(([owner, ttl, mname, serial]) => ({
    ours: rr(name(owner), TYPE.SOA, ttl, soaRdata(name(mname), name(owner), [serial, 7200, 1800, 86400, 5])),
    theirs: {
      name: owner,
      type: 'SOA' as const,
      ttl,
      data: { mname, rname: owner, serial, refresh: 7200, retry: 1800, expire: 86400, minimum: 5 },
    },
  })),
  fc.tuple(hostText, ttl, hostText).map(([owner, ttl, exchange]) => ({
    ours: rr(name(owner), TYPE.MX, ttl, Uint8Array.of(0, 10, ...name(exchange))),
    theirs: { name: owner, type: 'MX' as const, ttl, data: { preference: 10, exchange } },
  })),
  fc.tuple(hostText, ttl).map(([owner, ttl]) => ({
    ours: rr(name(owner), TYPE.TXT, ttl, txtRdata('1.1.0')),
    theirs: { name: owner, type: 'TXT' as const, ttl, data: ['1.1.0'] },
  })),
)
const bothLists = fc.tuple(
  fc.array(both, { maxLength: 6 }),
  fc.array(both, { maxLength: 3 }),
  fc.array(both, { maxLength: 6 }),
)
const sectionsOf = ([answer, authority, additional]: [Both[], Both[], Both[]]): Sections => ({
  answer: answer.map(record => record.ours),
  authority: authority.map(record => record.ours),
  additional: additional.map(record => record.ours),
})

/** A record of dns-packet's as one line. */
function line(record: dnsPacket.Answer): string {
  const { name, type } = record
  const data = (record as { data?: unknown }).data
  const text = type === 'TXT' ? String([data].flat().map(String)) : JSON.stringify(data)
  return `${name} ${(record as { ttl?: number }).ttl} ${type} ${text}`
}
const ourLine = ({ owner, type, ttlSeconds, rdata }: Rr): string =>
  `${formatName(owner)} ${ttlSeconds} ${type} ${Buffer.from(rdata).toString('hex')}`

t.test('what we write dns-packet reads', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bothLists, lists => {
        const read = dnsPacket.decode(Buffer.from(writer.write(head, sectionsOf(lists), undefined, 65535)))
        t.equal(read.id === 4711 && read.flag_aa && read.flag_qr && !read.flag_tc && read.flag_rd, true)
        const sections = [read.answers ?? [], read.authorities ?? [], read.additionals ?? []]
        return sections.every(
          (records, i) => records.map(line).join() === lists[i]!.map(b => line(b.theirs)).join(),
        )
      }),
    ),
  )
})

t.test('what dns-packet writes we read', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bothLists, lists => {
        const [answers, authorities, additionals] = lists.map(list => list.map(b => b.theirs))
        const octets = dnsPacket.encode({
          type: 'response',
          id: 7,
          answers: answers!,
          authorities: authorities!,
          additionals: additionals!,
        })
        const read = decodeMessage(octets)
        const sections = [read?.answer, read?.authority, read?.additional]
        return sections.every(
          (records, i) => records?.map(ourLine).join() === lists[i]!.map(b => ourLine(b.ours)).join(),
        )
      }),
    ),
  )
})

t.test('what we write we read, records that do not fit left out from the end', async t => {
  const edns: Edns = {
    payloadSize: 1232,
    version: 0,
    dnssecOk: true,
    options: [{ code: 15, data: Uint8Array.of(0, 3) }],
  }
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bothLists, fc.integer({ min: 80, max: 900 }), fc.boolean(), (lists, limit, withEdns) => {
        const sections = sectionsOf(lists)
        const octets = writer.write(
          { ...head, rcode: withEdns ? 16 : 3 },
          sections,
          withEdns ? edns : undefined,
          limit,
        )
        const read = decodeMessage(octets)
        if (!read || octets.length > limit) return false
        const wanted = [...sections.answer, ...sections.authority, ...sections.additional].map(ourLine)
        const got = [...read.answer, ...read.authority, ...read.additional].map(ourLine)
        return (
          got.join() === wanted.slice(0, got.length).join() &&
          read.truncated === got.length < wanted.length &&
          read.rcode === (withEdns ? 16 : 3) &&
          read.edns?.options[0]?.code === (withEdns ? 15 : undefined)
        )
      }),
    ),
  )
})

t.test('names are compressed, those of SRV are not, case is kept', async t => {
  const record = (owner: string, target: string, type: number): Rr => rr(name(owner), type, 5, name(target))
  const lengthWith = (answer: readonly Rr[]): number =>
    writer.write(head, { ...empty, answer }, undefined, 65535).length
  const bare = lengthWith([])
  t.equal(
    lengthWith([record('web.demo.svc.cluster.local.', 'web.demo.svc.cluster.local.', TYPE.CNAME)]),
    bare + 14,
  )
  t.equal(
    lengthWith([record('WEB.demo.svc.cluster.local.', 'x.demo.svc.cluster.local.', TYPE.CNAME)]),
    bare + 20,
  )
  const target = name('web.demo.svc.cluster.local.')
  t.equal(lengthWith([rr(target, TYPE.SRV, 5, srvRdata(0, 100, 80, target))]), bare + 12 + 6 + target.length)
})

t.test('octets that lie', async t => {
  const opt = '00 0029 04d0 00000000 0000'
  const cases: [what: string, message: string][] = [
    ['nothing', ''],
    ['11 octets', '00'.repeat(11)],
    ['a question that is not there', '0000 8000 0001 0000 0000 0000'],
    ['65535 of everything', `0000 8000 ffff ffff ffff ffff ${'00'.repeat(40)}`],
    ['a record cut in its head', '0000 8000 0000 0001 0000 0000 00 0001 0001 00000000 00'],
    ['a record cut in its data', '0000 8000 0000 0001 0000 0000 00 0001 0001 00000000 0004 0a0000'],
    ['an SOA without numbers is kept, one with half a name is not', '0000 8000 0000 0001 0000 0000 00 0006 0001 00000000 0003 00 0561'],
    ['a CNAME whose name ends behind its data', '0000 8000 0000 0001 0000 0000 00 0005 0001 00000000 0002 0161 00'],
    ['an SRV shorter than its numbers', '0000 8000 0000 0001 0000 0000 00 0021 0001 00000000 0005 0000000000'],
    ['a NAPTR string beyond its data', '0000 8000 0000 0001 0000 0000 00 0023 0001 00000000 0005 00000000ff'],
    ['an owner that points at itself', '0000 8000 0000 0001 0000 0000 c00c 0001 0001 00000000 0000'],
    ['two OPT records', `0000 8000 0000 0000 0000 0002 ${opt} ${opt}`],
    ['an OPT record among the answers', `0000 8000 0000 0001 0000 0000 ${opt}`],
    ['an option beyond its record', '0000 8000 0000 0000 0000 0001 00 0029 04d0 00000000 0005 0003 0002 aa'],
  ] // biome-ignore format: a table
  for (const [what, message] of cases)
    t.equal(decodeMessage(Buffer.from(message.replaceAll(' ', ''), 'hex')), undefined, what)
})

t.test('a TTL with its highest bit set is the largest', async t => {
  const octets = Buffer.from(
    '000080000000000100000000 00 0001 0001 80000005 0004 0a000001'.replaceAll(' ', ''),
    'hex',
  )
  t.equal(decodeMessage(octets)?.answer[0]?.ttlSeconds, 0x7fffffff)
})

t.test('the largest message that grows most when its names are written out', async t => {
  const longest = name(`${`${'x'.repeat(63)}.`.repeat(3)}${'y'.repeat(61)}.`)
  const rdataAt = 12 + longest.length + 4 + 11
  const octets = Buffer.alloc(65535, 1)
  octets.set([0, 0, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, ...longest, 0, 6, 0, 1])
  octets.set([0, 0, 6, 0, 1, 0, 0, 0, 5, (65535 - rdataAt) >> 8, (65535 - rdataAt) & 255], rdataAt - 11)
  octets.set([0xc0, 12, 0xc0, 12], rdataAt)
  const [record] = decodeMessage(octets)?.answer ?? []
  t.equal(record?.rdata.length, 65535 - rdataAt - 4 + 2 * 255)
  t.equal(soaMinimum(record!), 0x01010101)
  t.same(
    decodeMessage(writer.write(head, { ...empty, answer: [record!] }, undefined, 65535))?.truncated,
    true,
  )
})

t.test('mutated messages never throw', async t => {
  const seed = Uint8Array.from(
    writer.write(
      head,
      {
        answer: [
          rr(name('a.b.'), TYPE.CNAME, 5, name('c.b.')),
          rr(name('c.b.'), TYPE.SRV, 5, srvRdata(0, 1, 2, name('d.b.'))),
        ],
        authority: [rr(name('b.'), TYPE.SOA, 5, soaRdata(name('ns.b.'), name('h.b.'), [1, 2, 3, 4, 5]))],
        additional: [rr(name('d.b.'), TYPE.A, 5, Uint8Array.of(10, 0, 0, 1))],
      },
      { payloadSize: 1232, version: 0, dnssecOk: false, options: [{ code: 10, data: new Uint8Array(8) }] },
      65535,
    ),
  )
  const changes = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 8 })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(changes, fc.nat(seed.length), fc.boolean(), (changes, cut, whole) => {
        const octets = seed.slice(0, whole ? seed.length : seed.length - cut)
        for (const [at, octet] of changes) if (at < octets.length) octets[at] = octet
        const read = decodeMessage(octets)
        if (!read) return true
        const { answer, authority, additional } = read
        const again = decodeMessage(
          writer.write(
            { ...read, question: read.questions[0] },
            { answer, authority, additional },
            read.edns,
            65535,
          ),
        )
        return again?.answer.map(ourLine).join() === answer.map(ourLine).join()
      }),
      { numRuns: runs(10_000) },
    ),
  )
})
