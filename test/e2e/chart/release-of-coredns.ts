// A release of CoreDNS's chart upgraded to this project's chart with the same values, by the commands of docs/migrate.md: a chart
// that renders the objects which CoreDNS's 1.4x renders for its defaults as release `coredns`, in short, stands in for it.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { documentNamed, printedCommandsOf, sectionOf } from '../../documents/document.ts'
import { type ApiClient, apiPath, type KubeObject } from '../api-client.ts'
import { DocumentShell } from '../document-shell.ts'
import type { Helm } from '../helm.ts'
import { eventually } from '../processes.ts'
import { isBuilt } from '../programs.ts'
import { type Context, same } from '../suite.ts'

const NAMESPACE = 'kube-system'
const DNS = { kind: 'Deployment', apiVersion: 'apps/v1', name: 'coredns', namespace: NAMESPACE } as const
const IMAGES = { before: 'coredns/coredns:1.13.1', after: 'REGISTRY/seamark:0.1.0' }
/** What the release was installed with. */
const VALUES = {
  image: { repository: 'coredns/coredns', tag: '1.13.1' },
  replicaCount: 2,
  serviceAccount: { create: true },
}
const ROLLOUT_DEADLINE_MS = 60_000

const selector = {
  'app.kubernetes.io/instance': 'coredns',
  'app.kubernetes.io/name': 'coredns',
  'k8s-app': 'coredns',
}
const metadata = {
  name: 'coredns',
  labels: {
    ...selector,
    'app.kubernetes.io/managed-by': 'Helm',
    'helm.sh/chart': 'coredns-1.45.0',
    'kubernetes.io/cluster-service': 'true',
    'kubernetes.io/name': 'CoreDNS',
  },
}
const port = (name: string, protocol: string, containerPort = 53) => ({ name, protocol, containerPort })

/** What CoreDNS's chart renders. */
const OBJECTS: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: '.:53 {\n    whoami\n}' } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      type: 'ClusterIP',
      selector,
      ports: [
        { name: 'udp-53', port: 53, targetPort: 53, protocol: 'UDP' },
        { name: 'tcp-53', port: 53, targetPort: 53, protocol: 'TCP' },
      ],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 2,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: selector },
        spec: {
          serviceAccountName: 'coredns',
          dnsPolicy: 'Default',
          containers: [
            {
              name: 'coredns',
              image: IMAGES.before,
              args: ['-conf', '/etc/coredns/Corefile'],
              resources: { limits: { cpu: '100m', memory: '128Mi' } },
              ports: [port('udp-53', 'UDP'), port('tcp-53', 'TCP'), port('tcp-9153', 'TCP', 9153)],
              securityContext: { capabilities: { add: ['NET_BIND_SERVICE'] } },
              volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns' }],
            },
          ],
          volumes: [
            {
              name: 'config-volume',
              configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] },
            },
          ],
        },
      },
    },
  },
]

/** Writes the stand-in's chart and gives its folder. */
function standIn(folder: string): string {
  mkdirSync(join(folder, 'templates'), { recursive: true })
  writeFileSync(join(folder, 'Chart.yaml'), '{"apiVersion": "v2", "name": "coredns", "version": "1.45.0"}')
  for (const object of OBJECTS)
    writeFileSync(join(folder, 'templates', `${object.kind.toLowerCase()}.yaml`), JSON.stringify(object))
  return folder
}

async function identities(client: ApiClient): Promise<unknown[]> {
  const found = await Promise.all(
    OBJECTS.map(({ apiVersion, kind }) => client.get({ ...DNS, apiVersion, kind })),
  )
  return found.map(({ kind, metadata: { uid }, spec }) => ({
    kind,
    uid,
    clusterIP: spec?.clusterIP,
    selector: spec?.selector,
  }))
}

interface Container {
  readonly image: string
  readonly resources: object
}
const containerOf = (object: KubeObject): Container =>
  (object.spec!.template as { spec: { containers: Container[] } }).spec.containers[0]!

const SELECTED = 'labelSelector=k8s-app%3Dcoredns'
const pods = (client: ApiClient): Promise<KubeObject[]> =>
  client.list({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE }, SELECTED)

/** Waits until all Pods run that image. */
const rolledOut = (client: ApiClient, image: string): Promise<unknown> =>
  eventually(
    `all Pods run ${image}`,
    async () => {
      const images = (await pods(client)).map(pod => (pod.spec!.containers as Container[])[0]!.image)
      return images.length === 2 && images.every(each => each === image)
    },
    ROLLOUT_DEADLINE_MS,
  )

/** There is no garbage collector: what the Deployment and the Service made, again and again until their controllers know. */
async function removeMade(client: ApiClient): Promise<void> {
  await eventually(
    'all of it gone',
    async () => {
      for (const [apiVersion, kind, query] of [
        ['apps/v1', 'ReplicaSet', SELECTED],
        ['v1', 'Pod', SELECTED],
        ['discovery.k8s.io/v1', 'EndpointSlice', 'labelSelector=kubernetes.io%2Fservice-name%3Dcoredns'],
      ] as const)
        await client.request('DELETE', `${apiPath({ apiVersion, kind, namespace: NAMESPACE })}?${query}`)
      return (await pods(client)).length === 0
    },
    ROLLOUT_DEADLINE_MS,
  )
}

/** The checks. */
export async function upgradeOfCoreDns(context: Context, helm: Helm): Promise<void> {
  const { client } = context.world.plane
  if (!isBuilt('kubectl')) return context.skip("a release of CoreDNS's chart", 'kubectl is not built')
  const chart = standIn(join(context.scope.folder('coredns-chart'), 'coredns'))
  const where = ['--namespace', NAMESPACE]
  const shell = new DocumentShell(context)
  const section = sectionOf(documentNamed('docs/migrate.md'), "CoreDNS's Helm chart")
  await context.check("a release of CoreDNS's chart is upgraded in place, and rolled back", async () => {
    const [values, upgrade, status, rollback, statusAgain, ...more] = printedCommandsOf(section!)
    same(more, [], 'more commands')
    try {
      await helm.run(['install', 'coredns', chart, ...where, ...helm.valuesArguments([VALUES])])
      await rolledOut(client, IMAGES.before)
      const before = await identities(client)
      for (const command of [values, upgrade, status]) await shell.type(command!)
      await rolledOut(client, IMAGES.after)
      same(await identities(client), before, 'what the objects are')
      const { resources } = containerOf(await client.get(DNS))
      same(
        resources,
        { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
        'resources, the CPU limit gone',
      )
      for (const command of [rollback, statusAgain]) await shell.type(command!)
      await rolledOut(client, IMAGES.before)
      same(await identities(client), before, 'what the objects are after the way back')
    } finally {
      await helm.run(['uninstall', 'coredns', ...where, '--ignore-not-found', '--wait=hookOnly'])
      await removeMade(client)
    }
  })
}
