// How a query leaves its road (road.ts): refused before any block has it, or with the reply that the handlers made. Each is
// counted here, and some are looked at (sampler.ts).

import { SILENCE } from '../listen/responder.ts'
import { pluginIndex, protoIndex, type QueryMeters, qtypeIndex } from '../observe/query-meters.ts'
import type { ReasonMeters } from '../observe/reason-meters.ts'
import { SILENT } from '../observe/samples.ts'
import { giveReason } from '../plugin/why.ts'
import type { Packet } from '../query/packet.ts'
import { settleQuestion } from '../query/settle.ts'
import type { Transport } from '../query/sockaddr.ts'
import type { Clock } from '../shared/clock.ts'
import { EDE } from '../wire/extended-error.ts'
import { type FailureReason, failureReason, writeFailure } from '../wire/failure.ts'
import { readU16 } from '../wire/header.ts'
import { formatName } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import { OPTION, type Scan, type Verdict } from '../wire/scan.ts'
import { uncompressedOctets } from '../wire/ttls.ts'
import { COOKIE_OCTETS, type CookieState, type ServerCookies } from './cookies.ts'
import { finish, finishWhole, keepaliveData } from './finish.ts'
import type { Sampler } from './sampler.ts'
import { servedOf } from './served-zone.ts'
import { TransferMessages } from './transfer.ts'

export interface ExitOptions {
  /** Of connections: what clients that ask for it are told (RFC 7828). */
  readonly idleTimeoutMs: number
  readonly clock: Clock
  readonly cookies: ServerCookies
  /** Counts what no server block takes: zone `dropped`. */
  readonly dropped: QueryMeters | undefined
  /** Looks at some queries with what becomes of them. */
  readonly sampler: Sampler
  readonly reasons: ReasonMeters
  /** Told of a plugin's bug on the way of a query, which gets SERVFAIL. */
  readonly bug: (error: unknown, qname: string) => void
}

const NO_BLOCK = 'no server block of the Corefile has this name'
const NO_VIEW = 'no view of the Corefile is for this query'

/** Why a packet has no question to be answered; one that cannot be read at all gets no words. */
const REJECTED: Readonly<Partial<Record<Verdict, FailureReason>>> = {
  notimp: failureReason(EDE.NOT_SUPPORTED, 'only queries are served (opcode 0)'),
  badvers: failureReason(EDE.NOT_SUPPORTED, 'EDNS is spoken in version 0'),
  formerr: failureReason(EDE.OTHER, 'this is no query of one question with at most 32 options'),
}

const NOBODY = pluginIndex('')
const KUBERNETES = pluginIndex('kubernetes')

export class Exits {
  readonly #options: ExitOptions
  readonly #clock: Clock
  readonly #keepalive: Uint8Array
  readonly #sampler: Sampler

  constructor(options: ExitOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#keepalive = keepaliveData(options.idleTimeoutMs)
    this.#sampler = options.sampler
  }

  /** What the packet gets that has no question to be answered. */
  reject(packet: Packet, verdict: Verdict): number {
    const { scan } = packet
    if (verdict === 'drop') return SILENCE
    if (verdict === 'cookie') return this.#answerCookie(packet)
    const rcode = verdict === 'notimp' ? RCODE.NOTIMP : verdict === 'badvers' ? RCODE.BADVERS : RCODE.FORMERR
    const octets = writeFailure(scan, packet.octets, packet.slot, packet.slotAt, rcode, REJECTED[verdict])
    this.#count(this.#options.dropped, packet, rcode, octets, NOBODY)
    return octets
  }

