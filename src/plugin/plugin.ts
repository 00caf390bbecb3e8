// The contract of a Corefile word. On the control thread `parse` turns its directives into a plain configuration; on
// every serving thread `create` turns that configuration into a handler. Nothing else crosses: a configuration is data
// that structuredClone takes.

import type { Directive } from '../corefile/corefile.ts'
import type { WordDoc } from '../corefile/doc.ts'
import type { Problems } from '../corefile/problem.ts'
import type { Meters } from '../observe/meters.ts'
import type { ServingLog } from '../observe/thread-log.ts'
import type { Kept, Packet, Step } from '../query/packet.ts'
import type { ZoneCopy } from '../query/zone-copy.ts'
import type { Clock } from '../shared/clock.ts'
import type { TableReader } from '../table/reader.ts'
import type { Name } from '../wire/name.ts'
import type { Scan } from '../wire/scan.ts'

/**
 * One plugin in one server block on one serving thread. What it says decides where the packet goes next (query/packet.ts);
 * DNS outcomes are values, and an exception is a bug, which becomes SERVFAIL.
 */
export interface Handler {
  /**
   * HOT: judges a client's packet before the fast path and every handler: NEXT lets it in, DONE has given it a reply, DROP
   * gives it none. For few words: it costs every query of the block.
   */
  admit?(packet: Packet): Step
  /** HOT: answers the packet, changes its question, or hands it on. Everything but AGAIN may be said. */
  handle(packet: Packet): Step
  /**
   * The reply to a packet of which `handle` said BACK, with what it kept, to be changed or let pass: DONE. AGAIN sends the
   * packet, with its question as it is now, to the handlers behind once more.
   */
  back?(packet: Packet, kept: Kept): Step
  /** The reply, in `asked`, to what LOOKUP wished; what is said goes on from there. */
  found?(packet: Packet, kept: Kept, asked: Packet): Step
  /** The way of the packet ended with a bug: neither `back` nor `found` will be called with what was kept. */
  lost?(kept: Kept): void
  /** Whether `back` is called, too, for packets that nobody answers: it then says DROP. */
  readonly seesDrops?: boolean
  /**
   * HOT: whether it may answer or change this query of class IN. Where the plugins before `kubernetes` or `cache` can tell,
   * the fast path stands in front of them, asks them about each query, and leaves to them what concerns one; it is behind a
   * plugin that cannot tell. What it says may be another thing for the next query.
   */
  concerns?(scan: Scan): boolean
  /**
   * The zone of that name as it is now, for `transfer`; undefined for a zone that is not this plugin's. For plugins with
   * zones.
   */
  copyOf?(zone: Name): ZoneCopy | 'not-ready' | undefined
  /**
   * Whether it can change what the cluster answers about some name of the zone, the question or the reply; asked when the
   * configuration is loaded, before `kubernetes` in the chain. Absent: yes, unless the word's effect is transparent.
   */
  concernsZone?(zone: Name): boolean
  /**
   * HOT: leaves facts about the packet, of the client's own question, among its labels (`kubernetes/namespace`); called where
   * the block has `metadata`, and then where somebody wants a label.
   */
  annotate?(packet: Packet, labels: Map<string, string>): void
  /** Another configuration serves: only what is on its way goes on here, until `stop`. */
  retire?(): void
  /** Ends timers, sockets and what is under way; the handler is not called again. */
  stop?(): void | Promise<void>
}

/** What the fast path asks of a handler. */
export type Guard = Required<Pick<Handler, 'concerns'>>

/** What a person has to mend, and hears of by an Event on the Pod where Events are asked for (-events). */
export interface OperatorEvent {
  readonly reason: 'ForwardingLoop'
  /** The same text for the same fault: an Event with it is counted. */
  readonly text: string
}

/**
 * What a serving thread lends to the handlers it makes. Everything that a test wants to own comes in here: time,
 * randomness, counters, the log.
 */
