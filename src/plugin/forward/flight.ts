// One question on its way to the upstreams of a rule, for all who ask it: which one is asked, which one next, and when again.
//
//   a reply                     for all who wait; with one of failover's codes the next upstream is asked, if there is one,
//                               and the last reply stands
//   no reply, an error          the next upstream, until attempts or time are used up
//   nothing for a while         the next upstream too, or the same one again (latency.ts); whoever answers first is heard
//   a client asks again         the same at once, where the question has been on its way that long
//   all upstreams down          one at random is tried once, or none (failfast)
//
// Flights are used again; nothing is allocated for one but its order of upstreams.

import type { Trace, Waiting } from '../../query/packet.ts'
import { type Attempt, Question } from './attempt.ts'
import type { Bounds } from './chain.ts'
import { reasonIn } from './error-text.ts'
import { RETRY_FIRST_MS } from './latency.ts'
import { noteFailure, noteReply } from './notes.ts'
import { type KeptUpstreamReply, reply } from './reply.ts'
import type { Upstream } from './upstream.ts'

/** How long one question may take over all its upstreams: stub resolvers give up after five seconds. */
export const PATIENCE_MS = 4800
/** How often one question goes out before its time, at most. */
export const AGAIN_MAX = 8

/** What a flight needs of its rule. */
export interface FlightRule {
  readonly isStopped: boolean
  readonly failover: readonly number[]
  readonly failfast: boolean
  readonly bounds: Bounds
  /** Whether the order of the upstreams is the operator's: a later one is not asked for a little haste. */
  readonly isOrdered: boolean
  /** The upstreams in the order of trial. */
  order(): readonly Upstream[]
  any(upstreams: readonly Upstream[]): Upstream | undefined
  /** Failed attempts for one question. */
  attemptsMax(upstreams: number): number
  takeAttempt(): Attempt
  giveAttempt(attempt: Attempt): void
  /** All upstreams are down. */
  allDown(): void
  /** Whoever waits that cannot wait any longer. */
  gaveUp(waiting: Waiting): void
  /** An upstream was asked, and has answered with `reply` or not at all; absent where nobody wants to know. */
  readonly asked?:
    | ((flight: Flight, attempt: Attempt, protocol: 'udp' | 'tcp', hasReply: boolean) => void)
    | undefined
  /** It is over: the reply is `reply` (reply.ts), or there is none. Its waiters are the rule's from now on. */
  ended(flight: Flight, hasReply: boolean): void
}

export class Flight extends Question {
  /** Its place among the flights of the rule, its hash there, and for whom it has the place: the table's (flights.ts). */
  slot = 0
  hash = 0
  client: string | number = ''
  /** Who waits, in the order of coming. */
  waiters: Waiting | undefined
  /** Who answered, and whether more is to be had over TCP. */
  to = ''
  isCut = false
  /** Why there is no reply: of each upstream that was asked, and the last one in CoreDNS's words. */
  readonly reasons = new Map<string, string>()
  error = ''
  /** Who wants to know what becomes of it. */
  trace: Trace | undefined

  readonly #rule: FlightRule
  #lastWaiter: Waiting | undefined
  #waitersDueMs = Number.POSITIVE_INFINITY
  #order: readonly Upstream[] = []
  readonly #attempts: Attempt[] = []
  #kept: { readonly reply: KeptUpstreamReply; readonly to: string; readonly isCut: boolean } | undefined
  #startedMs = 0
  #deadlineMs = 0
  #againAtMs = 0
  #sentAtMs = 0
  #agains = 0
  #turn = 0
  #downs = 0
  #failures = 0
  #failovers = 0
  #isLast = false
  #isStarting = false
  #isOver = true

  constructor(rule: FlightRule, clock: Question['clock']) {
    super(clock, rule.bounds)
    this.#rule = rule
  }

