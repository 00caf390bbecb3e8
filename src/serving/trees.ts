// Handlers that still answer with trees (plugin/plugin.ts TreeHandler) on the road of packets: a run of them that stand one
// behind another in a chain is one handler of the road. A packet becomes a query for it, its reply becomes octets; what it
// hands on goes down the road behind it as a packet of its own, whose reply becomes a tree.

import { pluginIndex, pluginName } from '../observe/query-meters.ts'
import type { Handler, Next, TreeHandler } from '../plugin/plugin.ts'
import {
  DONE,
  DROP as DROPPED,
  type Origin,
  type Packet,
  type Served,
  type Step,
  WAIT,
} from '../query/packet.ts'
import type { Budget, Query } from '../query/query.ts'
import { readIxfrSerial, readOptions } from '../query/read.ts'
import { DROP, type MaybePromise, type Outcome, type Reply } from '../query/reply.ts'
import { MESSAGE_MAX, PAYLOAD_DEFAULT } from '../wire/header.ts'
import { decodeMessage, decodeOptions, encodeOptions, MessageWriter } from '../wire/message.ts'
import { formatName, type Name, ROOT } from '../wire/name.ts'
import { OPCODE } from '../wire/rcode.ts'
import { type Rr, rr, soaRdata } from '../wire/record.ts'
import { TYPE } from '../wire/rrtype.ts'
import { composeChain } from './chain.ts'
import type { Road } from './road.ts'

const writer = new MessageWriter()

/** Where a query was made of a packet: what its own packets go on from. */
export interface Way {
  readonly road: Road
  readonly served: Served
  /** The handler that made the query, by its number. */
  readonly at: number
  readonly from: Uint8Array
  /** RD of the query as it was made, and whether upstreams are asked with it. */
  readonly recursionDesired: boolean
  readonly asksRecursion: boolean
}

/** A query that knows its way. */
export interface WayQuery extends Query {
  readonly way: Way
}

/** The question of a packet as it is now, as trees have it. */
export function queryOf(packet: Packet): Query {
  const { scan, asked, served, labels = new Map(), addedOptions, fromAt, fromOctets } = packet
  const way: Way = {
    road: packet.road as Road,
    served,
    at: packet.at,
    from: packet.from.slice(fromAt, fromAt + fromOctets),
    recursionDesired: asked.recursionDesired,
    asksRecursion: packet.recursionDesired,
  }
  const budget: Budget = { lookupsLeft: packet.lookupsLeft }
  const query: WayQuery = {
    way,
    id: asked.id,
    question: { qname: packet.qname, qtype: scan.qtype, qclass: scan.qclass },
    recursionDesired: asked.recursionDesired,
    authenticData: packet.authenticData,
    checkingDisabled: asked.checkingDisabled,
    edns: asked.edns
      ? {
          payloadSize: packet.payloadSize,
          dnssecOk: asked.dnssecOk,
          options: readOptions(asked, packet.octets),
        }
      : undefined,
    ixfrSerial:
      scan.qtype === TYPE.IXFR ? readIxfrSerial(packet.octets.subarray(packet.start, packet.end)) : undefined,
    addedOptions: addedOptions && decodeOptions(addedOptions, 0, addedOptions.length),
    transport: packet.transport,
    client: packet.client,
    local: packet.local,
    server: served.server,
    zone: served.zoneText,
    view: served.view,
    requestOctets: packet.requestOctets,
    replyMaxOctets: packet.becomesSmaller ? MESSAGE_MAX : packet.limit,
    receivedAtMs: packet.receivedAtMs,
    deadlineMs: packet.deadlineMs,
    budget,
    metadata: labels,
    trace: packet.trace,
    lookup: (qname, qtype) => lookUp(query, qname, qtype),
  }
  return query
}

/** A run of handlers as one. */
export class TreeRun implements Handler {
  readonly #chain: Next
  readonly seesDrops = false

  constructor(handlers: readonly TreeHandler[]) {
    this.#chain = composeChain(handlers, query => handOn(query as WayQuery))
  }

  handle(packet: Packet): Step {
    const query = queryOf(packet)
    const outcome = this.#chain(query)
    packet.lookupsLeft = query.budget.lookupsLeft
    if (!(outcome instanceof Promise)) return encode(packet, outcome)
    const waiting = packet.park()
    // The reply says that there is no place; what comes of the run is for nobody.
    if (waiting === undefined) {
      outcome.catch((error: unknown) => (packet.road as Road).tell(error, formatName(query.question.qname)))
      return DONE
    }
    const settle = (late: Outcome): void => {
      const woken = waiting.wake()
      if (!woken) return
      woken.lookupsLeft = query.budget.lookupsLeft
      woken.goOn(encode(woken, late))
    }
    const { road } = packet
    outcome.then(settle, (error: unknown) => {
      const woken = waiting.wake()
      if (woken) road.broken(woken, error)
    })
    return WAIT
  }
}

/** The reply of a tree handler becomes that of the packet. */
export function encode(packet: Packet, outcome: Outcome): Step {
  if (outcome === DROP) return DROPPED
  const { qtype, qclass } = packet.scan
  const question = { qname: packet.qname, qtype, qclass }
  const head = { ...outcome, id: 0, response: true, opcode: OPCODE.QUERY, question }
  const flags = { recursionDesired: false, checkingDisabled: false }
  const octets = writer.write({ ...head, ...flags }, outcome, undefined, MESSAGE_MAX)
  packet.clear()
  packet.enlarge()
  packet.out.set(octets, packet.outAt)
  packet.length = octets.length
  packet.rcode = outcome.rcode
  packet.plugin = pluginIndex(outcome.plugin)
  packet.error = outcome.error
  packet.setReason(outcome.extendedError?.code ?? -1, outcome.extendedError?.text)
  packet.replyRecursionDesired = outcome.recursionDesired
  packet.transfer = outcome.transfer
  for (const { code, data } of outcome.options ?? []) packet.addOption(code, data)
  return DONE
}

