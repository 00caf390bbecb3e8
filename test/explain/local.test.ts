// Names explained out of a Corefile and a folder of manifests, without a server: the cause and what to do.

import t, { type Test } from 'tap'
import { startFixedUpstream } from '../support/fixed-upstream.ts'
import { type CorefilePlace, corefilePlace } from './corefile-place.ts'

const UPSTREAM = ['www.example.org. 30 IN A 192.0.2.1', 'example.com. 30 IN A 192.0.2.2']
const OBJECTS = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, ports: [{containerPort: 80}]}]}}
---
apiVersion: v1
kind: Service
metadata: {name: peers, namespace: shop}
spec: {clusterIP: None, selector: {app: peers}}
---
apiVersion: v1
kind: Pod
metadata: {name: peers-0, namespace: shop, labels: {app: peers}}
spec: {containers: [{name: peers}]}
status:
  phase: Running
  podIP: 10.244.7.7
  conditions: [{type: Ready, status: "False", message: "containers with unready status: [peers]"}]
  containerStatuses: [{name: peers, state: {waiting: {reason: CrashLoopBackOff}}}]
---
apiVersion: v1
kind: Service
metadata: {name: lonely, namespace: shop}
spec: {clusterIP: None, selector: {app: lonly}}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: shop}
spec: {selector: {app: peers}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: gone, namespace: shop}
spec: {type: ExternalName, externalName: gone.example.org}
---
apiVersion: v1
kind: Pod
metadata: {name: curl, namespace: shop, labels: {app: curl}}
spec: {containers: [{name: curl}], dnsConfig: {options: [{name: ndots, value: "1"}]}}
status: {phase: Running, podIP: 10.244.9.9, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Service
metadata: {name: example, namespace: com}
spec: {clusterIP: 10.96.7.7, ports: [{port: 80}]}
`

async function place(t: Test): Promise<CorefilePlace> {
  const upstream = await startFixedUpstream(UPSTREAM, false)
  t.teardown(() => upstream.close())
  return corefilePlace(t, OBJECTS, upstream.port)
}

t.test('one sentence for the cause, one for what to do', async t => {
  const { explain } = await place(t)
  const cases: [name: string, rest: object, status: number, cause: RegExp, advice: RegExp][] = [
    [
      'web.shop',
      {},
      0,
      /^web\.shop\.svc\.cluster\.local resolves to 10\.\S+, says kubernetes\.$/,
      /^Nothing is to be done/,
    ],
    ['www.example.org', {}, 0, /^www\.example\.org resolves to 192\.0\.2\.1, says forward\.$/, /^Nothing/],
    [
      'web',
      {},
      1,
      /^There is no Service web in namespace default\.$/,
      /^Ask for web\.shop\.svc\.cluster\.local\.$/,
    ],
    ['wbe.shop', {}, 1, /^There is no Service wbe in namespace shop\.$/, /^Ask for web\.shop\.svc/],
    ['web.shp', {}, 1, /^There is no namespace shp\.$/, /^Ask for web\.shop\.svc\.cluster\.local\.$/],
    [
      'web.shop.svc.cluster.local',
      { type: 'AAAA' },
      1,
      /^Service web in namespace shop has no IPv6 address/,
      /^Ask for/,
    ],
    [
      '_htp._tcp.web.shop.svc',
      { type: 'SRV' },
      1,
      /^Service web in namespace shop has no tcp port called htp; it has http\/tcp\.$/,
      /^Ask for _http\._tcp\.web\.shop\.svc\.cluster\.local\.$/,
    ],
    [
      'peers.shop',
      {},
      1,
      /^Headless Service peers in namespace shop has no ready endpoints: its only Pod is not ready \(peers-0: CrashLoopBackOff\)\.$/,
      /describe pod peers-0\.$/,
    ],
    [
      'lonely',
      { from: 'shop/curl' },
      1,
      /^Headless Service lonely in namespace shop has no ready endpoints: its selector app=lonly matches no Pod\.$/,
      /^Make its selector and the labels of its Pods equal: kubectl -n shop get pods --show-labels\.$/,
    ],
    [
      'empty.shop',
      {},
      0,
      /^empty\.shop\.svc\.cluster\.local resolves to \S+, but nobody answers there: its only Pod is not ready/,
      /describe pod/,
    ],
    [
      'gone.shop',
      {},
      1,
      /^Service shop\/gone is an ExternalName to gone\.example\.org, which has no A record: 127\.0\.0\.1:\d+ says NXDOMAIN\.$/,
      /^Change spec\.externalName/,
    ],
    [
      'nope.example.org',
      {},
      1,
      /^nope\.example\.org does not exist outside of the cluster: 127\.0\.0\.1:\d+ says NXDOMAIN/,
      /spelling/,
    ],
    [
      'example.com',
      {},
      0,
      /^The search path captures example\.com: because of namespace com it is answered as example\.com\.svc\.cluster\.local\.$/,
      /^Ask for example\.com\. with a dot/,
    ],
    [
      'example.com',
      { from: 'shop/curl' },
      0,
      /^example\.com resolves to 192\.0\.2\.2, says forward/,
      /^Nothing/,
    ],
    [
      'www.example.org',
      { from: '10.9.0.1', lines: 'acl {\n block net 10.9.0.0/16\n }' },
      1,
      /^acl refuses the client 10\.9\.0\.1: Corefile:7: block net 10\.9\.0\.0\/16\.$/,
      /allow net 10\.9\.0\.1\/32\.$/,
    ],
    [
      'www.example.org',
      { from: '10.9.0.1', lines: 'acl {\n drop net 10.9.0.0/16\n }' },
      1,
      /^acl does not answer the client 10\.9\.0\.1: /,
      /^Let the client ask/,
    ],
    [
      'www.example.org',
      { lines: 'rewrite name www.example.org ww.example.org' },
      1,
      /^A rewrite rule turns www\.example\.org into ww\.example\.org, and \S+:\d+ says NXDOMAIN \(Corefile:6: name www/,
      /^Change that rule/,
    ],
    ['1-2-3.shop.pod.cluster.local', {}, 1, /1-2-3 is no address of a Pod/, /./],
    [
      'nobody.default.svc.cluster.local.',
      {},
      1,
      /^There is no Service nobody in namespace default/,
      /kubectl -n default get services/,
    ],
  ]
  for (const [name, rest, status, cause, advice] of cases) {
    const report = await explain(name, rest)
    t.equal(report.status, status, `${name} ${JSON.stringify(rest)}: status`)
    t.match(report.cause, cause, `${name} ${JSON.stringify(rest)}: cause`)
    t.match(report.advice, advice, `${name} ${JSON.stringify(rest)}: advice`)
  }
})

t.test('what cannot be told is one sentence', async t => {
  const { explain } = await place(t)
  const cases: [name: string, rest: object, cause: RegExp, advice: RegExp][] = [
    ['web..shop', {}, /^"web\.\.shop" is no name: it has an empty label/, /^Ask for web\.shop\.$/],
    ['.web', {}, /^"\.web" is no name: it has an empty label/, /./],
    ['', {}, /^"" is no name: it is empty/, /^Give a name such as web\.shop/],
    [
      `${'a'.repeat(64)}.b`,
      {},
      /is no name: a label of it has 64 octets, and 63 is the most/,
      /^Give a name/,
    ],
    [Array(8).fill('a'.repeat(40)).join('.'), {}, /is no name: .*a name 255 at most/, /^Give a name/],
    ['a'.repeat(2000), {}, /^"a{60}…" is no name/, /^Give a name/],
    ['web.shop ', {}, /^"web\.shop " is no name: it has a blank in it\.$/, /^Ask for web\.shop\.$/],
    ['web.shop,', {}, /is no name: it has , in it\.$/, /^Ask for web\.shop\.$/],
    ['https://web.shop/cart?x=1', {}, /is a URL and no name\.$/, /^Ask for web\.shop\.$/],
    ['web.shop:80', {}, /is no name: a port is no part of it\.$/, /^Ask for web\.shop\.$/],
    ['wéb.shop', {}, /is not written in ASCII/, /^Ask for xn--wb-bja\.shop\.$/],
    [
      '10.244.7.7',
      {},
      /^"10\.244\.7\.7" is an address/,
      /^Ask for its name: 7\.7\.244\.10\.in-addr\.arpa\. PTR\.$/,
    ],
    ['fd00::1', {}, /^"fd00::1" is an address/, /^Ask for its name: 1\.0\.0.*\.d\.f\.ip6\.arpa\. PTR\.$/],
    ['fe80::1%eth0', {}, /^"fe80::1%eth0" is an address/, /name: 1\.0\.0.*\.8\.e\.f\.ip6\.arpa\. PTR\.$/],
    ['web', { type: 'NOPE' }, /^NOPE is no record type\.$/, /^Give a type/],
    ['web', { from: 'shop/nobody' }, /^There is no Pod nobody in namespace shop\.$/, /^Give a Pod/],
    ['web', { from: 'shop' }, /^"shop" is neither NAMESPACE\/POD nor an address\.$/, /./],
    [
      'web',
      { lines: 'frward . 1.1.1.1' },
      /^The Corefile cannot be served: Corefile:6:3: error: .*\(found "frward".*\)\.$/,
      /seamark check/,
    ],
    ['web', { corefile: '' }, /^The Corefile has no server block\.$/, /./],
    [
      'web.shop',
      { corefile: '. {\n kubernetes cluster.local {\n manifests FOLDER/none\n }\n}\n' },
      /^The cluster is not listed yet, so nothing is known of web\.shop\.svc\.cluster\.local: .*\/none.*ENOENT/,
      /^See whether the folder .*\/none is there and can be read\.$/,
    ],
  ]
  for (const [name, rest, cause, advice] of cases) {
    const report = await explain(name, rest)
    t.equal(report.status, 2, `${name} ${JSON.stringify(rest)}`)
    t.match(report.cause, cause, `${name} ${JSON.stringify(rest)}`)
    t.match(report.advice, advice, `${name} ${JSON.stringify(rest)}`)
  }
})

t.test('a Pod is known by its address, and asks by its own resolver', async t => {
  const { explain } = await place(t)
  const report = await explain('example.com', { from: '10.244.9.9' })
  t.equal(report.client, '10.244.9.9 (Pod shop/curl)')
  t.match(
    report.resolver,
    /^Pod shop\/curl, dnsPolicy ClusterFirst; search shop\.svc\.cluster\.local .*, ndots 1$/,
  )
  t.same(
    report.tried.map(({ transcript }) => transcript.name),
    ['example.com.'],
  )
  t.match((await explain('web', { from: '10.244.1.1' })).client, /no Pod has this address/)
})

t.test('where musl sees something else', async t => {
  const { explain } = await place(t)
  const report = await explain('web.shop', { from: '10.244.9.9' })
  t.equal(report.status, 0)
  t.match(
    report.musl,
    /^A client with musl \(Alpine\) gets nothing: it does not ask for web\.shop\.svc\.cluster\.local\.$/,
  )
})
