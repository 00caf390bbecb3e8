import t from 'tap'
import { packEndpoints, type SlimEndpoint, unpackEndpoints } from '../../src/objects/endpoints.ts'
import { slimNamespace } from '../../src/objects/namespaces.ts'
import {
  isProblem,
  type SliceOptions,
  slimEndpointSlice,
  slimPod,
  slimService,
  slimServiceImport,
} from '../../src/objects/slim.ts'
import fc, { runs } from '../support/properties.ts'

const metadata = { name: 'Web', namespace: 'Shop' }
const none = { namespace: 'shop', name: 'web', externalName: '', externalIPs: [], ports: [] }

/** A Service's slim form and the paths and messages of what was left out. */
function service(spec: unknown, status: unknown = {}) {
  const notes: string[] = []
  const slim = slimService({ metadata, spec, status }, (path, message) =>
    notes.push(`${path.join('.')}: ${message}`),
  )
  return { slim, notes }
}

t.test('a Service', async t => {
  const cases: [title: string, spec: unknown, expected: object][] = [
    ['nothing known', undefined, { type: 'ClusterIP', clusterIPs: [], headless: false }],
    [
      'clusterIPs',
      { clusterIPs: ['10.0.0.1', 'FD00::0:1'], clusterIP: '10.0.0.9' },
      { clusterIPs: ['10.0.0.1', 'fd00::1'] },
    ],
    ['clusterIP alone', { clusterIP: '10.0.0.1' }, { clusterIPs: ['10.0.0.1'] }],
    ['not allocated', { clusterIP: '' }, { clusterIPs: [], headless: false }],
    ['headless', { clusterIP: 'None', clusterIPs: ['None'] }, { clusterIPs: [], headless: true }],
    ['headless, the old way', { clusterIP: 'None' }, { headless: true }],
    [
      'ExternalName',
      { type: 'ExternalName', externalName: 'A.b.', clusterIP: '10.0.0.1' },
      { type: 'ExternalName', externalName: 'A.b.', clusterIPs: [] },
    ],
    ['a name without the type', { externalName: 'a.b' }, { externalName: '' }],
    ['NodePort', { type: 'NodePort' }, { type: 'NodePort' }],
    [
      'ports',
      {
        ports: [
          { name: 'HTTP', port: 80 },
          { port: 53, protocol: 'UDP' },
        ],
      },
      {
        ports: [
          { name: 'http', port: 80, protocol: 'tcp' },
          { name: '', port: 53, protocol: 'udp' },
        ],
      },
    ],
  ]
  for (const [title, spec, expected] of cases) {
    const { slim, notes } = service(spec)
    t.match(slim, { namespace: 'shop', name: 'web', ...expected }, title)
    t.same(notes, [], `${title}: nothing left out`)
  }
})

t.test('external addresses of a Service', async t => {
  const ingress = [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }, {}, { ip: 'x' }]
  const { slim, notes } = service({ externalIPs: ['192.0.2.9', 7] }, { loadBalancer: { ingress } })
  t.same(slim, {
    ...none,
    type: 'ClusterIP',
    clusterIPs: [],
    headless: false,
    externalIPs: ['192.0.2.9', '192.0.2.1', 'lb.example'],
  })
  t.same(notes, [
    'spec.externalIPs.1: 7 is no IP address',
    "status.loadBalancer.ingress.3.ip: 'x' is no IP address",
  ])
})

