// The commands with kubectl that the README and docs/migrate.md print, one after the other as a reader types them, in a cluster
// where CoreDNS runs as kubeadm sets it up: what changes, and that the way back leads to where it began.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { folderQuestions } from '../../src/diff/folder.ts'
import { questionsOf } from '../../src/diff/questions.ts'
import { blocksOf, commandsOf, documentNamed, printedCommandsOf, sectionOf } from '../documents/document.ts'
import { programPath } from '../support/system-program.ts'
import { type KubeObject, readYaml } from './api-client.ts'
import { DocumentShell } from './document-shell.ts'
import { isBuilt } from './programs.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const NAMESPACE = 'kube-system'
const COREDNS = 'registry.k8s.io/coredns/coredns:v1.12.0'
const README = documentNamed('README.md')
const MIGRATE = documentNamed('docs/migrate.md')

/** What CoreDNS's objects are, but for what every change of them changes. */
type State = Readonly<Record<string, unknown>>

class Reader extends DocumentShell {
  readonly #context: Context

  constructor(context: Context) {
    super(context)
    this.#context = context
  }

  /** Types the one command of a document, the README, with these words in it. */
  typePrinted(words: string, document = README): Promise<string> {
    const found = commandsOf(document).filter(command => command.includes(words))
    holds(found.length === 1, `${document.path} prints ${found.length} commands with ${words}`)
    return this.type(found[0]!)
  }

  async state(): Promise<State> {
    const { client } = this.#context.world.plane
    const get = (apiVersion: string, kind: string, name: string): Promise<KubeObject> =>
      client.get({ apiVersion, kind, namespace: NAMESPACE, name })
    const map = await get('v1', 'ConfigMap', 'coredns')
    const deployment = await get('apps/v1', 'Deployment', 'coredns')
    const service = await get('v1', 'Service', 'kube-dns')
    const role = await get('rbac.authorization.k8s.io/v1', 'ClusterRole', 'system:coredns')
    return {
      data: map.data,
      deployment: deployment.spec,
      labels: deployment.metadata.labels,
      service: service.spec,
      rules: role.rules,
    }
  }
}

const imageIn = ({ deployment }: State): unknown =>
  (deployment as { template: { spec: { containers: { image: string }[] } } }).template.spec.containers[0]
    ?.image

/** CoreDNS as kubeadm sets it up and an operator has changed it: eight replicas, a Corefile of its own, other rights. */
async function installCoreDns(reader: Reader): Promise<void> {
  const shipped = (file: string): string => readFileSync(join(ROOT, 'config', 'kubernetes', file), 'utf8')
  const deployment = shipped('deployment.yaml')
    .replace(/image: .*/, `image: ${COREDNS}`)
    .replace(/replicas: .*/, 'replicas: 8')
    .replace(/^ *runAs.*\n/gm, '')
  const documents = [
    shipped('service-account.yaml'),
    shipped('cluster-role.yaml').replace(
      '[services, pods, namespaces, nodes]',
      '[endpoints, services, pods, namespaces]',
    ),
    shipped('cluster-role-binding.yaml'),
    shipped('config-map.yaml').replace('ttl 30', 'ttl 17'),
    deployment,
    shipped('service.yaml'),
  ]
  holds(readYaml(deployment).length === 1, 'the Deployment is one document')
  writeFileSync(join(reader.folder, 'coredns.yaml'), documents.join('---\n'))
  await reader.type(`kubectl get namespace ${NAMESPACE} || kubectl create namespace ${NAMESPACE}`)
  await reader.type('kubectl create -f coredns.yaml')
}

/** What the cluster's names are out of one file that kubectl printed. */
async function checkReplay(context: Context, reader: Reader): Promise<void> {
  if (context.world.subject !== 'seamark') {
    context.skip('a live cluster out of one file', 'only Seamark serves a folder')
    return
  }
  await context.check('a live cluster out of one file', async () => {
    mkdirSync(join(reader.folder, 'folder'))
    await reader.typePrinted('folder/cluster.yaml', documentNamed('docs/stub-resolver.md'))
    const live = await context.serve('seamark')
    const replayed = await context.serve('seamark', {
      access: [`manifests ${join(reader.folder, 'folder')}`],
    })
    const address = await live.data('kube-dns.kube-system.svc.cluster.local')
    holds(/^10\.96\./.test(address.join()), `kube-dns is at ${address}`)
    for (const name of [
      'kubernetes.default',
      'kube-dns.kube-system',
      '_https._tcp.kubernetes.default',
      'nope.default',
    ])
      for (const type of ['A', 'SRV'])
        same(
          await replayed.data(`${name}.svc.cluster.local`, type),
          await live.data(`${name}.svc.cluster.local`, type),
          `${name} ${type}`,
        )
    await Promise.all([live.stop(), replayed.stop()])
  })
}

/** The commands of a section of docs/migrate.md, but for those that need nodes. */
const migrating = (heading: string): string[] => {
  const section = sectionOf(MIGRATE, heading)
  holds(section !== undefined, `docs/migrate.md has no section ${heading}`)
  return printedCommandsOf(section).filter(command => !/ (?:exec|logs|diff) |^skopeo /.test(command))
}

