// What docs/migrate.md says of each provider, on the objects that the provider installs (providers/*.yaml): CoreDNS serves them
// first; then the commands of the section are typed as they stand; what comes out is served by Seamark, which gives the same
// answers by the provider's own Corefile and with its own rights; and the way back leads to where it began.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import {
  blocksOf,
  type Document,
  documentNamed,
  printedCommandsOf,
  sectionOf,
} from '../documents/document.ts'
import { type ApiClient, apiPath, type KubeObject, type Reference, readYaml } from './api-client.ts'
import type { ServerKind } from './dns-server.ts'
import { DocumentShell } from './document-shell.ts'
import { hasProgram } from './namespaces.ts'
import { OnePod, podSpecOf } from './one-pod.ts'
import { eventually, Scope } from './processes.ts'
import { isBuilt } from './programs.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const MIGRATE = documentNamed('docs/migrate.md')
const IMAGE = 'REGISTRY/seamark:0.1.0'
/** However busy the machine is. */
const DEADLINE_MS = 60_000
/** Programs of providers, which the sections say are not tried. */
const NOT_HERE = /^(?:aws|kops|sudo) /

type Workload = Required<Pick<Reference, 'apiVersion' | 'kind' | 'namespace' | 'name'>>
const deployment = (name: string): Workload => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'kube-system',
  name,
})

/** What Helm's release of the chart has for labels. */
const RELEASE = { 'app.kubernetes.io/instance': 'seamark' }

interface Provider {
  /** The heading of its section; in lower case its file. */
  readonly name: string
  /** What runs CoreDNS, or kube-dns. */
  readonly before: Workload
  /** What runs Seamark, where that is another. */
  readonly after?: Workload
  /** The Service that leads to Seamark then. */
  readonly service: string
  /** Asked besides names of the cluster, `NAME TYPE`, with what is answered: the records, or the code where there are none. */
  readonly told?: Readonly<Record<string, string>>
  /** Whether config/beside is tried as the section before those of providers says. */
  readonly beside?: boolean
  /** Files that the section prints, by their first line. */
  readonly files?: Readonly<Record<string, RegExp>>
  /** What the provider does when a command is typed, and is not tried. */
  readonly follows?: readonly {
    readonly command: RegExp
    readonly act: (shell: DocumentShell) => Promise<unknown>
  }[]
}

/** What RKE2's chart has where a HelmChartConfig says nothing else. */
const RKE2_VALUES = {
  image: { repository: 'rancher/hardened-coredns', tag: 'v1.10.1-build20230607' },
  resources: { limits: { cpu: '100m', memory: '128Mi' } },
}

/** RKE2's chart writes `repository:tag` and the resources into the Deployment; null takes a default away. */
async function renderRke2(shell: DocumentShell): Promise<void> {
  const get = 'kubectl -n kube-system get helmchartconfig/rke2-coredns --ignore-not-found'
  const values = await shell.type(`${get} -o jsonpath={.spec.valuesContent}`)
  const { image, resources } = (parse(values) ?? RKE2_VALUES) as typeof RKE2_VALUES
  const container = { name: 'coredns', image: `${image.repository}:${image.tag}`, resources }
  const patch = JSON.stringify({ spec: { template: { spec: { containers: [container] } } } })
  await shell.type(`kubectl -n kube-system patch deployment/rke2-coredns-rke2-coredns --patch '${patch}'`)
}

