// The chart by the real Helm: it lints, makes of values what CoreDNS's chart makes of them, installs on the real API server
// with the values of real clusters, takes CoreDNS's own objects over by the commands of its README, and what it renders is
// what config/kubernetes has. There is no container: the rendered Corefile and arguments are started as they are, but for
// addresses and paths, and asked.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type ApiClient, ApiError, type KubeObject, readYaml } from './api-client.ts'
import { adoption } from './chart/adoption.ts'
import { differences, faultsOf, readChartCases } from './chart/expected.ts'
import { foreignDefinitions } from './chart/foreign-kinds.ts'
import { REFUSED_VALUES } from './chart/refused.ts'
import { upgradeOfCoreDns } from './chart/release-of-coredns.ts'
import { serveRendered } from './chart/serve.ts'
import { CHART, Helm, HelmError, type Values } from './helm.ts'
import { eventually } from './processes.ts'
import { isBuilt } from './programs.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const CLUSTERS = join(import.meta.dirname, 'chart', 'clusters')
const KUBERNETES = join(CHART, '..', '..', 'config', 'kubernetes')
/** Given beside values that name CoreDNS's image, as the README says. */
const IMAGE: Values = { image: { repository: 'registry.example/seamark', tag: '0.1.0' } }
/** The Service network here is 10.96.0.0/12; addresses of others' are left to the API server. */
const OWN_ADDRESS: Values = { service: { clusterIP: '' } }

/** Everything that tells of the server. */
const MONITORED: Values = {
  prometheus: {
    service: { enabled: true },
    monitor: { enabled: true },
    rules: { enabled: true, additionalLabels: { release: 'prometheus' } },
  },
  grafana: { dashboard: { enabled: true } },
}

/** One on every node, with Cilium's redirection. */
const ON_NODES: Values = {
  deployment: { enabled: false },
  daemonset: { enabled: true },
  cilium: { localRedirectPolicy: { enabled: true } },
}
const CPU_HALF = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } }
/** Both ways to scale; the API server takes their objects. */
const SCALED: readonly [string, Values][] = [
  ['proportional', { autoscaler: { enabled: true, podDisruptionBudget: { maxUnavailable: 1 } } }],
  ['horizontal', { hpa: { enabled: true, metrics: [{ type: 'Resource', resource: CPU_HALF }] } }],
]

/** Values files of real clusters, in short. */
const clusters = (): { name: string; file: string }[] =>
  readdirSync(CLUSTERS)
    .sort()
    .map(file => ({ name: file.replace('.yaml', ''), file: join(CLUSTERS, file) }))

async function checkRendering(context: Context, helm: Helm): Promise<void> {
  await context.check('lint: the defaults', () => helm.lint())
  for (const file of readdirSync(CHART).filter(name => /^values-.*\.yaml$/.test(name)))
    await context.check(`lint: ${file}`, () => helm.lint([join(CHART, file)]))
  for (const { name, file } of clusters())
    await context.check(`lint: ${name}`, () => helm.lint([file, IMAGE]))
  for (const { title, values, message } of REFUSED_VALUES)
    await context.check(`refused: ${title}`, async () => {
      const error = await helm.template({ values: [values] }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      holds(error instanceof HelmError, `Helm took ${JSON.stringify(values)}`)
      holds(message.test(error.output), `${message} is not in:\n${error.output}`)
    })
  await context.check('values that nobody knows are named', async () => {
    const notes = async (values: Values): Promise<string> => {
      const told = ['install', 'coredns', CHART, '--dry-run=client', ...helm.valuesArguments([values])]
      return (await helm.run(told)).split('NOTES:')[1]!
    }
    const misspelt = { replicacount: 3, keda: { enabled: true }, service: { clusterip: '10.96.0.10' } }
    const line = 'Not known to this chart, and without effect: keda, replicacount, service.clusterip.'
    holds((await notes(misspelt)).includes(line), await notes(misspelt))
    const known = { global: { dns: true }, livenessProbe: { httpGet: { path: '/', port: 1 } } }
    holds(!(await notes(known)).includes('Not known'), await notes(known))
  })
  for (const one of readChartCases())
    await context.check(`rendered: ${one.title}`, async () => {
      const { release = 'release-name', namespace = 'default', values = {}, refused } = one
      const objects = await helm.template({ name: release, namespace, values: [values] })
      const faults = faultsOf(one, objects)
      holds(faults.length === 0, faults.join('\n'))
      if (refused === undefined) await dryRun(context.world.plane.client, objects)
    })
}

/** Has the API server look at objects, in namespaces that are there. */
async function dryRun(client: ApiClient, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    const { namespace } = object.metadata
    const here = namespace === undefined ? {} : { namespace: 'default' }
    await client.applyObject({ ...object, metadata: { ...object.metadata, ...here } }, { dryRun: true })
  }
}

