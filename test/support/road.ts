// One handler on a road of its own: a query goes to it as it is, what it hands on goes to the test, and what it says comes
// back as a reply. For handlers of packets and for those of trees alike.

import { ReasonMeters } from '../../src/observe/reason-meters.ts'
import type { Handler, Next, TreeHandler } from '../../src/plugin/plugin.ts'
import { BACK, DONE, DROP, type Packet, type Step, WAIT } from '../../src/query/packet.ts'
import type { Query } from '../../src/query/query.ts'
import type { MaybePromise, Outcome } from '../../src/query/reply.ts'
import { sockaddr } from '../../src/query/sockaddr.ts'
import { Road } from '../../src/serving/road.ts'
import type { ServedZone } from '../../src/serving/served-zone.ts'
import { encode, handOn, TreeRun } from '../../src/serving/trees.ts'
import type { Clock } from '../../src/shared/clock.ts'
import { ROOT } from '../../src/wire/name.ts'
import { lasting, testThread } from './words.ts'

/**
 * What the handler says to the query, as a reply; what it hands on goes to `next`, what it looks up to the query's. `bug` is told
 * of what fails for nobody.
 */
export function askHandler(
  handler: Handler | TreeHandler,
  query: Query,
  next: Next,
  bug: (error: unknown) => void = error => {
    throw error
  },
): MaybePromise<Outcome> {
  return new HandlerRoad(handler, query, next, { bug }).ask(query)
}

/** A road of one handler, for queries at one listener; what is handed on goes to `next`. */
export class HandlerRoad {
  readonly #handler: Handler | TreeHandler
  readonly #next: Next
  readonly #road: Road | undefined
  readonly #served: ServedZone | undefined

  constructor(
    handler: Handler | TreeHandler,
    query: Query,
    next: Next,
    { bug, clock }: { readonly bug: (error: unknown) => void; readonly clock?: Clock },
  ) {
    this.#handler = handler
    this.#next = next
    if (handler.trees) return
    const { road, served } = roadOf(handler, query, next, bug, clock)
    this.#road = road
    this.#served = served
  }

  ask(query: Query): MaybePromise<Outcome> {
    const handler = this.#handler
    if (handler.trees) return handler.handle(query, this.#next)
    return handOn({
      ...query,
      way: {
        road: this.#road!,
        served: this.#served!,
        at: -1,
        from: sockaddr(query.client.address, query.client.port)!,
        recursionDesired: query.recursionDesired,
        asksRecursion: true,
      },
    })
  }
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
  handler: Handler,
  query: Query,
  next: Next,
  bug: (error: unknown) => void,
  clock: Clock = thread.context.clock,
): { road: Road; served: ServedZone } {
  const behind = new TreeRun([{ trees: true, handle: handed => next(handed) }])
  const served: ServedZone = {
    server: query.server,
    zone: ROOT,
    zoneText: query.zone,
    view: query.view,
    annotate: () => undefined,
    handlers: [handler, behind],
    gates: handler.admit ? [0] : [],
    lastWord: '',
    tables: [],
    fast: undefined,
    anyClass: true,
    nsid: undefined,
    reasons: true,
    udpMaxOctets: 1232,
    meters: undefined,
  }
  const { meters } = thread.context
  const road = new TestRoad(query, {
    ...shared,
    server: query.server,
    zones: [served],
    idleTimeoutMs: 10_000,
    tables: [],
    clock,
    dropped: undefined,
    reasons: new ReasonMeters(meters),
    bug,
  })
  return { road, served }
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
