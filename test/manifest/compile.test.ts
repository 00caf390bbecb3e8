import t from 'tap'
import { REPLICAS_MAX } from '../../src/manifest/workloads.ts'
import { unpackEndpoints } from '../../src/objects/endpoints.ts'
import { parseSelector } from '../../src/objects/label-selector.ts'
import type { RecordKind } from '../../src/objects/objects.ts'
import {
  compileFiles,
  compileText,
  documents,
  endpointsOf,
  manifest,
  own,
  service,
  workload,
} from './manifest-texts.ts'

t.test('what every cluster has', async t => {
  const { state, problems } = compileFiles({})
  t.same([...state.Namespace.keys()], ['default', 'kube-system'])
  t.match(state.Service.get('default/kubernetes'), {
    clusterIPs: ['10.96.0.1'],
    ports: [{ name: 'https', port: 443 }],
  })
  t.match(state.Service.get('kube-system/kube-dns'), { clusterIPs: ['10.96.0.10'] })
  t.equal(endpointsOf(state, 'default/kubernetes').length, 1)
  t.match(endpointsOf(state, 'kube-system/kube-dns'), [
    /^10\.244\.\S+ 10\.244\.\S+ \/ dns:53\/udp dns-tcp:53\/tcp/,
  ])
  t.same(problems, [])
})

t.test("the folder's own kubernetes and kube-dns come first", async t => {
  const { state, problems } = compileText(
    documents(
      service('kubernetes', { clusterIP: '10.96.7.7' }),
      service({ name: 'kube-dns', namespace: 'kube-system' }, { clusterIP: 'None' }),
    ),
  )
  t.same(state.Service.get('default/kubernetes')?.clusterIPs, ['10.96.7.7'])
  t.equal(state.Service.get('kube-system/kube-dns')?.headless, true)
  t.same([...state.EndpointSlice.keys()], [])
  t.same([...state.Pod.keys()], [])
  t.same(problems, [])
})

t.test('a folder with the Service kubernetes is a whole cluster, whatever its DNS is called', async t => {
  const { state } = compileText(
    documents(
      service('kubernetes', { clusterIP: '10.43.0.1' }),
      service({ name: 'rke2-coredns', namespace: 'kube-system' }, { clusterIP: '10.43.0.10' }),
    ),
  )
  t.same([...state.Service.keys()], ['default/kubernetes', 'kube-system/rke2-coredns'])
  t.same([...state.Pod.keys()], [])
})

t.test('namespaces that objects mention exist', async t => {
  const text = documents(service({ name: 'a', namespace: 'Shop' }, {}), manifest('Namespace', 'bare'))
  t.same([...compileText(text).state.Namespace.keys()], ['default', 'kube-system', 'shop', 'bare'])
})

t.test('workloads become Pods', async t => {
  const cases: [title: string, text: string, names: RegExp[]][] = [
    ['ReplicaSet', workload('ReplicaSet', 'web', 2), [/^web-[a-z0-9]{5}$/, /^web-[a-z0-9]{5}$/]],
    ['Deployment', workload('Deployment', 'web', 1), [/^web-[a-z0-9]{5}-[a-z0-9]{5}$/]],
    ['StatefulSet', workload('StatefulSet', 'db', 3), [/^db-0$/, /^db-1$/, /^db-2$/]],
    [
      'StatefulSet with a start',
      workload('StatefulSet', 'db', 2, { ordinals: { start: 5 } }),
      [/^db-5$/, /^db-6$/],
    ],
    [
      'ReplicationController',
      workload('ReplicationController', 'web', 2, { selector: { app: 'web' } }),
      [/^web-[a-z0-9]{5}$/, /^web-[a-z0-9]{5}$/],
    ],
    ['DaemonSet, no Nodes', workload('DaemonSet', 'log', 7), [/^log-[a-z0-9]{5}$/]],
    ['no replicas', workload('Deployment', 'web', 0), []],
    ['one replica unless told', manifest('StatefulSet', 'db', { spec: {} }), [/^db-0$/]],
    ['a Pod', manifest('Pod', 'solo'), [/^solo$/]],
    ['a Pod that has ended', manifest('Pod', 'solo', { status: { phase: 'Succeeded' } }), []],
  ]
  for (const [title, text, names] of cases) {
    const { state, problems } = compileText(text)
    const pods = own(state, 'Pod')
    t.match(
      pods.map(pod => pod.name),
      names,
      title,
    )
    t.equal(pods.length, names.length, title)
    t.equal(new Set(pods.map(pod => pod.ip)).size, names.length, `${title}: distinct addresses`)
    for (const { ip } of pods) t.match(ip, /^10\.244\.[1-9]\d*\.[1-9]\d*$/)
    t.same(problems, [], title)
  }
})

