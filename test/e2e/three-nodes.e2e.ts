// Three nodes in three zones, each a network namespace with a Pod in one more, whose clients are dig, the C libraries and Go's own
// resolver: who is given which endpoints of a headless Service, and what a search path costs with `autopath @query`.

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KubeObject } from './api-client.ts'
import { DnsServer } from './dns-server.ts'
import { service } from './every-object.ts'
import { compiledLookup, goLookup } from './lookup-programs.ts'
import { hasProgram } from './namespaces.ts'
import { makeNode, type NodeNetwork } from './node-network.ts'
import { eventually } from './processes.ts'
import { type Context, type Suite, same } from './suite.ts'

const run = promisify(execFile)
const NAMESPACE = 'three-nodes'
const SUFFIX = `${NAMESPACE}.svc.cluster.local`
const DNS = '10.96.0.53'
const ZONES = ['a', 'b', 'c'] as const
type Zone = (typeof ZONES)[number]
const CLIENT_TIMEOUT_MS = 60_000
/** Names outside of the cluster, and how many queries for each: A and AAAA, in the search path's three zones and as it stands. */
const NAMES = 100
const QUERIES = { walked: 8, answered: 2 } as const

/** By Service what its objects say, and the endpoints for each zone's Pod: 1 is on node a, 2 on node b, 3 is in zone b on no node. */
const SERVICES: Readonly<Record<string, { spec: object; hinted?: boolean; seen: Record<Zone, string> }>> = {
  zone: { spec: { trafficDistribution: 'PreferSameZone' }, seen: { a: '1', b: '2 3', c: '1 2 3' } },
  node: { spec: { trafficDistribution: 'PreferSameNode' }, seen: { a: '1', b: '2', c: '1 2 3' } },
  close: { spec: { trafficDistribution: 'PreferClose' }, seen: { a: '1', b: '2 3', c: '1 2 3' } },
  hinted: {
    spec: { trafficDistribution: 'PreferSameZone' },
    hinted: true,
    seen: { a: '1 2 3', b: '2 3', c: '1' },
  },
  plain: { spec: {}, seen: { a: '1 2 3', b: '1 2 3', c: '1 2 3' } },
}

const nodeObject = (
  zone: Zone,
  { nodeAddress, podNetwork }: NodeNetwork,
  inZone: string = zone,
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `three-${zone}`, labels: { 'topology.kubernetes.io/zone': inZone } },
  ...(podNetwork !== '' && { spec: { podCIDR: podNetwork, podCIDRs: [podNetwork] } }),
  status: { addresses: [{ type: 'InternalIP', address: nodeAddress }] },
})

const slice = (name: string, hinted = false): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: `${name}-1`,
    namespace: NAMESPACE,
    labels: { 'kubernetes.io/service-name': name, 'endpointslice.kubernetes.io/managed-by': 'e2e' },
  },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: [
    { nodeName: 'three-a', zone: 'a', hints: 'c' },
    { nodeName: 'three-b', zone: 'b', hints: 'b' },
    { zone: 'b', hints: 'b' },
  ].map(({ hints, ...place }, i) => ({
    addresses: [`10.81.7.${i + 1}`],
    conditions: { ready: true },
    ...place,
    ...(hinted && { hints: { forZones: [{ name: hints }] } }),
  })),
})

/** Runs a client in a Pod, with a Pod's /etc/resolv.conf; what it printed. */
async function inPod({ pod }: NodeNetwork, resolvConf: string, command: readonly string[]): Promise<string> {
  const script = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'
  const [program = '', ...args] = [
    ...pod.wrap,
    'unshare',
    '--mount',
    'sh',
    '-c',
    script,
    resolvConf,
    ...command,
  ]
  return (await run(program, args, { timeout: CLIENT_TIMEOUT_MS })).stdout
}

/** The last numbers of all addresses in a client's output. */
const numbersIn = (output: string): string =>
  [...new Set([...output.matchAll(/10\.81\.7\.(\d+)/g)].map(([, number]) => number!))].sort().join(' ')

interface Client {
  readonly name: string
  command(name: string): readonly string[]
}

async function clientsOf(context: Context, folder: string): Promise<Client[]> {
  const clients: Client[] = []
  if (hasProgram('dig')) clients.push({ name: 'dig', command: name => ['dig', '+short', '+search', name] })
  else context.skip('dig on three nodes', 'dig is not installed')
  for (const compiler of ['gcc', 'musl-gcc'] as const) {
    const program = await compiledLookup(compiler, folder)
    if (program === undefined) context.skip(`three nodes by ${compiler}`, `${compiler} is not installed`)
    else clients.push({ name: compiler === 'gcc' ? 'glibc' : 'musl', command: name => [program, '0', name] })
  }
  const byGo = await goLookup(folder)
  clients.push({ name: 'Go', command: name => [byGo, '0', name] })
  return clients
}

type Nodes = Readonly<Record<Zone, NodeNetwork>>

