// Answers that know who asks, on a real API server: three Nodes in three zones, whose Pods have addresses of loopback, so that
// real packets come from them; headless Services near their clients, namespaces that are kept from others.

import type { KubeObject } from './api-client.ts'
import type { DnsServer } from './dns-server.ts'
import { service } from './every-object.ts'
import { eventually } from './processes.ts'
import { type Context, type Suite, same } from './suite.ts'

const ZONES = ['a', 'b', 'c'] as const
type Zone = (typeof ZONES)[number]

/** The Nodes' Pods, and what is no Node's. */
const FROM: Readonly<Record<Zone | 'elsewhere', string>> = {
  a: '127.81.1.9',
  b: '127.81.2.9',
  c: '127.81.3.9',
  elsewhere: '127.81.9.9',
}
const CLUSTER = 'svc.cluster.local'

const node = (zone: Zone, number: number, topologyZone: string = zone): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `near-${zone}`, labels: { 'topology.kubernetes.io/zone': topologyZone } },
  spec: { podCIDR: `127.81.${number}.0/24`, podCIDRs: [`127.81.${number}.0/24`] },
})

const pod = (namespace: string, ip: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'asks', namespace, annotations: { 'e2e/ip': ip } },
  spec: { containers: [{ name: 'c', image: 'none' }] },
})

const headless = (name: string, spec: object): KubeObject =>
  service('near', name, { clusterIP: 'None', ...spec })

/** An endpoint in each of the zones a and b, and one in c that ends; `hints` are for zones, or for their nodes. */
const slice = (
  name: string,
  hints?: Readonly<Partial<Record<Zone, Zone>>>,
  kind: 'forZones' | 'forNodes' = 'forZones',
): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: `${name}-1`,
    namespace: 'near',
    labels: { 'kubernetes.io/service-name': name, 'endpointslice.kubernetes.io/managed-by': 'e2e' },
  },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: ZONES.map((zone, i) => ({
    addresses: [`10.81.0.${i + 1}`],
    hostname: `db-${i}`,
    nodeName: `near-${zone}`,
    zone,
    conditions: zone === 'c' ? { ready: false, serving: true, terminating: true } : { ready: true },
    ...(hints?.[zone] && {
      hints: { [kind]: [{ name: kind === 'forZones' ? hints[zone] : `near-${hints[zone]}` }] },
    }),
  })),
})

async function addresses(server: DnsServer, from: string, name: string): Promise<string> {
  const { rcode, records } = await server.ask(name, 'A', { localAddress: from })
  const last = records.answer.map(({ data }) => data.split('.').at(-1)).sort()
  return rcode === 'NOERROR' ? last.join(' ') : rcode
}

async function nearby(context: Context): Promise<void> {
  const { client } = context.world.plane
  const server = await context.serve('seamark', { kubernetes: ['pods insecure', 'topology auto'] })
  const name = (label: string): string => `${label}.near.${CLUSTER}`
  const seen = (from: keyof typeof FROM, label: string, expected: string): Promise<unknown> =>
    eventually(
      `${expected} for ${from} of ${label}`,
      async () => (await addresses(server, FROM[from], name(label))) === expected,
    )

  await context.check(
    'the zone of the client, everybody where it has none, for Services that say so',
    async () => {
      for (const label of ['zone', 'node', 'close', 'auto']) {
        await seen('a', label, '1')
        await seen('b', label, '2')
        await seen('c', label, '1 2')
        await seen('elsewhere', label, '1 2')
      }
      for (const from of ['a', 'b', 'c'] as const) await seen(from, 'plain', '1 2')
    },
  )
  await context.check('hints come before zones', async () => {
    await seen('c', 'hinted', '1')
    await seen('b', 'hinted', '2')
    await seen('a', 'hinted', '1 2')
    await seen('c', 'noded', '1')
    await seen('b', 'noded', '2')
    await seen('a', 'noded', '1')
  })
  await context.check('an alias leads everybody to what is near', async () => {
    for (const [from, expected] of [['a', '1'], ['b', '2'], ['c', '1 2']] as const) {
      const { records } = await server.ask(name('alias'), 'A', { localAddress: FROM[from] })
      same(records.answer.flatMap(({ type, data }) => (type === 'A' ? data.split('.').at(-1)! : [])).sort().join(' '), expected, from)
    }
  }) // biome-ignore format: a table
  await context.check('SRV and TCP likewise', async () => {
    const { records } = await server.ask(name('zone'), 'SRV', { localAddress: FROM.b, tcp: true })
    same(
      records.answer.map(({ data }) => data),
      [`0 100 8080 db-1.zone.near.${CLUSTER}.`],
      'SRV',
    )
  })
  await context.check('a Node that moves to another zone is followed', async () => {
    await client.applyObject(node('c', 3, 'b'))
    await seen('c', 'zone', '2')
    await client.delete({ apiVersion: 'v1', kind: 'Node', name: 'near-c' })
    await seen('c', 'zone', '1 2')
    await client.applyObject(node('c', 3))
  })
}

