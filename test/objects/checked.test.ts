// Slim objects that were made here pass as they are; anything else does not.

import t from 'tap'
import { checkedSlim } from '../../src/objects/checked.ts'
import { isPacked, packEndpoints, unpackEndpoints } from '../../src/objects/endpoints.ts'
import { slimNamespace } from '../../src/objects/namespaces.ts'
import type { Kind } from '../../src/objects/objects.ts'
import {
  isProblem,
  slimDnsPolicy,
  slimEndpointSlice,
  slimGateway,
  slimPod,
  slimRoute,
  slimService,
  slimServiceImport,
  slimStubDomain,
} from '../../src/objects/slim.ts'
import fc from '../support/properties.ts'

const metadata = {
  name: 'web-1',
  namespace: 'demo',
  labels: {
    'kubernetes.io/service-name': 'web',
    'multicluster.kubernetes.io/service-name': 'web',
    'multicluster.kubernetes.io/source-cluster': 'c2',
    app: 'web',
  },
}
const ports = [{ name: 'http', port: 80, protocol: 'TCP' }, {}]
const made: readonly (readonly [Kind, unknown])[] = [
  [
    'DNSPolicy',
    slimDnsPolicy({
      metadata,
      spec: {
        names: { allow: [], block: ['a.example'] },
        namespaces: { allow: ['team-*'], blockSelectors: [{ matchLabels: { team: 'a' } }] },
      },
    }),
  ],
  ['DNSPolicy', slimDnsPolicy({ metadata })],
  [
    'StubDomain',
    slimStubDomain({
      metadata,
      spec: { zone: 'corp.example', upstreams: ['tls://9.9.9.9%dns.quad9.net', 'fd00::1'] },
    }),
  ],
  ['StubDomain', slimStubDomain({ metadata, spec: { zone: '.', upstreams: [] } })],
  [
    'Gateway',
    slimGateway({
      metadata,
      spec: { listeners: [{ name: 'web', hostname: '*.example.org' }, { name: 'any' }] },
      status: {
        addresses: [
          { type: 'IPAddress', value: '192.0.2.1' },
          { type: 'Hostname', value: 'lb.example.net' },
        ],
      },
    }),
  ],
  [
    'HTTPRoute',
    slimRoute({
      metadata,
      spec: { hostnames: ['web.example.org'], parentRefs: [{ name: 'edge', sectionName: 'web' }] },
    }),
  ],
  ['Namespace', slimNamespace({ metadata: { name: 'demo' } })],
  [
    'Namespace',
    slimNamespace({ metadata: { name: 'demo', labels: { team: 'a' } } }, { labelledNamespaces: true }),
  ],
  ['Service', slimService({ metadata, spec: { clusterIP: 'None', ports } })],
  ['Service', slimService({ metadata, spec: { type: 'ExternalName', externalName: 'www.Example.org' } })],
  [
    'Service',
    slimService({
      metadata,
      spec: { clusterIPs: ['10.0.0.1', 'FD00::1'], externalIPs: ['192.0.2.1'] },
      status: { loadBalancer: { ingress: [{ hostname: 'lb.example.org' }, { ip: '2001:db8::1' }] } },
    }),
  ],
  [
    'EndpointSlice',
    slimEndpointSlice(
      {
        metadata,
        ports,
        endpoints: [
          { addresses: ['10.1.0.1', '10.1.0.2'], hostname: 'a' },
          { addresses: ['::1'], zone: 'z' },
        ],
      },
      { multicluster: true, zonal: true },
    ),
  ],
  [
    'Pod',
    slimPod(
      { metadata, status: { podIP: '10.1.0.1', podIPs: [{ ip: '10.1.0.1' }, { ip: 'FD00::1' }] } },
      { clients: { podNames: false, hosts: false, labels: [] } },
    ),
  ],
  ['Pod', slimPod({ metadata, status: { podIP: '10.1.0.1' } })],
  [
    'Pod',
    slimPod(
      { metadata, status: { podIP: '10.1.0.1' } },
      { clients: { podNames: true, hosts: false, labels: ['app', 'tier'] } },
    ),
  ],
  [
    'Pod',
    slimPod(
      { metadata, status: { podIP: '10.1.0.1', hostIP: '10.9.0.1' } },
      { clients: { podNames: false, hosts: true, labels: [] } },
    ),
  ],
  ['ServiceImport', slimServiceImport({ metadata, spec: { ips: ['10.2.0.1'], ports } })],
]

t.test('what is made here passes, and comes out the same', async t => {
  for (const [kind, object] of made) {
    if (typeof object !== 'object' || object === null || isProblem(object)) throw new Error(kind)
    t.same(checkedSlim(kind, JSON.parse(JSON.stringify(object))), object, kind)
  }
})

t.test('anything else gives nothing, or an object of its kind; nothing throws', async () => {
  const kinds = fc.constantFrom(...made)
  fc.assert(
    fc.property(kinds, fc.string(), fc.jsonValue(), ([kind, object], key, value) => {
      const fields = Object.keys(object as object)
      for (const changed of [
        value,
        { ...(object as object), [key]: value },
        ...fields.map(field => ({ ...(object as object), [field]: value })),
      ]) {
        const checked = checkedSlim(kind, changed)
        if (checked === undefined) continue
        const again = checkedSlim(kind, JSON.parse(JSON.stringify(checked)))
        if (JSON.stringify(again) !== JSON.stringify(checked)) return false
      }
      return true
    }),
  )
})

t.test('packed endpoints are judged to the last octet', async t => {
  const endpoints = ['10.1.0.1', 'fd00::1'].flatMap(address => [
    { address, hostname: '', targetName: '', zone: '' },
    { address, hostname: 'a', targetName: 'pod', zone: 'z' },
    { address, hostname: 'a', targetName: 'pod', zone: 'z' },
  ])
  const packed = packEndpoints(endpoints)
  t.ok(isPacked(packed))
  t.ok(isPacked(''))
  const whole = new Set(endpoints.map((_, i) => packEndpoints(endpoints.slice(0, i + 1)).length))
  for (let length = 1; length < packed.length; length++)
    t.equal(isPacked(packed.slice(0, length)), whole.has(length), `cut at ${length}`)
  t.notOk(isPacked('\x20\x0a\0\0\x01'), 'a flag that nobody knows')
  t.notOk(isPacked('\x12\x0a\0\0\x01\x01a'), 'the same texts, and others')
  t.notOk(isPacked('\0\x0a\0\0\u0101'), 'a character that is no octet')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      if (isPacked(text)) unpackEndpoints(text)
    }),
  )
})
