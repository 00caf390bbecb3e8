// The questions of a parity run, made from the objects that the API server holds: every name that they give rise to,
// in all types, spelled in other cases, with ports, endpoints and Pods, and names near them that must not exist.

import { Random } from '../support/random.ts'
import type { ApiClient, KubeObject } from './api-client.ts'

/** One question of a comparison. */
export interface ParityQuestion {
  readonly name: string
  readonly type: string
  readonly class?: string
  readonly tcp?: boolean
  readonly over?: 'tls' | 'https' | 'https-get'
  readonly rd?: boolean
  readonly cd?: boolean
  readonly ad?: boolean
  readonly dnssecOk?: boolean
  /** Whether to ask for the server's identifier (RFC 5001). */
  readonly nsid?: boolean
  /** Of an IXFR: the serial that the client has. */
  readonly serial?: number
  /** The address to ask from. */
  readonly localAddress?: string
  /** Announced payload in octets; without it no OPT record is sent. */
  readonly udpSize?: number
}

const ZONE = 'cluster.local'
// biome-ignore format: a table
const ALL_TYPES = [
  'A', 'AAAA', 'SRV', 'TXT', 'CNAME', 'PTR', 'MX', 'SOA', 'NS', 'ANY', 'HTTPS', 'SVCB', 'CAA', 'DS', 'HINFO', 'NAPTR',
  'DNSKEY', 'TYPE65280', 'AXFR', 'IXFR',
] as const
const MAIN_TYPES = ['A', 'AAAA', 'SRV'] as const

/** What the questions are made from. */
export interface Inventory {
  readonly services: readonly KubeObject[]
  readonly slices: readonly KubeObject[]
  readonly namespaces: readonly string[]
  readonly pods: readonly KubeObject[]
}

