// The road of every query on one listener: checks in the order of the packet, each exit visible; then the handlers of the
// server block, down and up again.
//
//   scan ─ silence, NOTIMP, FORMERR, BADVERS
//     └─ server block: the longest zone, and the first view that accepts the query ─ REFUSED where none has the name
//         ├─ gates ─ TC, REFUSED or silence where one turns the client away
//         ├─ class ─ REFUSED unless a plugin of the block speaks it
//         └─ down: each handler answers (DONE), hands on (NEXT, BACK), or waits (WAIT); one of them is the fast path
//            (fast-answers.ts), as far in front as it may stand
//            up:   each that said BACK sees the reply, the last one first
//
// A packet that waits is a record (query/waiting.ts) until whoever has it wakes it; then it goes on where it was. Nothing
// else of a query is kept.

import { PARKED, type Responder, SILENCE } from '../listen/responder.ts'
import {
  AGAIN, BACK, DONE, DROP, type Kept, LOOKUP, LOOKUPS_MAX, NEXT, PATIENCE_MS, Packet, type PacketRoad, type Step, WAIT, type Waiting,
} from '../query/packet.ts' // biome-ignore format: one import
import { settleQuestion } from '../query/settle.ts'
import type { WaitingRoom } from '../query/waiting.ts'
import { ZoneTable } from '../query/zone-table.ts'
import type { Clock } from '../shared/clock.ts'
import type { TableReader } from '../table/reader.ts'
import { EDE } from '../wire/extended-error.ts'
import { HEADER_OCTETS, MESSAGE_MAX } from '../wire/header.ts'
import { OPT_OCTETS } from '../wire/opt.ts'
import { RCODE } from '../wire/rcode.ts'
import { CLASS } from '../wire/rrtype.ts'
import { OPTION } from '../wire/scan.ts'
import { type ExitOptions, Exits, foldedName } from './exits.ts'
import type { Packets } from './packets.ts'
import { noteBlock, type ServedZone, servedOf } from './served-zone.ts'

export interface RoadOptions extends ExitOptions {
  /** The listener's label in metrics: `dns://:53`. */
  readonly server: string
  readonly zones: readonly ServedZone[]
  /** The tables that queries are answered from. */
  readonly tables: readonly TableReader[]
  /** The thread's records of packets that wait. */
  readonly room: WaitingRoom
  /** The thread's packets for what goes on late, or for others. */
  readonly packets: Packets
}

const NO_PLUGIN = 'no plugin of the server block answers this name'
const WRONG_CLASS = 'only the class IN is served'
const NO_PLACE = 'too many queries of this client, or of all, are under way'
const BUG = 'the server met a bug of its own'

/** Beside a handler's number on the stack: it said LOOKUP, not BACK. */
const LOOKING = 0x80

export class Road implements Responder, PacketRoad {
  readonly #zones: ZoneTable<ServedZone>
  readonly #options: RoadOptions
  readonly #tables: readonly TableReader[]
  readonly #clock: Clock
  readonly #packets: Packets
  readonly #room: WaitingRoom
  readonly #exits: Exits
  #enteredMs = 0

  constructor(options: RoadOptions) {
    this.#options = options
    this.#zones = new ZoneTable(options.zones)
    this.#tables = options.tables
    this.#clock = options.clock
    this.#packets = options.packets
    this.#room = options.room
    this.#exits = new Exits(options)
  }

