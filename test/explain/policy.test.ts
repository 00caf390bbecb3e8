// What `policy` keeps: the line of the Corefile, or the DNSPolicy, that keeps it, whatever road leads there; and whom the names of a
// namespace are asked of.

import t from 'tap'
import type { Report } from '../../src/explain/report.ts'
import { a, named, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { corefilePlace } from './corefile-place.ts'

const object = (kind: string, namespace: string, name: string, rest: string, version = 'v1'): string =>
  `apiVersion: ${version}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\n${rest}\n`
const own = (name: string, spec: string): string =>
  object('DNSPolicy', 'tenant', name, `spec: ${spec}`, 'seamark.dev/v1alpha1')
const pod = (namespace: string, ip: string, more = ''): string =>
  object(
    'Pod',
    namespace,
    'curl',
    `spec: {containers: [{name: a}]${more}}\nstatus: {phase: Running, podIP: ${ip}}`,
  )

const OBJECTS = [
  'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n',
  'apiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {closed: "yes"}}\n',
  object('Service', 'other', 'web', 'spec: {clusterIP: 10.96.0.11, ports: [{port: 80}]}'),
  object('Service', 'shop', 'web', 'spec: {clusterIP: 10.96.0.12, ports: [{port: 80}]}'),
  object('Service', 'shop', 'in', 'spec: {type: ExternalName, externalName: web.other.svc.cluster.local}'),
  object('Service', 'shop', 'ads', 'spec: {type: ExternalName, externalName: ads.example.org}'),
  pod('shop', '10.244.7.1'),
  pod('tenant', '10.244.7.2'),
  pod('kube-system', '10.0.0.1', ', hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet'),
  own('outside', '{names: {allow: [example.org], block: [ads.example.org]}}'),
  own('inside', '{namespaces: {blockSelectors: [{matchLabels: {closed: "yes"}}]}}'),
].join('---\n')

/** What the cause says of who may not what. */
const kept = (who: string, what: string, by: string): RegExp =>
  new RegExp(`^policy keeps it from this client: ${who} may not resolve ${what} \\(${by}\\): `)
const SHOP = 'a Pod of namespace shop'
const TENANT = 'a Pod of namespace tenant'

/** The lines of `policy` begin in line 7 of the Corefile. */
const ROWS: readonly [lines: string, from: string, question: string, cause: RegExp][] = [
  ['deny from shop to other', 'shop/curl', 'web.other', kept(SHOP, 'this namespace', 'Corefile:7: deny from shop to other')],
  ['default deny', 'shop/curl', 'web.other', kept(SHOP, 'this namespace', 'Corefile:7: default deny')],
  ['default deny\nallow from * to shop\ndeny from team=a to closed', 'shop/curl', 'web.other', kept(SHOP, 'this namespace', 'Corefile:7: default deny')],
  ['refuse\ndeny from team=a to closed=yes', 'shop/curl', 'web.other', kept(SHOP, 'this namespace', 'Corefile:8: deny from team=a to closed=yes')],
  ['deny from * to other', 'shop/curl', 'in.shop', kept(SHOP, 'this namespace', 'Corefile:7: deny from \\* to other')],
  ['deny from * to other', 'shop/curl', '11.0.96.10.in-addr.arpa. PTR', kept(SHOP, 'what this leads to', 'Corefile:7: deny from \\* to other')],
  ['deny from * to other', 'shop/curl', 'rebound.example.org.', kept(SHOP, 'what this leads to', 'Corefile:7: deny from \\* to other')],
  ['deny from * to other', 'shop/curl', 'alias.example.org.', kept(SHOP, 'this namespace', 'Corefile:7: deny from \\* to other')],
  ['deny from @host to other', 'kube-system/curl', 'web.other.svc.cluster.local.', kept('a node', 'this namespace', 'Corefile:7: deny from @host to other')],
  ['names from shop block ads.example.org', 'shop/curl', 'x.ads.example.org.', kept(SHOP, 'this name', 'Corefile:7: names from shop block ads.example.org')],
  ['names from shop block ads.example.org', 'shop/curl', 'ads.shop', kept(SHOP, 'this name', 'Corefile:7: names from shop block ads.example.org')],
  ['names from * allow example.net\nnames from * block org', 'shop/curl', 'www.example.org.', kept(SHOP, 'this name', 'Corefile:8: names from \\* block org')],
  ['names from * allow example.net', 'shop/curl', 'www.example.org.', kept(SHOP, 'this name', 'Corefile:7: names from \\* allow example.net')],
  [`names from * block ${Array(20).fill('x.test').join(' ')} example.org`, 'shop/curl', 'www.example.org.', kept(SHOP, 'this name', 'Corefile:7: names from \\* block( x.test)+ …')],
  ['objects', 'tenant/curl', 'ads.example.org.', kept(TENANT, 'this name', 'DNSPolicy tenant/outside, spec.names.block')],
  ['objects', 'tenant/curl', 'www.example.net.', kept(TENANT, 'this name', 'DNSPolicy tenant/outside, spec.names.allow')],
  ['objects', 'tenant/curl', 'web.other.svc.cluster.local.', kept(TENANT, 'this namespace', 'DNSPolicy tenant/inside, spec.namespaces.block')],
  ['objects\ndeny from tenant to other', 'tenant/curl', 'web.other.svc.cluster.local.', kept(TENANT, 'this namespace', 'Corefile:8: deny from tenant to other')],
] // biome-ignore format: a table

t.test('who keeps it', async t => {
  const upstream = await UpstreamStub.start((asked, back) => {
    const owner = nameOf(asked)
    const answer = owner.startsWith('alias')
      ? [named(owner, 'CNAME', 30, 'web.other.svc.cluster.local')]
      : [a(owner, 30, owner.startsWith('rebound') ? '10.96.0.11' : '192.0.2.1')]
    const rcode = owner.includes('.failing.') ? 2 : 3
    back.send(replyTo(asked, owner.includes('.example.') ? { answer } : { rcode }))
  })
  t.teardown(() => upstream.pause())
  const { explain } = corefilePlace(t, OBJECTS, upstream.port)
  const told = (lines: string, from: string, question: string): Promise<Report> => {
    const [name = '', type = ''] = question.split(' ')
    return explain(name, { type, from, kubernetes: 'pods verified', lines: `policy {\n${lines}\n}` })
  }
  for (const [lines, from, question, cause] of ROWS) {
    const report = await told(lines, from, question)
    t.equal(report.status, 1, question)
    t.match(report.cause, cause, `${lines}: ${question}`)
    t.match(
      report.advice,
      cause.source.includes('DNSPolicy')
        ? /change that DNSPolicy: kubectl -n tenant edit dnspolicies (?:out|in)side\.$/
        : /write an allow line/,
    )
  }
  const upstreams = `upstreams from team=a to 127.0.0.1:${upstream.port}`
  for (const [from, whom] of [
    [
      'shop/curl',
      `a Pod of namespace shop asks outside of the cluster is asked of 127.0.0.1:${upstream.port} (Corefile:7: ${upstreams})`,
    ],
    ['tenant/curl', 'a Pod of namespace tenant asks outside of the cluster is forwarded as for everybody'],
  ] as const) {
    const report = await told(upstreams, from, 'www.example.org.')
    const notes = report.tried.flatMap(({ transcript }) => transcript.notes.map(({ text }) => text))
    t.ok(notes.includes(`what ${whom}`), notes.join('\n'))
  }
  const missed = await told(upstreams, 'shop/curl', 'www.failing.test.')
  t.match(missed.cause, /^The upstream gives no answer/)
  t.ok(missed.advice.endsWith(`name another one of policy (Corefile:7: ${upstreams}).`), missed.advice)
})