t.test('a DaemonSet has a Pod on every Node that it may be on', async t => {
  const node = (name: string, labels: object = {}): string => manifest('Node', { name, labels })
  const nodes = [
    node('n1', { disk: 'ssd', 'topology.kubernetes.io/zone': 'z1' }),
    node('n2'),
    node('n3', { disk: 'ssd' }),
  ]
  const agents = (text: string): string[] => {
    const { state, problems } = compileText(
      documents(
        ...nodes,
        service('agent', { clusterIP: 'None', selector: { app: 'agent' }, ports: [{ port: 80 }] }),
        text,
      ),
      { zonal: true },
    )
    t.same(problems, [])
    return endpointsOf(state, 'default/agent').flatMap(slice => slice.split(' / ')[0]!.split(' '))
  }
  t.equal(agents(workload('DaemonSet', 'agent', 1)).length, 3)
  t.equal(agents(workload('DaemonSet', 'agent', 1, {}, { nodeSelector: { disk: 'ssd' } })).length, 2)
  const owner = {
    ownerReferences: [{ kind: 'DaemonSet', name: 'agent', controller: true }],
    labels: { app: 'agent' },
  }
  const own = manifest(
    'Pod',
    { name: 'agent-x', ...owner },
    { spec: { nodeName: 'n2' }, status: { podIP: '10.1.1.1', phase: 'Running' } },
  )
  const found = agents(documents(workload('DaemonSet', 'agent', 1), own))
  t.equal(found.length, 3, 'a Node that has its Pod gets no second one')
  t.ok(found.includes('10.1.1.1'))
})

t.test('a ReplicationController counts the Pods that its selector finds', async t => {
  const text = documents(
    workload('ReplicationController', 'web', 2, { selector: { app: 'web' } }),
    manifest('Pod', { name: 'web-a', labels: { app: 'web' } }),
  )
  t.equal(own(compileText(text).state, 'Pod').length, 2)
})

t.test('Pods as clients, where they are asked for', async t => {
  const text = documents(
    manifest('Pod', { name: 'solo', labels: { app: 'a', tier: 'b' } }, { spec: { hostNetwork: true } }),
    manifest('Pod', 'plain'),
  )
  const [solo, plain] = own(
    compileText(text, { clients: { podNames: false, hosts: false, labels: ['tier', 'gone'] } }).state,
    'Pod',
  )
  t.match(solo, { name: 'solo', hostNetwork: true, labels: ['b', ''] })
  t.match(plain, { name: 'plain', hostNetwork: false, labels: ['', ''] })
  t.same(Object.keys(own(compileText(text).state, 'Pod')[0]!), ['namespace', 'name', 'ip'])
})

