// One upstream asked one question: over UDP or over a connection, and what is made of what comes. It ends once, with a reply
// that fits (in `reply`, reply.ts) or with a failure in words, and tells the question.
//
//   UDP   a reply that does not fit is not taken and the wait goes on; at the first one the question is asked over TCP, too,
//         where nobody can meddle from aside (RFC 5452; BIND does the same)
//   EDNS  an upstream that refuses an OPT record is asked again without (RFC 6891 section 7), and remembered
//
// Attempts are used again; nothing is allocated for one.

import type { Clock } from '../../shared/clock.ts'
import { type Timed, type TimerWheel, wheelOf } from '../../shared/timer-wheel.ts'
import { RCODE } from '../../wire/rcode.ts'
import {
  ASKED_MAX_OCTETS,
  type AskedFlags,
  type AskedMessage,
  askedEnd,
  askedOctets,
  writeAsked,
} from './asked.ts'
import type { Bounds } from './chain.ts'
import { MISMATCH, NO_EDNS, reply, type Sent } from './reply.ts'
import { CONNECTIONS_MAX, type StreamAsker, type StreamLine } from './stream.ts'
import type { OpenSocket, UdpAsker } from './udp.ts'
import type { Upstream } from './upstream.ts'

/** Replies to one question that do not fit it, after which only TCP is listened to. */
export const MISMATCHES_MAX = 32

/** A question on its way to upstreams, whoever asks it: clients (flight.ts), or the server for itself (health-question.ts). */
export abstract class Question implements AskedMessage, Sent, Timed {
  question: Uint8Array = new Uint8Array(ASKED_MAX_OCTETS)
  questionEnd = 0
  questionOctets = 0
  qtype = 0
  qclass = 0
  dnssecOk = false
  payloadSize = 0
  addedOptions: Uint8Array | undefined
  /** Whom upstreams may speak for beside the answer. */
  readonly bounds: Bounds | undefined
  overTcp = false
  /** Whether upstreams that take EDNS are asked with it. */
  withEdns = true

  dueMs = 0
  wheelSlot = -1
  wheelNext: Timed | undefined
  wheelBefore: Timed | undefined
  protected readonly wheel: TimerWheel
  protected readonly clock: Clock

  constructor(clock: Clock, bounds?: Bounds) {
    this.clock = clock
    this.bounds = bounds
    this.wheel = wheelOf(clock)
  }

  /** Becomes the question about a name of so many octets, in lower case. */
  write(
    name: Uint8Array,
    nameOctets: number,
    qtype: number,
    qclass: number,
    flags: AskedFlags,
    payloadSize: number,
    options: Uint8Array | undefined,
  ): void {
    const octetsMax = ASKED_MAX_OCTETS + (options?.length ?? 0)
    if (this.question.length < octetsMax) this.question = new Uint8Array(octetsMax)
    const written = writeAsked(this.question, name, nameOctets, qtype, qclass, flags, payloadSize, options)
    this.questionEnd = askedEnd(written)
    this.questionOctets = askedOctets(written)
    this.qtype = qtype
    this.qclass = qclass
    this.dnssecOk = flags.dnssecOk
    this.payloadSize = payloadSize
    this.addedOptions = options
  }

  nowMs(): number {
    return this.clock.nowMs()
  }

  /** An attempt has another deadline than before. */
  abstract dueChanged(): void

  /** An attempt ended with the reply that is `reply` (reply.ts) now. */
  abstract answered(attempt: Attempt, protocol: 'udp' | 'tcp'): void

  /** An attempt ended without a reply. */
  abstract failed(attempt: Attempt, text: string): void

  abstract onDue(nowMs: number): void
}

export class Attempt implements UdpAsker, StreamAsker {
  question!: Question
  upstream!: Upstream
  isOpen = false
  edns = true
  startedMs = 0
  /** When the upstream is given up; on the monotonic clock, in ms. */
  dueMs = 0

  // Over UDP (udp.ts).
  socket: OpenSocket | undefined
  id = 0
  slot = 0
  sends = 0
  heard = 0

  // Over a connection (stream.ts).
  line: StreamLine | undefined
  streamId = 0
  isReused = false

  #overTcp = false
  #mismatches = 0
  #streamTries = 0
  /** Whether a connection is being waited for. */
  #isStreamOpen = false
  #failure: string | undefined
  #limitMs = 0
  #refusedEdns = false

  /** Asks; the end may come before it returns. */
  begin(question: Question, upstream: Upstream, nowMs: number, limitMs: number): void {
    this.question = question
    this.upstream = upstream
    this.isOpen = true
    this.edns = question.withEdns && upstream.takesEdns(nowMs)
    this.#limitMs = limitMs
    this.#refusedEdns = false
    this.#overTcp = upstream.isStream || question.overTcp
    upstream.entered()
    this.#ask(nowMs)
  }

