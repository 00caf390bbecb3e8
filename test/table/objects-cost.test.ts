// What objects cost the control thread that others may write: anything that the API server takes, up to its limit of some 1.5 MiB
// for an object. Reading and publishing grow no faster than the input, whatever there is much of in it, and are put down after
// every step, so that no object keeps the thread from answering a probe.

import t from 'tap'
import {
  isProblem,
  slimDnsEndpoint,
  slimEndpointSlice,
  slimIngress,
  slimPod,
  slimService,
} from '../../src/objects/slim.ts'
import type { Clock } from '../../src/shared/clock.ts'
import { Cluster } from '../../src/table/cluster.ts'
import { TableWriter } from '../../src/table/writer.ts'
import { MESSAGES, readEvent } from '../../src/watch/protobuf-objects.ts'
import { shortOrLong } from '../support/long.ts'
import fc from '../support/properties.ts'
import { encode, framed } from '../support/protobuf.ts'
import { PLAIN, service } from './block-texts.ts'

/** An object as the API server has it. */
type Raw = { readonly kind: 'Service' | 'EndpointSlice' | 'Pod' | 'DNSEndpoint' | 'Ingress' } & Readonly<
  Record<string, unknown>
>

const list = <T>(length: number, item: (i: number) => T): T[] => Array.from({ length }, (_, i) => item(i))
const address = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`
const metadata = (name: string): object => ({
  name,
  namespace: 'demo',
  labels: { 'kubernetes.io/service-name': 'web' },
})
const slice = (name: string, endpoints: readonly object[], ports: readonly object[] = []): Raw => ({
  kind: 'EndpointSlice',
  metadata: metadata(name),
  addressType: 'IPv4',
  endpoints,
  ports,
})
const port = (i: number): object => ({ name: `p${i}`, protocol: 'TCP', port: 1 + (i % 65_535) })
const serviceOf = (name: string, spec: object): Raw => ({ kind: 'Service', metadata: metadata(name), spec })

/** What `k8s_records` reads, below a suffix that is delegated to everybody. */
const SUFFIX = 'ext.test'
const endpoint = (
  name: string,
  sets: readonly (readonly [dnsName: string, targets: readonly string[]])[],
): Raw => ({
  kind: 'DNSEndpoint',
  metadata: metadata(name),
  spec: { endpoints: sets.map(([dnsName, targets]) => ({ dnsName, recordType: 'A', targets })) },
})

/** An octet may be a name here: a bound on the names of a namespace holds besides. */
const DEEP = 'names of records, as deep as they may be'

/** Objects with `n` of something; 1,000 endpoints of 100 addresses are what a slice may have. */
const families: Readonly<Record<string, (n: number) => readonly Raw[]>> = {
  'endpoints of one slice': n => [
    slice(
      's',
      list(n / 100, i => ({ addresses: list(100, j => address(100 * i + j)) })),
    ),
  ],
  'endpoints over IPv6': n => [
    slice(
      's',
      list(n / 100, i => ({ addresses: list(100, j => `fd00::${i.toString(16)}:${j.toString(16)}`) })),
    ),
  ],
  'equal addresses': n => [
    slice(
      's',
      list(n / 100, () => ({ addresses: list(100, () => '10.0.0.1') })),
    ),
  ],
  'addresses under one host name': n => [
    slice(
      's',
      list(n / 100, i => ({
        hostname: `h${i}`.padEnd(63, 'x'),
        addresses: list(100, j => address(100 * i + j)),
      })),
    ),
  ],
  'ports of a slice': n => [slice('s', [{ addresses: ['10.0.0.1'] }], list(n / 5, port))],
  'ports of a Service': n => [serviceOf('web', { clusterIP: '10.0.0.1', ports: list(n, port) })],
  'external addresses': n => [serviceOf('web', { clusterIP: '10.0.0.1', externalIPs: list(n, address) })],
  'load balancers by name': n => [
    {
      ...serviceOf('web', { clusterIP: '10.0.0.1' }),
      status: { loadBalancer: { ingress: list(n / 2, i => ({ hostname: `n${i}.example.org` })) } },
    },
  ],
  'slices of a Service': n =>
    list(n / 10, i =>
      slice(
        `s${i}`,
        list(10, j => ({ addresses: [address(10 * i + j)] })),
      ),
    ),
  'slices of other ports': n => list(n / 10, i => slice(`s${i}`, [{ addresses: [address(i)] }], [port(i)])),
  'Services with one address': n => list(n / 10, i => serviceOf(`s${i}`, { clusterIP: '10.0.0.1' })),
  'Services with one external address': n =>
    list(n / 10, i => serviceOf(`s${i}`, { clusterIP: address(i), externalIPs: ['192.0.2.1'] })),
  'Pods with one address': n =>
    list(n / 10, i => ({
      kind: 'Pod',
      metadata: metadata(`p${i}`),
      status: { phase: 'Running', podIP: '10.0.0.1' },
    })),
  'names of records': n =>
    list(n / 4000, i =>
      endpoint(
        `e${i}`,
        list(1000, j => [`n${1000 * i + j}.${SUFFIX}`, ['10.0.0.1']]),
      ),
    ),
  [DEEP]: n => [
    endpoint(
      'e',
      list(n / 200, i => [`${list(100, () => 'a').join('.')}.n${i}.${SUFFIX}`, ['10.0.0.1']]),
    ),
  ],
  'records of one name': n =>
    list(n / 1000, i =>
      endpoint(
        `e${i}`,
        list(10, j => [`n.${SUFFIX}`, list(10, k => address(100 * i + 10 * j + k))]),
      ),
    ),
  'hosts of an Ingress with many addresses': n => [
    {
      kind: 'Ingress',
      metadata: metadata('i'),
      spec: { rules: list(n / 100, i => ({ host: `h${i}.${SUFFIX}` })) },
      status: { loadBalancer: { ingress: list(n / 100, i => ({ ip: address(i) })) } },
    },
  ],
  labels: n => [
    {
      ...slice('s', [{ addresses: ['10.0.0.1'] }]),
      metadata: { ...metadata('s'), labels: Object.fromEntries(list(n / 5, i => [`l${i}`, `${i}`])) },
    },
  ],
}

/** The thread's processor time in ms: what else the machine does is not in it. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

interface Costs {
  readonly octets: number
  /** All of it, and parsing the same objects as JSON. */
  readonly totalMs: number
  readonly referenceMs: number
  readonly longestStepMs: number
}

/** Reads and publishes the objects, then all of them gone, one step in a turn. */
function costOf(objects: readonly Raw[]): Costs {
  const texts = objects.map(object => JSON.stringify(object))
  const arriving = objects.map((object, i) => {
    const message = MESSAGES.get(object.kind)
    return message === undefined ? texts[i]! : framed('ADDED', object.kind, encode(object, message))
  })
  let nowMs = 0
  const clock: Clock = {
    nowMs: () => {
      nowMs += 1000
      return nowMs
    },
    wallMs: () => 1_700_000_000_000,
    after: () => ({ cancel: () => undefined }),
  }
  const turns: (() => void)[] = []
  const cluster = new Cluster(
    new TableWriter(1 << 28),
    {
      ...PLAIN,
      namespaces: [],
      kinds: ['Namespace', 'Service', 'EndpointSlice'],
      clients: { podNames: true, hosts: false, labels: [] },
      records: {
        kinds: ['DNSEndpoint', 'Ingress'],
        own: ['cluster.local'],
        zones: ['example.org'],
        delegations: [{ suffix: SUFFIX, to: ['*'] }],
        ttlSeconds: 5,
      },
    },
    { schedule: turn => turns.push(turn), clock },
  )
  let longestStepMs = 0
  const step = (action: () => void): void => {
    const fromMs = cpuMs()
    action()
    longestStepMs = Math.max(longestStepMs, cpuMs() - fromMs)
  }
  const publish = (): void => {
    for (let turn = turns.shift(); turn; turn = turns.shift()) step(turn)
  }
  cluster.replace('Namespace', [{ name: 'demo' }])
  cluster.replace('Service', [service({ headless: true })])
  cluster.replace('EndpointSlice', [])
  publish()
  longestStepMs = 0
  const fromMs = cpuMs()
  for (const each of arriving) step(() => take(cluster, each))
  publish()
  for (const { kind, metadata } of objects)
    cluster.remove(kind, `demo/${(metadata as { readonly name: string }).name}`)
  publish()
  const totalMs = cpuMs() - fromMs
  const parseFromMs = cpuMs()
  for (const text of texts) JSON.parse(text)
  const referenceMs = cpuMs() - parseFromMs
  return { octets: texts.reduce((sum, text) => sum + text.length, 0), totalMs, referenceMs, longestStepMs }
}

/** An object as it comes: in protocol buffers where the API server has them, as text where not. */
function take(cluster: Cluster, arrived: Buffer | string): void {
  const { object } =
    typeof arrived === 'string'
      ? { object: JSON.parse(arrived) as Raw }
      : (readEvent(arrived, 4, arrived.length) as { readonly object: Raw })
  if (object.kind === 'DNSEndpoint' || object.kind === 'Ingress') {
    const slim = (object.kind === 'Ingress' ? slimIngress : slimDnsEndpoint)(object)
    if (!isProblem(slim)) cluster.upsert(object.kind, slim)
  } else if (object.kind === 'Service') {
    const slim = slimService(object)
    if (!isProblem(slim)) cluster.upsert('Service', slim)
  } else if (object.kind === 'EndpointSlice') {
    const slim = slimEndpointSlice(object)
    if (slim && !isProblem(slim)) cluster.upsert('EndpointSlice', slim)
  } else {
    const slim = slimPod(object, { clients: { podNames: true, hosts: false, labels: [] } })
    if (slim && !isProblem(slim)) cluster.upsert('Pod', slim)
  }
}

/** The less of two tries: a collection of garbage may fall into one. */
function bestOf(tries: number, objects: readonly Raw[]): Costs {
  const all = Array.from({ length: tries }, () => costOf(objects))
  return {
    octets: all[0]!.octets,
    totalMs: Math.min(...all.map(({ totalMs }) => totalMs)),
    referenceMs: Math.max(...all.map(({ referenceMs }) => referenceMs)),
    longestStepMs: Math.min(...all.map(({ longestStepMs }) => longestStepMs)),
  }
}

const MOST = shortOrLong(40_000, 100_000)
const LESS = MOST / 10

for (const [what, make] of Object.entries(families)) {
  t.test(`${what}: time grows as the input does`, async t => {
    const less = bestOf(3, make(LESS))
    const most = bestOf(2, make(MOST))
    // What parsing it takes tells how busy the machine is.
    const longestMs = Math.max(50, 10 * most.referenceMs)
    const perOctet = (costs: Costs): number => costs.totalMs / costs.octets
    // Caches that it no longer fits into and a clock of 4 ms let it grow a little.
    const bound = 4 * Math.max(perOctet(less), 8 / less.octets)
    t.ok(
      perOctet(most) < bound,
      `${less.totalMs.toFixed(0)} ms for ${less.octets} octets, ${most.totalMs.toFixed(0)} ms for ${most.octets}`,
    )
    t.ok(most.longestStepMs < longestMs, `the longest step: ${most.longestStepMs.toFixed(0)} ms`)
  })
}

t.test('random objects cost no more for each octet than a multiple of parsing them as JSON', async t => {
  const some = fc.integer({ min: 100, max: 20_000 }).map(n => n - (n % 100))
  const { [DEEP]: _, ...others } = families
  const object = fc.tuple(fc.constantFrom(...Object.values(others)), some)
  let worst = 0
  fc.assert(
    fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), picked => {
      const objects = picked.flatMap(([make, n]) => make(n))
      const { totalMs, octets } = costOf(objects)
      worst = Math.max(worst, (totalMs - 20) / octets)
    }),
    { numRuns: shortOrLong(10, 25) },
  )
  // As much text as there is, in one object: what parsing an octet takes is not lost in a clock of 4 ms.
  const text = JSON.stringify(families['slices of a Service']!(100_000))
  const fromMs = cpuMs()
  for (let i = 0; i < 5; i++) JSON.parse(text)
  const reference = (cpuMs() - fromMs) / 5 / text.length
  t.ok(worst < 60 * reference, `${(worst / reference).toFixed(0)} times what parsing takes`)
})