t.test('Pods that the folder holds count as replicas', async t => {
  const owned = (kind: string, name: string) => ({ ownerReferences: [{ kind, name, controller: true }] })
  const labels = { app: 'web' }
  const cases: [title: string, set: string, pods: object[], total: number][] = [
    ['owned', workload('ReplicaSet', 'web', 3), [{ name: 'web-1', ...owned('ReplicaSet', 'web') }], 3],
    [
      'orphans that match',
      workload('ReplicaSet', 'web', 2),
      [
        { name: 'x', labels },
        { name: 'y', labels },
      ],
      2,
    ],
    [
      'more than wanted',
      workload('ReplicaSet', 'web', 1),
      [
        { name: 'x', labels },
        { name: 'y', labels },
      ],
      2,
    ],
    [
      'others',
      workload('ReplicaSet', 'web', 1),
      [
        { name: 'x', labels: { app: 'db' } },
        { name: 'y', labels, ...owned('ReplicaSet', 'z') },
      ],
      3,
    ],
    ['by name', workload('StatefulSet', 'web', 3), [{ name: 'web-1' }], 3],
    [
      'owned through a ReplicaSet',
      workload('Deployment', 'web', 2),
      [{ name: 'web-abc-1', labels: { 'pod-template-hash': 'abc' }, ...owned('ReplicaSet', 'web-abc') }],
      2,
    ],
  ]
  for (const [title, set, pods, total] of cases) {
    const text = documents(set, ...pods.map(metadata => manifest('Pod', metadata)))
    t.equal(own(compileText(text).state, 'Pod').length, total, title)
  }
  const labelled = { matchLabels: { app: 'web' } }
  const replicaSet = manifest(
    'ReplicaSet',
    { name: 'web-abc', ...owned('Deployment', 'web') },
    {
      spec: { replicas: 2, selector: labelled, template: { metadata: { labels } } },
    },
  )
  t.equal(
    own(compileText(documents(workload('Deployment', 'web', 2), replicaSet)).state, 'Pod').length,
    2,
    'a Deployment of a dump',
  )
})

t.test('replicas out of bounds', async t => {
  const many = compileText(workload('ReplicaSet', 'web', 1e9))
  t.equal(own(many.state, 'Pod').length, REPLICAS_MAX)
  t.match(many.problems, [
    /^a\.yaml:1:\d+: warning: ReplicaSet default\/web: more than 5000 replicas: it gets 5000$/,
  ])
  const wrong = compileText(
    'apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web}\nspec:\n  replicas: three\n',
  )
  t.equal(own(wrong.state, 'Pod').length, 1)
  t.same(wrong.problems, [
    "a.yaml:5:13: warning: ReplicaSet default/web: 'three' is no number of replicas: taken as 1",
  ])
})

t.test('cluster addresses', async t => {
  const v4 = /^10\.(9[6-9]|10\d|11[01])\.\d+\.\d+$/
  const v6 = /^fd00:10:96::[0-9a-f]+$/
  const both = ['IPv4', 'IPv6']
  const cases: [title: string, spec: object, ips: RegExp[]][] = [
    ['one family unless told', {}, [v4]],
    ['IPv6', { ipFamilies: ['IPv6'] }, [v6]],
    ['SingleStack', { ipFamilyPolicy: 'SingleStack', ipFamilies: both }, [v4]],
    ['PreferDualStack', { ipFamilyPolicy: 'PreferDualStack' }, [v4, v6]],
    [
      'RequireDualStack, IPv6 first',
      { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] },
      [v6, v4],
    ],
    ['RequireDualStack, IPv6 named', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] }, [v6, v4]],
    ['both families named', { ipFamilies: both }, [v4, v6]],
    ['its own', { clusterIP: '10.96.3.3' }, [/^10\.96\.3\.3$/]],
    ['its own IPv6', { clusterIP: 'fd00:10:96::3' }, [/^fd00:10:96::3$/]],
    [
      'its own and the other family',
      { clusterIP: '10.96.3.3', ipFamilyPolicy: 'PreferDualStack' },
      [/^10\.96\.3\.3$/, v6],
    ],
    ['two of its own', { clusterIPs: ['fd00:10:96::3', '10.96.3.3'] }, [/^fd00:10:96::3$/, /^10\.96\.3\.3$/]],
    ['headless', { clusterIP: 'None' }, []],
    ['ExternalName', { type: 'ExternalName', externalName: 'a.example' }, []],
    ['NodePort', { type: 'NodePort' }, [v4]],
  ]
  for (const [title, spec, ips] of cases) {
    const { state, problems } = compileText(service('web', spec))
    const found = state.Service.get('default/web')?.clusterIPs ?? []
    t.match(found, ips, title)
    t.equal(found.length, ips.length, title)
    t.same(problems, [], title)
  }
  const { state } = compileText(
    manifest('ServiceImport', 'web', { spec: { type: 'ClusterSetIP', ports: [{ port: 80 }] } }),
  )
  t.match(state.ServiceImport.get('default/web'), { clusterIPs: [v4], ports: [{ port: 80 }] })
})

