// One query on its way down the plugins of a server block, and its reply on the way back up. A packet is filled again for
// every query: whoever keeps anything of it copies it first. Nothing in it is a tree: the question is octets that were
// scanned (question.ts), the reply is octets that are written, walked and changed where they lie (reply.ts).
//
//   what came     octets[start … end), `from` whom, at when        the listener fills these in
//   the question  scan: as it is now; level 0 is the client's      `ask` changes it for who stands behind, `unask` back
//   the reply     out[outAt … outAt + length): header, question, records; no OPT, which the road writes last of all
//                 code, plugin, error, reason, options             beside it
//
// A handler that cannot answer at once parks the packet, which makes a small record of it (waiting.ts), says WAIT, and
// wakes it later: then it goes on as if it had never waited.

import { MESSAGE_MAX } from '../wire/header.ts'
import { Reply } from './reply.ts'
import { addressKey, type Endpoint, readSockaddr, type Transport } from './sockaddr.ts'
import type { Kept, Step } from './steps.ts'
import type { RecordStream } from './zone-copy.ts'

export { AGAIN, BACK, DONE, DROP, type Kept, LOOKUP, NEXT, type Step, WAIT } from './steps.ts'

/** What belongs to a note beside its words: addresses, codes, seconds. */
export type NoteFacts = Readonly<Record<string, string | number | boolean>>

/** Somebody who wants to know what becomes of a packet, and of what is looked up for it. */
export interface Trace {
  /** The handler `packet.at` has said that, on the way down or up. */
  said(packet: Packet, step: Step): void
  /** What a plugin did with the packet, by its word ('' is the server), in words for a person. Made only where there is a trace. */
  note(word: string, text: string, facts?: NoteFacts): void
}

/** What of the server block plugins know by a packet: labels of metrics, and bounds. */
export interface Served {
  /** The listener: `dns://:53`. */
  readonly server: string
  /** The zone of the server block: `.`. */
  readonly zoneText: string
  /** Its view, or ''. */
  readonly view: string
  readonly udpMaxOctets: number
  /** The words of its handlers by their numbers in the chain; '' is the fast path. */
  readonly words: readonly string[]
  /** Leaves what the block's plugins know of the packet among its labels; absent without `metadata`. */
  readonly annotate?: ((packet: Packet, labels: Map<string, string>) => void) | undefined
}

/** Where a packet came from: a socket, a connection, or a packet that it was asked for. */
export interface Origin {
  readonly transport: Transport
  /** The address at which the packet came. */
  localOf(packet: Packet): Endpoint
  /** A header field of the request that brought the packet, its name in lower case; absent where there is no request. */
  header?(name: string): string | undefined
  /** The packet waits; `reply` will follow. */
  parked(): void
  /** What became of a packet that had to wait: that many octets at `slot`; 0 is silence, or a transfer in `messages`. */
  reply(packet: Packet, octets: number): void
}

/**
 * The record of one parked packet (waiting.ts). Whoever has it calls `wake` once, or nobody gets a reply; not before the
 * handler that parked it has said WAIT.
 */
export interface Waiting {
  /** The next one in a list of whoever has it. */
  next: Waiting | undefined
  /** Nobody cares any more: waking it frees it. */
  isAbandoned: boolean
  /** The packet for which it was asked. */
  asker: Waiting | undefined
  /** Of whoever has it: for whom it is held. */
  holder: string | number
  /** On the monotonic clock, in ms: when nobody waits for a reply any more. */
  readonly deadlineMs: number
  /** Makes a packet of the record again, which goes on by `Packet.goOn`; undefined where it was abandoned. */
  wake(): Packet | undefined
}

/** What the packet's road does for the handlers on it (serving/road.ts). */
export interface PacketRoad {
  /** See `Packet.park`. */
  park(packet: Packet): Waiting | undefined
  /** See `Waiting.wake`. */
  wake(waiting: Waiting): Packet | undefined
  /** See `Packet.goOn`. */
  goOn(packet: Packet, step: Step): void
  /** Ends the way of a packet that was woken, with a bug. */
  broken(packet: Packet, error: unknown): void
  /** See `Packet.behind`. */
  behind(packet: Packet): Packet
  /** See `Packet.behindLater`. */
  behindLater(packet: Packet): Waiting | undefined
  /** See `Packet.send`. */
  send(packet: Packet, kept: Kept): void
}

/** Upstreams that a client has in place of those of `forward` (policy). */
export interface Apart {
  /** What tells its cached answers from everybody's, and from those of others like it. */
  readonly key: Uint8Array
  ask(packet: Packet): Step
}

/** The messages of a zone transfer, drawn one by one as the peer takes them. */
export interface Messages {
  /** The next message; `complete` after the last one; `cut` where the transfer cannot go on: the connection is to end. */
  next(): Uint8Array | 'complete' | 'cut'
  /** Nothing more is drawn. To be called once, however it ends. */
  end(): void
}