t.test('wrong fields are left out with a note, the rest is kept', async t => {
  const cases: [spec: unknown, kept: object, note: RegExp][] = [
    [
      { clusterIPs: ['10.0.0.1', 'ten'] },
      { clusterIPs: ['10.0.0.1'] },
      /^spec\.clusterIPs\.1: 'ten' is no IP/,
    ],
    [{ clusterIP: 5 }, { clusterIPs: [] }, /^spec\.clusterIP: 5 is no IP/],
    [{ type: 'Magic' }, { type: 'ClusterIP' }, /^spec\.type: type 'Magic' is none of ClusterIP/],
    [
      { ports: [{ port: 0 }, { port: 1 }] },
      { ports: [{ port: 1 }] },
      /^spec\.ports\.0\.port: 0 is no port number/,
    ],
    [{ ports: [{ port: 65536 }] }, { ports: [] }, /65536 is no port number/],
    [{ ports: [{ port: '80' }] }, { ports: [] }, /'80' is no port number/],
    [{ ports: [{ port: 1, name: 'a_b' }] }, { ports: [] }, /'a_b' is no port name/],
    [{ ports: [{ port: 1, name: 'a'.repeat(64) }] }, { ports: [] }, /is no port name/],
    [{ ports: [{ port: 1, protocol: 'ICMP' }] }, { ports: [] }, /'ICMP' is no protocol/],
    [{ ports: [null] }, { ports: [] }, /null is no port/],
  ]
  for (const [spec, kept, note] of cases) {
    const { slim, notes } = service(spec)
    t.match(slim, kept, JSON.stringify(spec).slice(0, 60))
    t.equal(notes.length, 1)
    t.match(notes[0], note)
  }
})

t.test('names that are none', async t => {
  const cases: [raw: unknown, path: string][] = [
    [null, ''],
    ['text', ''],
    [[], ''],
    [{}, 'metadata.name'],
    [{ metadata: { namespace: 'a' } }, 'metadata.name'],
    [{ metadata: { name: 'a.b', namespace: 'a' } }, 'metadata.name'],
    [{ metadata: { name: 'a'.repeat(64), namespace: 'a' } }, 'metadata.name'],
    [{ metadata: { name: 'a', namespace: 'a b' } }, 'metadata.namespace'],
    [{ metadata: { name: 'a' } }, 'metadata.namespace'],
    [{ metadata: { name: { __proto__: null }, namespace: 'a' } }, 'metadata.name'],
  ]
  for (const [raw, path] of cases) {
    const slim = slimService(raw)
    t.equal(isProblem(slim) && slim.path.join('.'), path, JSON.stringify(raw))
  }
})

const slice = (fields: object, labels: object = { 'kubernetes.io/service-name': 'Web' }) => ({
  metadata: { name: 'web-x1', namespace: 'shop', labels },
  addressType: 'IPv4',
  ...fields,
})

t.test('an EndpointSlice', async t => {
  const endpoint = { address: '10.0.0.1', hostname: '', targetName: '', zone: '' }
  const cases: [title: string, fields: object, endpoints: SlimEndpoint[]][] = [
    ['ready', { endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }] }, [endpoint]],
    ['ready unknown', { endpoints: [{ addresses: ['10.0.0.1'] }] }, [endpoint]],
    ['ready null', { endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: null } }] }, [endpoint]],
    [
      'not ready',
      { endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false, serving: true } }] },
      [],
    ],
    [
      'hostname',
      { endpoints: [{ addresses: ['10.0.0.1'], hostname: 'DB-0' }] },
      [{ ...endpoint, hostname: 'db-0' }],
    ],
    ['bad hostname', { endpoints: [{ addresses: ['10.0.0.1'], hostname: 'a_b' }] }, [endpoint]],
    ['one bad address', { endpoints: [{ addresses: ['x', '10.0.0.1'] }] }, [endpoint]],
    [
      'canonical',
      { addressType: 'IPv6', endpoints: [{ addresses: ['FD00:0::1'] }] },
      [{ ...endpoint, address: 'fd00::1' }],
    ],
    ['FQDN', { addressType: 'FQDN', endpoints: [{ addresses: ['Db.Example'] }] }, []],
    ['a name in an IPv4 slice', { endpoints: [{ addresses: ['db.example'] }] }, []],
    ['no endpoints', { endpoints: null }, []],
    ['not a list', { endpoints: { 0: 1 } }, []],
    ['not objects', { endpoints: [7, null, { addresses: 'x' }] }, []],
  ]
  for (const [title, fields, endpoints] of cases) {
    t.same(
      slimEndpointSlice(slice(fields)),
      {
        namespace: 'shop',
        name: 'web-x1',
        serviceName: 'web',
        ports: [],
        endpoints: packEndpoints(endpoints),
        triggerTimeMs: 0,
      },
      title,
    )
  }
})