t.test('a cluster address taken twice', async t => {
  const { state, problems } = compileFiles({
    'a.yaml': service('a', { clusterIP: '10.96.3.3' }),
    'b.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec:\n  clusterIP: 10.96.3.3\n',
  })
  const [b] = state.Service.get('default/b')?.clusterIPs ?? []
  t.same(state.Service.get('default/a')?.clusterIPs, ['10.96.3.3'])
  t.not(b, '10.96.3.3')
  t.same(problems, [
    `b.yaml:5:14: warning: Service default/b: cluster IP 10.96.3.3 is taken by Service default/a (a.yaml:1:1): this one has ${b} instead`,
  ])
})

t.test('selectors become slices', async t => {
  const port = { name: 'http', port: 80, targetPort: 8080 }
  const pods = (fields: object): string =>
    manifest('Pod', { name: 'p', labels: { app: 'web', tier: 'front' } }, fields)
  const pod = (status: object, spec: object = {}): string =>
    pods({ spec, status: { podIP: '10.1.0.1', ...status } })
  const named = {
    containers: [
      {
        ports: [
          { name: 'web', containerPort: 8443 },
          { name: 'dns', containerPort: 53, protocol: 'UDP' },
        ],
      },
    ],
  }
  const dual = { podIPs: [{ ip: '10.1.0.1' }, { ip: 'fd00::1' }] }
  const notReady = { conditions: [{ type: 'Ready', status: 'False' }] }
  const web = { selector: { app: 'web' } }
  const cases: [title: string, spec: object, pod: string, slices: string[]][] = [
    ['a number', { ...web, ports: [port] }, pod({}), ['10.1.0.1 / http:8080/tcp']],
    ['the port itself', { ...web, ports: [{ port: 80 }] }, pod({}), ['10.1.0.1 / :80/tcp']],
    [
      'a name',
      { ...web, ports: [{ port: 80, targetPort: 'web' }] },
      pod({}, named),
      ['10.1.0.1 / :8443/tcp'],
    ],
    [
      'a name of UDP',
      { ...web, ports: [{ port: 53, protocol: 'UDP', targetPort: 'dns' }] },
      pod({}, named),
      ['10.1.0.1 / :53/udp'],
    ],
    ['no ports', web, pod({}), ['10.1.0.1 / ']],
    ['all labels must match', { selector: { app: 'web', tier: 'front' } }, pod({}), ['10.1.0.1 / ']],
    ['one label does not', { selector: { app: 'web', tier: 'back' } }, pod({}), []],
    ['IPv6 only', { ...web, clusterIP: 'None', ipFamilies: ['IPv6'] }, pod(dual), ['fd00::1 / ']],
    [
      'a slice a family',
      { ...web, ipFamilyPolicy: 'PreferDualStack' },
      pod(dual),
      ['10.1.0.1 / ', 'fd00::1 / '],
    ],
    ['no address of that family', { ...web, ipFamilies: ['IPv6'] }, pod({}), []],
    ['not ready', web, pod(notReady), []],
    ['not ready yet published', { ...web, publishNotReadyAddresses: true }, pod(notReady), ['10.1.0.1 / ']],
    ['pending', web, pod({ phase: 'Pending' }), []],
    ['ended', { ...web, publishNotReadyAddresses: true }, pod({ phase: 'Failed' }), []],
    ['hostname under another Service', web, pod({}, { hostname: 'h', subdomain: 'other' }), ['10.1.0.1 / ']],
    ['hostname under this Service', web, pod({}, { hostname: 'h', subdomain: 'web' }), ['h=10.1.0.1 / ']],
    ['ExternalName', { ...web, type: 'ExternalName', externalName: 'a.b' }, pod({}), []],
  ]
  for (const [title, spec, text, slices] of cases) {
    const { state } = compileText(documents(service('web', spec), text))
    t.same(endpointsOf(state, 'default/web'), slices, title)
  }
  const other = manifest('Pod', { name: 'p', namespace: 'b', labels: { app: 'web' } })
  t.same(
    endpointsOf(compileText(documents(service('web', web), other)).state, 'default/web'),
    [],
    'another namespace',
  )
})