async function nearby(
  context: Context,
  nodes: Nodes,
  clients: readonly Client[],
  resolvConf: string,
): Promise<void> {
  const { client } = context.world.plane
  const server = await serve(context, { kubernetes: ['pods verified', 'topology auto'] })
  const seen = async (by: Client, zone: Zone, label: string): Promise<string> =>
    numbersIn(await inPod(nodes[zone], resolvConf, by.command(label)))
  await eventually('the objects', async () => (await server.data(`plain.${SUFFIX}`)).length === 3)
  for (const by of clients) {
    await context.check(`${by.name} in a Pod of each node: by node, zone and hints`, async () => {
      for (const [label, { seen: expected }] of Object.entries(SERVICES))
        for (const zone of ZONES) same(await seen(by, zone, label), expected[zone], `${label} from ${zone}`)
    })
  }
  const [first] = clients
  if (first === undefined) return
  const becomes = (zone: Zone, label: string, expected: string): Promise<unknown> =>
    eventually(`${expected} for ${zone}`, async () => (await seen(first, zone, label)) === expected)
  await context.check('a node that moves to another zone, while it is asked', async () => {
    await client.applyObject(nodeObject('c', nodes.c, 'b'))
    await becomes('c', 'zone', '2 3')
    await client.applyObject(nodeObject('c', nodes.c))
    await becomes('c', 'zone', '1 2 3')
  })
  await context.check('nodes that tell no networks: a Pod is where its node is', async () => {
    const { b } = nodes
    await client.delete({ apiVersion: 'v1', kind: 'Node', name: 'three-b' })
    await becomes('b', 'zone', '1 2 3')
    const bare = nodeObject('b', { ...b, podNetwork: '' })
    await client.applyObject(bare)
    await client.patch({ apiVersion: 'v1', kind: 'Node', name: 'three-b' }, { status: bare.status }, 'status')
    await client.applyObject({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'asks',
        namespace: NAMESPACE,
        annotations: { 'e2e/ip': b.podAddress, 'e2e/host': b.nodeAddress },
      },
      spec: { containers: [{ name: 'c', image: 'none' }] },
    })
    await becomes('b', 'zone', '2 3')
  })
  await server.stop()
}

/** How many queries a server has had. */
async function requests(server: DnsServer): Promise<number> {
  const lines = (await server.metrics()).matchAll(/^coredns_dns_requests_total\{.*\} (\d+)$/gm)
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
}

async function searchPaths(
  context: Context,
  { a }: Nodes,
  clients: readonly Client[],
  resolvConf: string,
): Promise<void> {
  const names = Array.from({ length: NAMES }, (_, i) => `n${i}.example.com`)
  const hosts = ['hosts {', ...names.map((name, i) => `192.0.2.${i + 1} ${name}`), 'fallthrough', '}']
  for (const [title, line, perName] of [
    ['without autopath', [], QUERIES.walked],
    ['with autopath @query', ['autopath @query'], QUERIES.answered],
  ] as const) {
    const server = await serve(context, { server: [...line, ...hosts] })
    for (const by of clients.filter(({ name }) => name !== 'dig')) {
      await context.check(`${by.name} finds names outside, ${title}: ${perName} queries each`, async () => {
        const before = await requests(server)
        const command = by.command('')
        const output = await inPod(a, resolvConf, [command[0]!, ...names.flatMap(name => ['0', name])])
        same(output.match(/192\.0\.2\.\d+/g)?.length, NAMES, 'found')
        same((await requests(server)) - before, NAMES * perName, 'queries')
      })
    }
    await server.stop()
  }
}

const serve = (context: Context, options: { kubernetes?: string[]; server?: string[] }): Promise<DnsServer> =>
  DnsServer.start(context.scope, 'seamark', {
    access: [`kubeconfig ${context.world.plane.kubeconfigFile}`],
    upstreamPort: context.world.upstreamPort,
    address: DNS,
    port: 53,
    ...options,
  })

export const suite: Suite = {
  name: 'three-nodes',
  async run(context) {
    const { plane, subject, inNamespaces } = context.world
    if (subject === 'coredns') return context.skip('three nodes', 'CoreDNS knows nothing of them')
    if (!inNamespaces) return context.skip('three nodes', 'network namespaces cannot be made on this machine')
    const { client } = plane
    const folder = context.scope.folder('three-nodes')
    const resolvConf = join(folder, 'resolv.conf')
    writeFileSync(
      resolvConf,
      `nameserver ${DNS}\nsearch ${SUFFIX} svc.cluster.local cluster.local\noptions ndots:5\n`,
    )
    const [a, b, c] = [
      await makeNode(context.scope, folder, DNS, 1),
      await makeNode(context.scope, folder, DNS, 2),
      await makeNode(context.scope, folder, DNS, 3),
    ]
    const nodes = { a, b, c }
    await client.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
      ...ZONES.map(zone => nodeObject(zone, nodes[zone])),
      ...Object.entries(SERVICES).flatMap(([name, { spec, hinted }]) => [
        service(NAMESPACE, name, { clusterIP: 'None', ...spec }),
        slice(name, hinted),
      ]),
    ])
    const clients = await clientsOf(context, folder)
    await nearby(context, nodes, clients, resolvConf)
    await searchPaths(context, nodes, clients, resolvConf)
    for (const zone of ZONES) await client.delete({ apiVersion: 'v1', kind: 'Node', name: `three-${zone}` })
    await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: NAMESPACE })
  },
}