async function objectOf(client: ApiClient, { apiVersion, kind, metadata }: KubeObject): Promise<KubeObject> {
  const { name, namespace } = metadata
  return client.get({ apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) })
}

/** Installs, compares what the API server then has with what was rendered, serves it, and uninstalls. */
async function installAndServe(
  context: Context,
  helm: Helm,
  name: string,
  files: readonly Values[],
): Promise<void> {
  const { client } = context.world.plane
  const namespace = `chart-${name}`
  const release = { name: 'coredns', namespace, values: [...files, OWN_ADDRESS] }
  const options = ['--namespace', namespace, ...helm.valuesArguments(release.values)]
  await context.check(`installed: ${name}`, async () => {
    await helm.run(['install', 'coredns', CHART, '--create-namespace', ...options])
    for (const object of await helm.template(release)) {
      const faults = differences(await objectOf(client, object), object, object.kind)
      holds(faults.length === 0, faults.join('\n'))
    }
  })
  await context.check(`serves: ${name}`, async () => {
    await serveRendered(context, await helm.template(release))
  })
  await context.check(`upgraded and gone: ${name}`, async () => {
    const rendered = await helm.template(release)
    try {
      await helm.run(['upgrade', 'coredns', CHART, ...options, '--set', 'replicaCount=3'])
    } finally {
      await helm.run(['uninstall', 'coredns', '--namespace', namespace, '--wait=hookOnly'])
      await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
    }
    for (const object of rendered) await eventually(`${object.kind} gone`, () => isGone(client, object))
  })
}

async function isGone(client: ApiClient, object: KubeObject): Promise<boolean> {
  try {
    return (await objectOf(client, object)).metadata.deletionTimestamp !== undefined
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return true
    throw error
  }
}

/** There is no garbage collector: what a Deployment made goes with its namespace. */
async function namespacesGone(client: ApiClient): Promise<void> {
  await eventually('the namespaces gone', async () => {
    const left = await client.list({ apiVersion: 'v1', kind: 'Namespace' })
    return !left.some(({ metadata }) => metadata.name.startsWith('chart-'))
  })
}

/** The rules and the dashboard are the chart's files, whole. */
async function checkMonitoring(context: Context, helm: Helm): Promise<void> {
  const file = (name: string): string => readFileSync(join(CHART, 'monitoring', name), 'utf8')
  await context.check('the rules and the dashboard are those of the files', async () => {
    const objects = await helm.template({ values: [MONITORED] })
    const rule = objects.find(({ kind }) => kind === 'PrometheusRule')!
    const { groups } = parse(file('rules.yaml')) as { groups: { name: string }[] }
    same(differences(rule.spec, { groups }), [], 'rules')
    same(rule.metadata.labels?.release, 'prometheus', "the label that the operator's Prometheus selects")
    const shown = objects.find(({ metadata }) => metadata.name.endsWith('-dashboard'))!
    const { data } = shown as unknown as { data: Record<string, string> }
    same(differences(JSON.parse(data['seamark.json']!), JSON.parse(file('dashboard.json'))), [], 'dashboard')
    same(shown.metadata.labels?.grafana_dashboard, '1', "the label that Grafana's sidecar selects")
    const without = { prometheus: { rules: { enabled: true, formerNames: false } } }
    const own = (await helm.template({ values: [without] })).find(({ kind }) => kind === 'PrometheusRule')!
    same(
      (own.spec!.groups as { name: string }[]).map(({ name }) => name),
      ['seamark'],
      'groups without former names',
    )
  })
}

