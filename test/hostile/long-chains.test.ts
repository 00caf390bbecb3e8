// Long chains and loops of aliases, and answers that send the server elsewhere (NXNSAttack CVE-2020-12662, CAMP, unbounded
// CNAME chains): whatever the chain, one query of a client costs a bounded number of queries to upstreams.

import t, { type Test } from 'tap'
import { readSearch, SEARCH_MAX } from '../../src/plugin/autopath/search.ts'
import { query, type Reply } from '../support/dns-client.ts'
import type { Served } from '../support/served-corefile.ts'
import {
  a,
  named,
  nameOf,
  replyTo,
  type Script,
  type StubRecord,
  soa,
  UpstreamStub,
} from '../support/upstream-stub.ts'
import { externalName, serve, unharmed } from './one-block.ts'

const UPSTREAM_QUERIES_MAX = 12
const LINKS = 50

const svc = (name: string, zone = 'cluster.local'): string => `${name}.default.svc.${zone}`
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** What an upstream says about names below `test`. */
const upstream: Script = (asked, back) => {
  const owner = nameOf(asked)
  const chain = numbers(LINKS).map(i => named(i === 0 ? owner : `n${i}.test`, 'CNAME', 30, `n${i + 1}.test`))
  const answers: Readonly<Record<string, readonly StubRecord[]>> = {
    'chain.test.': [...chain, a(`n${LINKS}.test`, 30)],
    'loop.test.': [
      named('loop.test', 'CNAME', 30, 'back.test'),
      named('back.test', 'CNAME', 30, 'loop.test'),
    ],
    // One link at a time, without end.
    'step.test.': [named(owner, 'CNAME', 30, `x${owner}`)],
    'referral.test.': [],
  }
  const referral = numbers(LINKS).map(i => named('referral.test', 'NS', 30, `ns${i}.victim.test`))
  if (owner === 'referral.test.') back.send(replyTo(asked, { authority: referral }))
  else if (asked.transport === 'udp' && owner === 'chain.test.') back.send(replyTo(asked, { tc: true }))
  else if (owner in answers || owner.endsWith('step.test.'))
    back.send(replyTo(asked, { answer: answers[owner] ?? answers['step.test.']! }))
  else back.send(replyTo(asked, { rcode: 3, authority: [soa('test', 30)] }))
}

/** Services that lead to one another, to the upstream, and to the zone of a file; and back. */
const SERVICES = [
  ...numbers(LINKS).map(i =>
    externalName(`link-${i}`, i === LINKS - 1 ? 'chain.test' : svc(`link-${i + 1}`)),
  ),
  externalName('loop', svc('back')),
  externalName('back', svc('loop')),
  externalName('self', svc('self')),
  externalName('to-file', 'to-cluster.file.test'),
  externalName('ping', svc('pong', 'other.local')),
  externalName('pong', svc('ping')),
  externalName('to-step', 'step.test'),
].join('')
const ZONE = [
  '$ORIGIN file.test.',
  '@ 30 IN SOA ns hostmaster 1 7200 1800 86400 30',
  '@ 30 IN NS ns',
  'ns 30 IN A 192.0.2.53',
  ...numbers(LINKS).map(i => `link-${i} 30 IN CNAME ${i === LINKS - 1 ? 'chain.test.' : `link-${i + 1}`}`),
  'loop 30 IN CNAME back',
  'back 30 IN CNAME loop',
  `to-cluster 30 IN CNAME ${svc('to-file')}.`,
  'wild 30 IN CNAME a.deeper',
  '*.deeper 30 IN CNAME b.a.deeper',
  '',
].join('\n')

interface Bench {
  readonly served: Served
  /** Asks, and says what it cost. */
  ask(
    name: string,
    tcp?: boolean,
  ): Promise<{ readonly reply: Reply; readonly upstream: number; readonly server: number }>
}

async function start(t: Test): Promise<Bench> {
  const stub = await UpstreamStub.start(upstream)
  t.teardown(() => stub.pause())
  const served = await serve(t, `file zone file.test\nforward . ${stub.to}`, {
    manifests: SERVICES,
    files: { zone: ZONE },
    // The same Services under another name.
    blocks: ({ dns, metrics }) =>
      `other.local:${dns} {
        bind 127.0.0.1
        prometheus 127.0.0.1:${metrics}
        kubernetes other.local {
          manifests manifests
        }
      }`,
  })
  return {
    served,
    ask: async (name, tcp = false) => {
      const upstreamBefore = stub.asked.length
      const serverBefore = await served.counted('coredns_dns_requests_total')
      const reply = await query(served.port, { name, tcp, timeoutMs: 10_000 })
      const server = (await served.counted('coredns_dns_requests_total')) - serverBefore
      return { reply, upstream: stub.asked.length - upstreamBefore, server }
    },
  }
}

