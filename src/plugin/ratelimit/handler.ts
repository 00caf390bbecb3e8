// `ratelimit` at work, at two places of the road. Every query of a client is judged before anything else is done for it, on
// the fast path, too (`admit`); what nobody in the block could answer, so that an upstream is to be asked, is judged once more
// where the handler stands in the chain, in front of `forward` (`handle`):
//
//   a token is left                                      goes on
//   none, over UDP, and one of the second bucket         an empty reply with TC: a real client comes over TCP
//   none, over a connection, and one of the third        goes on; so does a query over UDP with a cookie of ours (RFC 7873),
//                                                        whose address nobody has made up, either
//   none of these                                        silence over UDP, REFUSED over a connection
//
// What is asked on the way of another query, to refresh what is cached, or by exempt networks costs nobody anything.

import type { Counter, Meters } from '../../observe/meters.ts'
import { DONE, DROP, NEXT, type Packet, type Step } from '../../query/packet.ts'
import { isIn } from '../../query/sockaddr.ts'
import type { Clock } from '../../shared/clock.ts'
import { parseCidr } from '../../shared/ip.ts'
import { Networks } from '../../shared/networks.ts'
import { EDE } from '../../wire/extended-error.ts'
import { RCODE } from '../../wire/rcode.ts'
import { ClientNamespaces, HOST, NOBODY } from '../kubernetes/client-namespace.ts'
import { KubernetesHandler } from '../kubernetes/handler.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { BUCKET, type Bucket, Buckets } from './buckets.ts'
import type { Allowance, RatelimitConfig } from './config.ts'

const KINDS = ['queries', 'misses'] as const
type Kind = (typeof KINDS)[number]
type Result = 'truncated' | 'refused' | 'dropped'

/** Whose share it is. */
type By = 'client' | 'namespace'

const reasonOf = (by: By, kind: Kind): string =>
  `this ${by} asks ${kind === 'misses' ? 'upstreams ' : ''}more than ratelimit lets it`

const FIRST: Readonly<Record<Kind, Bucket>> = { queries: BUCKET.QUERIES, misses: BUCKET.MISSES }
const SECOND: Readonly<Record<Kind, Bucket>> = { queries: BUCKET.QUERIES_CUT, misses: BUCKET.MISSES_CUT }
const THIRD: Readonly<Record<Kind, Bucket>> = { queries: BUCKET.QUERIES_PROVEN, misses: BUCKET.MISSES_PROVEN }

/** One server block's ratelimit on one serving thread. */
export class RatelimitHandler implements Handler {
  readonly #config: RatelimitConfig
  readonly #context: ServingContext
  readonly #clock: Clock
  #clients: ClientNamespaces | undefined
  readonly #meters: Meters
  readonly #buckets: Buckets
  readonly #exempt: Networks | undefined
  readonly #counters = new Map<string, Counter>()

  constructor(config: RatelimitConfig, context: ServingContext) {
    const { clock, meters } = context
    this.#config = config
    this.#context = context
    this.#clock = clock
    this.#meters = meters
    const forgotten = meters.counter('seamark_ratelimit_forgotten_total')
    this.#buckets = new Buckets(config.table, forgotten, config.ipv6Bits)
    const exempt = config.exempt.flatMap(text => parseCidr(text) ?? [])
    this.#exempt = exempt.length > 0 ? new Networks(exempt) : undefined
  }

  admit(packet: Packet): Step {
    return this.#judge(packet, 'queries')
  }

  handle(packet: Packet): Step {
    return this.#judge(packet, 'misses')
  }

  #judge(packet: Packet, kind: Kind): Step {
    const client = this.#config.client[kind]
    const namespace = this.#config.namespace[kind]
    if (client === undefined && namespace === undefined) return NEXT
    if (packet.isLookUp || packet.isForNobody) return NEXT
    const { from, fromAt } = packet
    if (this.#exempt !== undefined && isIn(this.#exempt, from, fromAt)) return NEXT
    const nowMs = this.#clock.nowMs() + (this.#clock.originMs ?? 0)
    const buckets = this.#buckets
    if (client !== undefined) {
      const step = this.#take(packet, 'client', kind, client, buckets.placeOf(from, fromAt, nowMs), nowMs)
      if (step !== NEXT) return step
    }
    const whose = namespace === undefined ? NOBODY : this.#namespaceOf(packet)
    if (namespace === undefined || whose === NOBODY || whose === HOST) return NEXT
    return this.#take(packet, 'namespace', kind, namespace, buckets.placeOfNamespace(whose, nowMs), nowMs)
  }

  #namespaceOf({ from, fromAt }: Packet): string {
    if (this.#clients === undefined) {
      const handler = this.#context.handlers.find(each => each instanceof KubernetesHandler)
      if (handler === undefined) throw new Error('ratelimit has no kubernetes in its server block')
      this.#clients = new ClientNamespaces(handler.cluster.table)
    }
    return this.#clients.at(from, fromAt)
  }

  #take(packet: Packet, by: By, kind: Kind, allowance: Allowance, place: number, nowMs: number): Step {
    const buckets = this.#buckets
    if (buckets.take(place, FIRST[kind], allowance, nowMs)) return NEXT
    const isUdp = packet.transport === 'udp'
    const isProven = !isUdp || packet.hasOurCookie
    if (isProven && buckets.take(place, THIRD[kind], allowance, nowMs)) return NEXT
    if (!isProven && buckets.take(place, SECOND[kind], allowance, nowMs)) {
      this.#count(packet, by, kind, 'truncated')
      packet.trace?.note('ratelimit', `${reasonOf(by, kind)}; over TCP there is an answer`)
      packet.fail(RCODE.NOERROR, EDE.OTHER, reasonOf(by, kind))
      packet.truncated = true
      return DONE
    }
    this.#count(packet, by, kind, isUdp ? 'dropped' : 'refused')
    packet.trace?.note('ratelimit', reasonOf(by, kind))
    return isUdp ? DROP : packet.fail(RCODE.REFUSED, EDE.OTHER, reasonOf(by, kind))
  }

  #count({ served: { server } }: Packet, by: By, kind: Kind, result: Result): void {
    const key = `${server} ${by} ${kind} ${result}`
    let counter = this.#counters.get(key)
    if (counter === undefined) {
      counter = this.#meters.counter('seamark_ratelimit_limited_total', { server, by, kind, result })
      this.#counters.set(key, counter)
    }
    counter.add()
  }
}