/** How long a client waits at most for an answer: what every plugin's deadlines start from. */
export const PATIENCE_MS = 5000
/** How many look-ups one client query may start in all: chains and loops end here (RFC 1034 5.2.2). */
export const LOOKUPS_MAX = 12

/** Of a client: its socket address, and the control message of its query (listen/batch-memory.ts). */
export const FROM_MAX_OCTETS = 72

const NOTHING = new Uint8Array(0)

export class Packet extends Reply {
  // What came. The listener fills in this part.

  /** The client's socket address (sockaddr.ts) is at from[fromAt …); `fromOctets` are the origin's to be kept with it. */
  from: Uint8Array = NOTHING
  fromAt = 0
  fromOctets = 0
  family: 4 | 6 = 4
  origin!: Origin
  /** Who wants to know what becomes of it; undefined: nobody. It stays with the packet from query to query. */
  trace: Trace | undefined

  // How far it came. The road fills in this part.

  road!: PacketRoad
  served!: Served
  /** On the monotonic clock, in ms: when it came, and when nobody waits for a reply any more. */
  receivedAtMs = 0
  deadlineMs = 0
  /** Octets that the client sent. */
  requestOctets = 0
  /** The largest reply that the client takes, over this transport. */
  limit = 0
  /** Look-ups that may still be started for the client's query, those of look-ups included. */
  lookupsLeft = 0
  /** The handler that has the packet, by its number in the chain. */
  at = 0
  /** Handlers that said BACK or LOOKUP, with what they kept; `depth` of them. */
  readonly stackAt: number[] = []
  readonly stackKept: Kept[] = []
  depth = 0
  /** Whether it waited: its reply goes to `origin.reply`. */
  late = false
  /** The record of it that somebody has. */
  waiting: Waiting | undefined
  /** Whether it has one of the places for waiting packets. */
  hasPlace = false
  /** The packet for which this one is asked (LOOKUP), as a record where it waits; undefined for a client's. */
  asker: Packet | Waiting | undefined
  /** Whether it is asked for nobody: to refresh what is cached, to see whether a server answers. */
  isForNobody = false
  /** Whether it is asked on the way of another query, of the whole server (LOOKUP). */
  isLookUp = false
  /** Whether something of its reply was chosen for this client: nobody keeps it for another one. */
  isForClient = false

  // The question.

  /** RD of what upstreams are asked: set, whoever asks, unless `header` clears it. */
  recursionDesired = true
  /** Whether the client gets to know what is authentic: AD, which `cache` sets for what it keeps. */
  authenticData = false
  /** Whether the client has shown by a cookie of ours that the address is its own (RFC 7873). */
  hasOurCookie = false
  /** What the client takes over UDP; `bufsize` lowers it. */
  payloadSize = 512
  /** Whether a handler that sees the reply may make it smaller: what does not fit by then may fit in the end. */
  becomesSmaller = false
  /** Options that the Corefile adds for upstreams (`rewrite edns0`), in wire form. */
  addedOptions: Uint8Array | undefined
  /** Whom `forward` asks in place of its own upstreams; what they say is kept apart in `cache`. Undefined: its own. */
  apart: Apart | undefined
  /** What LOOKUP asks. */
  wishName: Uint8Array = NOTHING
  wishType = 0

  // The reply.

  /** A zone transfer in place of an answer section, over TCP and TLS only. */
  transfer: RecordStream | undefined
  /** The messages of a transfer, once the reply is finished. */
  messages: Messages | undefined

  #labels: Map<string, string> | undefined
  /** Whether the block's plugins have left theirs. */
  #isLabelled = false
  #from: Uint8Array | undefined
  #client: Endpoint | undefined

  /** Forgets the former query; `octets` … `slotOctets` are the new one's. To be called before all else. */
  begin(nowMs: number): void {
    this.receivedAtMs = nowMs
    this.requestOctets = this.end - this.start
    // Of one that was parked: nobody took it from there.
    while (this.depth > 0) this.stackKept[--this.depth] = undefined
    this.late = false
    this.waiting = undefined
    this.hasPlace = false
    this.asker = undefined
    this.isForNobody = this.isLookUp = this.isForClient = false
    this.recursionDesired = true
    this.level = 0
    this.scan = this.asked
    this.question = this.octets
    this.heldCount = 0
    this.becomesSmaller = false
    this.addedOptions = undefined
    this.hasOurCookie = false
    this.apart = undefined
    this.#labels = undefined
    this.#isLabelled = false
    this.optionsOctets = 0
    this.transfer = undefined
    this.messages = undefined
    this.#client = undefined
    this.clear()
  }