t.test('whatever leads on, and wherever', async t => {
  const { served, ask } = await start(t)
  const names = [
    svc('link-0'),
    svc('loop'),
    svc('self'),
    svc('to-file'),
    svc('ping'),
    svc('to-step'),
    svc('pong', 'other.local'),
    'link-0.file.test',
    'loop.file.test',
    'to-cluster.file.test',
    'wild.file.test',
    'chain.test',
    'loop.test',
    'step.test',
    'referral.test',
  ]
  for (const name of names) {
    for (const tcp of [false, true]) {
      const { reply, upstream, server } = await ask(name, tcp)
      t.ok(upstream <= UPSTREAM_QUERIES_MAX, `${name}: ${upstream} queries to the upstream`)
      t.ok(server <= 1 + UPSTREAM_QUERIES_MAX, `${name}: ${server} look-ups`)
      t.match(reply.rcode, /^(NOERROR|NXDOMAIN|SERVFAIL)$/, `${name}: an end`)
    }
  }
  await unharmed(t, served)
})

t.test('a search path as long as resolv.conf may have it', async t => {
  const stub = await UpstreamStub.start(upstream)
  t.teardown(() => stub.pause())
  const domains = numbers(LINKS).map(i => `d${i}.test`)
  const served = await serve(t, `autopath search\nforward . ${stub.to}`, {
    files: { search: `search ${domains.join(' ')}\n` },
  })
  for (const name of ['nope.d0.test', 'step.test.d0.test', 'a.b.c.d0.test']) {
    const before = stub.asked.length
    const { rcode } = await query(served.port, { name, tcp: true, timeoutMs: 10_000 })
    t.match(rcode, /^(NOERROR|NXDOMAIN|SERVFAIL)$/)
    const upstream = stub.asked.length - before
    t.ok(upstream <= 1 + SEARCH_MAX, `${name}: ${upstream} queries to the upstream`)
  }
  await unharmed(t, served)
})

t.test('names that tell a search path, and tell it again within', async t => {
  const stub = await UpstreamStub.start(upstream)
  t.teardown(() => stub.pause())
  const served = await serve(t, `autopath @query\nforward . ${stub.to}`, { manifests: SERVICES })
  const search = readSearch('/etc/resolv.conf')
  // The three domains of the cluster are looked up here; each of this machine's own and the name itself are asked for.
  const most = 1 + ('error' in search ? 0 : search.length)
  const path = svc('')
  const names = [
    `nope.test${path}`,
    `x.step.test${path}`,
    `chain.test${path}`,
    `loop.test${path}`,
    `referral.test${path}`,
    `nope.test${path.repeat(4)}`,
    `nope.test${path}.svc.cluster.local`,
    ...numbers(LINKS).map(i => `n${i}.nope.test${path}`),
  ]
  let walked = 0
  for (const type of ['A', 'AAAA']) {
    for (const name of names) {
      const before = stub.asked.length
      const { rcode } = await query(served.port, { name, type, tcp: true, timeoutMs: 10_000 })
      t.match(rcode, /^(NOERROR|NXDOMAIN|SERVFAIL)$/)
      const asked = new Set(stub.asked.slice(before).map(({ what }) => what)).size
      t.ok(asked <= most, `${name} ${type}: ${asked} names of the upstream, ${most} at most`)
      if (asked > 0) walked++
    }
  }
  t.ok(walked >= 2 * LINKS, `${walked} walks came to the upstream`)
  await unharmed(t, served)
})

t.test('a chain of eleven Services is followed, one of twelve is not, as in CoreDNS', async t => {
  const { ask } = await start(t)
  const followed = await ask(svc(`link-${LINKS - 11}`), true)
  t.equal(followed.reply.answer.length, 11 + LINKS + 1, 'and what the upstream says of its end')
  t.equal(followed.upstream, 1)
  const cut = await ask(svc(`link-${LINKS - 12}`), true)
  t.match(cut.reply, { rcode: 'NOERROR', answer: [] })
  t.equal(cut.upstream, 0)
})

t.test('a loop of Services has no address, as in CoreDNS', async t => {
  const { ask } = await start(t)
  for (const name of ['loop', 'back', 'self']) {
    const { reply } = await ask(svc(name))
    t.match(reply, { rcode: 'NOERROR', answer: [], authority: [/ IN SOA /] }, name)
  }
})