const PROVIDERS: readonly Provider[] = [
  { name: 'EKS', before: deployment('coredns'), service: 'kube-dns' },
  {
    name: 'AKS',
    before: deployment('coredns'),
    after: deployment('seamark'),
    service: 'seamark',
    beside: true,
    told: {
      'www.example.net A': 'www.example.net. 30 IN A 192.0.2.80',
      'registry.corp.example A': 'registry.corp.example. 30 IN A 10.0.0.4',
      'vm.reddog.microsoft.com A': 'NXDOMAIN',
      'a.b.c.d.internal.cloudapp.net A': 'NXDOMAIN',
    },
  },
  {
    name: 'GKE',
    before: deployment('kube-dns'),
    after: deployment('seamark'),
    service: 'kube-dns',
    told: { 'www.example.net A': 'www.example.net. 30 IN A 192.0.2.80' },
    files: { 'example.server': /^example\.net \{$/ },
  },
  {
    name: 'k3s',
    before: deployment('coredns'),
    service: 'kube-dns',
    beside: true,
    told: {
      'www.example.net A': 'www.example.net. 60 IN A 192.0.2.80',
      'server-1 A': 'server-1. 30 IN A 10.0.0.11',
      '11.0.0.10.in-addr.arpa PTR': '11.0.0.10.in-addr.arpa. 30 IN PTR server-1.',
      'db.corp.example A': 'db.corp.example. 5 IN A 10.96.0.1',
    },
  },
  {
    name: 'RKE2',
    before: deployment('rke2-coredns-rke2-coredns'),
    service: 'rke2-coredns-rke2-coredns',
    files: { 'rke2-coredns-config.yaml': /^apiVersion: helm\.cattle\.io/ },
    follows: [{ command: /helmchartconfig|^kubectl apply -f rke2/, act: renderRke2 }],
  },
  { name: 'kops', before: deployment('coredns'), service: 'kube-dns' },
  {
    name: 'OpenShift',
    before: { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'openshift-dns', name: 'dns-default' },
    service: 'dns-default',
    told: { 'www.example.net A': 'www.example.net. 60 IN A 192.0.2.80' },
  },
]

const CLUSTER: readonly string[] = [
  'kubernetes.default.svc.cluster.local A',
  '_https._tcp.kubernetes.default.svc.cluster.local SRV',
  '1.0.96.10.in-addr.arpa PTR',
  '10-244-0-7.default.pod.cluster.local A',
  'missing.default.svc.cluster.local A',
]

const referenceOf = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): Workload =>
  ({ apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }) as Workload

/** One provider's objects in the cluster, and a reader who types the commands of its section. */
class Move {
  readonly provider: Provider
  readonly #context: Context
  readonly #objects: readonly KubeObject[]
  readonly #section: Document
  readonly shell: DocumentShell
  /** What the one beside answered. */
  answersBeside: Readonly<Record<string, string>> | undefined

  constructor(context: Context, provider: Provider) {
    this.#context = context
    this.provider = provider
    this.shell = new DocumentShell(context)
    const file = join(import.meta.dirname, 'providers', `${provider.name.toLowerCase()}.yaml`)
    this.#objects = readYaml(readFileSync(file, 'utf8'))
    const section = sectionOf(MIGRATE, provider.name)
    holds(section !== undefined, `docs/migrate.md has no section ${provider.name}`)
    this.#section = section
    for (const [name, begins] of Object.entries(provider.files ?? {})) {
      const block = blocksOf(section).find(text => begins.test(text.split('\n')[0]!))
      holds(block !== undefined, `${provider.name} prints no ${name}`)
      writeFileSync(join(this.shell.folder, name), block)
    }
  }