  enter(): void {
    this.#enteredMs = this.#clock.nowMs()
    for (let i = 0; i < this.#tables.length; i++) this.#tables[i]!.enter()
  }

  leave(): void {
    for (let i = 0; i < this.#tables.length; i++) this.#tables[i]!.leave()
  }

  /** HOT. */
  answer(packet: Packet): number {
    packet.begin(this.#enteredMs)
    packet.road = this
    try {
      const octets = this.#answer(packet)
      if (octets !== PARKED && packet.hasPlace) this.#room.leave(packet)
      return octets
    } catch (error) {
      this.#fail(packet, error)
      this.#room.leave(packet)
      return packet.late || packet.served === undefined ? SILENCE : this.#exits.end(packet)
    }
  }

  /** The packet's octets become its way: the checks, one after another. */
  #answer(packet: Packet): number {
    const { scan } = packet
    const verdict = scan.read(packet.octets, packet.start, packet.end)
    if (verdict !== 'ok') return this.#exits.reject(packet, verdict)
    packet.authenticData = scan.authenticData
    packet.payloadSize = scan.payloadSize
    packet.limit = Math.min(packet.slotOctets, packet.transport === 'udp' ? scan.payloadSize : MESSAGE_MAX)
    packet.deadlineMs = packet.receivedAtMs + PATIENCE_MS
    packet.lookupsLeft = LOOKUPS_MAX
    if (scan.optionBits !== 0) this.#exits.judgeOptions(packet)
    const served = this.#judge(packet)
    if (served === undefined) return this.#exits.refuse(packet, this.#zones.ownerOf(scan) >= 0)
    if (packet.transport === 'udp' && packet.limit > served.udpMaxOctets) packet.limit = served.udpMaxOctets
    if (served.nsid !== undefined && scan.hasOption(OPTION.NSID)) packet.addOption(OPTION.NSID, served.nsid)
    if (served.gates.length > 0 && !this.#admits(packet, served)) return this.#exits.end(packet)
    const { fast } = served
    // Where it stands first there is no way to be gone: 30 ns.
    if (fast !== undefined && packet.trace === undefined && fast.handle(packet) === DONE)
      return this.#exits.end(packet)
    return this.#walk(packet, this.#first(packet, served)) === WAIT ? PARKED : this.#exits.end(packet)
  }

  /**
   * HOT: the block that takes the packet, the longest zone and the first view that accepts it; undefined where there is none.
   * A view may ask for the labels of its block's plugins.
   */
  #judge(packet: Packet): ServedZone | undefined {
    const { scan } = packet
    for (let index = this.#zones.ownerOf(scan); index >= 0; index = this.#zones.indexOf(scan, index + 1)) {
      const served = this.#zones.at(index)
      packet.served = served
      const accepted = served.accepts === undefined || this.#accepts(packet, served)
      if (packet.trace !== undefined) noteBlock(packet.trace, served, accepted)
      if (accepted) return served
      packet.forgetLabels()
    }
    return undefined
  }

  #accepts(packet: Packet, { accepts }: ServedZone): boolean {
    try {
      return accepts!(packet)
    } catch (error) {
      this.#tell(packet, error)
      return false
    }
  }

  /** Whether no handler of the block turns the packet away before all else; else it has its reply, or gets none. */
  #admits(packet: Packet, { gates, handlers }: ServedZone): boolean {
    for (let i = 0; i < gates.length; i++) {
      const at = gates[i]!
      const step = handlers[at]!.admit!(packet)
      if (step === NEXT) continue
      packet.at = at
      packet.isDropped = step === DROP
      packet.trace?.said(packet, step)
      return false
    }
    return true
  }

  // The way down and up.

