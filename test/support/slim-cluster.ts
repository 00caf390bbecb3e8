// A cluster of slim objects in a table, and questions to it answered as a serving thread answers them: no sockets, no
// source, what is changed is published at once.

import { packEndpoints, type SlimEndpoint } from '../../src/objects/endpoints.ts'
import type { SlimEndpointSlice, SlimPod, SlimPort, SlimService } from '../../src/objects/objects.ts'
import { OBJECT_DEFAULTS } from '../../src/objects/options.ts'
import type { AnswerOptions } from '../../src/plugin/kubernetes/answer-options.ts'
import { CHASE, ClusterAnswers, PASS } from '../../src/plugin/kubernetes/answers.ts'
import type { KubernetesConfig } from '../../src/plugin/kubernetes/config.ts'
import { sockaddr } from '../../src/query/sockaddr.ts'
import { type Clock, systemClock } from '../../src/shared/clock.ts'
import { parseIp } from '../../src/shared/ip.ts'
import { Cluster, type ClusterHooks, type ClusterOptions } from '../../src/table/cluster.ts'
import { TableReader } from '../../src/table/reader.ts'
import { TableWriter } from '../../src/table/writer.ts'
import { Scan } from '../../src/wire/scan.ts'
import { type Decoded, decodeMessage } from './dns-message.ts'
import { encodeQuestion, type Question } from './dns-question.ts'

/** Ports out of `http/80/tcp b/2/udp`; `-1` stands for none. */
export const portsOf = (text: string): SlimPort[] =>
  text
    .split(' ')
    .filter(port => port !== '')
    .map(port => {
      const [name = '', number = '', protocol = 'tcp'] = port.split('/')
      return { name, port: Number(number), protocol }
    })

/** A Service out of `demo/web`; of type ClusterIP with port http/80 unless `more` says otherwise. */
export function slimService(key: string, clusterIPs: string, more: Partial<SlimService> = {}): SlimService {
  const [namespace = '', name = ''] = key.split('/')
  return {
    namespace,
    name,
    type: 'ClusterIP',
    clusterIPs: clusterIPs.split(' ').filter(ip => ip !== ''),
    headless: false,
    externalName: '',
    ports: portsOf('http/80'),
    externalIPs: [],
    ...more,
  }
}

/** A headless Service. */
export const headless = (key: string): SlimService => slimService(key, '', { headless: true })

/** A Service of type ExternalName. */
export const external = (key: string, externalName: string): SlimService =>
  slimService(key, '', { type: 'ExternalName', externalName, ports: [] })

/** An endpoint out of `10.1.0.2 p0` or `10.1.0.2`; `-` is nothing. */
const endpointOf = (text: string): SlimEndpoint => {
  const words = text.split(' ').map(word => (word === '-' ? '' : word))
  const [address = '', hostname = '', zone = '', targetName = '', place = ''] = words
  return { address, hostname, zone, targetName, place }
}

/** The slice `demo/web-1` of a Service; endpoints as `ADDRESS HOSTNAME ZONE POD PLACE`, ports http/8080 unless given. */
export function slimSlice(
  key: string,
  serviceName: string,
  endpoints: readonly string[],
  ports = 'http/8080',
): SlimEndpointSlice {
  const [namespace = '', name = ''] = key.split('/')
  return {
    namespace,
    name,
    serviceName,
    ports: portsOf(ports),
    endpoints: packEndpoints(endpoints.map(endpointOf)),
    triggerTimeMs: 0,
  }
}

/** A Pod out of `demo/web-0` that is known as a client. */
export function slimPod(key: string, ip: string, more: Partial<SlimPod> = {}): SlimPod {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name, ip, hostNetwork: false, labels: [], ...more }
}

export const KUBERNETES: KubernetesConfig = {
  ...OBJECT_DEFAULTS,
  zones: ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.'],
  primaryZone: 'cluster.local.',
  pods: 'insecure',
  ttlSeconds: 5,
  fallthrough: undefined,
  startupTimeoutMs: 5000,
  multiclusterZones: [],
  source: { kind: 'api' },
  snapshot: undefined,
  localIps: [],
}

/** Time stands still. */
const FIXED_CLOCK: Clock = { ...systemClock, nowMs: () => 0, wallMs: () => 1_700_000_000_000 }

/** One answer in short: the rcode and the sections, or what is done in place of an answer. */
export type Asked = Decoded | 'chase' | 'pass'