  get #client(): ApiClient {
    return this.#context.world.plane.client
  }

  async install(): Promise<void> {
    await this.#removeSlices()
    for (const object of this.#objects) {
      // A kind is known a moment after its definition is there.
      if (object.kind === 'DNS') await eventually(object.kind, () => this.#client.applyObject(object))
      else await this.#client.applyObject(object)
    }
    await this.#leadsTo(this.provider.before)
  }

  /** There is no garbage collector: what a Deployment made is taken away by its labels. */
  async remove(): Promise<void> {
    if (this.provider.after)
      await this.shell.type('helm uninstall seamark --namespace kube-system --ignore-not-found')
    for (const object of [...this.#objects].reverse()) await this.#client.delete(referenceOf(object))
    for (const { spec, metadata } of this.#objects) {
      const { selector, template } = (spec ?? {}) as {
        selector?: { matchLabels?: object }
        template?: object
      }
      if (template) await this.#removeSelected(metadata.namespace!, selector!.matchLabels!)
    }
    await this.#removeSelected('kube-system', RELEASE)
    await this.#removeSlices()
  }

  /** Those of the Services, whoever made them. */
  async #removeSlices(): Promise<void> {
    for (const { metadata } of this.#objects.filter(({ kind }) => kind === 'Service')) {
      const slices = {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        namespace: metadata.namespace!,
      }
      const query = `labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${metadata.name}`)}`
      await this.#client.request('DELETE', `${apiPath(slices)}?${query}`)
    }
  }

  async #removeSelected(namespace: string, labels: object): Promise<void> {
    const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
    const query = `labelSelector=${encodeURIComponent(words.join(','))}`
    // Again and again: the Deployment's controller may not know yet that the Deployment is gone.
    await eventually(
      'the Pods gone',
      async () => {
        const left: KubeObject[] = []
        for (const [apiVersion, kind] of [
          ['apps/v1', 'ReplicaSet'],
          ['v1', 'Pod'],
        ] as const) {
          await this.#client.request('DELETE', `${apiPath({ apiVersion, kind, namespace })}?${query}`)
          left.push(...(await this.#client.list({ apiVersion, kind, namespace }, query)))
        }
        return left.length === 0
      },
      DEADLINE_MS,
    )
  }

  /** Types what stands before or behind "The way back", but for what is said to be not tried. */
  async type(part: 'forth' | 'back'): Promise<void> {
    const { path, text } = this.#section
    const [forth = '', ...back] = text.split(/(?=The way\s+back)/)
    for (const command of printedCommandsOf({ path, text: part === 'forth' ? forth : back.join('') }))
      await this.#typeOne(command)
  }

  /** Those of the section before: a Deployment beside CoreDNS, and away with it. */
  async typeBeside(): Promise<void> {
    const section = sectionOf(MIGRATE, 'Beside CoreDNS first')
    holds(section !== undefined, 'docs/migrate.md has no section about a server beside')
    for (const command of printedCommandsOf(section))
      if (/ -f config\/beside|(?:status|delete) deployment\/seamark-beside$/.test(command))
        await this.#typeOne(command)
  }

  async #typeOne(command: string): Promise<void> {
    if (NOT_HERE.test(command)) {
      const program = command.split(' ')[0]
      const { text } = this.#section
      holds(new RegExp(`\`${program}\` is not\\s+tried`).test(text), `${program} is not said to be not tried`)
      return
    }
    const told = await this.shell.type(command)
    if (command.startsWith('seamark check')) holds(told.includes(' 0 errors'), `${command}: ${told}`)
    if (command.endsWith('status deployment/seamark-beside'))
      this.answersBeside = await this.answers(deployment('seamark-beside'), 'seamark', looksWell)
    for (const { command: typed, act } of this.provider.follows ?? [])
      if (typed.test(command)) await act(this.shell)
    if (command.startsWith('helm uninstall')) await this.#removeSelected('kube-system', RELEASE)
    if (command.endsWith('delete deployment/seamark-beside'))
      await this.#removeSelected('kube-system', { app: 'seamark-beside' })
  }

  workload(which: Workload): Promise<KubeObject> {
    return this.#client.get(which)
  }

  /** Waits until the Service leads to Pods of `which` alone. */
  async #leadsTo(
    which: Workload,
    service = this.provider.before === which ? undefined : this.provider.service,
  ) {
    const name = service ?? this.#objects.find(({ kind }) => kind === 'Service')!.metadata.name
    const reference = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace: which.namespace }
    await eventually(
      `${name} leads to ${which.name}`,
      async () => {
        const query = `labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${name}`)}`
        const slices = await this.#client.list(reference, query)
        const pods = slices.flatMap(({ endpoints }) =>
          ((endpoints ?? []) as { targetRef: { name: string } }[]).map(({ targetRef }) => targetRef.name),
        )
        return pods.length > 0 && pods.every(pod => pod.startsWith(`${which.name}-`))
      },
      DEADLINE_MS,
    )
  }

  leadsToSeamark(): Promise<void> {
    const { before, after = before, service } = this.provider
    return this.#leadsTo(after, service)
  }

  leadsBack(): Promise<void> {
    return this.#leadsTo(this.provider.before)
  }

  /** The answers of one Pod of a workload, by that server; what `look` wants to see meanwhile. */
  async answers(which: Workload, kind: ServerKind, look: (pod: OnePod) => void = () => undefined) {
    const scope = new Scope()
    try {
      const { world } = this.#context
      const here = (text: string): string => text.replaceAll('192.0.2.53', `127.0.0.1:${world.upstreamPort}`)
      const pod = await OnePod.start(scope, world, kind, await this.workload(which), here)
      const told: Record<string, string> = {}
      for (const question of [...CLUSTER, ...Object.keys(this.provider.told ?? {})]) {
        const [name, type] = question.split(' ') as [string, string]
        const { rcode, answer } = await pod.ask(name, type)
        told[question] = answer.length > 0 ? [...answer].sort().join('; ') : rcode
      }
      look(pod)
      return told
    } finally {
      await scope.end()
    }
  }
}

/** The resolver that is not there, what a slow machine makes the server say, and namespaces that other suites have made. */
const EXPECTED =
  /192\.0\.2\.1|plugin\/health: Local health request|starting with an unsynced Kubernetes API|namespace (?:pod|svc) captures/

/** Nothing is amiss: neither errors in the Corefile nor other ones in the log. */
function looksWell(pod: OnePod): void {
  const checked = pod.seamark('check', '/etc/coredns/Corefile')
  holds(checked.includes(' 0 errors'), checked)
  const amiss = pod
    .log()
    .split('\n')
    .filter(line => /\[(?:ERROR|WARNING)\]/.test(line) && !EXPECTED.test(line))
  same(amiss, [], 'the log')
}

async function checkProvider(context: Context, provider: Provider): Promise<void> {
  const { name, before, after = before } = provider
  const move = new Move(context, provider)
  try {
    await context.check(
      `${name}: what it installs, by its own Corefile, the commands, and the way back`,
      async () => {
        await move.install()
        const was = await move.workload(before)
        // GKE's is kube-dns, which has no Corefile.
        const theirs = name === 'GKE' ? undefined : await move.answers(before, 'coredns')
        if (provider.beside) await move.typeBeside()
        await move.type('forth')
        if (move.answersBeside) same(move.answersBeside, theirs, 'the answers of the one beside')
        const becameImage = podSpecOf(await move.workload(after)).containers[0]!.image
        same(becameImage, IMAGE, 'the image')
        await move.leadsToSeamark()
        const ours = await move.answers(after, 'seamark', looksWell)
        for (const [question, answer] of Object.entries(provider.told ?? {}))
          same(ours[question], answer, question)
        if (theirs) same(ours, theirs, 'the answers')
        await move.type('back')
        await move.leadsBack()
        same((await move.workload(before)).spec, was.spec, 'the way back')
      },
    )
  } finally {
    await move.remove()
  }
}

/** Marks the nodes as what DaemonSets of providers look for. */
async function markNodes(client: ApiClient, os: string | null): Promise<void> {
  for (const name of ['node-a', 'node-b'])
    await client.patch(
      { apiVersion: 'v1', kind: 'Node', name },
      { metadata: { labels: { 'kubernetes.io/os': os } } },
    )
}

export const suite: Suite = {
  name: 'providers',
  async run(context) {
    const { subject, inNamespaces, plane } = context.world
    if (subject !== 'seamark') return context.skip('providers', 'it is Seamark that comes')
    if (!isBuilt('kubectl') || !isBuilt('helm'))
      return context.skip('providers', 'kubectl and helm are not built')
    if (!inNamespaces || !hasProgram('unshare'))
      return context.skip('providers', 'mount namespaces cannot be made here')
    await markNodes(plane.client, 'linux')
    for (const provider of PROVIDERS) await checkProvider(context, provider)
    await markNodes(plane.client, null)
  },
}
