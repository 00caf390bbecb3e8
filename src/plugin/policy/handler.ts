// `policy` at work. It stands in front of every word that answers, the fast path, `rewrite`, `autopath` and `cache` among them,
// and judges twice, over whatever transport: the question, before anything is done for it, and the reply, whatever made it. A
// reply whose answer holds a name, or an address of a Service, that is kept from the client becomes a denial; such
// records beside the answer, and such names of an address (PTR), are left out.
//
//   client ─ namespace of its Pod, @host, or nobody
//     (what is left of all of it by the DNSPolicies of its namespace: narrowing.ts)
//     question: namespace of the name ─ own, shared, the first line that fits, the default
//               name outside of the cluster ─ the longest suffix that fits
//     reply:    owners, targets, addresses by whose Services have them
//
// A denial has no SOA: no cache between clients may keep it for the others.

import type { Counter, Meters } from '../../observe/meters.ts'
import { pluginIndex } from '../../observe/query-meters.ts'
import { BACK, DONE, type Kept, type Packet, type Step } from '../../query/packet.ts'
import { EDE } from '../../wire/extended-error.ts'
import { readU16 } from '../../wire/header.ts'
import { measureName, nameEnd } from '../../wire/message-name.ts'
import { formatName } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { type RecordWalk, SECTION } from '../../wire/walk.ts'
import type { OpenUdp } from '../forward/udp.ts'
import { openUdp } from '../forward/udp-open.ts'
import { HOST, NOBODY } from '../kubernetes/client-namespace.ts'
import { KubernetesHandler } from '../kubernetes/handler.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { ClusterNames, OF_ALL } from './cluster.ts'
import type { PolicyConfig } from './config.ts'
import { NameView } from './name-view.ts'
import { Narrowing } from './narrowing.ts'
import { Rules } from './rules.ts'
import { type LabelsOf, NamespaceLabels } from './selectors.ts'
import { Upstreams } from './upstreams.ts'

const PLUGIN = pluginIndex('policy')

/** Keys of a service binding (RFC 9460 14.3.2). */
const IPV4_HINT = 4
const IPV6_HINT = 6

/** What is kept from a client. */
type What = 'namespace' | 'name' | 'address' | 'transfer'

const CODE: Readonly<Record<What, number>> = {
  namespace: EDE.PROHIBITED,
  name: EDE.BLOCKED,
  address: EDE.PROHIBITED,
  transfer: EDE.PROHIBITED,
}
const TOLD: Readonly<Record<What, string>> = {
  namespace: 'may not resolve this namespace',
  name: 'may not resolve this name',
  address: 'may not resolve what this leads to',
  transfer: 'may not have this zone whole',
}

/** One server block's policy on one serving thread. */
export class PolicyHandler implements Handler {
  readonly #config: PolicyConfig
  readonly #context: ServingContext
  readonly #meters: Meters
  readonly #rules: Rules
  readonly #view = new NameView()
  readonly #counters = new Map<string, Counter>()
  #found: ClusterNames | undefined
  /** The client of the reply at hand, and whether a namespace is its to resolve. */
  #client = NOBODY
  readonly #isAllowed = (namespace: string): boolean => {
    this.#by = ''
    this.#judged = namespace
    if (!this.#rules.allows(this.#client, namespace)) return false
    const by = this.#narrowing?.keepsNamespace(namespace)
    if (by === undefined) return true
    this.#by = by
    return false
  }
  readonly #upstreams: readonly Upstreams[]
  /** What is known of labels; absent where no selector asks for them. */
  #labels: NamespaceLabels | undefined
  readonly #labelsOf: LabelsOf = namespace => this.#labels?.of(namespace)
  /** What the client's own namespace takes away; absent without `objects`. */
  #narrowing: Narrowing | undefined
  /** The namespace that was judged last. */
  #judged = ''
  /** Which object keeps what was judged last from the client; '' where it is the Corefile. */
  #by = ''

  constructor(config: PolicyConfig, context: ServingContext, open: OpenUdp = openUdp) {
    this.#config = config
    this.#context = context
    this.#meters = context.meters
    this.#rules = new Rules(config, this.#labelsOf)
    this.#upstreams = config.upstreams.map(rule => new Upstreams(rule, context, open))
  }

