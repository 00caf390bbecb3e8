// config/kubernetes against what kubeadm sets up for CoreDNS (docs/coredns.md 3.5): whatever selects, scrapes, probes or
// mounts by these names goes on working.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { ROOT } from './bundle.ts'

const FOLDER = join(ROOT, 'config', 'kubernetes')
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')
const SELECTOR = { 'k8s-app': 'kube-dns' }

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Record<string, string>
    readonly annotations?: Record<string, string>
  }
}

interface Rule {
  readonly apiGroups: string[]
  readonly resources: string[]
  readonly verbs: string[]
}

const kustomization = parse(read('kustomization.yaml')) as {
  readonly resources: string[]
  readonly images: { readonly name: string; readonly newTag: string }[]
}
const objects = kustomization.resources.map(file => parse(read(file)) as Manifest)
const one = <T>(kind: string): Manifest & T => objects.find(object => object.kind === kind) as Manifest & T

t.test('the kustomization lists every file, and each is one document', async t => {
  const files = readdirSync(FOLDER).filter(file => file !== 'kustomization.yaml')
  t.same([...kustomization.resources].sort(), files.sort())
  for (const file of files) {
    const documents = parseAllDocuments(read(file))
    t.equal(documents.length, 1, file)
    t.same(
      documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]),
      [],
      file,
    )
  }
})

t.test('kinds and names', async t => {
  const named = objects.map(({ apiVersion, kind, metadata: { namespace = '-', name } }) =>
    [apiVersion, kind, namespace, name].join(' '),
  )
  t.same(named.sort(), [
    'apps/v1 Deployment kube-system coredns',
    'policy/v1 PodDisruptionBudget kube-system coredns',
    'rbac.authorization.k8s.io/v1 ClusterRole - system:coredns',
    'rbac.authorization.k8s.io/v1 ClusterRoleBinding - system:coredns',
    'v1 ConfigMap kube-system coredns',
    'v1 Service kube-system kube-dns',
    'v1 ServiceAccount kube-system coredns',
  ])
})

t.test('the role lists and watches what is served, and nothing else', async t => {
  const { rules } = one<{ rules: Rule[] }>('ClusterRole')
  for (const { verbs } of rules) t.same([...verbs].sort(), ['list', 'watch'])
  t.same(rules.flatMap(({ apiGroups, resources }) => resources.map(name => `${apiGroups}/${name}`)).sort(), [
    '/namespaces',
    '/nodes',
    '/pods',
    '/services',
    'discovery.k8s.io/endpointslices',
  ])
  const binding = one<{ roleRef: { kind: string; name: string }; subjects: object[] }>('ClusterRoleBinding')
  t.match(binding.roleRef, { kind: 'ClusterRole', name: 'system:coredns' })
  t.same(binding.subjects, [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }])
})

t.test("the Corefile is kubeadm's", async t => {
  const { data } = one<{ data: Record<string, string> }>('ConfigMap')
  t.same(Object.keys(data), ['Corefile'])
  const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '')
  const stock = readFileSync(join(ROOT, 'test', 'corefiles', 'kubeadm.Corefile'), 'utf8')
  t.same(words(data.Corefile!), words(stock.replace(/^#.*\n/gm, '')))
})

t.test('the Service', async t => {
  const { metadata, spec } = one<{ spec: object }>('Service')
  t.same(metadata.labels, {
    'k8s-app': 'kube-dns',
    'kubernetes.io/cluster-service': 'true',
    'kubernetes.io/name': 'CoreDNS',
  })
  t.same(metadata.annotations, { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' })
  t.same(spec, {
    selector: SELECTOR,
    clusterIP: '10.96.0.10',
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      { name: 'metrics', port: 9153, protocol: 'TCP' },
    ],
  })
})

t.test('the PodDisruptionBudget leaves one at work', async t => {
  const { spec } = one<{ spec: object }>('PodDisruptionBudget')
  t.same(spec, { maxUnavailable: 1, selector: { matchLabels: SELECTOR } })
})

t.test('the Deployment', async t => {
  const { metadata, spec } = one<{
    spec: { template: { metadata: object; spec: { containers: Record<string, unknown>[] } } }
  }>('Deployment')
  t.same(metadata.labels, SELECTOR)
  t.match(spec, {
    replicas: 2,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    selector: { matchLabels: SELECTOR },
    template: {
      metadata: { labels: SELECTOR },
      spec: {
        priorityClassName: 'system-cluster-critical',
        serviceAccountName: 'coredns',
        dnsPolicy: 'Default',
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [
          { key: 'CriticalAddonsOnly', operator: 'Exists' },
          { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
        ],
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname' } },
            ],
          },
        },
        volumes: [
          {
            name: 'config-volume',
            configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] },
          },
        ],
      },
    },
  })
  const { containers } = spec.template.spec
  t.equal(containers.length, 1)
  const container = containers[0]!
  t.same(Object.keys(container.resources as object).sort(), ['limits', 'requests'])
  t.same(Object.keys((container.resources as { limits: object }).limits), ['memory'], 'no limit of CPU')
  const ports = container.ports as { name: string; containerPort: number; protocol: string }[]
  t.same(
    ports.map(({ name, containerPort, protocol }) => `${name} ${containerPort}/${protocol}`),
    [
      'dns 53/UDP',
      'dns-tcp 53/TCP',
      'metrics 9153/TCP',
      'liveness-probe 8080/TCP',
      'readiness-probe 8181/TCP',
    ],
  )
  t.match(container, {
    name: 'coredns',
    args: ['-conf', '/etc/coredns/Corefile'],
    volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
    livenessProbe: {
      httpGet: { path: '/health', port: 'liveness-probe', scheme: 'HTTP' },
      initialDelaySeconds: 60,
      timeoutSeconds: 5,
      successThreshold: 1,
      failureThreshold: 5,
    },
    readinessProbe: { httpGet: { path: '/ready', port: 'readiness-probe', scheme: 'HTTP' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 65532,
    },
  })
  const image = kustomization.images.find(({ name }) => name === container.image)
  t.equal(image?.newTag, manifest.version, 'the image has the version of the package')
})