  /** A query about a cookie and nothing else: BADCOOKIE where the server's half is not ours (RFC 7873 5.4). */
  #answerCookie(packet: Packet): number {
    const { octets, scan, slot, slotAt } = packet
    const rcode = this.#judgeCookie(packet) === 'invalid' ? RCODE.BADCOOKIE : RCODE.NOERROR
    const written = finishWhole(packet, writeFailure(scan, octets, slot, slotAt, rcode))
    this.#count(this.#options.dropped, packet, rcode, written, NOBODY)
    return written
  }

  /** Judges the first cookie, which alone counts (RFC 7873 5.2); the reply gets one. */
  #judgeCookie(packet: Packet): CookieState {
    const { octets, asked, from, fromAt } = packet
    const { cookies } = this.#options
    const at = asked.findOption(octets, OPTION.COOKIE)
    const state = cookies.judge(octets, at + 4, readU16(octets, at + 2), from, fromAt)
    packet.addOption(OPTION.COOKIE, cookies.cookie, 0, COOKIE_OCTETS)
    return state
  }

  /** Options of the server's own that every reply to the packet has: its cookie, how long the connection may be idle. */
  judgeOptions(packet: Packet): void {
    const { scan } = packet
    if (scan.hasOption(OPTION.COOKIE)) packet.hasOurCookie = this.#judgeCookie(packet) === 'valid'
    if (asksForKeepalive(scan, packet.transport)) packet.addOption(OPTION.KEEPALIVE, this.#keepalive)
  }

  /** No block has the name, or views stand for it and none of them is for the packet. */
  refuse(packet: Packet, hasViews: boolean): number {
    packet.fail(RCODE.REFUSED, EDE.NOT_AUTHORITATIVE, hasViews ? NO_VIEW : NO_BLOCK)
    this.#options.reasons.count(packet.reasonCode)
    const octets = finish(packet)
    this.#count(this.#options.dropped, packet, RCODE.REFUSED, octets, NOBODY)
    this.#sample(packet, RCODE.REFUSED)
    return octets
  }

  /** HOT: a client's query has its reply. */
  #sample(packet: Packet, rcode: number): void {
    if (--this.#sampler.countdown <= 0) this.#sampler.see(packet, rcode)
  }

  #count(
    meters: QueryMeters | undefined,
    packet: Packet,
    rcode: number,
    replyOctets: number,
    plugin: number,
  ): void {
    if (meters === undefined) return
    const { asked, family } = packet
    const seconds = (this.#clock.nowMs() - packet.receivedAtMs) / 1000
    const proto = protoIndex(packet.transport)
    const qtype = qtypeIndex(asked.qtype)
    meters.count(
      qtype,
      family,
      proto,
      rcode,
      packet.requestOctets,
      replyOctets,
      seconds,
      plugin,
      asked.dnssecOk,
    )
  }

  /** What the client gets; SILENCE where that is nothing, or a transfer. */
  end(packet: Packet): number {
    const served = servedOf(packet)
    if (packet.isDropped) {
      const { asked, family, requestOctets } = packet
      const proto = protoIndex(packet.transport)
      served.meters?.countRequest(qtypeIndex(asked.qtype), family, proto, requestOctets, asked.dnssecOk)
      this.#sample(packet, SILENT)
      return SILENCE
    }
    this.#sample(packet, packet.rcode)
    if (packet.isWhole) {
      if (packet.reasonCode >= 0 && packet.plugin !== KUBERNETES)
        this.#options.reasons.count(packet.reasonCode)
      this.#count(served.meters, packet, packet.rcode, packet.length, packet.plugin)
      return finishWhole(packet, packet.length)
    }
    giveReason(packet)
    // The cluster counts its own, which say more.
    if (packet.reasonCode >= 0 && packet.plugin !== KUBERNETES) this.#options.reasons.count(packet.reasonCode)
    if (!served.reasons) packet.reasonCode = -1
    settleQuestion(packet)
    this.countReply(packet)
    const octets = finish(packet)
    if (packet.transfer === undefined) return octets
    if (packet.transport === 'udp' || packet.transport === 'https') {
      packet.transfer.end()
      return SILENCE
    }
    const { slot, slotAt } = packet
    const head = slot.slice(slotAt, slotAt + octets)
    const name = foldedName(packet.asked)
    packet.messages = new TransferMessages(head, packet.transfer, error => this.#options.bug(error, name))
    return SILENCE
  }

  /** Counts a reply that is whole, as long as it is without compression. */
  countReply(packet: Packet): void {
    const { meters } = servedOf(packet)
    if (meters === undefined) return
    const { out, outAt, length } = packet
    const octets = uncompressedOctets(out, outAt, outAt + length)
    this.#count(meters, packet, packet.rcode, octets, packet.plugin)
  }
}

/** The name that a query asks for, in lower case. */
export const foldedName = (scan: Scan): string => formatName(scan.folded.slice(0, scan.foldedLength))

/** Whether the client wants to know how long its connection may be idle; over UDP and HTTP the option means nothing. */
const asksForKeepalive = (scan: Scan, transport: Transport): boolean =>
  (transport === 'tcp' || transport === 'tls') && scan.hasOption(OPTION.KEEPALIVE)
