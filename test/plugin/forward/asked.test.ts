// A question as it is sent, and the judgement of what comes back: against any octets, and against the plain way of deciding it
// on trees.

import t from 'tap'
import {
  type AskedFlags,
  askedEnd,
  askedOctets,
  copyAsked,
  writeAsked,
} from '../../../src/plugin/forward/asked.ts'
import { FITS, MISMATCH, reply, type Sent } from '../../../src/plugin/forward/reply.ts'
import { decodeMessage, encodeOptions } from '../../../src/wire/message.ts'
import { equalNames, name } from '../../../src/wire/name.ts'
import type { Rr } from '../../../src/wire/record.ts'
import { TYPE } from '../../../src/wire/rrtype.ts'
import { OPTION } from '../../../src/wire/scan.ts'
import { anyName, anyRecord, anySections, HEAD } from '../../support/any-message.ts'
import { decodeMessage as decodeQuery } from '../../support/dns-message.ts'
import fc, { runs } from '../../support/properties.ts'
import { a, named, replyTo, soa } from '../../support/upstream-stub.ts'
import { type Asked, judge, scrub } from './oracle.ts'

const FLAGS: AskedFlags = { recursionDesired: true, checkingDisabled: false, dnssecOk: false }
const ID = 4711
const PAYLOAD = 1232

interface Question extends Sent {
  readonly questionOctets: number
}

function sentFor(qname: Uint8Array, qtype = 1, flags = FLAGS, options?: Uint8Array): Question {
  const question = new Uint8Array(400)
  const written = writeAsked(question, qname, qname.length, qtype, 1, flags, PAYLOAD, options)
  return {
    question,
    questionEnd: askedEnd(written),
    questionOctets: askedOctets(written),
    qtype,
    qclass: 1,
    dnssecOk: flags.dnssecOk,
    payloadSize: PAYLOAD,
    addedOptions: options,
  }
}

function messageOf(sent: Question, edns = true): Uint8Array {
  const out = new Uint8Array(500)
  return out.slice(7, 7 + copyAsked(sent, edns, ID, out, 7))
}

const www = sentFor(name('www.example.org'))
const stubAsked = {
  ...decodeQuery(messageOf(www)),
  octets: messageOf(www),
  transport: 'udp',
  address: '',
  port: 0,
  connection: 0,
  what: '',
} as const
const replies = [
  replyTo(stubAsked, { answer: [a('www.example.org', 30)] }),
  replyTo(stubAsked, {
    answer: [named('www.example.org', 'CNAME', 3, 'b.org'), a('b.org', 3)],
    authority: [soa('org', 9)],
  }),
  replyTo(stubAsked, {
    rcode: 3,
    authority: [soa('example.org', 30)],
    opt: Uint8Array.of(0, 15, 0, 2, 0, 1),
  }),
  replyTo(stubAsked, { tc: true, rcode: 0 }),
  replyTo(stubAsked, { rcode: 1, question: new Uint8Array(0) }),
]

t.test(
  'what is sent: flags, payload size, options; nothing of EDNS where the upstream does not take it',
  async t => {
    const options = encodeOptions([{ code: 3, data: Uint8Array.of(1, 2) }])
    for (const recursionDesired of [true, false]) {
      for (const checkingDisabled of [true, false]) {
        for (const dnssecOk of [true, false]) {
          const flags = { recursionDesired, checkingDisabled, dnssecOk }
          const sent = sentFor(name('www.example.org'), TYPE.AAAA, flags, options)
          const questions = [{ qname: name('www.example.org'), qtype: TYPE.AAAA, qclass: 1 }]
          const head = { id: ID, recursionDesired, checkingDisabled, questions, response: false }
          t.match(decodeMessage(messageOf(sent)), {
            ...head,
            authenticData: true,
            edns: { payloadSize: PAYLOAD, dnssecOk, options: [{ code: 3, data: Uint8Array.of(1, 2) }] },
          })
          t.match(decodeMessage(messageOf(sent, false)), { ...head, authenticData: false, edns: undefined })
        }
      }
    }
  },
)

t.test('random octets', async t => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 600 }),
      octets => reply.judge(octets, 0, octets.length, www, ID, true, 'udp') === MISMATCH,
    ),
    { numRuns: runs(2000) },
  )
  t.pass('nothing thrown, nothing taken')
})

const KINDS = ['', 'reply', 'mismatch', 'no-edns']

const shown = ({ owner, type, class: rrclass, ttlSeconds, rdata }: Rr): string =>
  `${Buffer.from(owner).toString('latin1')} ${type} ${rrclass} ${ttlSeconds} ${Buffer.from(rdata).toString('hex')}`

