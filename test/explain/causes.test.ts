// What people break beside the outages of docs/why.md, and the sentences that name it: objects, Pods' resolvers, names, words of the
// Corefile, upstreams.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { a, named, type ReplyParts, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { corefilePlace, type Rest } from './corefile-place.ts'

const service = (name: string, spec: string, namespace = 'shop'): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {${spec}}\n`
const external = (name: string, target: string): string =>
  service(name, `type: ExternalName, externalName: "${target}"`)
const pod = (name: string, ip: string, spec = '', metadata = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop${metadata}}\nspec: {containers: [{name: a}]${spec}}\nstatus: {phase: Running, podIP: ${ip}, conditions: [{type: Ready, status: "True"}]}\n`
const slice = (name: string, of: string, type: string, endpoint: string): string =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: ${name}, namespace: shop, labels: {kubernetes.io/service-name: ${of}}}\naddressType: ${type}\nendpoints: [${endpoint}]\n`
const HEADLESS = 'clusterIP: None'

const dnsRecord = (name: string, year: number, spec: string): string =>
  `apiVersion: seamark.dev/v1alpha1\nkind: DNSRecord\nmetadata: {name: ${name}, namespace: shop, creationTimestamp: "${year}-01-01T00:00:00Z"}\nspec: {name: www.rec.test, ${spec}}\n`

const OBJECTS = [
  service('web', 'clusterIP: 10.96.0.10, selector: {app: web}, ports: [{name: http, port: 80}]'),
  service('web', 'clusterIP: 10.96.0.11', 'other'),
  service('dns', 'clusterIP: 10.96.0.9'),
  pod('web-0', '10.244.7.1', '', ', labels: {app: web}'),
  external('self', 'self.shop.svc.cluster.local'),
  external('ring1', 'ring2.shop.svc.cluster.local'),
  external('ring2', 'ring1.shop.svc.cluster.local'),
  external('toip', '10.1.2.3'),
  external('touri', 'https://db.example.net:5432/x'),
  external('toshort', 'web.shop'),
  external('tomissing', 'wbe.shop.svc.cluster.local'),
  external('tonodata', 'web4.shop.svc.cluster.local'),
  service(
    'web4',
    'clusterIP: 10.96.0.14, clusterIPs: [10.96.0.14], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack',
  ),
  service('nobody', 'clusterIP: 10.96.0.20'),
  service('nosel', HEADLESS),
  service('fqdn', HEADLESS),
  slice('fqdn-1', 'fqdn', 'FQDN', '{addresses: [db.example.net]}'),
  service('v6', HEADLESS),
  slice('v6-1', 'v6', 'IPv6', '{addresses: ["fd00::7"]}'),
  service('unready', HEADLESS),
  slice('unready-1', 'unready', 'IPv4', '{addresses: [10.1.1.1], conditions: {ready: false}}'),
  service(
    'multi',
    'clusterIP: 10.96.0.31, ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]',
  ),
  service('sts', `${HEADLESS}, selector: {app: sts}`),
  pod('sts-0', '10.244.8.1', ', hostname: sts-0, subdomain: sts-typo', ', labels: {app: sts}'),
  pod('sts-2', '10.244.8.2', '', ', labels: {app: no}'),
  service('ending', `${HEADLESS}, selector: {app: ending}`),
  pod('ending-0', '10.244.8.3', '', ', labels: {app: ending}, deletionTimestamp: "2026-11-30T10:00:00Z"'),
  pod('curl', '10.244.9.9'),
  pod('bare', '10.244.9.10', ', dnsPolicy: None, dnsConfig: {nameservers: [10.96.0.9]}'),
  pod('public', '10.244.9.11', ', dnsPolicy: None, dnsConfig: {nameservers: [8.8.8.8]}'),
  pod('default', '10.244.9.12', ', dnsPolicy: Default'),
  pod('host', '192.168.1.5', ', hostNetwork: true'),
  dnsRecord('older', 2025, 'type: A, values: [192.0.2.1]'),
  dnsRecord('younger', 2026, 'type: CNAME, values: [www.example.org]'),
].join('---\n')

/** What the upstream says, by what the name begins with; NXDOMAIN of all else. */
const REPLIES: Readonly<Record<string, ReplyParts>> = {
  www: { answer: [a('www.example.org', 30)] },
  servfail: { rcode: 2 },
  nodata: { rcode: 0 },
  dangling: { rcode: 3, answer: [named('dangling.example.org', 'CNAME', 30, 'gone.example.net')] },
  bogus: { rcode: 2, opt: Uint8Array.of(0, 15, 0, 9, 0, 7, ...Buffer.from('expired')) },
}

const ZONE = `$ORIGIN corp.test.
@ 60 IN SOA ns hostmaster 1 2 3 4 5
@ IN NS ns
ns IN A 192.0.2.1
alias IN CNAME gone
sub IN NS ns.sub
ns.sub IN A 192.0.2.3
`

type Broken = readonly [name: string, rest: Rest, status: number, cause: RegExp, advice: RegExp]

const OF_THE_CLUSTER: readonly Broken[] = [
  [
    'self.shop',
    {},
    1,
    /ExternalName to self\.shop\.svc\.cluster\.local, and that leads back to itself/,
    /circle/,
  ],
  ['ring1.shop', {}, 1, /leads back to itself \(shop\/ring2 → shop\/ring1 → shop\/ring2\)\.$/, /circle/],
  ['toip.shop', {}, 1, /to 10\.1\.2\.3, which is an address and no name\.$/, /without a selector/],
  [
    'touri.shop',
    {},
    1,
    /5432\/x, which is no host name\.$/,
    /^Write db\.example\.net as its externalName\.$/,
  ],
  [
    'toshort.shop',
    {},
    1,
    /to web\.shop, and no search path completes that: /,
    /^Write web\.shop\.svc\.cluster\.local as/,
  ],
  [
    'tomissing.shop',
    {},
    1,
    /, and there is no Service wbe in namespace shop\.$/,
    /^Write web\.shop\.svc\.cluster\.local as/,
  ],
  [
    'tonodata.shop',
    { type: 'AAAA' },
    1,
    /which has no such record itself\.$/,
    /^See why: seamark explain web4\.shop\.svc/,
  ],
  [
    'nobody.shop',
    {},
    0,
    /resolves to 10\.96\.0\.20, but nobody answers there: .*no EndpointSlice/,
    /^Make an EndpointSlice/,
  ],
  [
    'nosel.shop',
    {},
    1,
    /no ready endpoints: it has no selector, and there is no EndpointSlice of it\.$/,
    /^Make an EndpointSlice/,
  ],
  [
    'fqdn.shop',
    {},
    1,
    /its EndpointSlice fqdn-1 has the addressType FQDN/,
    /^Write an EndpointSlice of addressType IPv4/,
  ],
  [
    'unready.shop',
    {},
    1,
    /none of the 1 endpoints in its EndpointSlices is ready \(unready-1\)\.$/,
    /endpointslice unready-1 -o yaml\.$/,
  ],
  [
    'v6.shop',
    {},
    1,
    /^Service v6 in namespace shop has no IPv4 address\.$/,
    /^Ask for AAAA, or give its endpoints/,
  ],
  [
    'web4.shop',
    { type: 'AAAA' },
    1,
    /web4 in namespace shop has no IPv6 address\.$/,
    /^Ask for A, or give the Service addresses/,
  ],
  [
    '_http._udp.multi.shop',
    { type: 'SRV' },
    1,
    /has no udp port called http; it has http\/tcp, dns\/udp\.$/,
    /^Ask for _http\._tcp\.multi/,
  ],
  [
    '_http.web.shop',
    { type: 'SRV' },
    1,
    /has its protocol behind it, and _http has none/,
    /^Ask for _http\._tcp\.web/,
  ],
  [
    'sts-0.sts.shop',
    {},
    1,
    /: spec\.subdomain of Pod sts-0 is sts-typo\.$/,
    /^Write serviceName: sts into its StatefulSet/,
  ],
  ['sts-1.sts.shop', {}, 1, /there is no Pod sts-1 in namespace shop\.$/, /^An endpoint is called by/],
  [
    'sts-2.sts.shop',
    {},
    1,
    /Pod sts-2 does not have the labels that the Service selects\.$/,
    /get pod sts-2 --show-labels\.$/,
  ],
  [
    'web-0.web.shop',
    {},
    1,
    /Pod web-0 has no spec\.hostname/,
    /^Ask for 10-244-7-1\.web\.shop.*endpoint_pod_names/,
  ],
  [
    'ending.shop',
    {},
    1,
    /its only Pod is not ready \(ending-0: it is being deleted\)\.$/,
    /describe pod ending-0\.$/,
  ],
  [
    'web.shop',
    { kubernetes: 'labels a=b' },
    1,
    /^There is no Service web in namespace shop with the labels a=b\.$/,
    /--show-labels\.$/,
  ],
  [
    'web.shop',
    { kubernetes: 'namespace_labels a=b' },
    1,
    /^There is no namespace shop with the labels a=b\.$/,
    /--show-labels\.$/,
  ],
  [
    'web.shop',
    { kubernetes: 'namespaces other' },
    1,
    /^Namespace shop is left out: /,
    /^Put shop behind `namespaces`/,
  ],
  [
    'nosel.shop',
    { kubernetes: 'noendpoints' },
    1,
    /kubernetes in the Corefile says noendpoints\.$/,
    /^Take `noendpoints`/,
  ],
  [
    'web.shop',
    { kubernetes: 'noendpoints' },
    0,
    /^web\.shop\.svc\.cluster\.local resolves to 10\.96\.0\.10, says/,
    /^Nothing/,
  ],
  [
    'nobody.shop',
    { kubernetes: 'ignore empty_service' },
    1,
    /no ready endpoints, and `ignore empty_service` hides it: /,
    /./,
  ],
  [
    '10-244-7-1.shop.pod.cluster.local.',
    { kubernetes: 'pods disabled' },
    1,
    /names of Pods are disabled/,
    /^Write `pods verified`/,
  ],
  [
    '10-9-9-9.shop.pod.cluster.local.',
    { kubernetes: 'pods verified' },
    1,
    /no Pod with the address 10-9-9-9/,
    /-n shop get pods -o wide/,
  ],
  [
    'web.shop.pod.cluster.local.',
    {},
    1,
    /web is no address of a Pod\.$/,
    /^Pods are called by their address/,
  ],
  [
    '9.9.9.10.in-addr.arpa',
    { type: 'PTR' },
    1,
    /^9\.9\.9\.10\.in-addr\.arpa has no PTR record: no service/,
    /^See whose address/,
  ],
]

const OF_THE_CLIENT: readonly Broken[] = [
  [
    'web',
    { from: 'shop/default' },
    1,
    /^web\.shop\.svc\.cluster\.local is a name of the cluster, and Pod shop\/default asks the resolver of its node/,
    /dnsPolicy: ClusterFirst\.$/,
  ],
  [
    'www.example.org',
    { from: 'shop/default' },
    2,
    /what that says of www\.example\.org is not known here\.$/,
    /^Ask from there/,
  ],
  [
    'web',
    { from: 'shop/host' },
    1,
    /Pod shop\/host asks the resolver of its node/,
    /dnsPolicy: ClusterFirstWithHostNet\.$/,
  ],
  [
    'web.shop.svc.cluster.local',
    { from: 'shop/public' },
    1,
    /Pod shop\/public asks 8\.8\.8\.8 \(dnsPolicy None\)/,
    /./,
  ],
  [
    'web',
    { from: 'shop/bare' },
    1,
    /^Pod shop\/bare has no search path, by which web is not web\.shop\.svc\.cluster\.local\.$/,
    /^Ask for web\.shop\.svc\.cluster\.local, or/,
  ],
  ['web.shop.svc.cluster.local', { from: 'shop/bare' }, 0, /resolves to 10\.96\.0\.10/, /^Nothing/],
]

const OF_THE_NAME: readonly Broken[] = [
  ['web.shopp', {}, 1, /^There is no namespace shopp\.$/, /^Ask for web\.shop\.svc\.cluster\.local\.$/],
  [
    'web.shop.cluster.local',
    {},
    1,
    /and web\.shop\.cluster\.local lacks svc\.$/,
    /^Ask for web\.shop\.svc\.cluster\.local\.$/,
  ],
  [
    'web.shop.svc.cluster.loca',
    {},
    1,
    /^Names of this cluster end in svc\.cluster\.local/,
    /^Ask for web\.shop\.svc\.cluster\.local\.$/,
  ],
  [
    'shop.web',
    {},
    1,
    /^The Service comes first and its namespace behind it/,
    /^Ask for web\.shop\.svc\.cluster\.local\.$/,
  ],
]

const AUTOPATH =
  '.:53 {\n  kubernetes cluster.local {\n    manifests FOLDER/cluster\n    pods verified\n  }\n  autopath @kubernetes\n  forward . 127.0.0.1:PORT\n}\n'
const CORP =
  'corp.test:53 {\n  file FOLDER/corp.zone\n}\nv.test:53 {\n  view v {\n    expr false\n  }\n  whoami\n}\n'

const RECORDS = 'k8s_records rec.test {\n from dnsrecords\n delegate rec.test to shop\n }'

const OF_THE_COREFILE: readonly Broken[] = [
  ['www.rec.test.', { lines: RECORDS }, 0, /resolves to 192\.0\.2\.1/, /^Nothing/],
  [
    'www.rec.test.',
    { lines: RECORDS, type: 'AAAA' },
    1,
    /^DNSRecord shop\/younger asks for www\.rec\.test, and is refused: /,
    /^Take another name/,
  ],
  ['www.rec.test.', { lines: `acl {\n block\n }\n ${RECORDS}` }, 1, /^acl /, /^Let the client ask by a line/],
  [
    'web.other',
    { from: 'shop/curl', kubernetes: 'pods verified', lines: 'policy {\n deny from shop to other\n }' },
    1,
    /^policy keeps it from this client: a Pod of namespace shop may not resolve this namespace \(Corefile:7: deny from shop to other\): web\.other\./,
    /allow line/,
  ],
  [
    'web.shop',
    { type: 'AAAA', lines: 'ipv6 off' },
    1,
    /has no AAAA record for anybody: the directive ipv6/,
    /^Ask for A, or change the line ipv6/,
  ],
  [
    'none.test.',
    { lines: 'hosts {\n 192.0.2.7 a.test\n }' },
    1,
    /not among the hosts, which have no fallthrough/,
    /^Write `fallthrough`/,
  ],
  [
    'x.bad.test.',
    { lines: 'template IN A bad.test {\n rcode NXDOMAIN\n }' },
    1,
    /template says NXDOMAIN\.$/,
    /^Change the rule of template/,
  ],
  ['web.shop.', { type: 'ANY', lines: 'any' }, 0, /resolves to HINFO .*, says any\.$/, /^Nothing/],
  ['cluster.local.', { type: 'AXFR' }, 1, /this server block transfers no zones\.$/, /^Write transfer/],
  [
    'cluster.local.',
    { type: 'AXFR', lines: 'transfer {\n to 10.9.9.9\n }' },
    1,
    /transfer says REFUSED\.$/,
    /^Let the client have the zone/,
  ],
  [
    'api.test.',
    { lines: 'rewrite name api.test web.shop.svc.cluster.local' },
    0,
    /^api\.test, taken as web\.shop\.svc\.cluster\.local, resolves to 10\.96\.0\.10/,
    /^Nothing/,
  ],
  [
    'web.shop.ext.test.',
    { lines: 'k8s_external ext.test' },
    1,
    /no exposed service/,
    /^Give the Service externalIPs/,
  ],
  [
    'gone.corp.test.',
    { corefile: CORP },
    1,
    /file says NXDOMAIN\.$/,
    /put the name into the file of the zone/,
  ],
  ['alias.corp.test.', { corefile: CORP }, 1, /the alias leads to gone\.corp\.test\./, /./],
  ['x.sub.corp.test.', { corefile: CORP }, 1, /file refers to other servers\.$/, /^Ask those servers/],
  [
    'x.v.test.',
    { corefile: CORP },
    1,
    /^No view of the Corefile takes a query for x\.v\.test/,
    /expressions/,
  ],
  ['www.example.org.', { corefile: CORP }, 1, /^No server block of the Corefile has the name/, /./],
  [
    'www.example.org.',
    { corefile: '. {\n  loop\n}\n' },
    1,
    /no plugin of the server block answers this name\.$/,
    /forward \. \/etc\/resolv\.conf\.$/,
  ],
  [
    'web.shop',
    { corefile: AUTOPATH, from: 'shop/curl' },
    0,
    /taken as web\.shop\.svc\.cluster\.local, resolves to/,
    /^Nothing/,
  ],
  [
    'www.example.org',
    { corefile: AUTOPATH, from: 'shop/curl' },
    0,
    /taken as www\.example\.org, resolves to 192\.0\.2\.1/,
    /^Nothing/,
  ],
]

const OF_THE_UPSTREAM: readonly Broken[] = [
  ['servfail.example.org.', {}, 1, /^The upstream gives no answer .*: \S+ says SERVFAIL\.$/, /./],
  ['bogus.example.org.', {}, 1, /says SERVFAIL \(expired\)\.$/, /./],
  ['nodata.example.org.', {}, 1, /has no A record outside of the cluster/, /^The name is there/],
  ['dangling.example.org.', {}, 1, /is an alias of gone\.example\.net, which does not exist/, /./],
  [
    '1.2.0.192.ip6.arpa.',
    { type: 'PTR' },
    1,
    /does not exist outside of the cluster/,
    /reverse zone behind kubernetes/,
  ],
]

for (const [title, broken] of Object.entries({
  'objects of the cluster': OF_THE_CLUSTER,
  'the resolver of the client': OF_THE_CLIENT,
  'the name itself': OF_THE_NAME,
  'words of the Corefile': OF_THE_COREFILE,
  'the upstream': OF_THE_UPSTREAM,
}))
  t.test(title, async t => {
    const upstream = await UpstreamStub.start((asked, back) => {
      const first = asked.what.split('.', 1)[0] ?? ''
      back.send(replyTo(asked, REPLIES[first] ?? { rcode: 3 }))
    })
    t.teardown(() => upstream.pause())
    const { folder, explain } = corefilePlace(t, OBJECTS, upstream.port)
    writeFileSync(join(folder, 'corp.zone'), ZONE)
    for (const [name, rest, status, cause, advice] of broken) {
      const corefile = rest.corefile?.replaceAll('PORT', String(upstream.port))
      const report = await explain(name, { ...rest, ...(corefile !== undefined && { corefile }) })
      const which = `${name} ${JSON.stringify(rest)}`
      t.equal(report.status, status, `${which}: status`)
      t.match(report.cause, cause, `${which}: cause`)
      t.match(report.advice, advice, `${which}: advice`)
    }
  })