/** The reply of a packet as a tree. */
function decode(packet: Packet): Outcome {
  if (packet.isDropped) return DROP
  const { out, outAt, length, reasonCode, options, optionsOctets } = packet
  const message = decodeMessage(Uint8Array.prototype.slice.call(out, outAt, outAt + length))
  if (!message) throw new Error('a reply of the road cannot be read')
  const { answer, authority, additional, authoritative, truncated } = message
  const reason = Buffer.from(packet.reason.subarray(0, packet.reasonOctets)).toString('utf8')
  return {
    rcode: packet.rcode,
    authoritative,
    truncated,
    recursionAvailable: message.recursionAvailable,
    authenticData: message.authenticData,
    recursionDesired: packet.replyRecursionDesired,
    answer,
    authority,
    additional,
    transfer: packet.transfer,
    extendedError: reasonCode < 0 ? undefined : { code: reasonCode, text: reason },
    options: decodeOptions(options, 0, optionsOctets) ?? [],
    plugin: pluginName(packet.plugin),
    error: packet.error,
  }
}

/** Where the packets of a query come from: their replies are trees again. */
class TreeOrigin implements Origin {
  readonly isPart = true
  readonly isLookup
  readonly transport
  readonly #query: Query
  #resolve: ((outcome: Outcome) => void) | undefined
  #reject: ((error: unknown) => void) | undefined

  constructor(query: Query, isLookup: boolean) {
    this.#query = query
    this.isLookup = isLookup
    this.transport = query.transport
  }

  localOf(): Query['local'] {
    return this.#query.local
  }

  parked(): void {}

  later(): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  reply(packet: Packet): void {
    this.#query.budget.lookupsLeft = packet.lookupsLeft
    try {
      this.#resolve?.(decode(packet))
    } catch (error) {
      this.#reject?.(error)
    }
  }
}

/** What the road behind a run says to the query that it hands on. */
export const handOn = (query: WayQuery): MaybePromise<Outcome> =>
  go(query, query.question, false, (road, packet) => {
    packet.served = query.way.served
    packet.at = query.way.at
    packet.takeLabels(query.metadata, true)
    return road.descend(packet)
  })

/** A question that a plugin asks the whole server on a query's behalf. */
async function lookUp(query: WayQuery, qname: Name, qtype: number): Promise<Reply> {
  const outcome = await go(query, { qname, qtype, qclass: 1 }, true, (road, packet) => {
    packet.requestOctets = packet.end - packet.start
    return road.route(packet)
  })
  if (outcome === DROP) throw new Error('a look-up has no reply')
  return outcome
}

/** Sends a packet with a question of a query's on its way. */
function go(
  query: WayQuery,
  question: Query['question'],
  isLookup: boolean,
  start: (road: Road, packet: Packet) => Step,
): MaybePromise<Outcome> {
  const { road, from } = query.way
  const packet = road.borrow()
  try {
    const origin = new TreeOrigin(query, isLookup)
    load(packet, query, question, origin, from)
    packet.road = road
    if (start(road, packet) === WAIT) return origin.later()
    query.budget.lookupsLeft = packet.lookupsLeft
    return decode(packet)
  } finally {
    road.giveBack()
  }
}

function load(
  packet: Packet,
  query: WayQuery,
  question: Query['question'],
  origin: Origin,
  from: Uint8Array,
): void {
  const { edns } = query
  const octets = writer.write(
    {
      id: query.id,
      response: false,
      opcode: OPCODE.QUERY,
      authoritative: false,
      truncated: false,
      recursionDesired: query.recursionDesired,
      recursionAvailable: false,
      authenticData: query.authenticData,
      checkingDisabled: query.checkingDisabled,
      rcode: 0,
      question,
    },
    { answer: [], authority: ixfrSoa(query), additional: [] },
    edns && { ...edns, version: 0, payloadSize: edns.payloadSize || PAYLOAD_DEFAULT },
    MESSAGE_MAX,
  )
  packet.octets = octets.slice()
  packet.start = 0
  packet.end = octets.length
  packet.enlarge()
  packet.slot = packet.out
  packet.slotAt = 0
  packet.slotOctets = MESSAGE_MAX
  packet.begin(query.receivedAtMs)
  packet.scan.read(packet.octets, 0, packet.end)
  packet.from = from
  packet.fromAt = 0
  packet.fromOctets = from.length
  packet.family = query.client.family
  packet.origin = origin
  packet.deadlineMs = query.deadlineMs
  packet.requestOctets = query.requestOctets
  packet.limit = query.replyMaxOctets
  packet.lookupsLeft = query.budget.lookupsLeft
  // A handler has changed it, or nobody has.
  const { way, recursionDesired } = query
  packet.recursionDesired = recursionDesired === way.recursionDesired ? way.asksRecursion : recursionDesired
  packet.authenticData = query.authenticData
  packet.payloadSize = edns?.payloadSize ?? 512
  packet.trace = query.trace
  packet.addedOptions =
    query.addedOptions && query.addedOptions.length > 0 ? encodeOptions(query.addedOptions) : undefined
}

/** The SOA that the client of an IXFR has (RFC 1995 section 3). */
function ixfrSoa({ ixfrSerial, question: { qname } }: Query): Rr[] {
  return ixfrSerial === undefined
    ? []
    : [rr(qname, TYPE.SOA, 0, soaRdata(ROOT, ROOT, [ixfrSerial, 0, 0, 0, 0]))]
}