const CUSTOM_MOUNT = `            - name: custom-config-volume
              mountPath: /etc/coredns/custom
              readOnly: true
`
const CUSTOM_VOLUME = `        - name: custom-config-volume
          configMap:
            name: coredns-custom
            optional: true
`

t.test(
  'the Deployment beside is that of the cluster, but for what leads to it and what it may import',
  async t => {
    const own = read('deployment.yaml')
    const beside = readFileSync(join(ROOT, 'config', 'beside', 'deployment.yaml'), 'utf8')
    const image = kustomization.images.find(({ name }) => name === 'seamark')!
    const expected = own
      .replaceAll('k8s-app: kube-dns', 'app: seamark-beside')
      .replace('name: coredns\n  namespace', 'name: seamark-beside\n  namespace')
      .replace('key: k8s-app', 'key: app')
      .replace('values: [kube-dns]', 'values: [seamark-beside]')
      .replace('replicas: 2', 'replicas: 1')
      .replace(/^ *priorityClassName: .*\n/m, '')
      .replace('image: seamark\n', `image: seamark:${image.newTag}\n`)
      // All files of the ConfigMap, and those that it imports in some clusters.
      .replace(/ *items:\n *- key: Corefile\n *path: Corefile\n/, CUSTOM_VOLUME)
      .replace(
        / *- name: config-volume\n *mountPath: .*\n *readOnly: true\n/,
        mount => `${mount}${CUSTOM_MOUNT}`,
      )
    t.same(parse(beside), parse(expected))
    t.notMatch(beside, /kube-dns/, 'no Service selects it')
  },
)

t.test(
  "Events need one right, in the server's namespace, and the Pod's own name: as in the chart",
  async t => {
    const folder = join(ROOT, 'config', 'events')
    const [role, binding] = parseAllDocuments(readFileSync(join(folder, 'role.yaml'), 'utf8')).map(
      document => document.toJS() as Manifest & { rules?: Rule[]; subjects?: object[]; roleRef?: object },
    )
    t.same(role?.rules, [{ apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] }])
    t.match(binding?.subjects, [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }])
    t.match(binding?.roleRef, { kind: 'Role', name: role?.metadata.name })
    const text = readFileSync(join(folder, 'kustomization.yaml'), 'utf8')
    const templates = join(ROOT, 'charts', 'seamark', 'templates')
    const pod = readFileSync(join(templates, '_pod.tpl'), 'utf8')
    for (const [name, field] of [
      ['POD_NAME', 'metadata.name'],
      ['POD_NAMESPACE', 'metadata.namespace'],
      ['POD_UID', 'metadata.uid'],
    ] as const) {
      t.match(text, new RegExp(`name: ${name}\n *valueFrom:\n *fieldRef:\n *fieldPath: ${field}\n`))
      t.match(pod, new RegExp(`"${name}" "${field}"`))
    }
    t.match(text, 'value: -events')
    const chart = readFileSync(join(templates, 'role-events.yaml'), 'utf8')
    t.match(chart, /apiGroups: \[""\]\n *resources: \[events\]\n *verbs: \[create, patch\]/)
  },
)

t.test("the rights of `multicluster` are the chart's", async t => {
  const [role, binding] = parseAllDocuments(
    readFileSync(join(ROOT, 'config', 'multicluster', 'cluster-role.yaml'), 'utf8'),
  ).map(document => document.toJS() as Manifest & { rules?: Rule[]; subjects?: object[]; roleRef?: object })
  t.same(role?.rules, [
    { apiGroups: ['multicluster.x-k8s.io'], resources: ['serviceimports'], verbs: ['list', 'watch'] },
  ])
  const chart = readFileSync(join(ROOT, 'charts', 'seamark', 'templates', 'clusterrole.yaml'), 'utf8')
  t.match(
    chart,
    /apiGroups: \[multicluster\.x-k8s\.io\]\n *resources: \[serviceimports\]\n *verbs: \[list, watch\]/,
  )
  t.match(binding?.subjects, [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }])
  t.match(binding?.roleRef, { name: role?.metadata.name })
})
