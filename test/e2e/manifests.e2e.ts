// The manifests that the project ships are what a real API server accepts: every document of config/kubernetes,
// config/crds, config/node-local and config/examples by server-side apply with dryRun=All, which also refuses unknown fields.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type KubeObject, readYaml } from './api-client.ts'
import { type Context, holds, type Suite } from './suite.ts'

const CONFIG = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'config')

/** Namespaces that the documents live in have to be there, since a dry run creates none. */
async function createNamespaces(context: Context, objects: readonly KubeObject[]): Promise<void> {
  const { client } = context.world.plane
  const names = new Set(
    objects.map(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : metadata.namespace)),
  )
  for (const name of names)
    if (name !== undefined)
      await client.applyObject({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
}

async function checkFolder(context: Context, folder: string): Promise<void> {
  const files = globSync('**/*.{yaml,yml}', { cwd: folder }).sort()
  holds(files.length > 0, `no YAML file in ${folder}`)
  for (const file of files) {
    const objects = readYaml(readFileSync(join(folder, file), 'utf8')).filter(
      ({ kind }) => kind !== 'Kustomization',
    )
    await createNamespaces(context, objects)
    for (const object of objects) {
      await context.check(`${file}: ${object.kind} ${object.metadata.name}`, async () => {
        await context.world.plane.client.applyObject(object, { dryRun: true })
      })
    }
  }
}

const RESTRICTED = 'restricted'

/** A Pod of the Deployment's template, as Pod Security judges it; its class and account are other admission plugins' business. */
function podOf(change: (container: Record<string, unknown>) => void = () => undefined): KubeObject {
  const [deployment] = readYaml(readFileSync(join(CONFIG, 'kubernetes', 'deployment.yaml'), 'utf8'))
  const { template } = deployment!.spec as { template: { spec: Record<string, unknown> } }
  const { priorityClassName: _, serviceAccountName: __, ...spec } = template.spec
  for (const container of spec.containers as Record<string, unknown>[]) change(container)
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'seamark', namespace: RESTRICTED }, spec }
}

/** What Pod Security says of Pods in a namespace that enforces its strictest level. */
async function checkPodSecurity(context: Context): Promise<void> {
  const { client } = context.world.plane
  const labels = { 'pod-security.kubernetes.io/enforce': RESTRICTED }
  await client.applyObject({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: RESTRICTED, labels } })
  const account = { apiVersion: 'v1', kind: 'ServiceAccount' }
  await client.applyObject({ ...account, metadata: { name: 'default', namespace: RESTRICTED } })
  await context.check('Pod Security "restricted" takes the Pods, port 53 included', async () => {
    await client.applyObject(podOf(), { dryRun: true })
  })
  await context.check('and would refuse them with privileges', async () => {
    const privileged = podOf(container => {
      container.securityContext = { privileged: true }
    })
    const refused = await client
      .applyObject(privileged, { dryRun: true })
      .catch((error: Error) => error.message)
    holds(/violates PodSecurity "restricted/.test(String(refused)), String(refused))
  })
}

export const suite: Suite = {
  name: 'manifests',
  async run(context) {
    for (const name of ['crds', 'examples', 'kubernetes', 'node-local']) {
      const folder = join(CONFIG, name)
      if (existsSync(folder)) await checkFolder(context, folder)
      else context.skip(`config/${name}`, 'there is no such folder')
    }
    await checkPodSecurity(context)
  },
}