t.test('what an EndpointSlice keeps when it is asked to', async t => {
  const raw = slice({
    endpoints: [{ addresses: ['10.0.0.1'], zone: 'Eu-1a', targetRef: { kind: 'Pod', name: 'Web-1' } }],
  })
  const kept = (options: SliceOptions): SlimEndpoint[] => {
    const slim = slimEndpointSlice(raw, options)
    return slim && !isProblem(slim) ? unpackEndpoints(slim.endpoints) : []
  }
  t.match(kept({ endpointPodNames: true }), [{ targetName: 'web-1', zone: '' }])
  t.match(kept({ zonal: true }), [{ targetName: '', zone: 'eu-1a' }])
  const fixed = slice({
    endpoints: [{ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name: 'web-ip-10.internal' } }],
  })
  const slim = slimEndpointSlice(fixed, { endpointPodNames: true })
  t.match(
    slim && !isProblem(slim) ? unpackEndpoints(slim.endpoints) : [],
    [{ address: '10.0.0.1', targetName: '' }],
    'a name with dots is no label',
  )
})

t.test('which Service and which import an EndpointSlice belongs to', async t => {
  const both = { 'kubernetes.io/service-name': 'derived', 'multicluster.kubernetes.io/service-name': 'Web' }
  const from = { ...both, 'multicluster.kubernetes.io/source-cluster': 'East' }
  const cases: [labels: object, options: SliceOptions, wanted: object | undefined][] = [
    [from, {}, { serviceName: 'derived', imported: undefined }],
    [from, { multicluster: true }, { serviceName: 'derived', imported: { name: 'web', cluster: 'east' } }],
    [
      from,
      { multicluster: true, noEndpoints: true },
      { serviceName: '', imported: { name: 'web', cluster: 'east' } },
    ],
    [both, { multicluster: true }, { imported: { name: 'web', cluster: '' } }],
    [
      { ...from, 'multicluster.kubernetes.io/source-cluster': 'c2.example' },
      { multicluster: true },
      { imported: { name: 'web', cluster: '' } },
    ],
    [{}, { multicluster: true }, undefined],
    [both, { noEndpoints: true }, undefined],
    [
      { 'multicluster.kubernetes.io/service-name': 'a b' },
      { multicluster: true },
      { problem: /'a b' is no valid/ },
    ],
  ]
  for (const [labels, options, wanted] of cases) {
    const slim = slimEndpointSlice(slice({}, labels), options)
    if (wanted === undefined) t.equal(slim, undefined)
    else t.match(slim, wanted)
  }
})

t.test('ports, trigger time and label of an EndpointSlice', async t => {
  t.match(
    slimEndpointSlice(
      slice({
        ports: [
          { name: null, port: null },
          { name: '', port: 80, protocol: 'SCTP' },
        ],
      }),
    ),
    {
      ports: [
        { name: '', port: -1, protocol: 'tcp' },
        { name: '', port: 80, protocol: 'sctp' },
      ],
    },
  )
  const raw = slice({})
  const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-02T03:04:05Z' }
  t.match(slimEndpointSlice({ ...raw, metadata: { ...raw.metadata, annotations } }), {
    triggerTimeMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  })
  t.equal(slimEndpointSlice(slice({}, {})), undefined, 'no label: it belongs to no Service')
  t.match(slimEndpointSlice(slice({}, { 'kubernetes.io/service-name': 'a b' })), {
    problem: /no valid Service name/,
  })
})

t.test('Pods', async t => {
  const cases: [title: string, status: object, more: object, ip: string | undefined][] = [
    ['running', { phase: 'Running', podIP: '10.0.0.1' }, {}, '10.0.0.1'],
    ['pending with an address', { phase: 'Pending', podIP: 'FD00::1' }, {}, 'fd00::1'],
    ['no address yet', { phase: 'Pending' }, {}, undefined],
    ['done', { phase: 'Succeeded', podIP: '10.0.0.1' }, {}, undefined],
    ['failed', { phase: 'Failed', podIP: '10.0.0.1' }, {}, undefined],
    ['unknown', { phase: 'Unknown', podIP: '10.0.0.1' }, {}, undefined],
    [
      'going',
      { phase: 'Running', podIP: '10.0.0.1' },
      { deletionTimestamp: '2026-01-01T00:00:00Z' },
      undefined,
    ],
    ['bad address', { podIP: 'x' }, {}, undefined],
  ]
  for (const [title, status, more, ip] of cases) {
    const slim = slimPod({ metadata: { ...metadata, ...more }, status })
    t.same(slim, ip && { namespace: 'shop', name: 'web', ip }, title)
  }
})

