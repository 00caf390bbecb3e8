// The judgement of what comes back, against any octets: it never throws, and takes nothing that does not fit.

import t from 'tap'
import { type Asked, askedKey, encodeAsked, judge } from '../../../src/plugin/forward/asked.ts'
import { scrub } from '../../../src/plugin/forward/scrub.ts'
import { name, nameKey } from '../../../src/wire/name.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import fc, { runs } from '../../support/properties.ts'
import { a, named, replyTo, soa } from '../../support/upstream-stub.ts'

const asked = (parts: Partial<Asked> = {}): Asked => ({
  qname: name('www.example.org'),
  qtype: 1,
  qclass: 1,
  recursionDesired: true,
  checkingDisabled: false,
  dnssecOk: false,
  options: [],
  ...parts,
})
const sent = encodeAsked(asked(), 4711, 1232)
const stubAsked = {
  ...decodeMessage(sent),
  octets: sent,
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

t.test('random octets', async t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), octets => {
      const judgement = judge(octets, sent, 'udp')
      return judgement.kind === 'mismatch'
    }),
    { numRuns: runs(2000) },
  )
  t.pass('nothing thrown, nothing taken')
})

t.test('replies with octets changed, cut or put behind', async t => {
  const change = fc.record({ at: fc.nat(200), octet: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(
      fc.constantFrom(...replies),
      fc.array(change, { maxLength: 6 }),
      fc.nat(200),
      fc.uint8Array({ maxLength: 20 }),
      fc.constantFrom('udp' as const, 'tcp' as const),
      (reply, changes, cutAt, more, protocol) => {
        const octets = Uint8Array.of(...reply, ...more).slice(
          0,
          Math.max(0, reply.length + more.length - cutAt),
        )
        for (const { at, octet } of changes) if (at < octets.length) octets[at] = octet
        const judgement = judge(octets, sent, protocol)
        if (judgement.kind !== 'reply') return
        const { message } = judgement
        if (message.id !== 4711 || !message.response) throw new Error('a reply to something else')
        const { answer, authority } = scrub(message, asked())
        const aliases = new Set(['www.example.org'].map(text => nameKey(name(text))))
        for (const record of answer) {
          if (record.type === 5) aliases.add(nameKey(record.rdata))
        }
        for (const { owner, type } of answer) {
          if (type !== 39 && !aliases.has(nameKey(owner))) throw new Error('an owner off the chain')
        }
        for (const { type } of authority) if (type !== 6) throw new Error('authority beside an SOA')
      },
    ),
    { numRuns: runs(5000) },
  )
  t.pass('whatever is taken fits the question')
})

t.test('the key tells questions apart', async t => {
  const bits = fc.record({
    qname: fc.constantFrom(...['.', 'a', 'a.b', 'ab', 'a\\.b', 'a\\0001'].map(name)),
    qtype: fc.constantFrom(1, 11, 28),
    qclass: fc.constantFrom(1, 11),
    recursionDesired: fc.boolean(),
    checkingDisabled: fc.boolean(),
    dnssecOk: fc.boolean(),
    options: fc.constantFrom<Asked['options']>(
      [],
      [{ code: 8, data: Uint8Array.of(1) }],
      [{ code: 8, data: Uint8Array.of() }],
    ),
  })
  fc.assert(
    fc.property(bits, bits, (one, two) => {
      const same = Buffer.from(encodeAsked(one, 0, 1232)).equals(encodeAsked(two, 0, 1232))
      return same === (askedKey(one) === askedKey(two))
    }),
    { numRuns: runs(5000) },
  )
  t.pass('equal keys mean equal questions')
})