async function keptNamespaces(context: Context): Promise<void> {
  const server = await context.serve('seamark', {
    kubernetes: ['pods verified'],
    server: ['policy {', 'default deny', 'shared default', 'allow from far to near', '}'],
  })
  const code = async (from: string, name: string, more: object = {}): Promise<string> =>
    (await server.ask(`${name}.${CLUSTER}`, 'A', { localAddress: from, ...more })).rcode
  await context.check('namespaces are kept from Pods of others, over UDP and TCP', async () => {
    await eventually('the Pods are known', async () => (await code(FROM.b, 'zone.near')) === 'NOERROR')
    for (const tcp of [false, true]) {
      same(await code(FROM.a, 'zone.near', { tcp }), 'NOERROR', 'its own')
      same(await code(FROM.b, 'zone.near', { tcp }), 'NOERROR', 'what is allowed')
      same(await code(FROM.a, 'web.far', { tcp }), 'NXDOMAIN', 'what is not')
      same(await code(FROM.elsewhere, 'zone.near', { tcp }), 'NXDOMAIN', 'nobody')
      same(await code(FROM.elsewhere, 'kubernetes.default', { tcp }), 'NOERROR', 'what is shared')
    }
  })
  await context.check('a Pod that has gone is nobody', async () => {
    await context.world.plane.client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'far', name: 'asks' })
    await eventually('far is forgotten', async () => (await code(FROM.b, 'zone.near')) === 'NXDOMAIN')
  })
}

export const suite: Suite = {
  name: 'who-asks',
  async run(context) {
    if (context.world.subject === 'coredns') {
      context.skip('answers that know who asks', 'CoreDNS has none')
      return
    }
    const { client } = context.world.plane
    await client.apply([
      ...['near', 'far'].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      ...ZONES.map((zone, i) => node(zone, i + 1)),
      headless('zone', { trafficDistribution: 'PreferSameZone' }),
      headless('node', { trafficDistribution: 'PreferSameNode' }),
      headless('close', { trafficDistribution: 'PreferClose' }),
      {
        ...headless('auto', {}),
        metadata: {
          name: 'auto',
          namespace: 'near',
          annotations: { 'service.kubernetes.io/topology-mode': 'Auto' },
        },
      },
      headless('hinted', { trafficDistribution: 'PreferSameZone' }),
      headless('noded', { trafficDistribution: 'PreferSameNode' }),
      headless('plain', {}),
      service('near', 'alias', { type: 'ExternalName', externalName: `zone.near.${CLUSTER}` }),
      service('far', 'web'),
      ...['zone', 'node', 'close', 'auto', 'plain'].map(name => slice(name)),
      slice('hinted', { a: 'c' }),
      slice('noded', { a: 'c' }, 'forNodes'),
      pod('near', FROM.a),
      pod('far', FROM.b),
    ])
    await nearby(context)
    await keptNamespaces(context)
  },
}