/** The rights that words of the Corefile need come with them; those of CRDs whose definitions stand in config/crds, too. */
async function checkRights(context: Context, helm: Helm): Promise<void> {
  await context.check('the ClusterRole has what the Corefile reads, and no more', async () => {
    const rules = async (values: Values): Promise<unknown> => {
      const objects = await helm.template({ values: [values] })
      await dryRun(context.world.plane.client, objects)
      const role = objects.find(({ kind }) => kind === 'ClusterRole') as unknown as {
        rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[]
      }
      return role.rules.map(({ apiGroups, resources, verbs }) =>
        [...apiGroups, ...resources, ...verbs].join(' '),
      )
    }
    const block = (configBlock: string, records: string): Values => ({
      servers: [
        {
          port: 53,
          plugins: [
            { name: 'kubernetes', parameters: 'cluster.local', configBlock },
            { name: 'k8s_records', parameters: 'example.org', configBlock: records },
          ],
        },
      ],
    })
    const always = [
      ' services pods namespaces nodes list watch',
      'discovery.k8s.io endpointslices list watch',
    ]
    const imports = 'multicluster.x-k8s.io serviceimports list watch'
    const records = ['seamark.dev dnsrecords list watch', 'seamark.dev dnsrecords/status patch']
    const ingresses = 'networking.k8s.io ingresses list watch'
    same(await rules({}), always, 'by default')
    same(
      await rules({ rbac: { multiclusterEnable: true } }),
      [...always, imports],
      'as CoreDNS’s chart has it',
    )
    const all = block('multicluster clusterset.local', 'from dnsrecords dnsendpoints ingresses')
    const endpoints = 'externaldns.k8s.io dnsendpoints list watch'
    same(await rules(all), [...always, imports, endpoints, ...records, ingresses], 'all of them')
    same(
      await rules(block('ttl 30', '# from ingresses\nfrom dnsrecords')),
      [...always, ...records],
      'one of them',
    )
    const extra = { apiGroups: ['example.org'], resources: ['things'], verbs: ['list'] }
    same(await rules({ rbac: { extraRules: [extra] } }), [...always, 'example.org things list'], 'more rules')
  })
}

/** What config/kubernetes has and the chart renders for kubeadm, without what Helm or Seamark's state adds. */
async function checkKustomization(context: Context, helm: Helm): Promise<void> {
  await context.check('config/kubernetes is what the chart renders for kubeadm', async () => {
    const values = [
      join(CHART, 'values-kubeadm.yaml'),
      { state: { enabled: false }, deployment: { skipConfig: false } },
    ]
    const rendered = await helm.template({ name: 'coredns', namespace: 'kube-system', values })
    const { resources } = parse(readFileSync(join(KUBERNETES, 'kustomization.yaml'), 'utf8')) as {
      resources: string[]
    }
    const shipped = resources.flatMap(file => readYaml(readFileSync(join(KUBERNETES, file), 'utf8')))
    const key = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`
    same(rendered.map(key).sort(), shipped.map(key).sort(), 'objects')
    const faults = shipped.flatMap(object =>
      differences(
        comparable(rendered.find(other => key(other) === key(object))!),
        comparable(object),
        key(object),
      ),
    )
    holds(faults.length === 0, faults.join('\n'))
  })
}

/** A Corefile as its words, the image without its tag, probes by port number; labels that only bootstrapping knows left out. */
function comparable(object: KubeObject): unknown {
  const text = JSON.stringify(object, (key, value: unknown) => {
    if (key === 'labels' && Object.hasOwn(value as object, 'kubernetes.io/bootstrapping')) return undefined
    if (key === 'Corefile') return String(value).split(/\s+/).filter(Boolean)
    if (key === 'image') return String(value).replace(/:.*/, '')
    if (key === 'port' && value === 'liveness-probe') return 8080
    if (key === 'port' && value === 'readiness-probe') return 8181
    if (key === 'ports' && Array.isArray(value))
      return (value as { name: string }[]).filter(({ name }) => !/^(liveness|readiness)-probe$/.test(name))
    return value
  })
  return JSON.parse(text)
}

export const suite: Suite = {
  name: 'chart',
  async run(context) {
    if (context.world.subject !== 'seamark') return context.skip('the chart', 'it is Seamark’s')
    if (!isBuilt('helm')) return context.skip('the chart', 'helm is not built')
    const { plane } = context.world
    const helm = new Helm(context.scope, plane.kubeconfigFile)
    await plane.client.apply(foreignDefinitions())
    await checkRendering(context, helm)
    await installAndServe(context, helm, 'defaults', [])
    await installAndServe(context, helm, 'kubeadm', [
      join(CHART, 'values-kubeadm.yaml'),
      { clusterRole: { nameOverride: 'chart-kubeadm' }, deployment: { skipConfig: false } },
    ])
    for (const { name, file } of clusters()) await installAndServe(context, helm, name, [file, IMAGE])
    await installAndServe(context, helm, 'monitored', [MONITORED])
    await installAndServe(context, helm, 'nodes', [ON_NODES])
    for (const [name, values] of SCALED) await installAndServe(context, helm, name, [values])
    await checkMonitoring(context, helm)
    await checkKustomization(context, helm)
    await checkRights(context, helm)
    await upgradeOfCoreDns(context, helm)
    await adoption(context, helm)
    await context.attempt('the namespaces are gone', () => namespacesGone(plane.client))
  },
}
