// The cache of a node, as config/node-local starts it: on a node that is a network namespace, asked from a Pod on it, with Seamark
// and CoreDNS in turn as the cluster's DNS behind it; and what kubectl makes of the manifests on the real API server.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { blocksOf, documentNamed } from '../documents/document.ts'
import { readYaml } from './api-client.ts'
import { foreignDefinitions } from './chart/foreign-kinds.ts'
import { DnsServer, type ServerKind, serverCommand } from './dns-server.ts'
import { hasProgram, run } from './namespaces.ts'
import { makeNode, type Namespace, type NodeNetwork } from './node-network.ts'
import { eventually, Program, Scope } from './processes.ts'
import { isBuilt, programPath } from './programs.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const CONFIG = new URL('../../config/', import.meta.url)
const LOCAL = '169.254.20.10'
const UPSTREAM_SERVICE = '10.96.0.11'
const NAME = 'kubernetes.default.svc.cluster.local'
const STARTED_MS = 30_000
/** Of capabilities(7). */
const CAP_NET_BIND_SERVICE = 10
/** Questions a second and for how long, while something happens. */
const RATE = 400
const LOAD_SECONDS = 8

interface Document {
  readonly kind: string
  readonly data?: { readonly Corefile: string }
  readonly spec?: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] }
    }
  }
}

const documents = (file: string): Document[] =>
  parseAllDocuments(readFileSync(new URL(`node-local/${file}`, CONFIG), 'utf8')).map(
    document => document.toJSON() as Document,
  )

/** What the patches of the form for Cilium put in the place of that path. */
function patched(path: string): unknown {
  const text = readFileSync(new URL('node-local-cilium/kustomization.yaml', CONFIG), 'utf8')
  const { patches } = parse(text) as { patches: { patch: string }[] }
  const operations = patches.flatMap(({ patch }) => parse(patch) as { path: string; value: unknown }[])
  return operations.find(operation => operation.path === path)!.value
}

/** The arguments of a Pod, with files and addresses of this run. */
function argumentsOf(folder: string, args: readonly string[]): string[] {
  const ours = args.map(word =>
    word === '169.254.20.10,10.96.0.10'
      ? LOCAL
      : word === '/run/node-cache/Corefile'
        ? join(folder, 'Corefile')
        : word,
  )
  return [...ours, '-basecorefile', join(folder, 'Corefile.base'), '-kubednscm', folder]
}

let started = 0

/** Starts a cache on the node, and waits until a Pod gets an answer of it. */
async function startCache(scope: Scope, folder: string, node: Namespace, pod: Namespace): Promise<Program> {
  const { args } = documents('daemon-set.yaml')[0]!.spec!.template.spec.containers[0]!
  const command = [...node.wrap, ...serverCommand('seamark'), ...argumentsOf(folder, args)]
  // Each has a log of its own, which says when it serves.
  const program = Program.start(scope, folder, `node-cache-${started++}`, command, {
    env: { ...process.env, KUBE_DNS_UPSTREAM_SERVICE_HOST: UPSTREAM_SERVICE },
  })
  await eventually(
    'the start of the cache',
    () => readFileSync(program.logFile, 'utf8').includes('Seamark-'),
    STARTED_MS,
  )
  await eventually('an answer in the Pod', () => dig(pod, NAME) !== '', STARTED_MS)
  return program
}

const dig = (pod: Namespace, name: string, ...flags: string[]): string =>
  pod.run(['dig', '+short', '+time=2', '+tries=1', ...flags, `@${LOCAL}`, name].join(' ')).trim()

/** Asks from the Pod all the time while something happens; how many questions got no answer, of how many. */
async function lostWhile(
  scope: Scope,
  folder: string,
  pod: Namespace,
  act: () => Promise<void>,
): Promise<{ readonly sent: number; readonly lost: number }> {
  const names = join(folder, 'names')
  writeFileSync(names, `${NAME} A\n`)
  const command = `dnsperf -s ${LOCAL} -d ${names} -l ${LOAD_SECONDS} -Q ${RATE} -t 2`.split(' ')
  const program = Program.start(scope, folder, `dnsperf-${Date.now()}`, [...pod.wrap, ...command])
  await act()
  const report = (): string => readFileSync(program.logFile, 'utf8')
  await eventually('the end of the load', () => report().includes('Queries lost'), 60_000)
  const figure = (what: string): number => Number(new RegExp(`${what}:\\s+(\\d+)`).exec(report())?.[1])
  return { sent: figure('Queries sent'), lost: figure('Queries lost') }
}

