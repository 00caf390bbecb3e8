// CoreDNS as kubeadm leaves it, taken over by the commands of the chart's README, word for word: the same objects with the
// same addresses, never without a ready Pod, the cluster's own Corefile kept; and back again.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type ApiClient, ApiError, apiPath, type KubeObject, readYaml } from '../api-client.ts'
import { CHART, type Helm } from '../helm.ts'
import { eventually } from '../processes.ts'
import { isBuilt, programFolder } from '../programs.ts'
import { type Context, holds, same } from '../suite.ts'

const ROOT = join(CHART, '..', '..')
const KUBERNETES = join(ROOT, 'config', 'kubernetes')
const NAMESPACE = 'kube-system'
const CORE_DNS = 'registry.k8s.io/coredns/coredns:v1.14.7'
const SEAMARK = 'registry.example/seamark:0.1.0'
const COREFILE = '.:53 {\n    errors\n    # written by hand\n    ready\n    forward . 192.0.2.53\n}\n'
const ROLLOUT_DEADLINE_MS = 60_000

/** The indented lines under a heading of the README, as one shell script; a bare `$` continues nothing. */
export function commandsUnder(heading: string): string {
  const text = readFileSync(join(CHART, 'README.md'), 'utf8')
  const section = text.split(/^(?=#+ )/m).find(each => each.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`the chart's README has no ${heading}`)
  const lines = section.split('\n').filter(line => line.startsWith('    '))
  return lines.map(line => line.slice(4)).join('\n')
}

/** Runs a script in the project's folder, with the built tools first in PATH. Throws with what it wrote. */
function shell(script: string, kubeconfigFile: string, home: string): Promise<string> {
  const env = {
    PATH: `${programFolder()}:${process.env.PATH}`,
    HOME: home,
    KUBECONFIG: kubeconfigFile,
  }
  return new Promise((resolve, reject) => {
    execFile('bash', ['-euc', script], { cwd: ROOT, env, timeout: 120_000 }, (failed, stdout, stderr) =>
      failed
        ? reject(
            new Error(`${script}
${stdout}${stderr}`),
          )
        : resolve(stdout),
    )
  })
}

/** The objects of config/kubernetes, which are kubeadm's, as kubeadm would have left them. */
function ofKubeadm(): KubeObject[] {
  const { resources } = parse(readFileSync(join(KUBERNETES, 'kustomization.yaml'), 'utf8')) as {
    resources: string[]
  }
  const text = resources
    .filter(file => file !== 'pod-disruption-budget.yaml')
    .map(file => readFileSync(join(KUBERNETES, file), 'utf8'))
    .join('\n---\n')
    .replace('image: seamark', `image: ${CORE_DNS}`)
  return readYaml(text).map(object =>
    object.kind === 'ConfigMap' ? { ...object, data: { Corefile: COREFILE } } : object,
  )
}

const referenceOf = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject) => ({
  apiVersion,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
})

/** What must not change while an object is taken over. */
async function identities(client: ApiClient): Promise<unknown[]> {
  const found = await Promise.all(ofKubeadm().map(object => client.get(referenceOf(object))))
  return found.map(({ kind, metadata, spec }) => ({
    kind,
    uid: metadata.uid,
    clusterIP: spec?.clusterIP,
    selector: spec?.selector,
  }))
}

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'coredns',
  namespace: NAMESPACE,
} as const

/** Waits until all Pods run that image, and none of another is left. */
function rolledOut(client: ApiClient, image: string): Promise<unknown> {
  const pods = { apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE } as const
  return eventually(
    `all Pods run ${image}`,
    async () => {
      const { spec } = await client.get(deployment)
      const found = await client.list(pods, 'labelSelector=k8s-app+in+(kube-dns,coredns)')
      const images = found.map(pod => (pod.spec!.containers as { image: string }[])[0]?.image)
      return images.length === spec?.replicas && images.every(each => each === image)
    },
    ROLLOUT_DEADLINE_MS,
  )
}

/** Endpoints of kube-dns that are ready. */
async function readyEndpoints(client: ApiClient): Promise<number> {
  const slices = await client.list(
    { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace: NAMESPACE },
    'labelSelector=kubernetes.io%2Fservice-name%3Dkube-dns',
  )
  const endpoints = slices.flatMap(slice => (slice.endpoints ?? []) as { conditions?: { ready?: boolean } }[])
  return endpoints.filter(({ conditions }) => conditions?.ready).length
}