t.test('Pods whose named ports differ come in slices of their own', async t => {
  const pod = (name: string, ip: string, containerPort: number): string =>
    manifest(
      'Pod',
      { name, labels: { app: 'web' } },
      { spec: { containers: [{ ports: [{ name: 'http', containerPort }] }] }, status: { podIP: ip } },
    )
  const spec = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] }
  const { state } = compileText(
    documents(
      service('web', spec),
      pod('a', '10.1.0.1', 80),
      pod('b', '10.1.0.2', 81),
      pod('c', '10.1.0.3', 80),
    ),
  )
  t.same(endpointsOf(state, 'default/web'), ['10.1.0.1 10.1.0.3 / :80/tcp', '10.1.0.2 / :81/tcp'])
})

t.test('a StatefulSet names its endpoints', async t => {
  const text = documents(
    service('db', { clusterIP: 'None', selector: { app: 'db' } }),
    workload('StatefulSet', 'db', 12, { serviceName: 'db' }),
  )
  const [slice] = endpointsOf(compileText(text).state, 'default/db')
  const hosts = slice!.split(' / ')[0]!.split(' ')
  t.same(
    hosts.map(host => host.split('=')[0]),
    Array.from({ length: 12 }, (_, i) => `db-${i}`),
  )
})

t.test('Endpoints are mirrored once', async t => {
  const ports = [{ name: 'http', port: 80 }]
  const endpoints = manifest('Endpoints', 'web', {
    subsets: [
      {
        addresses: [{ ip: '192.0.2.1', hostname: 'one' }, { ip: '2001:DB8::1' }],
        notReadyAddresses: [{ ip: '192.0.2.9' }],
        ports,
      },
      { addresses: [{ ip: '192.0.2.2' }] },
    ],
  })
  const mirrored = ['one=192.0.2.1 / http:80/tcp', '2001:db8::1 / http:80/tcp', '192.0.2.2 / ']
  const slice = manifest(
    'EndpointSlice',
    { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'] }],
      ports,
    },
  )
  const skipped = endpoints.replace(
    '"name":"web"',
    '"name":"web","labels":{"endpointslice.kubernetes.io/skip-mirror":"true"}',
  )
  const cases: [title: string, text: string, slices: string[]][] = [
    ['no selector', documents(service('web', {}), endpoints), mirrored],
    ['a slice is there', documents(service('web', {}), endpoints, slice), ['192.0.2.1 / http:80/tcp']],
    ['no Service', endpoints, []],
    ['skip-mirror', documents(service('web', {}), skipped), []],
    ['a selector without Pods', documents(service('web', { selector: { a: 'b' } }), endpoints), mirrored],
  ]
  for (const [title, text, slices] of cases) {
    const { state, problems } = compileText(text)
    t.same(endpointsOf(state, 'default/web'), slices, title)
    t.same(problems, [], title)
  }
})

