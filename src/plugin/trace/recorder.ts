// What becomes of one query, noted as spans while it happens: the query, plugins that wait, upstreams that are asked. It is a trace
// of the packet (query/packet.ts), as `seamark explain` has one.

import { type NoteFacts, type Packet, type Served, type Step, type Trace, WAIT } from '../../query/packet.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Parent } from './parent.ts'
import { randomId, type Span } from './span.ts'

/** Spans of one query; a chain of look-ups that goes on is cut there. */
const SPANS_MAX = 64
/** Of what went wrong. */
const ERROR_MAX_CHARACTERS = 256

/** A plugin that waits. */
interface Wait {
  readonly id: string
  readonly word: string
  readonly served: Served
  readonly at: number
  readonly startMs: number
}

export class Recorder implements Trace {
  readonly traceId: string
  readonly #id: string
  readonly #parentId: string | undefined
  readonly #isShared: boolean
  readonly #clock: Clock
  readonly #receivedAtMs: number
  /** From the monotonic clock to µs since 1970. */
  readonly #offsetMs: number
  readonly #waits: Wait[] = []
  #spans: Span[] = []
  #isOver = false

  /** A part of the client's own trace where it has one; `shares`: its first span is the client's. */
  constructor(clock: Clock, receivedAtMs: number, parent?: Parent, shares = false) {
    this.#clock = clock
    this.#receivedAtMs = receivedAtMs
    this.#offsetMs = clock.wallMs() - clock.nowMs()
    this.traceId = parent?.traceId ?? randomId(16)
    this.#isShared = shares && parent !== undefined
    this.#id = this.#isShared ? parent!.id : randomId(8)
    this.#parentId = this.#isShared ? parent!.parentId : parent?.id
  }

  said(packet: Packet, step: Step): void {
    const { served, at } = packet
    if (step === WAIT) {
      // Its record has the trace; the listener fills the packet with other queries.
      packet.trace = undefined
      const word = served.words[at] ?? ''
      if (!this.#isOver && this.#waits.length < SPANS_MAX)
        this.#waits.push({ id: randomId(8), word, served, at, startMs: this.#clock.nowMs() })
      return
    }
    if (this.#waits.length === 0) return
    const index = this.#waits.findLastIndex(wait => wait.at === at && wait.served === served)
    if (index < 0) return
    const [wait] = this.#waits.splice(index, 1)
    this.#add(wait!, 'internal', wait!.word, this.#id, wait!.startMs, this.#clock.nowMs(), [], undefined)
  }

  note(word: string, _text: string, facts?: NoteFacts): void {
    if (word !== 'forward' || facts?.to === undefined || typeof facts.ms !== 'number') return
    const nowMs = this.#clock.nowMs()
    const parent = this.#waits.findLast(wait => wait.word === word)
    const tags: [string, string][] = [['peer.address', String(facts.to)]]
    if (facts.rcode !== undefined) tags.push(['coredns.io/rcode', String(facts.rcode)])
    const error = facts.error === undefined ? undefined : String(facts.error)
    this.#add(
      { id: randomId(8) },
      'client',
      'connect',
      parent?.id ?? this.#id,
      nowMs - facts.ms,
      nowMs,
      tags,
      error,
    )
  }

  /** The query has its reply, or gets none: all its spans, its own at last. */
  end(name: string, tags: Span['tags'], error: string | undefined): readonly Span[] {
    const nowMs = this.#clock.nowMs()
    const spans = this.#spans
    this.#spans = []
    this.#isOver = true
    this.#waits.length = 0
    spans.push(
      this.#span(
        { id: this.#id, parentId: this.#parentId, kind: 'server', name, tags, isShared: this.#isShared },
        this.#receivedAtMs,
        nowMs,
        error,
      ),
    )
    return spans
  }

  #add(
    { id }: { readonly id: string },
    kind: Span['kind'],
    name: string,
    parentId: string,
    fromMs: number,
    toMs: number,
    tags: Span['tags'],
    error: string | undefined,
  ): void {
    if (this.#isOver || this.#spans.length >= SPANS_MAX) return
    this.#spans.push(this.#span({ id, parentId, kind, name, tags, isShared: false }, fromMs, toMs, error))
  }

  #span(
    span: Pick<Span, 'id' | 'parentId' | 'kind' | 'name' | 'tags' | 'isShared'>,
    fromMs: number,
    toMs: number,
    error: string | undefined,
  ): Span {
    return {
      ...span,
      traceId: this.traceId,
      startUs: Math.round((this.#offsetMs + fromMs) * 1000),
      durationUs: Math.max(1, Math.round((toMs - fromMs) * 1000)),
      error: error?.slice(0, ERROR_MAX_CHARACTERS),
    }
  }
}