async function checkNode(context: Context): Promise<void> {
  const { scope, world } = context
  const folder = scope.folder('node-cache')
  const { Corefile = '' } = documents('config-map.yaml')[0]!.data ?? {}
  writeFileSync(join(folder, 'Corefile.base'), Corefile)
  writeFileSync(join(folder, 'upstreamNameservers'), '["192.0.2.53"]')
  const network = await makeNode(scope, folder, UPSTREAM_SERVICE)
  const { node, pod } = network
  const clusterDns = (within: Scope, kind: ServerKind): Promise<DnsServer> =>
    DnsServer.start(within, kind, {
      access: [`kubeconfig ${world.plane.kubeconfigFile}`],
      upstreamPort: world.upstreamPort,
      address: UPSTREAM_SERVICE,
      port: 53,
    })
  let behind = new Scope()
  scope.add("the cluster's DNS", () => behind.end())
  await clusterDns(behind, 'coredns')
  const first = await startCache(scope, folder, node, pod)
  let current = first

  await context.check('a Pod gets the names of the cluster over UDP and TCP', async () => {
    same(dig(pod, NAME), '10.96.0.1', 'UDP')
    same(dig(pod, NAME, '+tcp'), '10.96.0.1', 'TCP')
    same(dig(pod, '1.0.96.10.in-addr.arpa', 'PTR'), `${NAME}.`, 'PTR')
  })
  await context.check('nothing of it is tracked', () => {
    holds(node.run('ip address').includes(LOCAL), 'the address')
    if (hasProgram('nft')) {
      const rules = node.run('nft list ruleset')
      holds(rules.includes(`ip daddr ${LOCAL} udp dport 53 notrack`), rules)
    }
  })
  await context.check('health and metrics are where node-cache has them', () => {
    same(node.run(`curl -s http://${LOCAL}:8080/health`), 'OK', 'health')
    for (const port of [9253, 9353]) {
      const metrics = node.run(`curl -s http://127.0.0.1:${port}/metrics`)
      holds(metrics.includes('coredns_nodecache_setup_errors_total{errortype="iptables"} 0'), metrics)
    }
  })
  if (hasProgram('dnsperf')) {
    await context.check(
      'another cluster DNS comes in the place of CoreDNS: no question of a Pod is lost',
      async () => {
        const { sent, lost } = await lostWhile(scope, folder, pod, async () => {
          await behind.end()
          behind = new Scope()
          await clusterDns(behind, 'seamark')
        })
        same([sent > RATE, lost], [true, 0], `questions, of ${sent}`)
      },
    )
    await context.check(
      'an update of the DaemonSet: the new Pod beside the old one, and no question is lost',
      async () => {
        const { sent, lost } = await lostWhile(scope, folder, pod, async () => {
          current = await startCache(scope, folder, node, pod)
          await first.stop()
        })
        same([sent > RATE, lost], [true, 0], `questions, of ${sent}`)
        holds(
          readFileSync(first.logFile, 'utf8').includes('interface and rules stay'),
          'who is left keeps both',
        )
        same(dig(pod, NAME), '10.96.0.1', 'afterwards')
      },
    )
  } else context.skip('load while something happens', 'dnsperf is not installed')
  await context.check(
    'a crash: one beside it answers on; alone, the next one finds interface and rules',
    async () => {
      const beside = await startCache(scope, folder, node, pod)
      await current.stop('SIGKILL')
      for (let i = 0; i < 8; i++) same(dig(pod, NAME), '10.96.0.1', 'of the one beside it')
      await beside.stop('SIGKILL')
      holds(node.run('ip address').includes(LOCAL), 'the address stays')
      if (hasProgram('nft')) holds(node.run('nft list ruleset').includes('notrack'), 'the rules stay')
      current = await startCache(scope, folder, node, pod)
      await current.stop()
      holds(!node.run('ip address').includes(LOCAL), 'and goes with one that ends by itself')
    },
  )
  if (hasProgram('setpriv'))
    await context.check('the form for Cilium: without privileges, and nothing is made on the node', () =>
      checkUnprivileged(context, folder, network),
    )
  else context.skip('the form for Cilium', 'setpriv is not installed')
}