  #ask(nowMs: number): void {
    this.startedMs = nowMs
    this.sends = 1
    this.#mismatches = 0
    this.#streamTries = 0
    this.#isStreamOpen = false
    this.#failure = undefined
    this.dueMs = Math.min(nowMs + this.upstream.readTimeoutMs, this.#limitMs)
    this.upstream.latency.asked(nowMs)
    if (this.#overTcp) this.#askStream()
    else this.upstream.askUdp(this)
  }

  /**
   * Asks the same upstream again, which may have lost the question: over UDP as before, or over another connection where this
   * one is silent. False where there is no use in it.
   */
  again(nowMs: number): boolean {
    if (this.socket !== undefined) {
      this.upstream.againUdp(this)
      return true
    }
    if (!this.isReused || !this.line?.isSilent(nowMs) || this.#streamTries > 1) return false
    this.line.forget(this)
    this.#askStream()
    return true
  }

  /** Until the connection stands the question has all its time. */
  #askStream(): void {
    this.#isStreamOpen = true
    this.#streamTries++
    if (this.socket === undefined) this.dueMs = this.#limitMs
    this.upstream.askStream(this)
    this.question.dueChanged()
  }

  connected(): void {
    const dueMs = this.question.nowMs() + this.upstream.readTimeoutMs
    this.dueMs = Math.min(this.socket === undefined ? dueMs : Math.max(this.dueMs, dueMs), this.#limitMs)
    this.question.dueChanged()
  }

  datagram(octets: Uint8Array, start: number, end: number): void {
    const { upstream, question, edns, id } = this
    const judgement = reply.judge(octets, start, end, question, id, edns, 'udp')
    if (judgement === NO_EDNS) this.#askWithoutEdns()
    else if (judgement === MISMATCH) this.mismatch()
    else {
      upstream.observe(reply.rcode, this.startedMs, this.sends === 1)
      this.#answered('udp')
    }
  }

  /** Something came that is not the reply and says that it is. */
  mismatch(): void {
    if (++this.#mismatches === 1) {
      this.upstream.warnOfMismatch()
      this.#askStream()
    } else if (this.#mismatches > MISMATCHES_MAX) {
      this.upstream.forgetUdp(this)
      this.udpFailed(`${this.#mismatches} replies of ${this.upstream.to} do not fit the question`)
    }
  }

  udpFailed(text: string): void {
    this.#failure ??= text
    if (!this.#isStreamOpen) this.#failed(this.#failure)
  }

  streamReply(octets: Uint8Array, start: number, end: number, ageSeconds: number): void {
    this.#isStreamOpen = false
    const { upstream, question, edns, streamId } = this
    const judgement = reply.judge(octets, start, end, question, streamId, edns, 'tcp')
    if (judgement === NO_EDNS) {
      this.#askWithoutEdns()
    } else if (judgement === MISMATCH) {
      this.streamFailed(`the reply of ${upstream.to} does not fit the question`, false)
    } else {
      upstream.observe(reply.rcode, this.startedMs, this.#streamTries === 1)
      if (ageSeconds > 0) reply.age(ageSeconds)
      this.#answered('tcp')
    }
  }

  streamFailed(text: string, isStale: boolean): void {
    // Idle connections that the upstream closed meanwhile: there may be as many as there can be connections.
    if (isStale && this.#streamTries <= CONNECTIONS_MAX) {
      this.#askStream()
      return
    }
    this.#isStreamOpen = false
    if (this.#overTcp) this.#failed(text)
    else if (this.#failure !== undefined) this.#failed(this.#failure)
  }

  /** The upstream has had its time. */
  expire(): void {
    const { upstream, line, socket } = this
    const overUdp = socket && upstream.timeoutOfUdp(this)
    const overTcp = line?.expire(this)
    this.#failed(this.#failure ?? overUdp ?? overTcp ?? `${upstream.to} i/o timeout`)
  }

  /** Ends it; nobody hears of it. */
  cancel(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#forget()
    this.upstream.left()
  }

  #forget(): void {
    this.upstream.forgetUdp(this)
    this.line?.forget(this)
    this.#isStreamOpen = false
  }

  #askWithoutEdns(): void {
    this.#forget()
    this.edns = false
    this.#refusedEdns = true
    this.#ask(this.question.nowMs())
    this.question.dueChanged()
  }

  #answered(protocol: 'udp' | 'tcp'): void {
    const { upstream, question } = this
    // A question that is refused with and without EDNS says nothing about EDNS.
    if (this.#refusedEdns && reply.rcode !== RCODE.FORMERR && reply.rcode !== RCODE.NOTIMP)
      upstream.refusedEdns(question.nowMs())
    this.cancel()
    question.answered(this, protocol)
  }

  #failed(text: string): void {
    this.cancel()
    this.question.failed(this, text)
  }
}
