// `ratelimit` at work, at two places of the road. Every query of a client is judged before anything else is done for it, on
// the fast path, too (`admit`); what nobody in the block could answer, so that an upstream is to be asked, is judged once more
// where the handler stands in the chain, in front of `forward` (`handle`):
//
//   a token is left                                 goes on
//   none, over UDP, and one of the second bucket    an empty reply with TC: a real client comes over TCP
//   none, over a connection, and one of the second  goes on
//   none of either                                  silence over UDP, REFUSED over a connection
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
import type { Handler, ServingContext } from '../plugin.ts'
import { BUCKET, type Bucket, Buckets } from './buckets.ts'
import type { Allowance, RatelimitConfig } from './config.ts'

const KINDS = ['queries', 'misses'] as const
type Kind = (typeof KINDS)[number]
type Result = 'truncated' | 'refused' | 'dropped'

const REASON: Readonly<Record<Kind, string>> = {
  queries: 'this client asks more than ratelimit lets it',
  misses: 'this client asks upstreams more than ratelimit lets it',
}
const FIRST: Readonly<Record<Kind, Bucket>> = { queries: BUCKET.QUERIES, misses: BUCKET.MISSES }
const SECOND: Readonly<Record<Kind, Bucket>> = { queries: BUCKET.QUERIES_CUT, misses: BUCKET.MISSES_CUT }

/** One server block's ratelimit on one serving thread. */
export class RatelimitHandler implements Handler {
  readonly #config: RatelimitConfig
  readonly #clock: Clock
  readonly #meters: Meters
  readonly #buckets: Buckets
  readonly #exempt: Networks | undefined
  readonly #counters = new Map<string, Counter>()

  constructor(config: RatelimitConfig, { clock, meters }: ServingContext) {
    this.#config = config
    this.#clock = clock
    this.#meters = meters
    this.#buckets = new Buckets(config.table, meters.counter('seamark_ratelimit_forgotten_total'))
    const exempt = config.exempt.flatMap(text => parseCidr(text) ?? [])
    this.#exempt = exempt.length > 0 ? new Networks(exempt) : undefined
  }

  admit(packet: Packet): Step {
    const { queries } = this.#config.client
    return queries === undefined ? NEXT : this.#judge(packet, 'queries', queries)
  }

  handle(packet: Packet): Step {
    const { misses } = this.#config.client
    return misses === undefined ? NEXT : this.#judge(packet, 'misses', misses)
  }

  #judge(packet: Packet, kind: Kind, allowance: Allowance): Step {
    if (packet.isLookUp || packet.isForNobody) return NEXT
    const { from, fromAt } = packet
    if (this.#exempt !== undefined && isIn(this.#exempt, from, fromAt)) return NEXT
    const nowMs = this.#clock.wallMs()
    const buckets = this.#buckets
    const place = buckets.placeOf(from, fromAt, nowMs)
    if (buckets.take(place, FIRST[kind], allowance, nowMs)) return NEXT
    const isUdp = packet.transport === 'udp'
    if (buckets.take(place, SECOND[kind], allowance, nowMs)) {
      if (!isUdp) return NEXT
      this.#count(packet, kind, 'truncated')
      packet.fail(RCODE.NOERROR, EDE.OTHER, REASON[kind])
      packet.truncated = true
      return DONE
    }
    this.#count(packet, kind, isUdp ? 'dropped' : 'refused')
    return isUdp ? DROP : packet.fail(RCODE.REFUSED, EDE.OTHER, REASON[kind])
  }

  #count({ served: { server } }: Packet, kind: Kind, result: Result): void {
    const key = `${server} ${kind} ${result}`
    let counter = this.#counters.get(key)
    if (counter === undefined) {
      counter = this.#meters.counter('seamark_ratelimit_limited_total', { server, kind, result })
      this.#counters.set(key, counter)
    }
    counter.add()
  }
}