/** Throws where the octets are judged otherwise than on trees; says what came of them. */
function compare(octets: Uint8Array, sent: Question, edns: boolean, protocol: 'udp' | 'tcp'): string {
  const shifted = new Uint8Array(octets.length + 9)
  shifted.set(octets, 5)
  const judgement = reply.judge(shifted, 5, 5 + octets.length, sent, ID, edns, protocol)
  const expected = judge(octets, messageOf(sent, edns), protocol)
  if (KINDS[judgement] !== expected.kind) throw new Error(`${KINDS[judgement]} instead of ${expected.kind}`)
  if (expected.kind !== 'reply') return expected.kind
  const { message } = expected
  const qname = sent.question.slice(12, sent.questionEnd - 4)
  const asked: Asked = { qname, qtype: sent.qtype, qclass: 1, dnssecOk: sent.dnssecOk }
  const left = scrub(message, asked)
  const given = decodeMessage(reply.octets.slice(0, reply.length))
  if (!given || !equalNames(given.questions[0]!.qname, qname))
    throw new Error('a message that cannot be read')
  for (const section of ['answer', 'authority'] as const) {
    const [is, should] = [given[section].map(shown).join('\n'), left[section].map(shown).join('\n')]
    if (is !== should) throw new Error(`${section}:\n${is}\ninstead of\n${should}`)
  }
  if (given.additional.length > 0) throw new Error('additional records')
  const head = [
    reply.rcode,
    given.authoritative,
    given.recursionAvailable,
    given.authenticData,
    reply.truncated,
  ]
  const { rcode, authoritative, recursionAvailable, authenticData, truncated } = message
  const wanted = [rcode, authoritative, recursionAvailable, authenticData, truncated]
  if (`${head}` !== `${wanted}`) throw new Error(`${head} instead of ${wanted}`)
  const error = message.edns?.options.find(({ code, data }) => code === OPTION.EDE && data.length >= 2)
  const code = error ? (error.data[0]! << 8) | error.data[1]! : -1
  if (reply.reasonCode !== code) throw new Error(`reason ${reply.reasonCode} instead of ${code}`)
  return 'reply'
}

const anyProtocol = fc.constantFrom('udp' as const, 'tcp' as const)

t.test('replies with octets changed, cut or put behind', async t => {
  const change = fc.record({ at: fc.nat(200), octet: fc.integer({ min: 0, max: 255 }) })
  const came = new Set<string>()
  fc.assert(
    fc.property(
      fc.constantFrom(...replies),
      fc.array(change, { maxLength: 6 }),
      fc.nat(200),
      fc.uint8Array({ maxLength: 20 }),
      anyProtocol,
      fc.boolean(),
      (whole, changes, cutAt, more, protocol, edns) => {
        const octets = Uint8Array.of(...whole, ...more).slice(
          0,
          Math.max(0, whole.length + more.length - cutAt),
        )
        for (const { at, octet } of changes) if (at < octets.length) octets[at] = octet
        came.add(compare(octets, www, edns, protocol))
      },
    ),
    { numRuns: runs(5000) },
  )
  t.equal(came.size, 3)
})

const writerOf = (edns: boolean, dnssecOk: boolean) =>
  edns ? { payloadSize: 4096, dnssecOk, version: 0, options: [] } : undefined

t.test('any records, some of them about names of the chain', async t => {
  const { MessageWriter } = await import('../../../src/wire/message.ts')
  const writer = new MessageWriter()
  const alias = fc
    .tuple(anyName, anyName, fc.constantFrom(TYPE.CNAME, TYPE.DNAME))
    .map(([owner, target, type]): Rr => ({ owner, type, class: 1, ttlSeconds: 5, rdata: target }))
  const records = fc.array(fc.oneof(anyRecord, alias, alias), { maxLength: 8 })
  fc.assert(
    fc.property(
      anyName,
      fc.constantFrom(1, 5, 6, 12, 28, 39, 46, 255),
      records,
      records,
      anySections,
      fc.record({ edns: fc.boolean(), dnssecOk: fc.boolean(), rcode: fc.constantFrom(0, 2, 3, 5) }),
      anyProtocol,
      (qname, qtype, answer, authority, { additional }, { edns, dnssecOk, rcode }, protocol) => {
        const lower = Uint8Array.from(qname, octet => (octet > 64 && octet < 91 ? octet + 32 : octet))
        const sent = sentFor(lower, qtype, { ...FLAGS, dnssecOk })
        const head = { ...HEAD, rcode, question: { qname: lower, qtype, qclass: 1 } }
        const octets = writer.write(head, { answer, authority, additional }, writerOf(edns, dnssecOk), 65535)
        const came = compare(octets.slice(), sent, edns, protocol)
        if (came !== 'reply') throw new Error(came)
      },
    ),
    { numRuns: runs(5000) },
  )
  t.pass('the same records are taken')
})

t.test('a reply that is put aside comes back', async t => {
  const octets = replies[2]!
  t.equal(reply.judge(octets, 0, octets.length, www, ID, true, 'udp'), FITS)
  const kept = reply.keep()
  const other = replies[0]!
  reply.judge(other, 0, other.length, www, ID, true, 'udp')
  t.not(Buffer.compare(kept.octets, reply.octets.subarray(0, reply.length)), 0)
  reply.restore(kept)
  t.strictSame(reply.octets.slice(0, reply.length), kept.octets)
  t.strictSame([reply.rcode, reply.reasonCode, reply.truncated], [3, 1, false])
})
