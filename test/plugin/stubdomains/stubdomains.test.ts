// Zones and their upstreams out of objects: who gets which question, what changes with the objects, and what is refused.

import t, { type Test } from 'tap'
import { isProblem, slimStubDomain } from '../../../src/objects/slim.ts'
import type { SlimStubDomain } from '../../../src/objects/stub-domains.ts'
import { stubDomainsWord } from '../../../src/plugin/stubdomains/stubdomains.ts'
import { STUBS_MAX } from '../../../src/table/stub-domains.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { SlimCluster, slimService } from '../../support/slim-cluster.ts'
import { a, nameOf, replyTo, UpstreamStub } from '../../support/upstream-stub.ts'
import { parseWord } from '../../support/words.ts'

const STUBS = { within: [''], own: ['cluster.local'] }

/** A StubDomain out of `corp corp.example 10.0.0.1 10.0.0.2`, made in that second. */
function stub(text: string, at = 0, more: object = {}): SlimStubDomain {
  const [name, zone, ...upstreams] = text.split(' ')
  const creationTimestamp = new Date(at * 1000).toISOString()
  const slim = slimStubDomain({ metadata: { name, creationTimestamp }, spec: { zone, upstreams, ...more } })
  if (isProblem(slim)) throw new Error(slim.problem)
  return slim
}

/** An upstream that says of every name that it has this address. */
async function upstream(t: Test, address: string): Promise<UpstreamStub> {
  const started = await UpstreamStub.start((asked, back) =>
    back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, address)] })),
  )
  t.teardown(() => started.pause())
  return started
}

function world(t: Test, lines: string, stubs = STUBS) {
  const refused: string[] = []
  const { cluster, reader } = new SlimCluster(
    { stubs },
    {
      kinds: ['Service', 'EndpointSlice', 'Namespace', 'StubDomain'],
      refused: text => void refused.push(text),
    },
  )
  cluster.replace('StubDomain', [])
  for (const [kind, objects] of [
    ['Namespace', [{ name: 'demo' }]],
    ['Service', [slimService('demo/web', '10.0.0.1')]],
    ['EndpointSlice', []],
  ] as const)
    cluster.replace(kind, objects as never)
  const block = new ServerBlock(lines, { reader } as SlimCluster)
  t.teardown(() => block.stop())
  t.same(block.problems.list, [])
  const ask = async (name: string): Promise<string> => {
    const { rcode, records } = decodeMessage((await block.late(encodeQuestion({ name, type: 'A' })))!)
    return [rcode, ...records.answer.map(({ data }) => data)].join(' ')
  }
  return { cluster, refused, ask, block }
}

t.test('the longest zone has the name; what is no StubDomain, and the cluster, are as before', async t => {
  const [corp, lab, all] = [
    await upstream(t, '192.0.2.1'),
    await upstream(t, '192.0.2.2'),
    await upstream(t, '192.0.2.3'),
  ]
  const { cluster, ask, block } = world(t, `kubernetes cluster.local\nstubdomains\nforward . ${all.to}`)
  cluster.replace('StubDomain', [
    stub(`corp corp.example ${corp.to}`),
    stub(`lab lab.corp.example ${lab.to}`),
  ])
  const rows: [name: string, said: string][] = [
    ['corp.example', 'NOERROR 192.0.2.1'],
    ['WWW.Corp.Example', 'NOERROR 192.0.2.1'],
    ['a.b.lab.corp.example', 'NOERROR 192.0.2.2'],
    ['xcorp.example', 'NOERROR 192.0.2.3'],
    ['example', 'NOERROR 192.0.2.3'],
    ['.', 'NOERROR 192.0.2.3'],
    ['web.demo.svc.cluster.local', 'NOERROR 10.0.0.1'],
  ]
  for (const [name, said] of rows) t.equal(await ask(name), said, name)
  const notes = await block.notes(encodeQuestion({ name: 'www.lab.corp.example', type: 'A' }))
  t.ok(notes.includes(`stubdomains: StubDomain lab sends lab.corp.example to ${lab.to}`), notes.join('\n'))
})

t.test('objects come, change and go, without a reload and without losing a question', async t => {
  const [one, two, all] = [
    await upstream(t, '192.0.2.1'),
    await upstream(t, '192.0.2.2'),
    await upstream(t, '192.0.2.3'),
  ]
  const { cluster, ask } = world(t, `kubernetes cluster.local\nstubdomains\nforward . ${all.to}`)
  t.equal(await ask('a.corp.example'), 'NOERROR 192.0.2.3')
  cluster.upsert('StubDomain', stub(`corp corp.example ${one.to}`))
  t.equal(await ask('b.corp.example'), 'NOERROR 192.0.2.1')
  const held: (() => void)[] = []
  one.script = (asked, back) =>
    void held.push(() => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, '192.0.2.9')] })))
  const late = ask('c.corp.example')
  while (held.length === 0) await new Promise(resolve => setImmediate(resolve))
  cluster.upsert('StubDomain', stub(`corp corp.example ${two.to}`))
  t.equal(await ask('d.corp.example'), 'NOERROR 192.0.2.2')
  held[0]!()
  t.equal(await late, 'NOERROR 192.0.2.9', 'who had asked before is answered')
  cluster.remove('StubDomain', 'corp')
  t.equal(await ask('e.corp.example'), 'NOERROR 192.0.2.3')
})