  /** Begins a packet that is asked on behalf of another one; its question comes next, by `askFirst`. */
  follow(packet: Packet): void {
    this.enlarge()
    this.slot = this.out
    this.slotAt = 0
    this.slotOctets = MESSAGE_MAX
    this.begin(packet.receivedAtMs)
    this.from = packet.from
    this.fromAt = packet.fromAt
    this.fromOctets = packet.fromOctets
    this.family = packet.family
    this.origin = packet.origin
    this.road = packet.road
    this.deadlineMs = packet.deadlineMs
    this.requestOctets = packet.requestOctets
    this.limit = packet.limit
    this.lookupsLeft = packet.lookupsLeft
    this.recursionDesired = packet.recursionDesired
    this.authenticData = packet.authenticData
    this.payloadSize = packet.payloadSize
    this.becomesSmaller = packet.becomesSmaller
    this.trace = packet.trace
    this.asked.takeFlags(packet.scan)
  }

  // Who asks.

  get transport(): Transport {
    return this.origin.transport
  }

  /** Who asks, in words; made when somebody wants to know. */
  get client(): Endpoint {
    this.#client ??= readSockaddr(this.from, this.fromAt)
    return this.#client
  }

  /** The address at which the packet came. */
  get local(): Endpoint {
    return this.origin.localOf(this)
  }

  // Labels (`kubernetes/namespace`), in a block with `metadata`.

  /** All of them; undefined in a block that has none. They are of the client's own question, and made when somebody wants one. */
  get labels(): Map<string, string> | undefined {
    const { annotate } = this.served
    if (annotate === undefined) return undefined
    this.#labels ??= new Map()
    if (!this.#isLabelled) {
      this.#isLabelled = true
      annotate(this, this.#labels)
    }
    return this.#labels
  }

  /** The value of one; undefined where nobody has left it. */
  label(label: string): string | undefined {
    return this.labels?.get(label)
  }

  /** Leaves one for those who come later. */
  setLabel(label: string, value: string): void {
    if (this.served.annotate === undefined) return
    this.#labels ??= new Map()
    this.#labels.set(label, value)
  }

  /** Another block may take the packet: it has other labels. */
  forgetLabels(): void {
    this.#labels = undefined
    this.#isLabelled = false
  }

  /** For the record of a parked packet: the labels that were made so far, and whether all were. */
  get madeLabels(): Map<string, string> | undefined {
    return this.#labels
  }
  get isLabelled(): boolean {
    return this.#isLabelled
  }

  /** The labels are these. */
  takeLabels(labels: Map<string, string> | undefined, isLabelled: boolean): void {
    this.#labels = labels
    this.#isLabelled = isLabelled
  }

  /** Who asks, as a key: the address as a number, or its octets as a string. */
  get clientKey(): string | number {
    return addressKey(this.from, this.fromAt)
  }

  // For the record of a parked packet (waiting.ts).

  /** The client's socket address, and what is kept with it, are at octets[at …): copied. */
  hold(octets: Uint8Array, at: number): void {
    this.#from ??= new Uint8Array(FROM_MAX_OCTETS)
    this.from = this.#from
    this.fromAt = 0
    for (let i = 0; i < this.fromOctets; i++) this.from[i] = octets[at + i]!
    this.#client = undefined
    this.messages = undefined
    this.transfer = undefined
    this.enlarge()
    this.slot = this.out
    this.slotAt = 0
    this.clear()
  }

  // The reply.

  /** Whether a reply that is written now goes to the client with nobody to see it before. */
  get goesOutAsItIs(): boolean {
    return this.depth === 0 && this.level === 0 && !this.late && this.asker === undefined && !this.isForNobody
  }

  // The way.

  /** Keeps something for `back` or `found`; to be called once, before BACK, AGAIN or LOOKUP is said. */
  keep(kept: Kept): void {
    this.stackKept[this.depth] = kept
  }

  /**
   * Makes a record of the packet, to be woken when there is a reply; the handler then says WAIT. Undefined where there is
   * no place for it: then the packet has been given the reply that says so.
   */
  park(): Waiting | undefined {
    return this.road.park(this)
  }

  /** Goes on with a packet that was woken, as if the handler that parked it said this now. */
  goOn(step: Step): void {
    this.road.goOn(this, step)
  }

  /** A packet with the same question that is asked for nobody, from behind the handler at hand on: `send` sends it down. */
  behind(): Packet {
    return this.road.behind(this)
  }

  /** The same as a record, to be woken whenever there is something to ask; its question is `askFirst`'s then. */
  behindLater(): Waiting | undefined {
    return this.road.behindLater(this)
  }

  /** Sends a packet of `behind` down; its reply, if there is one, comes to `back` with what is kept, and goes no further. */
  send(kept: Kept): void {
    this.road.send(this, kept)
  }
}