/** The form for Cilium: one capability, nothing made on the node, its own template; asked at the node's address. */
async function checkUnprivileged(
  { scope }: Context,
  folder: string,
  { node, pod, nodeAddress }: NodeNetwork,
): Promise<void> {
  writeFileSync(join(folder, 'Corefile.base'), patched('/data/Corefile') as string)
  const { capabilities } = patched('/spec/template/spec/containers/0/securityContext') as {
    capabilities: { add: string[]; drop: string[] }
  }
  same(capabilities, { add: ['NET_BIND_SERVICE'], drop: ['ALL'] }, 'capabilities')
  const args = patched('/spec/template/spec/containers/0/args') as string[]
  const program = Program.start(
    scope,
    folder,
    'unprivileged',
    [
      ...node.wrap,
      'setpriv',
      '--no-new-privs',
      '--bounding-set=-all,+net_bind_service',
      ...serverCommand('seamark'),
      ...argumentsOf(folder, args),
    ],
    { env: { ...process.env, KUBE_DNS_UPSTREAM_SERVICE_HOST: UPSTREAM_SERVICE } },
  )
  const asked = `dig +short +time=2 +tries=1 @${nodeAddress} ${NAME}`
  await program.ready(async () => pod.run(asked).trim() === '10.96.0.1', STARTED_MS)
  const held = /^CapBnd:\s+(\S+)$/m.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1]
  same(Number.parseInt(held!, 16), 1 << CAP_NET_BIND_SERVICE, 'capabilities of the process')
  same(node.run(`curl -s http://${nodeAddress}:8080/health`), 'OK', 'health')
  holds(!node.run('ip address').includes(LOCAL), 'no address is added')
  if (hasProgram('nft')) holds(!node.run('nft list ruleset').includes('notrack'), 'and no rule')
  await program.stop()
  // Nobody is at the resolver's address; and the machine may be slow.
  const expected = /^.*(?:192\.0\.2\.53|plugin\/health: Local).*$/gm
  holds(!/\[(?:ERROR|WARNING)\]/.test(program.log().replaceAll(expected, '')), program.log())
}

/** What the documents say about kubectl. */
async function checkManifests(context: Context): Promise<void> {
  const { plane } = context.world
  const kubectl = (...args: string[]): string =>
    run([programPath('kubectl'), '--kubeconfig', plane.kubeconfigFile, ...args])
  const folder = (name: string): string => new URL(name, CONFIG).pathname
  await context.check(
    "kubectl applies config/node-local, the form for Cilium over it with the document's policy, and takes it away",
    async () => {
      await plane.client.apply(foreignDefinitions())
      const daemonSet = (path: string): string =>
        kubectl('-n', 'kube-system', 'get', 'daemonset', 'node-local-dns', '-o', `jsonpath=${path}`)
      kubectl('apply', '-k', folder('node-local'))
      same(daemonSet('{.spec.template.spec.hostNetwork}'), 'true', 'hostNetwork')
      kubectl('apply', '-k', folder('node-local-cilium'))
      same(daemonSet('{.spec.template.spec.hostNetwork}'), '', 'hostNetwork with Cilium')
      same(
        daemonSet('{.spec.template.spec.containers[0].securityContext.runAsUser}'),
        '65532',
        'user with Cilium',
      )
      const policy = blocksOf(documentNamed('docs/node-local.md')).find(text =>
        text.includes('RedirectPolicy'),
      )!
      // A kind is known a moment after its definition is there.
      for (const object of readYaml(policy))
        await eventually('the policy', () => plane.client.applyObject(object))
      const { metadata } = readYaml(policy)[0]!
      kubectl('-n', 'kube-system', 'delete', 'ciliumlocalredirectpolicy', metadata.name)
      kubectl('delete', '-k', folder('node-local'))
    },
  )
}

export const suite: Suite = {
  name: 'node cache',
  async run(context) {
    if (context.world.subject !== 'seamark') return context.skip('node cache', 'it is Seamark’s')
    const missing = ['dig', 'curl', 'nsenter'].find(name => !hasProgram(name))
    if (!context.world.inNamespaces)
      context.skip('a node', 'network namespaces cannot be made on this machine')
    else if (missing) context.skip('a node', `${missing} is not installed`)
    else await checkNode(context)
    if (isBuilt('kubectl')) await checkManifests(context)
    else context.skip('manifests', 'kubectl is not built')
  },
}