/** Reads the objects of all namespaces. */
export async function readInventory(client: ApiClient): Promise<Inventory> {
  const everywhere = { namespace: '*' } as const
  const [services, slices, namespaces, pods] = await Promise.all([
    client.list({ apiVersion: 'v1', kind: 'Service', ...everywhere }),
    client.list({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', ...everywhere }),
    client.list({ apiVersion: 'v1', kind: 'Namespace' }),
    client.list({ apiVersion: 'v1', kind: 'Pod', ...everywhere }),
  ])
  return { services, slices, namespaces: namespaces.map(({ metadata }) => metadata.name), pods }
}

interface SliceEndpoint {
  readonly addresses: readonly string[]
  readonly hostname?: string
  readonly targetRef?: { readonly name: string }
  readonly zone?: string
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []

/** The label of an address in an endpoint's or a Pod's name: dots and colons become dashes. */
export const dashed = (address: string): string => address.replace(/[.:]/g, '-').replace(/-$/, '-0')

/** The reverse name of a v4 or v6 address (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const [head = '', tail = ''] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  const middle = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const nibbles = [...before, ...middle, ...after].map(group => group.padStart(4, '0')).join('')
  return `${[...nibbles].reverse().join('.')}.ip6.arpa`
}

/** The same name with letters' case thrown (RFC 4343). */
const otherCase = (name: string, random: Random): string =>
  [...name].map(char => (random.chance(50) ? char.toUpperCase() : char.toLowerCase())).join('')

/** Questions about the zone itself, its fixed names and what cannot be there. */
function zoneQuestions(namespaces: readonly string[]): ParityQuestion[] {
  // biome-ignore format: a table
  const fixed = [
    '', 'svc', 'pod', 'ns.dns', 'dns', 'dns-version', 'x.dns-version', 'x.ns.dns', 'kubernetes', 'any', '*', '_tcp',
    'foo', 'a.b', 'svc.svc', 'pod.svc', 'svc.pod', 'a.b.c.d.e.f.svc', 'gone.svc', 'gone.pod', 'web.gone.svc',
    'web.demo', 'demo.svc.svc', '*.demo.svc', 'any.demo.svc', '*.*.svc', '*.svc', 'web.*.svc', '_.web.demo.svc',
    '_._.web.demo.svc', '_._tcp.web.demo.svc', '_http._.web.demo.svc', '__http._tcp.web.demo.svc',
    '_http.tcp.web.demo.svc', 'http.tcp.web.demo.svc', 'http._tcp.web.demo.svc', 'tcp.web.demo.svc',
    '_tcp.web.demo.svc', '_http.web.demo.svc', '_http._tcp.demo.svc', '_http._udp.web.demo.svc',
    '_nope._tcp.web.demo.svc', 'a.b.c.web.demo.svc', 'a._http._tcp.web.demo.svc', 'www.example.net', 'web',
    'svc.cluster.local', 'web.demo.svc.cluster.local', 'web.demo.svc.cluster.local.demo.svc',
    'web\\.demo.svc', 'web.demo\\.svc', '\\000.demo.svc', '\\255\\254.demo.svc', 'we\\032b.demo.svc', 'web\\000.demo.svc',
    '\\195\\132.demo.svc', `${'y'.repeat(63)}.demo.svc`, `${'y.'.repeat(60)}demo.svc`, `${`${'y'.repeat(63)}.`.repeat(3)}svc`,
    'zone-a.pin._zone.zones.demo.svc', 'zone-a.prefer._zone.zones.demo.svc', 'zone-x.pin._zone.zones.demo.svc',
    'zone-x.prefer._zone.zones.demo.svc', 'zone.c.pin._zone.zones.demo.svc', 'ZONE-A.Pin._zone.zones.demo.svc',
    'zone-a.pin._zone.web.demo.svc', 'zone-a.pin._zone.ext.demo.svc', 'zone-a.other._zone.zones.demo.svc',
    'pin._zone.zones.demo.svc', '_zone.zones.demo.svc', 'zone-a.pin._zone.gone.demo.svc',
  ]
  const below = fixed.map(name => (name === '' ? ZONE : `${name}.${ZONE}`))
  const ofNamespaces = namespaces.flatMap(name => [
    `${name}.svc.${ZONE}`,
    `${name}.pod.${ZONE}`,
    `${name}.${ZONE}`,
  ])
  const elsewhere = [
    '.',
    'local',
    'com',
    'www.example.net',
    'WWW.Example.NET',
    'xcluster.local',
    'cluster.local.x',
    'arpa',
  ]
  return [...below, ...ofNamespaces, ...elsewhere].flatMap(name => ALL_TYPES.map(type => ({ name, type })))
}

// biome-ignore format: a table
const POD_LABELS = [
  '10-9-8-7', '10-9-8', '10-9-8-7-6', '256-1-1-1', '010-9-8-7', '1-2-3-4', '0-0-0-0', 'fd00--7', 'fd00--0', '--1', 'FD00--7',
  'fd00-0-0-0-0-0-0-7', '2001-db8--a-b', 'blah', '10.9.8.7', '10--9-8', 'a-b-c-d', '--', '-', '1-2-3-4-5-6-7-8', '--ffff-1-2-3-4',
  'x.10-9-8-7', 'a.b.10-9-8-7', 'a.b.c.10-9-8-7', '10-9-8-7 ', '1e1-2-3-4',
] as const

function podQuestions(inventory: Inventory): ParityQuestion[] {
  const literal = ['demo', 'gone', 'empty'].flatMap(namespace =>
    POD_LABELS.map(label => `${label}.${namespace}.pod.${ZONE}`),
  )
  const real = inventory.pods.flatMap(({ metadata, status }) => {
    const addresses = (status?.podIPs as { ip: string }[] | undefined)?.map(({ ip }) => ip) ?? []
    return addresses.flatMap(ip => [
      `${dashed(ip)}.${metadata.namespace}.pod.${ZONE}`,
      `${dashed(ip)}.other.pod.${ZONE}`,
      `${dashed(ip)}.${metadata.name}.${metadata.namespace}.pod.${ZONE}`,
    ])
  })
  const types = [...MAIN_TYPES, 'TXT', 'PTR', 'ANY', 'SOA']
  return [...literal, ...real].flatMap(name => types.map(type => ({ name, type })))
}

function serviceQuestions(
  service: KubeObject,
  slices: readonly KubeObject[],
  random: Random,
): ParityQuestion[] {
  const { name, namespace } = service.metadata
  const full = `${name}.${namespace}.svc.${ZONE}`
  const ports = (service.spec?.ports ?? []) as { name?: string; protocol: string }[]
  const mine = slices.filter(
    ({ metadata }) =>
      metadata.namespace === namespace && metadata.labels?.['kubernetes.io/service-name'] === name,
  )
  const slicePorts = mine.flatMap(each => (each.ports ?? []) as { name?: string; protocol: string }[])
  const portNames = new Set(
    [...ports, ...slicePorts]
      .filter(port => port.name)
      .map(port => `_${port.name}._${port.protocol.toLowerCase()}`),
  )
  const endpoints = mine.flatMap(each => (each.endpoints ?? []) as SliceEndpoint[]).slice(0, 12)
  const endpointLabels = new Set(
    endpoints.flatMap(({ addresses, hostname, targetRef }) =>
      [hostname, targetRef?.name, ...addresses.map(dashed)].filter(label => label !== undefined),
    ),
  )
  const wide = namespace === 'demo' || namespace === 'default' || namespace === 'kube-system'
  const types = wide ? ALL_TYPES : [...MAIN_TYPES, random.pick(ALL_TYPES)]
  const below = [...portNames, ...endpointLabels, 'x', '_x._tcp', `_${name}._tcp`]
  return [
    ...types.map(type => ({ name: full, type })),
    ...MAIN_TYPES.map(type => ({ name: otherCase(full, random), type })),
    ...below.flatMap(label => MAIN_TYPES.map(type => ({ name: `${label}.${full}`, type }))),
    ...[...portNames].map(label => ({ name: otherCase(`${label}.${full}`, random), type: 'SRV' })),
    ...[...endpointLabels].flatMap(label => [
      { name: otherCase(`${label}.${full}`, random), type: 'A' },
      { name: `${label}.${full}`, type: random.pick(ALL_TYPES) },
      { name: `_http._tcp.${label}.${full}`, type: 'SRV' },
    ]),
    { name: `${name}.gone.svc.${ZONE}`, type: 'A' },
    { name: `${name}.${namespace}.pod.${ZONE}`, type: 'A' },
    { name: `${full}.default.svc.${ZONE}`, type: 'A' },
    { name: `${full}.svc.${ZONE}`, type: 'AAAA' },
    { name: `${name}.svc.${ZONE}`, type: 'A' },
    ...MAIN_TYPES.map(type => ({ name: full, type, tcp: true })),
    { name: full, type: 'SRV', udpSize: random.pick([512, 1232, 4096]) },
    {
      name: full,
      type: 'A',
      udpSize: random.pick([512, 1232, 4096]),
      cd: random.chance(50),
      rd: random.chance(50),
    },
  ]
}

function reverseQuestions(inventory: Inventory, random: Random): ParityQuestion[] {
  // biome-ignore format: a table
  const known = new Set([
    ...inventory.services.flatMap(({ spec }) => strings(spec?.clusterIPs).filter(address => address !== 'None')),
    ...inventory.slices.flatMap(each => ((each.endpoints ?? []) as SliceEndpoint[]).flatMap(({ addresses }) => addresses)),
    ...inventory.pods.map(({ status }) => String(status?.podIP ?? '192.0.2.200')),
    '8.8.8.8', '2001:db8::dead', '127.0.0.1', '::1', '0.0.0.0', '192.0.2.7',
  ])
  const names = [...known].filter(address => /^[\da-f.:]+$/.test(address)).map(reverseName)
  // biome-ignore format: a table
  const odd = [
    'in-addr.arpa', 'ip6.arpa', 'IN-ADDR.arpa', '10.in-addr.arpa', '96.10.in-addr.arpa', '1.10.96.10.x.in-addr.arpa',
    '01.10.96.10.in-addr.arpa', '1.10.96.10.5.in-addr.arpa', '300.10.96.10.in-addr.arpa', 'a.b.c.d.in-addr.arpa',
    'x.1.10.96.10.in-addr.arpa', '*.in-addr.arpa', '0.0.0.ip6.arpa', '1.0.0.ip6.arpa', 'z.0.0.ip6.arpa',
    `1${reverseName('fd00:10:96::3')}`, `1.${reverseName('fd00:10:96::3')}`, '10.0.0.ip6.arpa', 'svc.in-addr.arpa',
  ]
  return [
    ...names.flatMap(name => [
      { name, type: 'PTR' },
      { name: otherCase(name, random), type: 'PTR' },
      { name, type: random.pick(ALL_TYPES) },
    ]),
    ...names.slice(0, 10).flatMap(name => ALL_TYPES.map(type => ({ name, type }))),
    ...odd.flatMap(name => ALL_TYPES.map(type => ({ name, type }))),
  ]
}

/** What does not depend on the name: classes, EDNS sizes, TCP, flags. */
function formQuestions(): ParityQuestion[] {
  const names = [
    `web.demo.svc.${ZONE}`,
    `large.demo.svc.${ZONE}`,
    `hl.demo.svc.${ZONE}`,
    ZONE,
    `gone.demo.svc.${ZONE}`,
  ]
  return names.flatMap(name =>
    MAIN_TYPES.flatMap(type => [
      ...[512, 600, 1232, 1452, 4096, 65535].map(udpSize => ({ name, type, udpSize })),
      { name, type, tcp: true },
      { name, type, tcp: true, udpSize: 4096 },
      { name, type, rd: false },
      { name, type, cd: true },
      ...['CH', 'HS', 'NONE', 'ANY', 'CLASS65280'].map(asked => ({ name, type, class: asked })),
    ]),
  )
}

/** All questions, each once. */
export function parityQuestions(inventory: Inventory, seed: number): ParityQuestion[] {
  const random = new Random(seed)
  const all = [
    ...zoneQuestions(inventory.namespaces),
    ...formQuestions(),
    ...podQuestions(inventory),
    ...inventory.services.flatMap(service => serviceQuestions(service, inventory.slices, random)),
    ...reverseQuestions(inventory, random),
  ]
  return [...new Map(all.map(question => [JSON.stringify(question), question])).values()]
}