t.test('Pods as clients', async t => {
  const labels = { app: 'web', 'app.kubernetes.io/name': 'shop' }
  const clients = { podNames: false, hosts: false, labels: ['app', 'gone', 'app.kubernetes.io/name'] }
  const slim = (status: object, spec: object = {}) =>
    slimPod({ metadata: { ...metadata, labels }, spec, status }, { clients })
  const pod = {
    namespace: 'shop',
    name: 'web',
    ip: '10.0.0.1',
    hostNetwork: false,
    labels: ['web', '', 'shop'],
  }
  t.same(slim({ podIP: '10.0.0.1' }), pod)
  t.same(slim({ podIP: '10.0.0.1', hostIP: '10.9.0.1' }), pod)
  t.same(slim({ podIP: '10.0.0.1', hostIP: '10.0.0.1' }), { ...pod, hostNetwork: true })
  t.same(slim({ podIP: 'FD00::1', hostIP: 'fd00:0::1' }), { ...pod, ip: 'fd00::1', hostNetwork: true })
  t.same(slim({ podIP: '10.0.0.1' }, { hostNetwork: true }), { ...pod, hostNetwork: true })
  const onHost = (hostIP: string) =>
    slimPod(
      { metadata: { ...metadata, labels }, status: { podIP: '10.0.0.1', hostIP } },
      { clients: { ...clients, hosts: true } },
    )
  t.same(onHost('FD00:9::1'), { ...pod, hostIp: 'fd00:9::1' })
  t.same(onHost('10.0.0.1'), { ...pod, hostNetwork: true })
  t.same(onHost('nowhere'), pod)
  t.same(
    slimPod(
      { metadata, status: { podIP: '10.0.0.1' } },
      { clients: { podNames: false, hosts: false, labels: [] } },
    ),
    {
      ...pod,
      labels: [],
    },
  )
})

t.test('Namespaces and ServiceImports', async t => {
  t.same(slimNamespace({ metadata: { name: 'Shop' } }), { name: 'shop' })
  t.match(slimNamespace({ metadata: {} }), { problem: /no valid namespace/ })
  t.same(
    slimServiceImport({ metadata, spec: { type: 'ClusterSetIP', ips: ['10.0.0.1'], ports: [{ port: 80 }] } }),
    {
      namespace: 'shop',
      name: 'web',
      headless: false,
      clusterIPs: ['10.0.0.1'],
      ports: [{ name: '', port: 80, protocol: 'tcp' }],
    },
  )
  t.match(slimServiceImport({ metadata, spec: { type: 'Headless', ips: ['10.0.0.1'] } }), {
    headless: true,
    clusterIPs: [],
  })
})

t.test('no shape of an object makes a function throw', async t => {
  const key = fc.constantFrom(
    'metadata',
    'name',
    'namespace',
    'labels',
    'spec',
    'status',
    'ports',
    'port',
    'clusterIPs',
  )
  const more = fc.constantFrom(
    'endpoints',
    'addresses',
    '__proto__',
    'constructor',
    'toString',
    'podIP',
    'conditions',
  )
  const { any } = fc.letrec<{ any: unknown }>(tie => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>(null, true, 0, -1, 1e99, '', 'web', 'None', '10.0.0.1', undefined),
      fc.array(tie('any'), { maxLength: 3 }),
      fc
        .array(fc.tuple(fc.oneof(key, more), tie('any')), { maxLength: 5 })
        .map(entries =>
          JSON.parse(`{${entries.map(([k, v]) => `"${k}":${JSON.stringify(v) ?? 'null'}`).join()}}`),
        ),
    ),
  }))
  const functions = [slimService, slimEndpointSlice, slimNamespace, slimPod, slimServiceImport]
  const named = any.map(value => ({ ...(typeof value === 'object' ? value : {}), metadata }))
  fc.assert(
    fc.property(fc.oneof(any, named), raw => {
      for (const slim of functions) slim(raw)
    }),
    { numRuns: runs(500) },
  )
  t.pass('an object, a problem or undefined')
})