  /** Out of the block's `kubernetes`, which is made behind this one. */
  get #cluster(): ClusterNames {
    if (this.#found === undefined) {
      const handler = this.#context.handlers.find(each => each instanceof KubernetesHandler)
      if (handler === undefined) throw new Error('policy has no kubernetes in its server block')
      const { table, config } = handler.cluster
      this.#labels = config.labelledNamespaces ? new NamespaceLabels(table) : undefined
      this.#narrowing = this.#config.objects
        ? new Narrowing(table, this.#labelsOf, this.#context.clock)
        : undefined
      this.#found = new ClusterNames(table, config.zones, this.#config.externalZones)
    }
    return this.#found
  }

  handle(packet: Packet): Step {
    // Of whatever class: `rewrite` may make another one of it.
    const { scan, question, qnameAt } = packet
    this.#comes(this.#cluster.clientAt(packet.from, packet.fromAt))
    this.#view.read(question, qnameAt, scan.start)
    const isTransfer = scan.qtype === TYPE.AXFR || scan.qtype === TYPE.IXFR
    const kept = isTransfer
      ? this.#keptZone()
      : (this.#keptName() ??
        (this.#cluster.isKeptReverse(this.#view, this.#isAllowed) ? 'address' : undefined))
    if (kept !== undefined) return this.#deny(packet, kept)
    packet.trace?.note('policy', `${clientText(this.#client)} may ask that`, { allowed: true })
    if (this.#upstreams.length > 0) this.#lead(packet)
    packet.keep(this.#client)
    return BACK
  }

  retire(): void {
    for (const upstreams of this.#upstreams) upstreams.rest()
  }

  stop(): void {
    for (const upstreams of this.#upstreams) upstreams.stop()
  }

  /** Says whom `forward` is to ask. */
  #lead(packet: Packet): void {
    packet.apart = this.#upstreams[this.#rules.upstreamsOf(this.#client)]
    if (packet.trace === undefined || this.#cluster.namespaceOf(this.#view) !== undefined) return
    const { apart } = packet
    const whom = apart instanceof Upstreams ? `asked of ${apart.text}` : 'forwarded as for everybody'
    packet.trace.note('policy', `what ${clientText(this.#client)} asks outside of the cluster is ${whom}`, {
      allowed: true,
      ...(apart instanceof Upstreams && { upstreams: apart.written }),
    })
  }

  back(packet: Packet, client: Kept): Step {
    if (packet.transfer !== undefined) return DONE
    // Who looked it up, from another block, may not keep it for other clients. This block's cache, further down, may.
    if (packet.isLookUp) packet.isForClient = true
    this.#comes(client as string)
    let leaves = false
    for (const walk = packet.records(); walk.next(); ) {
      const kept = this.#keptRecord(walk)
      if (kept === undefined) continue
      if (walk.section === SECTION.ANSWER && walk.type !== TYPE.PTR) return this.#deny(packet, kept)
      leaves = true
    }
    return leaves ? this.#leaveOut(packet) : DONE
  }

  /** Writes the reply anew without the records that are kept; no names of an address are no such address. */
  #leaveOut(packet: Packet): Step {
    const hadAnswers = packet.countOf(SECTION.ANSWER) > 0
    const composer = packet.composeAnew()
    for (const walk = packet.records(); walk.next(); )
      if (this.#keptRecord(walk) === undefined) composer.copy(walk)
    packet.endAnew()
    if (hadAnswers && packet.countOf(SECTION.ANSWER) === 0) return this.#deny(packet, 'address')
    packet.clearAuthentic()
    return DONE
  }

  #keptRecord(walk: RecordWalk): What | undefined {
    const { octets, start, type, rdataAt, rdataEnd } = walk
    this.#view.read(octets, walk.ownerAt, start)
    const kept = this.#keptName()
    if (kept !== undefined) return kept
    if ((type === TYPE.A && rdataEnd - rdataAt === 4) || (type === TYPE.AAAA && rdataEnd - rdataAt === 16)) {
      return this.#cluster.isKept(octets, rdataAt, rdataEnd - rdataAt, this.#isAllowed)
        ? 'address'
        : undefined
    }
    if (type === TYPE.HTTPS || type === TYPE.SVCB) return this.#keptBinding(walk)
    return this.#keptNameAt(octets, walk.nameAt, start)
  }

  /** Of a name in data; none (-1) and the root stand for nothing. */
  #keptNameAt(octets: Uint8Array, at: number, start: number): What | undefined {
    if (at < 0 || octets[at] === 0) return undefined
    this.#view.read(octets, at, start)
    return this.#keptName()
  }

  /** The target and the hints of a service binding (RFC 9460 2.2, 7.3). */
  #keptBinding({ octets, start, rdataAt, rdataEnd }: RecordWalk): What | undefined {
    const measured = measureName(octets, rdataAt + 2, start, rdataEnd)
    if (measured < 0) return undefined
    const kept = this.#keptNameAt(octets, rdataAt + 2, start)
    if (kept !== undefined) return kept
    for (let at = nameEnd(measured); at + 4 <= rdataEnd; ) {
      const key = readU16(octets, at)
      const end = Math.min(at + 4 + readU16(octets, at + 2), rdataEnd)
      const length = key === IPV4_HINT ? 4 : key === IPV6_HINT ? 16 : 0
      for (at += 4; length > 0 && at + length <= end; at += length)
        if (this.#cluster.isKept(octets, at, length, this.#isAllowed)) return 'address'
      at = end
    }
    return undefined
  }

  /** A zone goes whole only to whom nothing is kept from. */
  #keptZone(): 'transfer' | undefined {
    if (!this.#rules.allowsAll(this.#client)) return 'transfer'
    this.#by = this.#narrowing?.first ?? ''
    return this.#by === '' ? undefined : 'transfer'
  }

  /** What of the name in the view is kept from the client. */
  #keptName(): 'namespace' | 'name' | undefined {
    const namespace = this.#cluster.namespaceOf(this.#view)
    if (namespace === OF_ALL) return undefined
    if (namespace !== undefined) return this.#isAllowed(namespace) ? undefined : 'namespace'
    this.#by = ''
    if (!this.#rules.allowsName(this.#client, this.#view)) return 'name'
    const by = this.#narrowing?.keepsName(this.#view)
    if (by === undefined) return undefined
    this.#by = by
    return 'name'
  }

  /** The line of the Corefile that keeps what was judged last. */
  #keeper(what: What): string {
    if (what === 'name') return this.#rules.keeperOfName(this.#client, this.#view)
    if (what === 'transfer') return this.#rules.keeperOfAny(this.#client)
    return this.#rules.keeperOf(this.#client, this.#judged)
  }

  #comes(client: string): void {
    if (this.#labels?.hasChanged()) {
      this.#rules.forget()
      this.#narrowing?.forget()
    }
    this.#client = client
    this.#by = ''
    this.#narrowing?.comes(client)
  }

  #deny(packet: Packet, what: What): Step {
    const { server } = packet.served
    const rcode = this.#config.refuses || what === 'transfer' ? RCODE.REFUSED : RCODE.NXDOMAIN
    const by = this.#by === '' ? '' : ` (${this.#by})`
    const text = `${clientText(this.#client)} ${TOLD[what]}${by}`
    if (packet.trace !== undefined) {
      const line = by === '' ? ` (${this.#keeper(what)})` : ''
      packet.trace.note('policy', `${text}${line}: ${formatName(packet.qname)}`, {
        allowed: false,
        ...(by === '' ? {} : { namespace: this.#client, object: objectIn(this.#by) }),
      })
    }
    packet.fail(rcode, CODE[what], `policy: ${text}`)
    packet.plugin = PLUGIN
    if (packet.isLookUp) packet.isForClient = true
    const key = `${server} ${what}`
    let counter = this.#counters.get(key)
    if (counter === undefined) {
      counter = this.#meters.counter('seamark_policy_denied_total', { server, what })
      this.#counters.set(key, counter)
    }
    counter.add()
    return DONE
  }
}

function clientText(client: string): string {
  if (client === NOBODY) return 'a client that no Pod is known for'
  return client === HOST ? 'a node' : `a Pod of namespace ${client}`
}

/** The name of the object in what narrowing.ts says keeps something. */
const objectIn = (by: string): string => /\/([^,]+)/.exec(by)?.[1] ?? ''