t.test("a controller's slices in a dump are not made again, hand-made ones stand beside", async t => {
  const slice = (labels: object): string =>
    manifest(
      'EndpointSlice',
      { name: 'x', labels: { 'kubernetes.io/service-name': 'web', ...labels } },
      { endpoints: [{ addresses: ['10.1.0.9'] }] },
    )
  const rest = documents(
    service('web', { selector: { app: 'web' } }),
    manifest('Pod', { name: 'p', labels: { app: 'web' } }, { status: { podIP: '10.1.0.1' } }),
  )
  const dump = slice({ 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' })
  t.same(endpointsOf(compileText(documents(rest, dump)).state, 'default/web'), ['10.1.0.9 / '])
  t.same(endpointsOf(compileText(documents(rest, slice({}))).state, 'default/web'), [
    '10.1.0.9 / ',
    '10.1.0.1 / ',
  ])
})

t.test('zones and Pod names, when asked for', async t => {
  const node = (name: string, zone: string): string =>
    manifest('Node', { name, labels: { 'topology.kubernetes.io/zone': zone } })
  const pinned = manifest(
    'Pod',
    { name: 'p', labels: { app: 'web' } },
    { spec: { nodeName: 'n2' }, status: { podIP: '10.1.0.1' } },
  )
  const lost = manifest(
    'Pod',
    { name: 'q', labels: { app: 'web' } },
    { spec: { nodeName: 'gone' }, status: { podIP: '10.1.0.2' } },
  )
  const text = documents(
    node('n1', 'A'),
    node('n2', 'B'),
    service('web', { selector: { app: 'web' } }),
    service('many', { selector: { app: 'many' } }),
    workload('Deployment', 'many', 4),
    pinned,
    lost,
  )
  const slices = [...compileText(text, { zonal: true, endpointPodNames: true }).state.EndpointSlice.values()]
  const of = (name: string) =>
    slices.filter(slice => slice.serviceName === name).flatMap(slice => unpackEndpoints(slice.endpoints))
  t.match(of('web'), [
    { targetName: 'p', zone: 'b' },
    { targetName: 'q', zone: '' },
  ])
  t.same(
    of('many')
      .map(e => e.zone)
      .sort(),
    ['a', 'a', 'b', 'b'],
    'spread evenly',
  )
  const plain = [...compileText(text).state.EndpointSlice.values()].flatMap(slice =>
    unpackEndpoints(slice.endpoints),
  )
  t.ok(plain.every(e => e.zone === '' && e.targetName === ''))
})

t.test('label selectors', async t => {
  const text = documents(
    manifest('Namespace', { name: 'a', labels: { team: 'x' } }),
    manifest('Namespace', 'b'),
    service({ name: 'web', namespace: 'a', labels: { expose: 'yes' } }, { selector: { app: 'web' } }),
    service({ name: 'db', namespace: 'a' }, {}),
    manifest(
      'Endpoints',
      { name: 'db', namespace: 'a', labels: { expose: 'yes' } },
      { subsets: [{ addresses: [{ ip: '192.0.2.1' }] }] },
    ),
    manifest('Pod', { name: 'p', namespace: 'a', labels: { app: 'web' } }, { status: { podIP: '10.1.0.1' } }),
  )
  const select = (selector: string) => {
    const parsed = parseSelector(selector)
    return typeof parsed === 'function' ? parsed : undefined
  }
  const { state } = compileText(text, {
    labels: select('expose=yes'),
    namespaceLabels: select('team in (x)'),
  })
  t.same([...state.Namespace.keys()], ['a'])
  t.same([...state.Service.keys()], ['a/web'])
  t.same(
    [...state.EndpointSlice.values()].map(slice => slice.serviceName).sort(),
    ['db', 'web'],
    'slices inherit labels',
  )
  t.same([...state.Pod.keys()], [])
  const named = compileText(text, { namespaceLabels: select('kubernetes.io/metadata.name=b') })
  t.same([...named.state.Namespace.keys()], ['b'], 'the label that every namespace has')
})

t.test('problems at their places, and everything else is served', async t => {
  const head = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n'
  const cases: [text: string, problem: string][] = [
    [
      `${head}  selector: {app: web}\n`,
      'a.yaml:5:13: warning: Service default/web: the selector app=web matches no Pod: it has no endpoints',
    ],
    [
      `${head}  clusterIP: 10.96.0\n`,
      "a.yaml:5:14: warning: Service default/web: '10.96.0' is no IP address",
    ],
    [
      `${head}  ports:\n  - port: 80\n  - port: 70000\n`,
      'a.yaml:7:11: warning: Service default/web: 70000 is no port number: this port is left out',
    ],
    [
      `${head}  type: ExternalName\n`,
      'a.yaml:5:3: warning: Service default/web: an ExternalName without a name: it resolves to nothing',
    ],
    [
      `${head}  type: ExternalName\n  externalName: 192.0.2.1\n`,
      "a.yaml:6:17: warning: Service default/web: '192.0.2.1' is an address, no name: a cluster answers NXDOMAIN for it",
    ],
    [
      documents(
        `${head}  selector: {app: web}\n  ports:\n  - {port: 80, targetPort: http}\n`,
        workload('ReplicaSet', 'web', 3),
      ),
      'a.yaml:7:28: warning: Service default/web: Pod default/web-',
    ],
    [
      'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: x\n',
      'a.yaml:4:3: warning: EndpointSlice default/x: no label kubernetes.io/service-name: it belongs to no Service',
    ],
    [
      'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nstatus:\n  podIP: 10.0.0.300\n',
      "a.yaml:5:10: warning: Pod default/p: '10.0.0.300' is no IP address: left out",
    ],
    [
      documents(
        'apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\nsubsets:\n- addresses:\n  - ip: nowhere\n',
        service('web', {}),
      ),
      "a.yaml:6:9: warning: Endpoints default/web: 'nowhere' is no IP address: left out",
    ],
  ]
  for (const [text, problem] of cases) {
    const { state, problems } = compileText(documents(text, service('other', {})))
    t.equal(problems.length, 1, problem)
    t.equal(problems[0]?.slice(0, problem.length), problem)
    t.ok(state.Service.has('default/other'))
  }
})

t.test('two objects of one name', async t => {
  const { state, problems } = compileFiles({
    'a.yaml': documents(service('x', {}), service('web', { clusterIP: '10.96.3.1' })),
    'b.yaml':
      '# second\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec: {clusterIP: 10.96.3.2}\n',
  })
  t.same(state.Service.get('default/web')?.clusterIPs, ['10.96.3.1'])
  t.same(problems, [
    'b.yaml:5:9: warning: Service default/web: is already in a.yaml:3:1, which is the one served',
  ])
})

t.test('names like __proto__ are plain data', async t => {
  const labels = '{"__proto__":"x","constructor":"y"}'
  const text = documents(
    `{"apiVersion":"v1","kind":"Service","metadata":{"name":"constructor","labels":${labels}},"spec":{"selector":${labels}}}`,
    `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"tostring","labels":${labels}},"status":{"podIP":"10.1.0.1"}}`,
  )
  t.same(endpointsOf(compileText(text).state, 'default/constructor'), ['10.1.0.1 / '])
})

t.test('HTTPRoutes and Gateways out of a folder', async t => {
  const text = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: demo }
spec: { listeners: [{ name: web, hostname: '*.Example.org' }] }
status: { addresses: [{ type: IPAddress, value: 192.0.2.1 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: demo }
spec: { hostnames: [web.example.org], parentRefs: [{ name: edge, sectionName: web }] }
`
  const state = (kinds: readonly RecordKind[]) =>
    compileText(text, { records: { kinds, delegations: [], own: [], zones: [], ttlSeconds: 60 } }).state
  const { Gateway, HTTPRoute } = state(['HTTPRoute'])
  t.same(
    [...Gateway.values()],
    [
      {
        namespace: 'demo',
        name: 'edge',
        addresses: ['192.0.2.1'],
        hosts: [],
        listeners: [{ name: 'web', hostname: '*.example.org' }],
      },
    ],
  )
  t.same(
    [...HTTPRoute.values()],
    [
      {
        namespace: 'demo',
        name: 'web',
        createdMs: 0,
        hostnames: ['web.example.org'],
        parents: [{ gateway: 'demo/edge', section: 'web' }],
      },
    ],
  )
  t.equal(state(['Ingress']).HTTPRoute.size, 0, 'only where k8s_records reads them')
})