  /** Somebody waits, too. */
  add(waiting: Waiting): void {
    waiting.next = undefined
    if (this.#lastWaiter === undefined || this.waiters === undefined) this.waiters = waiting
    else this.#lastWaiter.next = waiting
    this.#lastWaiter = waiting
    if (waiting.deadlineMs >= this.#waitersDueMs) return
    this.#waitersDueMs = waiting.deadlineMs
    if (!this.#isOver) this.dueChanged()
  }

  /** Takes off; it may be over before this returns. */
  start(nowMs: number): void {
    this.#startedMs = nowMs
    this.#deadlineMs = nowMs + PATIENCE_MS
    this.#againAtMs = Number.POSITIVE_INFINITY
    this.#agains = this.#turn = this.#downs = this.#failures = this.#failovers = 0
    this.#isLast = this.#isOver = false
    this.#kept = undefined
    if (this.reasons.size > 0) this.reasons.clear()
    this.error = 'no healthy proxies'
    this.#order = this.#rule.order()
    this.#goOn(nowMs)
  }

  /** Somebody asks who asked before, or somebody else: what was sent so long ago may be lost. */
  askedAgain(nowMs: number): void {
    const newest = this.#attempts.at(-1)
    if (newest === undefined || nowMs - this.#sentAtMs < newest.upstream.latency.retryMs) return
    this.#again(nowMs, true)
    this.dueChanged()
  }

  dueChanged(): void {
    if (this.#isStarting || this.#isOver) return
    let dueMs = Math.min(this.#deadlineMs, this.#againAtMs, this.#waitersDueMs)
    for (const attempt of this.#attempts) dueMs = Math.min(dueMs, attempt.dueMs)
    this.dueMs = dueMs
    this.wheel.set(this)
  }

  answered(attempt: Attempt, protocol: 'udp' | 'tcp'): void {
    const { upstream } = attempt
    if (this.trace !== undefined)
      noteReply(this.trace, upstream.to, reply.rcode, protocol, this.nowMs() - attempt.startedMs)
    this.#rule.asked?.(this, attempt, protocol, true)
    this.#remove(attempt)
    upstream.acquit()
    this.to = upstream.to
    this.isCut = reply.truncated && protocol === 'udp'
    const { failover, isStopped } = this.#rule
    if (!failover.includes(reply.rcode) || isStopped || ++this.#failovers >= this.#order.length) {
      this.#end(true)
      return
    }
    this.#kept = { reply: reply.keep(), to: this.to, isCut: this.isCut }
    this.#next(this.nowMs())
  }

  failed(attempt: Attempt, text: string): void {
    const { upstream } = attempt
    if (this.trace !== undefined) noteFailure(this.trace, upstream.to, text, this.nowMs() - attempt.startedMs)
    this.#rule.asked?.(this, attempt, this.overTcp || upstream.isStream ? 'tcp' : 'udp', false)
    this.#remove(attempt)
    upstream.accuse(text)
    this.#failures++
    this.error = text
    this.reasons.set(upstream.to, reasonIn(text))
    if (this.#isStarting) return
    // While another one is waited for, only one that was not asked yet is.
    if (this.#attempts.length === 0 || this.#turn < this.#order.length) this.#next(this.nowMs())
    else this.dueChanged()
  }

  onDue(nowMs: number): void {
    if (this.#waitersDueMs <= nowMs) this.#letGo(nowMs)
    if (this.waiters === undefined) {
      this.#end(false)
      return
    }
    for (let i = this.#attempts.length - 1; i >= 0; i--) {
      const attempt = this.#attempts[i]
      if (attempt && attempt.dueMs <= nowMs) attempt.expire()
      if (this.#isOver) return
    }
    if (this.#againAtMs <= nowMs) this.#again(nowMs, false)
    this.dueChanged()
  }

  /** One more upstream is asked, and others for as long as none is waited for. */
  #next(nowMs: number): void {
    this.#isStarting = true
    const upstream = this.#pick(nowMs)
    if (upstream) this.#begin(upstream, nowMs)
    this.#isStarting = false
    this.#goOn(nowMs)
  }

  #goOn(nowMs: number): void {
    this.#isStarting = true
    while (this.#attempts.length === 0) {
      const upstream = this.#pick(nowMs)
      if (upstream === undefined) break
      this.#begin(upstream, nowMs)
    }
    this.#isStarting = false
    if (this.#attempts.length === 0) this.#end(false)
    else this.dueChanged()
  }

  #begin(upstream: Upstream, nowMs: number): void {
    const attempt = this.#rule.takeAttempt()
    this.#attempts.push(attempt)
    this.#sentAtMs = nowMs
    this.#waitForAnswer(upstream, nowMs)
    attempt.begin(this, upstream, nowMs, this.#deadlineMs)
  }

  /** Each time the question is out it has twice as long as before to be answered. Who is known to be down is asked once. */
  #waitForAnswer({ latency }: Upstream, nowMs: number): void {
    const isOut = this.#isLast || this.#agains >= AGAIN_MAX
    this.#againAtMs = isOut ? Number.POSITIVE_INFINITY : nowMs + latency.retryMs * 2 ** this.#agains
    const anotherAtMs = this.#startedMs + RETRY_FIRST_MS
    if (!isOut && this.#rule.isOrdered && nowMs < anotherAtMs)
      this.#againAtMs = Math.min(this.#againAtMs, anotherAtMs)
  }

  /** The upstream whose turn it is; undefined where nobody is to be asked (any more). */
  #pick(nowMs: number): Upstream | undefined {
    const order = this.#order
    const { isStopped, failfast } = this.#rule
    const asked = this.#failures + this.#attempts.length
    if (isStopped || this.#isLast || nowMs >= this.#deadlineMs) return undefined
    if (asked >= this.#rule.attemptsMax(order.length)) return undefined
    for (let looked = 0; looked < 2 * order.length; looked++) {
      if (this.#turn > 0 && this.#turn % order.length === 0) this.#downs = 0
      const upstream = order[this.#turn++ % order.length]!
      if (!upstream.down) {
        if (this.#attempts.some(attempt => attempt.upstream === upstream)) continue
        return upstream
      }
      if (++this.#downs < order.length) continue
      if (this.#attempts.length > 0) return undefined
      this.#rule.allDown()
      this.#isLast = true
      return failfast ? undefined : this.#rule.any(order)
    }
    return undefined
  }

  /** Nothing has come for a while, or somebody has asked again, which needs no credit: CoreDNS would ask, too. */
  #again(nowMs: number, isFree: boolean): void {
    const newest = this.#attempts.at(-1)
    if (newest === undefined || this.#agains >= AGAIN_MAX) {
      this.#againAtMs = Number.POSITIVE_INFINITY
      return
    }
    this.#agains++
    this.#waitForAnswer(newest.upstream, nowMs)
    const { latency } = newest.upstream
    if (this.#mayAskAnother(nowMs) && (latency.mayAskAnother(nowMs) || isFree)) {
      this.#isStarting = true
      const upstream = this.#pick(nowMs)
      if (upstream) this.#begin(upstream, nowMs)
      this.#isStarting = false
      if (upstream) return
    }
    if ((latency.mayAskAgain(nowMs) || isFree) && newest.again(nowMs)) this.#sentAtMs = nowMs
  }

  #mayAskAnother(nowMs: number): boolean {
    if (this.#order.length < 2) return false
    return !this.#rule.isOrdered || nowMs - this.#startedMs >= RETRY_FIRST_MS
  }

  /** Those who cannot wait any longer. */
  #letGo(nowMs: number): void {
    let waiting = this.waiters
    this.waiters = this.#lastWaiter = undefined
    this.#waitersDueMs = Number.POSITIVE_INFINITY
    while (waiting) {
      const { next } = waiting
      if (waiting.deadlineMs <= nowMs) this.#rule.gaveUp(waiting)
      else this.add(waiting)
      waiting = next
    }
  }

  #remove(attempt: Attempt): void {
    const attempts = this.#attempts
    for (let i = attempts.indexOf(attempt) + 1; i < attempts.length; i++) attempts[i - 1] = attempts[i]!
    attempts.pop()
    this.#rule.giveAttempt(attempt)
  }

  #end(hasReply: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.wheel.cancel(this)
    const nowMs = this.nowMs()
    for (let attempt = this.#attempts.pop(); attempt; attempt = this.#attempts.pop()) {
      const { upstream, startedMs } = attempt
      attempt.cancel()
      this.#rule.giveAttempt(attempt)
      // Another one was faster: that is no failure, but it may be one.
      if (nowMs - startedMs >= upstream.latency.retryMs)
        upstream.accuse(`${upstream.to} has not answered yet`)
    }
    const kept = this.#kept
    if (!hasReply && kept) {
      reply.restore(kept.reply)
      this.to = kept.to
      this.isCut = kept.isCut
    }
    this.#kept = undefined
    this.#order = []
    this.#waitersDueMs = Number.POSITIVE_INFINITY
    this.#lastWaiter = undefined
    this.#rule.ended(this, hasReply || kept !== undefined)
  }
}