async function checkMigration(context: Context, reader: Reader): Promise<void> {
  const { client } = context.world.plane
  mkdirSync(join(reader.folder, 'cluster'))
  const before = await reader.state()
  const [configMap, check, beside, status, service, names, address, objects, away, ...none] =
    migrating('Beside CoreDNS first')

  await context.check('docs/migrate.md: the Corefile is judged', async () => {
    same(none, [], 'more commands')
    await reader.type(configMap!)
    holds((await reader.type(check!)).includes(' 0 errors'), 'no errors in the stock Corefile')
  })
  await context.check('docs/migrate.md: beside CoreDNS, behind no Service', async () => {
    await reader.type(beside!)
    await reader.type(status!)
    same(await reader.state(), before, "CoreDNS's objects")
    const slices = await client.list({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace: NAMESPACE,
    })
    holds(!JSON.stringify(slices).includes('seamark-beside'), 'no endpoint of it')
  })
  await context.check('docs/migrate.md: what is compared', async () => {
    same(await reader.type(service!), '10.96.0.10', 'the address')
    await reader.type(names!)
    const listed = questionsOf(readFileSync(join(reader.folder, 'names')))
    holds(
      listed.questions.some(({ name }) => name === 'kubernetes.default.svc.cluster.local.'),
      'a Service',
    )
    holds(/^\d+(?:\.\d+){3}$/.test(await reader.type(address!)), 'the address of the one beside')
    await reader.type(objects!)
    const all = await folderQuestions(join(reader.folder, 'cluster'), 'cluster.local')
    holds(Array.isArray(all) && all.some(({ type }) => type === 'PTR'), `the names of the folder: ${all}`)
  })
  await context.check('docs/migrate.md: away with it, and every right of multicluster', async () => {
    await reader.type(away!)
    for (const command of migrating('ServiceImports of other clusters')) {
      await reader.type(command)
      await reader.type(command.replace('apply', 'delete'))
    }
    same(await reader.state(), before, "CoreDNS's objects")
  })
  await context.check('docs/migrate.md: kubeadm, and the way back', async () => {
    const [set, rollout, back] = migrating('kubeadm')
    await reader.type(set!)
    await reader.type(rollout!)
    same(imageIn(await reader.state()), 'REGISTRY/seamark:v1.14.7', 'the image')
    await reader.type(back!)
    await reader.type(rollout!)
    same(await reader.state(), before, 'the way back')
  })
}

/** For objects that were created, as kubeadm does, and for those that somebody applies. */
async function checkImageOnly(context: Context, reader: Reader): Promise<void> {
  const [apply, rollout, back] = migrating('The image alone, by kubectl apply')
  for (const origin of ['create', 'apply'])
    await context.check(`docs/migrate.md: the image alone, of what kubectl ${origin} made`, async () => {
      if (origin === 'apply') await reader.type('kubectl apply -f coredns.yaml')
      const before = await reader.state()
      await reader.type(apply!)
      await reader.type(rollout!)
      const changed = await reader.state()
      same(imageIn(changed), 'seamark:0.1.0', 'the image')
      same(JSON.parse(JSON.stringify(changed).replace('seamark:0.1.0', COREDNS)), before, 'everything else')
      await reader.type(apply!)
      same(await reader.state(), changed, 'once more')
      await reader.type(back!)
      await reader.type(rollout!)
      same(await reader.state(), before, 'the way back')
    })
}

export const suite: Suite = {
  name: 'documents',
  async run(context) {
    if (programPath('kubectl') === undefined && !isBuilt('kubectl')) {
      context.skip('the commands of the README', 'kubectl is neither installed nor built')
      return
    }
    const reader = new Reader(context)
    await installCoreDns(reader)
    const before = await reader.state()

    await context.check("the cluster's Corefile is read", async () => {
      await reader.typePrinted('> cluster.Corefile')
      same(
        readFileSync(join(reader.folder, 'cluster.Corefile'), 'utf8').includes('ttl 17'),
        true,
        'the Corefile',
      )
    })
    await context.check('the image is all that changes, and the way back', async () => {
      await reader.typePrinted('set image')
      await reader.typePrinted('rollout status')
      const changed = await reader.state()
      same(imageIn(changed), 'REGISTRY/seamark:0.1.0', 'the image')
      same(
        JSON.parse(JSON.stringify(changed).replace('REGISTRY/seamark:0.1.0', COREDNS)),
        before,
        'everything but the image',
      )
      await reader.typePrinted('rollout undo')
      await reader.typePrinted('rollout status')
      same(await reader.state(), before, 'the way back')
    })
    await context.check('a server is behind the address', async () => {
      holds((await reader.typePrinted('endpointslices')).includes('kube-dns-'), 'the slices of kube-dns')
    })
    await context.check(
      'config/kubernetes replaces what was there, and what was kept can be put back',
      async () => {
        const block = blocksOf(README).find(text => text.includes('apply -k'))
        const [keep = '', apply = '', back = ''] = commandsOf({
          path: '',
          text: `\n\n${block?.replace(/^/gm, '    ')}`,
        })
        await reader.type(keep)
        await reader.type(apply)
        const changed = await reader.state()
        same((changed.deployment as { replicas: number }).replicas, 2, 'replicas')
        same(String(JSON.stringify(changed.data)).includes('ttl 17'), false, "the cluster's Corefile")
        await reader.type(back)
        same(await reader.state(), before, 'the way back')
      },
    )
    await checkReplay(context, reader)
    await checkMigration(context, new Reader(context))
    await checkImageOnly(context, reader)
    await reader.type(`kubectl -n ${NAMESPACE} delete poddisruptionbudget/coredns`)
    await reader.type('kubectl delete -f coredns.yaml')
    // There is no garbage collector: what the Deployments made would be in the way of other suites.
    for (const label of ['k8s-app=kube-dns', 'app=seamark-beside'])
      await reader.type(`kubectl -n ${NAMESPACE} delete replicasets,pods -l ${label}`)
  },
}
