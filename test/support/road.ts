// One handler on a road of its own: a query goes to it as it is, what it hands on goes to the test, and what it says comes
// back as a reply.

import { PARKED } from '../../src/listen/responder.ts'
import { ReasonMeters } from '../../src/observe/reason-meters.ts'
import type { Handler } from '../../src/plugin/plugin.ts'
import { BACK, DONE, DROP, type Origin, Packet, type Step, WAIT } from '../../src/query/packet.ts'
import { settleQuestion } from '../../src/query/settle.ts'
import { Road } from '../../src/serving/road.ts'
import type { ServedZone } from '../../src/serving/served-zone.ts'
import type { Clock } from '../../src/shared/clock.ts'
import { MESSAGE_MAX } from '../../src/wire/header.ts'
import { ROOT } from '../../src/wire/name.ts'
import type { Query } from './query.ts'
import { failure, type MaybePromise, type Next, type Outcome } from './reply.ts'
import { adjust, decode, encode, endOf, fill } from './trees.ts'
import { lasting, testThread } from './words.ts'

/**
 * What the handler says to the query, as a reply; what it hands on goes to `next`, what it looks up to the query's. `bug` is told
 * of what fails for nobody.
 */
export const askHandler = (
  handler: Handler,
  query: Query,
  next: Next,
  bug: (error: unknown) => void = error => {
    throw error
  },
): MaybePromise<Outcome> => new HandlerRoad(handler, query, next, { bug }).ask(query)

/** A road of one handler, for queries at one listener; what is handed on goes to `next`. */
export class HandlerRoad {
  readonly #road: Road

  constructor(
    handler: Handler,
    query: Query,
    next: Next,
    { bug, clock }: { readonly bug: (error: unknown) => void; readonly clock?: Clock },
  ) {
    this.#road = roadOf([CATCHER, handler, endOf(next)], query, bug, clock)
  }

  ask(query: Query): MaybePromise<Outcome> {
    const packet = new Packet()
    const origin = new QueryOrigin(query)
    packet.origin = origin
    fill(packet, query)
    this.#road.enter()
    const octets = this.#road.answer(packet)
    this.#road.leave()
    return octets === PARKED ? origin.later() : origin.now(packet)
  }
}

/** Where the packet of a query comes from: its reply is a value again. */
class QueryOrigin implements Origin {
  readonly query: Query
  readonly transport
  #outcome: Outcome | undefined
  #resolve: ((outcome: Outcome) => void) | undefined

  constructor(query: Query) {
    this.query = query
    this.transport = query.transport
  }

  localOf(): Query['local'] {
    return this.query.local
  }

  parked(): void {}

  /** The reply, as it was before the road finished it. */
  caught(outcome: Outcome): void {
    this.#outcome = outcome
  }

  /** Where the road ended with a bug, nothing was caught. */
  now({ rcode, reasonCode: code, reason, reasonOctets }: Packet): Outcome {
    const text = Buffer.from(reason.subarray(0, reasonOctets)).toString('utf8')
    return this.#outcome ?? failure(rcode, code < 0 ? undefined : { code, text })
  }

  later(): Promise<Outcome> {
    return new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  reply(packet: Packet): void {
    this.#resolve?.(this.now(packet))
  }
}

/** In front of the handler: what of the query is not in its octets, and the reply before the road finishes it. */
const CATCHER: Handler = {
  seesDrops: true,
  handle(packet) {
    adjust(packet, (packet.origin as QueryOrigin).query)
    return BACK
  },
  back(packet) {
    const origin = packet.origin as QueryOrigin
    origin.query.budget.lookupsLeft = packet.lookupsLeft
    settleQuestion(packet)
    origin.caught(decode(packet))
    packet.transfer = undefined
    return packet.isDropped ? DROP : DONE
  },
}

/** What somebody sees who looks at the packet of a query, before or behind `next`. */
export async function onRoad<T>(
  query: Query,
  look: (packet: Packet) => T,
  next?: () => MaybePromise<Outcome>,
): Promise<T> {
  const seen: T[] = []
  const handler: Handler = {
    seesDrops: true,
    handle(packet) {
      if (next) return BACK
      seen.push(look(packet))
      return packet.fail(0)
    },
    back(packet) {
      seen.push(look(packet))
      return packet.isDropped ? DROP : DONE
    },
  }
  await askHandler(handler, query, next ?? (() => Promise.reject(new Error('nobody is asked'))))
  return seen[0]!
}

const thread = testThread()
const shared = lasting(thread)

function roadOf(
  handlers: readonly Handler[],
  query: Query,
  bug: (error: unknown) => void,
  clock: Clock = thread.context.clock,
): Road {
  const served: ServedZone = {
    server: query.server,
    zone: ROOT,
    zoneText: query.zone,
    view: query.view,
    annotate: () => undefined,
    handlers,
    words: handlers.map(() => ''),
    gates: [],
    lastWord: '',
    tables: [],
    fast: undefined,
    anyClass: true,
    nsid: undefined,
    reasons: true,
    udpMaxOctets: MESSAGE_MAX,
    meters: undefined,
  }
  return new TestRoad(query, {
    ...shared,
    server: query.server,
    zones: [served],
    idleTimeoutMs: 10_000,
    tables: [],
    clock,
    dropped: undefined,
    reasons: new ReasonMeters(thread.context.meters),
    bug,
  })
}

/** A road whose look-ups are the query's. */
class TestRoad extends Road {
  readonly #query: Query
  readonly #served: ServedZone

  constructor(query: Query, options: ConstructorParameters<typeof Road>[0]) {
    super(options)
    this.#query = query
    this.#served = options.zones[0]!
  }

  override route(asked: Packet): Step {
    const { qname, scan } = asked
    asked.served = this.#served
    const waiting = this.park(asked)!
    void this.#query.lookup(qname, scan.qtype).then(reply => {
      const woken = waiting.wake()
      if (!woken) return
      encode(woken, reply)
      woken.goOn(DONE)
    })
    return WAIT
  }
}