async function install(client: ApiClient): Promise<void> {
  for (const object of ofKubeadm()) {
    const { name: _, ...where } = referenceOf(object)
    await client.request('POST', `${apiPath(where)}?fieldManager=kubeadm`, object)
  }
  await rolledOut(client, CORE_DNS)
  await eventually('ready endpoints', async () => (await readyEndpoints(client)) > 0)
}

async function remove(client: ApiClient, app = 'kube-dns'): Promise<void> {
  const budget = readYaml(readFileSync(join(KUBERNETES, 'pod-disruption-budget.yaml'), 'utf8'))
  for (const object of [...ofKubeadm(), ...budget]) await client.delete(referenceOf(object))
  for (const object of [...ofKubeadm(), ...budget])
    await eventually(`${object.kind} gone`, async () => {
      try {
        await client.get(referenceOf(object))
        return false
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return true
        throw error
      }
    })
  // There is no garbage collector here.
  for (const [kind, apiVersion, selector] of [
    ['ReplicaSet', 'apps/v1', `k8s-app%3D${app}`],
    ['Pod', 'v1', `k8s-app%3D${app}`],
    ['EndpointSlice', 'discovery.k8s.io/v1', `kubernetes.io%2Fservice-name%3D${app}`],
  ] as const)
    await eventually(`each ${kind} gone`, async () => {
      const path = apiPath({ apiVersion, kind, namespace: NAMESPACE })
      await client.request('DELETE', `${path}?labelSelector=${selector}`)
      return (
        (await client.list({ apiVersion, kind, namespace: NAMESPACE }, `labelSelector=${selector}`))
          .length === 0
      )
    })
}

/** Runs `work` and gives the fewest ready endpoints that were seen meanwhile. */
async function fewestReady(client: ApiClient, work: () => Promise<unknown>): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY
  let over = false
  const watching = (async () => {
    while (!over) fewest = Math.min(fewest, await readyEndpoints(client))
  })()
  try {
    await work()
  } finally {
    over = true
    await watching
  }
  return fewest
}

/** The checks. */
export async function adoption(context: Context, helm: Helm): Promise<void> {
  const { client, kubeconfigFile } = context.world.plane
  if (!isBuilt('kubectl')) return context.skip('CoreDNS taken over', 'kubectl is not built')
  const home = context.scope.folder('home')
  const run = (heading: string): Promise<string> => shell(commandsUnder(heading), kubeconfigFile, home)
  await context.check('the command that the README begins with', async () => {
    try {
      await run('# The chart of Seamark')
      await rolledOut(client, SEAMARK)
      const service = await client.get({ ...deployment, apiVersion: 'v1', kind: 'Service' })
      same(service.spec?.clusterIP, '10.96.0.10', 'the address')
    } finally {
      await helm.run([
        'uninstall',
        'coredns',
        '--namespace',
        NAMESPACE,
        '--ignore-not-found',
        '--wait=hookOnly',
      ])
      await remove(client, 'coredns')
    }
  })
  for (const how of ['### In one command', '### By labels']) {
    const name = how.replace(/^#+ /, '').toLowerCase()
    try {
      await install(client)
      await context.check(`kubeadm's CoreDNS taken over ${name}`, async () => {
        const before = await identities(client)
        const fewest = await fewestReady(client, async () => {
          await run(how)
          await rolledOut(client, SEAMARK)
        })
        same(await identities(client), before, 'what the objects are')
        holds(fewest > 0, 'there was a moment without a ready Pod')
        const config = await client.get({ ...deployment, apiVersion: 'v1', kind: 'ConfigMap' })
        same(config.data, { Corefile: COREFILE }, "the cluster's Corefile")
        const { spec } = await client.get(deployment)
        const [container] = (spec!.template as { spec: { containers: Record<string, unknown>[] } }).spec
          .containers
        same(
          container?.args,
          ['-conf', '/etc/coredns/Corefile', '-last-good', '/var/lib/seamark/Corefile.last-good'],
          'arguments',
        )
      })
      await context.check(`and given back, after ${name}`, async () => {
        await run('### And back')
        await rolledOut(client, CORE_DNS)
      })
    } finally {
      await helm.run([
        'uninstall',
        'coredns',
        '--namespace',
        NAMESPACE,
        '--ignore-not-found',
        '--wait=hookOnly',
      ])
      await remove(client)
    }
  }
}
