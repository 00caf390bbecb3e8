// HOT: the fast path as a handler of the chain: it stands where no handler between it and `kubernetes`, or `cache`, has
// anything to do with a query but what is known beforehand (Word.effect) or can be told of each query (Handler.concerns), and
// answers from the table's or the cache's octets. What it leaves goes on down the chain.

import { pluginIndex } from '../observe/query-meters.ts'
import { type FastCache, MISS } from '../plugin/cache/fast.ts'
import { CHASE, type ClusterAnswers, PASS } from '../plugin/kubernetes/answers.ts'
import type { Guard, Handler } from '../plugin/plugin.ts'
import { DONE, NEXT, type Packet, type Step, type Trace } from '../query/packet.ts'
import { takeWhole } from '../query/settle.ts'
import type { Clock } from '../shared/clock.ts'
import { MESSAGE_MAX } from '../wire/header.ts'
import { OPT_OCTETS } from '../wire/opt.ts'
import { CLASS } from '../wire/rrtype.ts'
import type { Scan } from '../wire/scan.ts'

const KUBERNETES = pluginIndex('kubernetes')
const CACHE = pluginIndex('cache')

export interface FastSources {
  /** Zones of the cluster, longest first. */
  readonly clusters: readonly ClusterAnswers[]
  /** Handlers in front of `kubernetes` that take some queries. */
  readonly clusterGuards: readonly Guard[]
  /** Whether a handler in front chooses among all addresses, however many fit. */
  readonly needsAll: boolean
  /** The cache that stands between here and the cluster, for all its names: they count as having passed it. */
  readonly passed: FastCache | undefined
  readonly cache: FastCache | undefined
  /** Handlers in front of `cache` that take some queries. */
  readonly cacheGuards: readonly Guard[]
  readonly clock: Clock
}

export class FastAnswers implements Handler {
  readonly #sources: FastSources

  constructor(sources: FastSources) {
    this.#sources = sources
  }

  handle(packet: Packet): Step {
    if (packet.scan.qclass !== CLASS.IN) return NEXT
    const isWhole = packet.goesOutAsItIs && !this.#sources.needsAll && !packet.becomesSmaller
    if (!isWhole) return this.#answer(packet, packet.becomesSmaller ? MESSAGE_MAX : packet.limit, false)
    const limit = packet.limit - packet.optionsOctets
    // The question alone hardly leaves room for the options of the reply.
    const { questionEnd, start } = packet.scan
    if (packet.optionsOctets > 0 && questionEnd - start + OPT_OCTETS > limit) return NEXT
    return this.#answer(packet, limit, true)
  }

  #answer(packet: Packet, limit: number, isWhole: boolean): Step {
    const { scan, question } = packet
    const { trace } = packet
    const { clusters, clusterGuards, needsAll, passed, cache, cacheGuards, clock } = this.#sources
    if (needsAll || packet.becomesSmaller) packet.enlarge()
    for (let i = 0; i < clusters.length; i++) {
      const cluster = clusters[i]!
      if (!cluster.covers(scan)) continue
      if (concernsOne(clusterGuards, scan)) break
      const { out, outAt } = packet
      cluster.asker?.comes(packet.from, packet.fromAt)
      const written = cluster.answer(scan, question, out, outAt, needsAll ? MESSAGE_MAX : limit)
      if (written === CHASE) return NEXT
      if (written === PASS) break
      passed?.countPassed()
      if (cluster.isForPlace) packet.isForClient = true
      if (trace !== undefined) noteAnswer(trace, cluster)
      return answered(packet, written, KUBERNETES, isWhole)
    }
    // With options of the client's, or upstreams, the handler of `cache` knows which entry is for it.
    if (cache === undefined || packet.apart !== undefined || packet.addedOptions !== undefined) return NEXT
    if (concernsOne(cacheGuards, scan)) return NEXT
    const { out, outAt } = packet
    const nowMs = packet.late ? clock.nowMs() : packet.receivedAtMs
    const written = cache.answer(scan, question, out, outAt, limit, nowMs)
    if (written === MISS) return NEXT
    if (trace !== undefined) cache.note(trace, scan, nowMs)
    packet.reasonCode = cache.reasonCode
    return answered(packet, written, CACHE, isWhole)
  }
}

function noteAnswer(trace: Trace, { nearnessText }: ClusterAnswers): void {
  trace.note('kubernetes', 'answers out of the table')
  if (nearnessText !== undefined) trace.note('kubernetes', nearnessText)
}

function concernsOne(guards: readonly Guard[], scan: Scan): boolean {
  for (let i = 0; i < guards.length; i++) if (guards[i]!.concerns(scan)) return true
  return false
}

function answered(packet: Packet, octets: number, plugin: number, isWhole: boolean): Step {
  if (!isWhole) return takeWhole(packet, octets, plugin)
  const { out, outAt } = packet
  packet.length = octets
  packet.rcode = out[outAt + 3]! & 15
  packet.plugin = plugin
  packet.isWhole = true
  return DONE
}
