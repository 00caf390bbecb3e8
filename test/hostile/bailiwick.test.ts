// Bailiwick (MaginotDNS, CVE-2021-25220, CVE-2025-40778, CVE-2025-11411): an upstream, or who lies to it, sends records
// beside the answer. They answer no later question: neither the cluster's names nor those of another upstream.

import t from 'tap'
import { query } from '../support/dns-client.ts'
import {
  a,
  named,
  nameOf,
  type ReplyParts,
  replyTo,
  type Script,
  type StubRecord,
  UpstreamStub,
} from '../support/upstream-stub.ts'
import { clusterIp, serve, unharmed } from './one-block.ts'

const CLUSTER = 'kubernetes.default.svc.cluster.local'
const VICTIM = 'victim.example'
const EVIL = '203.0.113.66'
/** What the cluster and the victim's own upstream say. */
const TRUE = { [CLUSTER]: '10.96.0.1', [VICTIM]: '198.51.100.7' }
const lies = [a(CLUSTER, 3600, EVIL), a(VICTIM, 3600, EVIL)]

/** What the upstream of `evil.example` adds to an answer, by the name that is asked. */
const additions: Readonly<Record<string, ReplyParts>> = {
  'answer.evil.example': { answer: [a('answer.evil.example', 30), ...lies] },
  'only.evil.example': { answer: lies },
  'authority.evil.example': {
    answer: [a('authority.evil.example', 30)],
    authority: ['.', 'example', VICTIM, 'cluster.local', 'evil.example'].map(zone =>
      named(zone, 'NS', 3600, 'ns.evil.example'),
    ),
    additional: [a('ns.evil.example', 3600, EVIL)],
  },
  'additional.evil.example': { answer: [a('additional.evil.example', 30)], additional: lies },
  'denial.evil.example': {
    rcode: 3,
    answer: lies,
    authority: [named('example', 'NS', 3600, 'ns.evil.example')],
  },
  'to-the-victim.evil.example': {
    answer: [named('to-the-victim.evil.example', 'CNAME', 30, VICTIM), ...lies],
  },
  'to-the-cluster.evil.example': {
    answer: [named('to-the-cluster.evil.example', 'CNAME', 30, CLUSTER), ...lies],
  },
  'dname.evil.example': {
    answer: [named('example', 'DNAME', 3600, 'evil.example'), named('local', 'DNAME', 3600, 'evil.example')],
  },
}

const evil: Script = (asked, back) => back.send(replyTo(asked, additions[nameOf(asked).slice(0, -1)]))
const honest: Script = (asked, back) =>
  back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, TRUE[VICTIM])] }))

t.test('nobody but the cluster answers for its names: an alias, a DNAME', async t => {
  const target = 'web.default.svc.cluster.local'
  const forged = a(target, 30, '6.6.6.6')
  const aliases: Readonly<Record<string, readonly StubRecord[]>> = {
    'alias.evil.example': [named('alias.evil.example', 'CNAME', 30, target), forged],
    'web.dname.evil.example': [
      named('dname.evil.example', 'DNAME', 30, 'default.svc.cluster.local'),
      named('web.dname.evil.example', 'CNAME', 30, target),
      forged,
    ],
  }
  const stub = await UpstreamStub.start((asked, back) =>
    back.send(replyTo(asked, { answer: aliases[nameOf(asked).slice(0, -1)] ?? [] })),
  )
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to}`, { manifests: clusterIp('web', '10.96.0.7') })
  for (const name of Object.keys(aliases)) {
    for (const tcp of [false, true, false]) {
      const { answer } = await query(served.port, { name, tcp })
      t.notOk(
        answer.some(text => text.includes('6.6.6.6')),
        `${name}: ${answer}`,
      )
      t.match((await query(served.port, { name: target, tcp })).answer, [/10\.96\.0\.7$/])
    }
  }
  await unharmed(t, served)
})

t.test('a client that wants no recursion takes no name from those that do', async t => {
  // As BIND does: without RD it refers.
  const stub = await UpstreamStub.start((asked, back) => {
    const wantsRecursion = (asked.octets[2]! & 1) === 1
    const referral = [named('example.org', 'NS', 30, 'ns.example.org')]
    back.send(replyTo(asked, wantsRecursion ? { answer: [a(nameOf(asked), 30)] } : { authority: referral }))
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to}`)
  for (let i = 0; i < 10; i++) {
    const name = `n${i}.example.org`
    await query(served.port, { name, rd: false })
    t.match((await query(served.port, { name })).answer, [/192\.0\.2\.1$/], name)
  }
  await unharmed(t, served)
})

t.test('records beside an answer answer nothing', async t => {
  const [bad, good] = [await UpstreamStub.start(evil), await UpstreamStub.start(honest)]
  t.teardown(() => Promise.all([bad.pause(), good.pause()]))
  const served = await serve(t, `cache\nforward evil.example ${bad.to}\nforward . ${good.to}`, {
    manifests: clusterIp('kubernetes', '10.96.0.1'),
  })
  const addresses = async (name: string, tcp: boolean): Promise<string[]> => {
    const { answer } = await query(served.port, { name, tcp })
    return answer.map(record => record.split(' ').at(-1)!)
  }
  for (const name of Object.keys(additions)) {
    for (const tcp of [false, true]) {
      // Once from the upstream, once from the cache.
      for (const turn of ['first', 'again']) {
        const reply = await query(served.port, { name, tcp })
        const title = `${name} over ${tcp ? 'TCP' : 'UDP'}, ${turn}`
        t.strictSame(reply.authority, [], `${title}: no authority`)
        t.strictSame(reply.additional, [], `${title}: nothing additional`)
        for (const [owner, address] of Object.entries(TRUE)) {
          t.strictSame(await addresses(owner, tcp), [address], `${title}, then ${owner}`)
        }
      }
    }
  }
  const strays = bad.log.filter(line => !line.endsWith('.evil.example. IN A'))
  t.strictSame(strays, [], 'the evil one was asked for its own names alone')
  t.strictSame(new Set(good.log), new Set([`udp ${VICTIM}. IN A`]), 'the other upstream for its own')
  await unharmed(t, served)
})
