// DNS Cookies (RFC 7873, RFC 9018). A client's half gets ours behind it in every reply; a malformed cookie is FORMERR; one that
// is not ours is never accepted and no reason to refuse anything.

import t, { type Test } from 'tap'
import { type Decoded, query } from '../support/dns-client.ts'
import { probe } from '../support/probe.ts'
import { BIG, FORWARDED, MISSING, NAME, optionsSentTo, ZONE } from '../support/target-cluster.ts'
import { ask, patched, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc7873-cookies')
const COOKIE = 10
const CLIENT = Uint8Array.of(0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8)
const FORGED = Uint8Array.of(...CLIENT, 1, 0, 0, 0, 0x65, 0, 0, 0, ...CLIENT)
const MALFORMED = 'FORMERR !records'

const cookie = (data: Uint8Array): { code: number; data: Uint8Array } => ({ code: COOKIE, data })
const withCookie = (data: Uint8Array, question: object = {}): Uint8Array =>
  ask({ name: NAME, edns: { options: [cookie(data)] }, ...question })
const cookiesIn = ({ edns }: Pick<Decoded, 'edns'>): Uint8Array[] =>
  (edns?.options ?? []).filter(({ code }) => code === COOKIE).map(({ data }) => data)

/** One whole cookie with the client's half in front, and nothing of a forged one. */
function whole(t: Test, reply: Decoded): void {
  const [data, ...more] = cookiesIn(reply)
  t.equal(more.length, 0, 'one cookie')
  t.ok(data && data.length >= 16 && data.length <= 40, 'of 16 to 40 octets')
  t.same(data?.subarray(0, 8), CLIENT, "with the client's half in front")
  t.notSame(data?.subarray(8), FORGED.subarray(8), 'and not the forged half')
}
/** A server may leave the option out; if it does not, it is whole. */
const wholeIfAny = (t: Test, reply: Decoded): void => {
  if (cookiesIn(reply).length > 0) whole(t, reply)
}

spec.probes([
  {
    id: 'isc.ednscookie',
    title: 'ISC asks for the SOA with a cookie',
    send: withCookie(CLIENT, { name: ZONE, type: 'SOA', rd: false }),
    expect: 'NOERROR aa answer:SOA opt',
    also: wholeIfAny,
  },
  {
    id: 'isc.edns1cookie',
    title: 'the same in EDNS version 1',
    send: ask({ name: ZONE, type: 'SOA', rd: false, edns: { version: 1, options: [cookie(CLIENT)] } }),
    expect: 'BADVERS !answer opt',
    also: wholeIfAny,
  },
  ...[0, 1, 7, 9, 15, 41].map(octets => ({
    id: `cookie.len${octets}`,
    title: `a cookie of ${octets} octets`,
    send: withCookie(new Uint8Array(octets).fill(0xc1)),
    expect: MALFORMED,
  })),
  {
    id: 'cookie.bogus',
    title: 'a forged cookie',
    send: withCookie(FORGED),
    expect: 'NOERROR aa answer:A opt | BADCOOKIE !records opt',
    also: whole,
  },
  {
    id: 'cookie.bogus',
    title: 'a forged cookie of 40 octets',
    send: withCookie(Uint8Array.of(...FORGED, ...FORGED.subarray(8))),
    expect: 'NOERROR aa answer:A opt | BADCOOKIE !records opt',
    also: whole,
  },

  {
    id: 'cookie.whole',
    title: "a client's half",
    send: withCookie(CLIENT),
    expect: 'NOERROR aa answer:A option:10',
    also: whole,
  },
  {
    id: 'cookie.whole',
    title: "a client's half, and a missing name",
    send: withCookie(CLIENT, { name: MISSING }),
    expect: 'NXDOMAIN aa soa option:10',
    also: whole,
  },
  {
    id: 'cookie.whole',
    title: "a client's half, and more than a datagram holds",
    send: withCookie(CLIENT, { name: BIG }),
    over: 'udp',
    expect: 'NOERROR aa tc option:10',
    also: whole,
  },
  {
    id: 'cookie.two',
    title: 'the first of two counts',
    send: ask({ name: NAME, edns: { options: [cookie(CLIENT), cookie(CLIENT.toReversed())] } }),
    expect: 'NOERROR aa answer:A option:10',
    also: whole,
  },
  {
    id: 'cookie.two',
    title: 'a malformed second one',
    send: ask({ name: NAME, edns: { options: [cookie(CLIENT), cookie(CLIENT.subarray(1))] } }),
    expect: 'NOERROR aa answer:A option:10 | FORMERR',
    also: wholeIfAny,
  },
  {
    id: 'cookie.class',
    title: 'a class that is not served',
    send: withCookie(CLIENT, { class: 'HS' }),
    expect: 'reply option:10',
    also: whole,
  },
  {
    id: 'cookie.forwarded',
    title: 'a forwarded name',
    send: withCookie(CLIENT, { name: FORWARDED }),
    expect: 'NOERROR ra answer:A option:10',
    also: whole,
  },
  {
    id: 'cookie.forwarded',
    title: 'the same out of the cache',
    send: withCookie(CLIENT, { name: FORWARDED }),
    expect: 'NOERROR ra answer:A option:10',
    also: whole,
  },
])

spec.test('cookie.forwarded', "the client's cookie goes no further", async t => {
  const sent = spec.target.upstream.asked.flatMap(({ edns }) => cookiesIn({ edns }))
  t.ok(
    sent.every(data => !Buffer.from(data).includes(Buffer.from(CLIENT))),
    `${optionsSentTo(spec.target.upstream)}`,
  )
})

for (const tcp of [false, true]) {
  const over = tcp ? 'TCP' : 'UDP'
  spec.test('cookie.again', `a cookie of ours comes back as it is, over ${over}`, async t => {
    const learn = async (data: Uint8Array): Promise<Uint8Array> => {
      const reply = await query(spec.port, { name: NAME, tcp, edns: { options: [cookie(data)] } })
      t.equal(reply.rcode, 'NOERROR')
      return cookiesIn(reply)[0]!
    }
    const learned = await learn(CLIENT)
    for (let i = 0; i < 8; i++) t.same(await learn(learned), learned, 'on whichever thread')
  })
  spec.test('cookie.other', `a cookie of another client is not good, over ${over}`, async t => {
    const first = await query(spec.port, { name: NAME, tcp, edns: { options: [cookie(CLIENT)] } })
    const learned = cookiesIn(first)[0]!
    const stolen = await query(spec.port, {
      name: NAME,
      tcp,
      localAddress: '127.0.0.77',
      edns: { options: [cookie(learned)] },
    })
    t.notSame(cookiesIn(stolen)[0], learned)
  })
}

/** A query about a cookie and nothing else (RFC 7873 5.4). */
const alone = (data: Uint8Array): Uint8Array => {
  const packet = withCookie(data, { name: '.' })
  return patched(Uint8Array.of(...packet.subarray(0, 12), ...packet.subarray(17)), 4, 0, 0)
}
spec.probes([
  {
    id: 'cookie.alone',
    title: 'no question',
    send: alone(CLIENT),
    expect: 'NOERROR !records option:10',
    also: whole,
  },
  {
    id: 'cookie.alone.bad',
    title: 'no question, and a malformed cookie',
    send: alone(CLIENT.subarray(1)),
    expect: MALFORMED,
  },
])
// BIND says NOERROR unless it is told to insist on cookies.
if (spec.target.kind === 'seamark') {
  spec.probes([
    {
      id: 'cookie.alone.bad',
      title: 'no question, and a forged cookie',
      send: alone(FORGED),
      expect: 'BADCOOKIE !records option:10',
      also: whole,
    },
  ])
}
spec.test('cookie.alone', 'no question, and a cookie of ours', async t => {
  const learned = cookiesIn(await query(spec.port, { name: NAME, edns: { options: [cookie(CLIENT)] } }))[0]!
  const reply = await probe(spec.port, alone(learned), 'udp', false)
  t.equal(reply?.decoded.rcode, 'NOERROR')
  t.same(cookiesIn(reply!.decoded), [learned])
})

spec.end()
