// `autopath` at work: the search path of a client is walked here and not by the client (CoreDNS plugin/autopath). A name below the first domain of the path is one that the client's resolver made; where it does not
// exist, the others are tried, and the first that does answers it, behind a CNAME from the name that was asked:
//
//   www.example.org.demo.svc.cluster.local ─▶ NXDOMAIN
//   www.example.org.svc.cluster.local      ─▶ NXDOMAIN
//   www.example.org.cluster.local          ─▶ NXDOMAIN
//   www.example.org                        ─▶ A 192.0.2.1
//
// Each candidate goes down the rest of the chain like a query of its own: acl, which stands behind, judges every one. With
// @kubernetes the path is that of the Pod which has the source address, known for certain or not at all
// (../kubernetes/clients.ts).

import type { Counter, Meters } from '../../observe/meters.ts'
import { type Query, withQuestion } from '../../query/query.ts'
import { DROP, type MaybePromise, type Outcome, type Reply } from '../../query/reply.ts'
import { ZoneTable } from '../../query/zone-table.ts'
import { formatName, isWithinAny, joinNames, type Name, name, ROOT, zoneOffset } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { cname } from '../../wire/record.ts'
import type { Scan } from '../../wire/scan.ts'
import { KubernetesHandler } from '../kubernetes/handler.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import type { AutopathConfig } from './config.ts'

/** One server block's autopath on one serving thread. */
export class AutopathHandler implements TreeHandler {
  readonly trees = true
  readonly #context: ServingContext
  readonly #meters: Meters
  readonly #zones: readonly Name[]
  readonly #ofPod: boolean
  readonly #search: readonly Name[]
  /** The first domain where it is always the same. */
  readonly #first: ZoneTable<{ readonly zone: Name }>
  readonly #counters = new Map<string, Counter>()
  #found: KubernetesHandler | undefined

  constructor({ zones, ofPod, search }: AutopathConfig, context: ServingContext) {
    this.#context = context
    this.#meters = context.meters
    this.#zones = zones.map(zone => name(zone))
    this.#ofPod = ofPod
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
    return this.#ofPod ? (this.#kubernetes?.maySearch(scan) ?? false) : this.#first.indexOf(scan) >= 0
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { qname } = query.question
    const path = isWithinAny(qname, this.#zones) ? this.#pathOf(query) : []
    const [first, ...others] = path
    const baseOctets = first ? zoneOffset(qname, first) : -1
    return baseOctets > 0 ? this.#walk(query, next, qname.subarray(0, baseOctets), others) : next(query)
  }

  #pathOf({ question, client }: Query): readonly Name[] {
    if (!this.#ofPod) return this.#search
    const path = this.#kubernetes?.searchPath(question.qname, client.address) ?? []
    return path.length === 0 ? [] : [...path, ...this.#search]
  }

  /** Asks the name itself, then its `base` (labels without the root) below each of the others, and at last alone. */
  async #walk(query: Query, next: Next, base: Uint8Array, others: readonly Name[]): Promise<Outcome> {
    const { qname } = query.question
    const candidates = [...others, ROOT].flatMap(domain => joinNames(Uint8Array.of(...base, 0), domain) ?? [])
    let first: Outcome | undefined
    for (const candidate of [qname, ...candidates]) {
      query.trace?.note('autopath', `tries ${formatName(candidate)}`)
      const outcome = await next(withQuestion(query, { ...query.question, qname: candidate }))
      if (outcome === DROP || outcome.error !== undefined) return outcome
      first ??= outcome
      if (outcome.rcode === RCODE.NXDOMAIN || isUnwritten(outcome)) continue
      this.#count(query.server)
      return candidate === qname ? outcome : aliased(outcome, qname, candidate)
    }
    return first!
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

/** A failure that no plugin wrote an answer for: the next name may fare better. */
const isUnwritten = ({ plugin, rcode }: Reply): boolean => plugin === '' && rcode !== RCODE.NOERROR

/** The reply to the name that was found as one to the name that was asked, which nobody signed (RFC 4035 3.2.3). */
function aliased(reply: Reply, qname: Name, found: Name): Reply {
  const [first] = reply.answer
  const link = first ? [cname(qname, first.ttlSeconds, found)] : []
  return { ...reply, authenticData: false, answer: [...link, ...reply.answer] }
}