/** How a question is asked beside its name and type. */
export interface AskOptions {
  readonly maxOctets?: number
  readonly edns?: Question['edns']
  /** The client's address, where answers depend on it. */
  readonly from?: string
}

/** A table of `maxOctets`, its cluster and a thread that answers from it. */
export class SlimCluster {
  readonly writer: TableWriter
  readonly cluster: Cluster
  readonly reader: TableReader
  readonly #answers: ClusterAnswers[]
  readonly #scan = new Scan()

  constructor(
    config: Partial<KubernetesConfig> = {},
    options: Partial<ClusterOptions & AnswerOptions & ClusterHooks> & {
      readonly ownTexts?: readonly string[]
    } = {},
    maxOctets = 1 << 24,
  ) {
    const kubernetes = { ...KUBERNETES, ...config }
    this.writer = new TableWriter(maxOctets)
    this.cluster = new Cluster(
      this.writer,
      { ...kubernetes, kinds: ['Service', 'EndpointSlice', 'Namespace'], ...options },
      { schedule: publish => publish(), clock: FIXED_CLOCK, ...options },
    )
    this.reader = new TableReader(this.writer.buffer, 0)
    const ownAddresses = (options.ownTexts ?? []).map(text => parseIp(text)!.bytes)
    this.#answers = kubernetes.zones.map(
      zone =>
        new ClusterAnswers(kubernetes, zone, this.reader, {
          shuffle: false,
          flattenedTtl: ttl => ttl,
          random: () => 0.5,
          reasons: true,
          ownAddresses,
          ...options,
        }),
    )
  }

  /** Lists these namespaces, services and slices: the cluster is synced. */
  list(
    namespaces: readonly string[],
    services: readonly SlimService[],
    slices: readonly SlimEndpointSlice[] = [],
  ): this {
    this.cluster.replace(
      'Namespace',
      namespaces.map(name => ({ name })),
    )
    this.cluster.replace('Service', services)
    this.cluster.replace('EndpointSlice', slices)
    return this
  }

  /** Asks `NAME TYPE`; a name without a final dot stands below cluster.local. */
  ask(question: string, { maxOctets = 65535, edns, from }: AskOptions = {}): Asked {
    const [text = '', type = 'A'] = question.split(' ')
    const name = text.endsWith('.') ? text : `${text}${text === '' ? '' : '.'}cluster.local.`
    const packet = encodeQuestion(edns ? { name, type, edns } : { name, type }, 4711)
    const verdict = this.#scan.read(packet, 0, packet.length)
    const answers = this.#answers.find(zone => zone.covers(this.#scan))
    if (verdict !== 'ok' || !answers) throw new Error(`${question} is ${verdict}, or in no zone`)
    const out = new Uint8Array(66_000).fill(0xee)
    this.reader.enter()
    if (from !== undefined) answers.asker?.comes(sockaddr(from, 40212)!, 0)
    const length = answers.answer(this.#scan, packet, out, 3, maxOctets)
    this.reader.leave()
    if (length === CHASE) return 'chase'
    if (length === PASS) return 'pass'
    if (length > maxOctets) throw new RangeError(`${length} octets for ${question}`)
    return decodeMessage(out.subarray(3, 3 + length))
  }

  /**
   * The answer in one line: `NXDOMAIN`, `NOERROR` with the answer's data sorted, ` + ` and the additional section's.
   * A negative answer must have the zone's SOA, a positive one none, else the line says so.
   */
  short(question: string, options: AskOptions = {}): string {
    const reply = this.ask(question, options)
    if (typeof reply === 'string') return reply
    const data = (section: 'answer' | 'additional'): string =>
      reply.records[section]
        .map(({ type, data }) => `${type} ${data.replaceAll('.cluster.local.', '')}`)
        .sort()
        .join(', ')
    const soas = reply.records.authority.filter(({ type }) => type === 'SOA').length
    const negative = reply.answer.length === 0 && reply.rcode !== 'REFUSED' && !reply.flags.tc
    return [
      reply.rcode,
      data('answer'),
      reply.additional.length > 0 ? `+ ${data('additional')}` : '',
      reply.flags.tc ? 'TC' : '',
      soas === (negative ? 1 : 0) ? '' : `with ${soas} SOA`,
    ]
      .filter(text => text !== '')
      .join(' ')
  }
}
