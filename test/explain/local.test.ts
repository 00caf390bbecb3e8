// Names explained out of a Corefile and a folder of manifests, without a server: the cause and what to do.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { explainCommand } from '../../src/explain/command.ts'
import type { Report } from '../../src/explain/report.ts'
import { startFixedUpstream } from '../support/fixed-upstream.ts'

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

interface Place {
  explain(
    name: string,
    rest?: { readonly type?: string; readonly from?: string; readonly lines?: string },
  ): Promise<Report>
}

async function place(t: Test): Promise<Place> {
  const folder = t.testdir({})
  mkdirSync(join(folder, 'cluster'))
  writeFileSync(join(folder, 'cluster', 'objects.yaml'), OBJECTS)
  const upstream = await startFixedUpstream(
    ['www.example.org. 30 IN A 192.0.2.1', 'example.com. 30 IN A 192.0.2.2'],
    false,
  )
  t.teardown(() => upstream.close())
  return {
    async explain(name, { type = '', from = '', lines = '' } = {}) {
      const text = `.:53 {
  kubernetes cluster.local in-addr.arpa {
    manifests ${join(folder, 'cluster')}
    pods insecure
  }
  ${lines}
  forward . 127.0.0.1:${upstream.port}
}
`
      const configuration = { file: 'Corefile', text, port: 53 }
      let printed = ''
      const status = await explainCommand(
        { name, type, from, json: true, server: '', configuration, fallback: () => configuration },
        text => {
          printed += text
        },
      )
      const report = JSON.parse(printed) as Report
      if (report.status !== status) throw new Error(`status ${status} and ${report.status}`)
      return report
    },
  }
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
      /^Headless Service peers in namespace shop has no ready endpoints: none of its 1 Pod is ready \(peers-0: CrashLoopBackOff\)\.$/,
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
      /^empty\.shop\.svc\.cluster\.local resolves to \S+, but nobody answers there: none of its 1 Pod/,
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
  const cases: [name: string, rest: object, cause: RegExp][] = [
    ['web..shop', {}, /^"web\.\.shop" is no name: /],
    ['', {}, /^"" is no name/],
    [`${'a'.repeat(64)}.b`, {}, /is no name/],
    ['web', { type: 'NOPE' }, /^NOPE is no record type\.$/],
    ['web', { from: 'shop/nobody' }, /^There is no Pod nobody in namespace shop\.$/],
    ['web', { from: 'shop' }, /^"shop" is neither NAMESPACE\/POD nor an address\.$/],
    [
      'web',
      { lines: 'frward . 1.1.1.1' },
      /^The Corefile cannot be served: Corefile:6:3: error: .*\(found "frward".*\)\.$/,
    ],
  ]
  for (const [name, rest, cause] of cases) {
    const report = await explain(name, rest)
    t.equal(report.status, 2, `${name} ${JSON.stringify(rest)}`)
    t.match(report.cause, cause, `${name} ${JSON.stringify(rest)}`)
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