  /** The first step in a block: its handlers have the packet, if one of them speaks its class. */
  #first(packet: Packet, served: ServedZone): Step {
    packet.at = -1
    if (packet.scan.qclass === CLASS.IN || served.anyClass) return NEXT
    return packet.fail(RCODE.REFUSED, EDE.NOT_SUPPORTED, WRONG_CLASS)
  }

  /**
   * HOT: goes on with a packet of which the handler `packet.at` has just said `step`: down the handlers behind it, up those
   * that wanted to see the reply. Says WAIT where the packet waits now, else DONE or DROP, and then its way is over.
   */
  #walk(packet: Packet, step: Step): Step {
    const { handlers } = servedOf(packet)
    for (;;) {
      if (packet.trace !== undefined && packet.at >= 0) packet.trace.said(packet, step)
      if (step === NEXT || step === BACK) {
        if (step === BACK) push(packet, packet.at)
        step = ++packet.at < handlers.length ? handlers[packet.at]!.handle(packet) : noHandler(packet)
      } else if (step === DONE || step === DROP) {
        packet.isDropped = step === DROP
        // Of those that changed the question nobody sees the drop, and takes it back.
        if (step === DROP) while (packet.level > 0) packet.unask()
        if (packet.depth === 0) return step
        const kept = pop(packet)
        const handler = handlers[packet.at]!
        if (step === DONE || handler.seesDrops) step = handler.back!(packet, kept)
      } else if (step === AGAIN) {
        packet.clear()
        step = BACK
      } else if (step === LOOKUP) {
        step = this.#lookUp(packet)
      } else return WAIT
    }
  }

  /** Asks the whole server what the handler at hand wants to know, and gives it the reply, now or later. */
  #lookUp(packet: Packet): Step {
    push(packet, packet.at | LOOKING)
    const asked = this.#packets.take()
    try {
      asked.follow(packet)
      asked.askFirst(packet.wishName, 0, packet.wishName.length, packet.wishType, CLASS.IN)
      asked.requestOctets = asked.end + (asked.scan.edns ? OPT_OCTETS : 0)
      asked.asker = packet
      if (this.route(asked) !== WAIT) return this.#found(packet, asked)
      const waiting = this.park(packet)
      asked.waiting!.asker = waiting
      if (waiting !== undefined) return WAIT
      asked.waiting!.isAbandoned = true
      this.#room.leave(asked)
      pop(packet)
      return DONE
    } finally {
      this.#packets.give()
    }
  }

  /** Gives a handler the reply to its look-up. */
  #found(packet: Packet, asked: Packet): Step {
    packet.lookupsLeft = asked.lookupsLeft
    packet.isForClient ||= asked.isForClient
    const kept = pop(packet)
    return servedOf(packet).handlers[packet.at & ~LOOKING]!.found!(packet, kept, asked)
  }

  /** A look-up's own way: routed, cached and counted like any other. */
  route(asked: Packet): Step {
    asked.isLookUp = true
    if (asked.lookupsLeft-- <= 0) {
      asked.lookupsLeft = 0
      return asked.fail(RCODE.SERVFAIL, EDE.OTHER, 'too many look-ups for one query')
    }
    // Whatever the client desires, its target must be found (CoreDNS sets RD, too).
    asked.scan.recursionDesired = true
    const served = this.#judge(asked)
    if (served === undefined) return asked.fail(RCODE.REFUSED)
    const step = this.#walk(asked, this.#first(asked, served))
    return step === WAIT ? WAIT : this.#routed(asked)
  }

  /** What came of a look-up: a reply to the name that was asked. */
  #routed(asked: Packet): Step {
    this.#exits.countReply(asked)
    if (asked.isDropped) return asked.fail(RCODE.REFUSED)
    settleQuestion(asked)
    return DONE
  }

  // Waiting.

  park(packet: Packet): Waiting | undefined {
    const waiting = this.#room.take(packet)
    if (waiting === undefined) {
      packet.fail(RCODE.REFUSED, EDE.OTHER, NO_PLACE)
      return undefined
    }
    packet.waiting = waiting
    if (!packet.late && !packet.isForNobody && !(packet.asker instanceof Packet)) packet.origin.parked()
    return waiting
  }

  wake(waiting: Waiting): Packet | undefined {
    if (waiting.isAbandoned) {
      this.#room.free(waiting)
      return undefined
    }
    const packet = this.#packets.take()
    this.#room.wake(waiting, packet)
    return packet
  }

  goOn(packet: Packet, step: Step): void {
    this.enter()
    this.#goOn(packet, step)
    this.leave()
  }

  /** Goes on with a packet of the thread's, which is given back. */
  #goOn(packet: Packet, step: Step): void {
    try {
      if (this.#walk(packet, step) !== WAIT) this.#arrive(packet)
    } catch (error) {
      this.#arriveBroken(packet, error)
    }
    this.#packets.give()
  }

  /** The way of a packet that waited is over: who wanted the reply gets it. */
  #arrive(packet: Packet): void {
    const { asker, origin } = packet
    if (asker !== undefined) {
      this.#routed(packet)
      this.#room.leave(packet)
      this.#goOnAsker(packet, asker as Waiting)
    } else if (packet.isForNobody) {
      this.#room.leave(packet)
    } else {
      const octets = this.#exits.end(packet)
      this.#room.leave(packet)
      origin.reply(packet, octets)
    }
  }

  #goOnAsker(asked: Packet, asker: Waiting): void {
    const packet = this.wake(asker)
    if (packet === undefined) return
    let step: Step
    try {
      step = this.#found(packet, asked)
    } catch (error) {
      this.#arriveBroken(packet, error)
      this.#packets.give()
      return
    }
    this.#goOn(packet, step)
  }

  // Asked for nobody.

  behind(packet: Packet): Packet {
    const asked = this.#packets.take()
    const { scan, question } = packet
    asked.follow(packet)
    const nameOctets = scan.questionEnd - 4 - scan.start - HEADER_OCTETS
    asked.askFirst(question, scan.start + HEADER_OCTETS, nameOctets, scan.qtype, scan.qclass)
    asked.served = packet.served
    asked.at = packet.at
    asked.isForNobody = true
    asked.trace = undefined
    const local = packet.local
    asked.origin = { transport: 'tcp', localOf: () => local, parked() {}, reply() {} }
    const nowMs = this.#clock.nowMs()
    asked.deadlineMs = nowMs + packet.deadlineMs - packet.receivedAtMs
    asked.receivedAtMs = nowMs
    asked.lookupsLeft = LOOKUPS_MAX
    asked.limit = MESSAGE_MAX
    asked.addedOptions = packet.addedOptions
    asked.apart = packet.apart
    return asked
  }

  behindLater(packet: Packet): Waiting | undefined {
    const waiting = this.park(this.behind(packet))
    this.#packets.give()
    return waiting
  }

  send(packet: Packet, kept: Kept): void {
    packet.keep(kept)
    this.#goOn(packet, BACK)
  }

  /** Tells of a bug on the way of the packet. */
  #tell(packet: Packet, error: unknown): void {
    this.#options.bug(error, foldedName(packet.asked))
  }

  broken(packet: Packet, error: unknown): void {
    this.enter()
    this.#arriveBroken(packet, error)
    this.#packets.give()
    this.leave()
  }

  #arriveBroken(packet: Packet, error: unknown): void {
    this.#fail(packet, error)
    this.#arrive(packet)
  }

  /** A bug: whatever the packet was about, its way is over. */
  #fail(packet: Packet, error: unknown): void {
    this.#tell(packet, error)
    if (packet.waiting !== undefined) packet.waiting.isAbandoned = true
    while (packet.depth > 0) {
      const kept = pop(packet)
      servedOf(packet).handlers[packet.at]!.lost?.(kept)
    }
    while (packet.level > 0) packet.unask()
    packet.trace = undefined
    packet.isDropped = false
    packet.fail(RCODE.SERVFAIL, EDE.OTHER, BUG)
  }
}

function push(packet: Packet, at: number): void {
  packet.stackAt[packet.depth++] = at
}

/** Takes the last handler off the stack: it has the packet. Returns what it kept. */
function pop(packet: Packet): Kept {
  const at = --packet.depth
  packet.at = packet.stackAt[at]! & ~LOOKING
  const kept = packet.stackKept[at]
  packet.stackKept[at] = undefined
  return kept
}

/** Past the last handler CoreDNS fails (plugin.NextOrFailure); a block without any refuses. */
function noHandler(packet: Packet): Step {
  const { handlers, lastWord } = servedOf(packet)
  if (handlers.length === 0) return packet.fail(RCODE.REFUSED, EDE.OTHER, NO_PLUGIN)
  return packet.fail(RCODE.SERVFAIL, EDE.OTHER, NO_PLUGIN, `plugin/${lastWord}: no next plugin found`)
}
