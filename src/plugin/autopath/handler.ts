// `autopath` at work: the search path of a client is walked here and not by the client (CoreDNS plugin/autopath). A name below the first domain of the path is one that the client's resolver made; where it does not
// exist, the others are tried, and the first that does answers it, behind a CNAME from the name that was asked:
//
//   www.example.org.demo.svc.cluster.local ─▶ NXDOMAIN
//   www.example.org.svc.cluster.local      ─▶ NXDOMAIN
//   www.example.org.cluster.local          ─▶ NXDOMAIN
//   www.example.org                        ─▶ A 192.0.2.1
//
// With @query the namespace of the path is the one in the name, where nobody would have typed it in full
// (../kubernetes/first-of-path.ts), and addresses are asked for. The first name that exists ends the walk whatever its
// records are, so that A and AAAA say the same, as they do in the client's own walk.
//
// Each candidate goes down the rest of the chain like a query of its own: acl, which stands behind, judges every one. With
// @kubernetes the path is that of the Pod which has the source address, known for certain or not at all
// (../kubernetes/clients.ts).

import type { Counter, Meters } from '../../observe/meters.ts'
import { AGAIN, BACK, DONE, type Kept, NEXT, type Packet, type Step } from '../../query/packet.ts'
import type { KeptReply } from '../../query/reply.ts'
import { type Zoned, ZoneTable } from '../../query/zone-table.ts'
import { countLabels, formatName, joinNames, type Name, name, ROOT } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import { type Scan, zoneInScan } from '../../wire/scan.ts'
import { SECTION } from '../../wire/walk.ts'
import { KubernetesHandler } from '../kubernetes/handler.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import type { AutopathConfig } from './config.ts'

/** A query on its way along the path. */
interface Walk {
  /** The labels that were put before the first domain. */
  readonly base: Uint8Array
  /** The domains that are left. */
  readonly domains: readonly Name[]
  next: number
  /** What is asked now; undefined: the client's own name. */
  candidate: Name | undefined
  /** The reply to the client's own name. */
  first: KeptReply | undefined
}

/** One server block's autopath on one serving thread. */
export class AutopathHandler implements Handler {
  readonly #context: ServingContext
  readonly #meters: Meters
  readonly #zones: ZoneTable<Zoned>
  readonly #of: AutopathConfig['of']
  readonly #search: readonly Name[]
  /** The first domain where it is always the same. */
  readonly #first: ZoneTable<Zoned>
  readonly #counters = new Map<string, Counter>()
  #found: KubernetesHandler | undefined

  constructor({ zones, of, search }: AutopathConfig, context: ServingContext) {
    this.#context = context
    this.#meters = context.meters
    this.#zones = new ZoneTable(zones.map(zone => ({ zone: name(zone) })))
    this.#of = of
    this.#search = search.map(domain => name(domain))
    this.#first = new ZoneTable(this.#search.slice(0, 1).map(zone => ({ zone })))
  }

  /** The block's `kubernetes`, which is made behind this one. */
  get #kubernetes(): KubernetesHandler | undefined {
    this.#found ??= this.#context.handlers.find(handler => handler instanceof KubernetesHandler)
    return this.#found
  }

  /** HOT. */
  concerns(scan: Scan): boolean {
    if (this.#of === 'file') return this.#first.indexOf(scan) >= 0
    if (this.#of === 'pod') return this.#kubernetes?.maySearch(scan) ?? false
    return asksForAddresses(scan) && (this.#kubernetes?.tellsPath(scan) ?? false)
  }

  handle(packet: Packet): Step {
    const { scan } = packet
    if (this.#zones.indexOf(scan) < 0) return NEXT
    const [first, ...others] = this.#pathOf(packet)
    const baseOctets = first === undefined ? -1 : zoneInScan(scan, first, countLabels(first))
    if (baseOctets <= 0) return NEXT
    const base = Uint8Array.of(...packet.qname.subarray(0, baseOctets), 0)
    noteTry(packet, packet.qname)
    packet.keep({
      base,
      domains: [...others, ROOT],
      next: 0,
      candidate: undefined,
      first: undefined,
    } satisfies Walk)
    return BACK
  }

  /** The name itself was asked, or its base below one of the others, and alone in the end. */
  back(packet: Packet, kept: Kept): Step {
    const walk = kept as Walk
    if (walk.candidate !== undefined) packet.unask()
    if (packet.error !== undefined) return DONE
    if (packet.rcode !== RCODE.NXDOMAIN && !isUnwritten(packet)) {
      this.#count(packet.served.server)
      if (walk.candidate !== undefined) alias(packet, walk.candidate)
      return DONE
    }
    walk.first ??= packet.keepReply()
    const candidate = nextCandidate(walk)
    if (candidate === undefined) {
      packet.restore(walk.first)
      return DONE
    }
    walk.candidate = candidate
    noteTry(packet, candidate)
    packet.ask(candidate, 0, candidate.length, packet.scan.qtype, packet.scan.qclass)
    packet.keep(walk)
    return AGAIN
  }

  #pathOf({ qname, scan, client }: Packet): readonly Name[] {
    if (this.#of === 'file') return this.#search
    const path =
      (this.#of === 'pod'
        ? this.#kubernetes?.searchPath(qname, client.address)
        : asksForAddresses(scan) && this.#kubernetes?.pathOfName(scan)) || []
    return path.length === 0 ? [] : [...path, ...this.#search]
  }

  #count(server: string): void {
    let counter = this.#counters.get(server)
    if (counter === undefined) {
      counter = this.#meters.counter('coredns_autopath_success_total', { server })
      this.#counters.set(server, counter)
    }
    counter.add()
  }
}

function noteTry({ trace }: Packet, candidate: Name): void {
  if (trace === undefined) return
  const text = formatName(candidate)
  trace.note('autopath', `tries ${text}`, { name: text })
}

const asksForAddresses = ({ qtype }: Scan): boolean => qtype === TYPE.A || qtype === TYPE.AAAA

/** A failure that no plugin wrote an answer for: the next name may fare better. */
const isUnwritten = ({ plugin, rcode }: Packet): boolean => plugin === 0 && rcode !== RCODE.NOERROR

/** The next name to ask for; one that would be too long is left out. */
function nextCandidate(walk: Walk): Name | undefined {
  while (walk.next < walk.domains.length) {
    const candidate = joinNames(walk.base, walk.domains[walk.next++]!)
    if (candidate !== undefined) return candidate
  }
  return undefined
}

/** The reply to the name that was found becomes one to the name that was asked, which nobody signed (RFC 4035 3.2.3). */
function alias(packet: Packet, found: Name): void {
  if (packet.countOf(SECTION.ANSWER) > 0) {
    const { question, qnameAt } = packet
    const composer = packet.composeAnew()
    const walk = packet.records()
    walk.next()
    composer.record(SECTION.ANSWER, question, qnameAt, TYPE.CNAME, CLASS.IN, walk.ttl, found, 0, found.length)
    do composer.copy(walk)
    while (walk.next())
    packet.endAnew()
  }
  packet.clearAuthentic()
}