t.test('`cache` keeps what they say', async t => {
  const corp = await upstream(t, '192.0.2.1')
  const { cluster, ask } = world(t, 'cache 30\nkubernetes cluster.local\nstubdomains')
  cluster.replace('StubDomain', [stub(`corp corp.example ${corp.to}`)])
  for (let i = 0; i < 3; i++) t.equal(await ask('www.corp.example'), 'NOERROR 192.0.2.1')
  t.equal(corp.asked.length, 1)
})

t.test('what is refused, and why; what was good before goes on', async t => {
  const corp = await upstream(t, '192.0.2.1')
  const lines = 'kubernetes cluster.local\nstubdomains example arpa'
  const { cluster, refused, ask } = world(t, lines, { within: ['arpa', 'example'], own: ['cluster.local'] })
  const told = (): string[] => refused.splice(0)
  const rows: [stub: SlimStubDomain, why: RegExp | undefined][] = [
    [stub(`good corp.example ${corp.to}`, 1), undefined],
    [stub('reverse 10.in-addr.arpa 10.0.0.1', 1), undefined],
    [stub('young Corp.example. 10.0.0.1', 2), /^StubDomain young: StubDomain good has corp\.example, and is older$/],
    [stub('own svc.cluster.local 10.0.0.1'), /^StubDomain own: svc\.cluster\.local is the cluster's own, which has cluster\.local$/],
    [stub('other corp.test 10.0.0.1'), /^StubDomain other: corp\.test is in none of the zones that the Corefile names: arpa, example$/],
    [stub('root . 10.0.0.1'), /^StubDomain root: '\.' is no zone$/],
    [stub('none none.example'), /^StubDomain none: no upstreams$/],
    [stub('host host.example ns.example.org'), /upstream 'ns\.example\.org': this is no IP address$/],
    [stub('file file.example /etc/resolv.conf'), /upstream '\/etc\/resolv\.conf': this is no IP address$/],
    [stub('port port.example 10.0.0.1:0'), /the port must be a number from 1 to 65535$/],
    [stub('quic quic.example quic://10.0.0.1'), /upstreams over quic are not offered$/],
    [stub('zero zero.example 0.0.0.0'), /nobody has this address$/],
    [stub('policy p.example 10.0.0.1', 0, { policy: 'best' }), /the policy is none of random, round_robin, sequential$/],
    [stub('fails f.example 10.0.0.1', 0, { maxFails: -1 }), /maxFails is no number from 0 to 100$/],
    [stub(`many m.example${' 10.0.0.1'.repeat(16)}`), /more than 15 upstreams$/],
  ] // biome-ignore format: a table
  for (const [object, why] of rows) {
    cluster.upsert('StubDomain', object)
    const said = told()
    if (why === undefined) t.same(said, [], object.name)
    else t.match(said, [why], object.name)
  }
  t.equal(await ask('www.corp.example'), 'NOERROR 192.0.2.1')

  cluster.upsert('StubDomain', stub('good corp.example nowhere', 1))
  t.match(told(), [
    /^StubDomain good: upstream 'nowhere': this is no IP address; what it said before goes on being served$/,
  ])
  t.equal(await ask('ftp.corp.example'), 'NOERROR 192.0.2.1')

  cluster.remove('StubDomain', 'good')
  cluster.upsert('StubDomain', stub(`young corp.example ${corp.to}`, 2))
  t.same(told(), [])
  t.equal(await ask('ssh.corp.example'), 'NOERROR 192.0.2.1', 'the younger one has its turn')
})

t.test('no more of them than there is room for', async t => {
  const { cluster, refused } = world(t, 'kubernetes cluster.local\nstubdomains')
  const many = Array.from({ length: STUBS_MAX + 1 }, (_, i) => stub(`s${i} z${i}.example 10.0.0.1`, i))
  cluster.replace('StubDomain', many)
  t.same(refused, [`StubDomain s${STUBS_MAX}: ${STUBS_MAX} older ones are served, and no more`])
})

t.test('how upstreams are read', async t => {
  const upstreams =
    '10.0.0.1 10.0.0.1:5353 [FD00::1]:53 fd00::2 dns://10.0.0.3 tls://9.9.9.9%dns.quad9.net tls://[2620:fe::fe%dns.quad9.net]:8853 https://9.9.9.9'
  const { upstreams: read, ...rest } = stub(`corp corp.example ${upstreams}`, 3, {
    policy: 'sequential',
    maxFails: 0,
    forceTCP: true,
  })
  t.same(
    read.map(({ protocol, address, port, serverName }) => [protocol, address, port, serverName].join(' ').trim()),
    ['dns 10.0.0.1 53', 'dns 10.0.0.1 5353', 'dns fd00::1 53', 'dns fd00::2 53', 'dns 10.0.0.3 53', 'tls 9.9.9.9 853 dns.quad9.net', 'tls 2620:fe::fe 8853 dns.quad9.net', 'https 9.9.9.9 443'],
  ) // biome-ignore format: a table
  t.same(rest, {
    name: 'corp',
    createdMs: 3000,
    zone: 'corp.example',
    policy: 'sequential',
    maxFails: 0,
    forceTcp: true,
    flaw: '',
  })
})

t.test('mistakes of the Corefile', async t => {
  t.match(parseWord(stubDomainsWord, 'stubdomains').complaints, [
    /^2:1: error: stubdomains needs kubernetes in this server block/,
  ])
  t.match(parseWord(stubDomainsWord, 'stubdomains a..b').complaints[0], /^2:13: error: /)
})