export interface ServingContext {
  readonly clock: Clock
  /** Unpredictable bytes and numbers come from node:crypto; this one is for what need not be: jitter, shuffling. 0 ≤ n < 1. */
  readonly random: () => number
  readonly meters: Meters
  readonly log: ServingLog
  readonly tellOperator: (event: OperatorEvent) => void
  /** The answer tables by the key of their source (plugin/kubernetes/config.ts). */
  readonly tables: ReadonlyMap<string, TableReader>
  /**
   * Zones and hosts files read anew since the configuration was: images by their key (plugin/file/config.ts,
   * plugin/hosts/load.ts). It changes while serving.
   */
  readonly images: ReadonlyMap<string, SharedArrayBuffer>
  /** This server's own addresses, 4 or 16 octets each, loopback ones left out: what NS and ns.dns name. */
  readonly ownAddresses: readonly Uint8Array[]
  /** Which serving thread this is, from 0. */
  readonly thread: number
  /** How many serving threads there are: a limit on the whole process is divided by it. */
  readonly threads: number
  /** The zones of the server block, as in its keys. */
  readonly zones: readonly string[]
  /** Zones of the whole Corefile that this server alone speaks for (`Effect.owns`), in lower case. */
  readonly ownZones: readonly Name[]
  /** The handlers of the server block in the order of the chain; complete once all are made. */
  readonly handlers: readonly Handler[]
  /** What `loadbalance` does to addresses: nothing, any order, or one that is chosen among all of them. */
  readonly addressOrder: 'given' | 'random' | 'chosen'
  /** The largest message over UDP that the server block sends to clients and takes from upstreams: `bufsize`. */
  readonly udpMaxOctets: number
}

/** What `parse` sees of the server block beside its own directives. */
export interface BlockContext {
  /** The block's zones, lower-case absolute names. */
  readonly zones: readonly string[]
  /** The words in the block, for the few that depend on one another. */
  readonly words: ReadonlySet<string>
  /** All directives of the block by their word, for the few that another one is about. */
  readonly directives: ReadonlyMap<string, readonly Directive[]>
  /** What relative file names start from: the folder that `root` names, or the Corefile's. */
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * What a word does to its server block as a whole, known when the configuration is loaded: what the fast path, which passes
 * no handler, does in its place. Parts that are absent are as without the word.
 */
export interface Effect {
  /**
   * Whether queries of class IN and their replies pass it as they are, but for what else stands here: before `kubernetes`
   * or `cache` it does not keep the fast path behind it. AXFR and IXFR are left to the chain anyway.
   */
  readonly transparent?: boolean
  /** What it does to addresses: any order, or one that is chosen among all of them. */
  readonly addressOrder?: 'random' | 'chosen'
  /** Whether additional records are left out of positive answers. */
  readonly minimal?: boolean
  /** The largest message over UDP, to clients and from upstreams. */
  readonly udpMaxOctets?: number
  /** What clients that ask for it by EDNS are told about which server this is (RFC 5001). */
  readonly nsid?: Uint8Array
  /** Whether clients with EDNS are told why they get nothing. */
  readonly reasons?: boolean
  /** Whether queries of other classes than IN mean something to it. */
  readonly otherClasses?: boolean
  /** Whether zones are handed out as a whole. */
  readonly transfers?: boolean
  /** Whether queries are counted by the zones of the block. */
  readonly counted?: boolean
  /** Zones that it alone speaks for: what an upstream says of them is not believed. */
  readonly owns?: readonly string[]
  /** Zones whose queries are labelled by all plugins of the block. */
  readonly labelled?: readonly string[]
}

/** A Corefile word. `C` is its configuration. */
export interface Word<C> {
  readonly word: string
  /** How its lines are written and what they mean; docs/directives.md shows it. */
  readonly doc: WordDoc
  /**
   * All directives of that word in one block, in file order. Everything wrong is reported with its place; undefined
   * where no configuration could be made.
   */
  parse(directives: readonly Directive[], problems: Problems, block: BlockContext): C | undefined
  /** Makes the handler; absent for a word that only configures the server (bind, health, reload). */
  create?(config: C, context: ServingContext): Handler
  /** What it does to the block beside its handler; absent where that may be anything. */
  effect?(config: C): Effect
}
