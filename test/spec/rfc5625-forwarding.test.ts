// Forwarded questions (RFC 5625, RFC 6891 6.2.6): what the upstream says, with RA; EDNS is between two neighbours and goes no
// further; TTLs count down; what does not fit comes over TCP; a dead upstream is told in time.

import t from 'tap'
import { decodeMessage, query, TcpClient } from '../support/dns-client.ts'
import {
  CHAIN,
  CHAIN_LINKS,
  FORWARDED,
  FORWARDED_BIG,
  FORWARDED_MISSING,
  FORWARDED_OPTIONS,
  FORWARDED_SILENT,
  FORWARDED_TTL,
  LOOP,
  optionsSentTo,
} from '../support/target-cluster.ts'
import { until } from '../support/until.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc5625-forwarding')
/** Stub resolvers give up after 5 s. */
const DOWN_MAX_MS = 6000
/** What a long chain of aliases may cost (RFC 1034 5.2.2). */
const ASKED_MAX = 12
const ECS = { code: 8, data: Uint8Array.of(0, 1, 24, 0, 192, 0, 2) }
/** BIND repeats the subnet as its own. */
const NO_SUBNET = spec.target.kind === 'seamark' ? '!option:8' : ''
const ODD = { code: 65002, data: Uint8Array.of(1, 2, 3) }

spec.probes([
  {
    id: 'fwd.name',
    title: 'a name of the upstream',
    send: ask({ name: FORWARDED }),
    expect: 'NOERROR ra answer:A !opt',
  },
  {
    id: 'fwd.case',
    title: 'in another case',
    send: ask({ name: 'wWw.eXaMpLe.NeT' }),
    expect: 'NOERROR ra answer:A',
  },
  {
    id: 'fwd.edns',
    title: 'options of the client and of the upstream',
    send: ask({ name: FORWARDED_OPTIONS, edns: { options: [ECS, ODD] } }),
    expect: `NOERROR ra answer:A opt !option:65001 !option:65002 !option:10 ${NO_SUBNET}`,
  },
  {
    id: 'fwd.nx',
    title: 'a name that the upstream denies',
    send: ask({ name: FORWARDED_MISSING }),
    expect: 'NXDOMAIN ra !answer soa',
  },
  {
    id: 'fwd.oversize',
    title: 'an answer larger than a datagram',
    send: ask({ name: FORWARDED_BIG }),
    over: 'udp',
    expect: 'NOERROR ra tc',
  },
  {
    id: 'fwd.oversize',
    title: 'the same',
    send: ask({ name: FORWARDED_BIG }),
    over: 'tcp',
    expect: 'NOERROR ra !tc answer:A',
    also: (t, { answer }) => t.equal(answer.length, 60),
  },
])

spec.test('fwd.edns', 'no option of the client reaches the upstream', async t => {
  t.strictSame(
    optionsSentTo(spec.target.upstream).filter(code => code === ECS.code || code === ODD.code),
    [],
  )
})

spec.test('fwd.ttl', 'TTLs count down and never grow', async t => {
  // One connection: every serving thread has a cache of its own, and asks for itself.
  const client = await TcpClient.connect(spec.port)
  const ttls: number[] = []
  await until('a TTL below the first one', async () => {
    client.send(ask({ name: FORWARDED }))
    ttls.push(decodeMessage(await client.receive()).records.answer[0]!.ttlSeconds)
    return ttls.at(-1)! < ttls[0]!
  })
  client.destroy()
  t.ok(ttls[0]! <= FORWARDED_TTL, `${ttls} begin at ${FORWARDED_TTL}`)
  t.strictSame(
    ttls,
    ttls.toSorted((a, b) => b - a),
    `${ttls} never grow`,
  )
  t.ok(ttls.at(-1)! < FORWARDED_TTL, `${ttls} count down`)
})

spec.test(
  'fwd.chain',
  `${CHAIN_LINKS} aliases one behind the other: a bounded number of questions`,
  async t => {
    const { upstream } = spec.target
    const before = upstream.asked.length
    const reply = await query(spec.port, { name: CHAIN, tcp: true })
    t.match(reply.rcode, /^(NOERROR|SERVFAIL)$/, 'an end')
    t.ok(upstream.asked.length - before <= ASKED_MAX, `${upstream.asked.length - before} questions`)
  },
)

spec.test('fwd.loop', 'aliases that name one another come to an end', async t => {
  const reply = await query(spec.port, { name: LOOP })
  t.match(reply.rcode, /^(NOERROR|SERVFAIL)$/, 'an end')
  t.equal(reply.records.answer.filter(({ type }) => type === 'A').length, 0)
})

for (const over of ['udp', 'tcp'] as const) {
  const title = `a dead upstream, over ${over.toUpperCase()}: SERVFAIL before clients give up`
  spec.test('fwd.down', title, async t => {
    const reply = await query(spec.port, { name: FORWARDED_SILENT, tcp: over === 'tcp', timeoutMs: 15_000 })
    t.equal(reply.rcode, 'SERVFAIL')
    // BIND takes 10 s: the bound is a matter of policy.
    if (spec.target.kind === 'seamark')
      t.ok(reply.elapsedMs < DOWN_MAX_MS, `after ${Math.round(reply.elapsedMs)} ms`)
  })
}

spec.end()
