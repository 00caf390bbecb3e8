// `loop`: finds queries that this server forwards to itself (CoreDNS plugin/loop). Each thread asks its own block, through
// the chain, for a name of 128 random bits; if that question comes back from the network, what was forwarded returns.
// CoreDNS ends its process then; here the loop is broken and reported: while it lasts, questions that would be forwarded are
// answered SERVFAIL, and the probe is asked again until it no longer comes back.

import { once, readLine } from '../corefile/arguments.ts'
import type { Query } from '../query/query.ts'
import { EDE, type MaybePromise, type Outcome, servfail } from '../query/reply.ts'
import type { Timer } from '../shared/clock.ts'
import { lazy } from '../shared/lazy.ts'
import { equalNames, formatName, type Name, name } from '../wire/name.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import type { ServingContext } from './context.ts'
import type { Handler, Next, Word } from './plugin.ts'

export type LoopConfig = Record<string, never>

/** When the first probe goes out, and how long a thread waits for the next while a loop lasts. */
const FIRST_PROBE_MS = 500
const AGAIN_MS = 10_000
/** A probe is heard for this long. */
const LISTEN_MS = 2000
/**
 * The question may come this often: only when it is sent. CoreDNS waits for the third, but `forward` here asks the same
 * question upstream only once at a time, so that a probe that is under way goes round once.
 */
const SEEN_MAX = 1

export const loopWord: Word<LoopConfig> = {
  word: 'loop',
  doc: {
    usage: 'loop',
    meaning: 'finds queries that this server forwards to itself',
    options: [],
    notes: [
      'A loop that is found stops forwarding until it is gone and says so in the log; CoreDNS ends its process.',
    ],
  },
  parse(directives, problems) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    readLine(directive, problems, () => {})
    return {}
  },
  create: (_config, context) => new LoopHandler(context),
}

export class LoopHandler implements Handler {
  readonly #context: ServingContext
  readonly #probeName: Name
  #next: Next | undefined
  #timer: Timer | undefined
  #seen = 0
  #looping = false
  #stopped = false

  constructor(context: ServingContext) {
    this.#context = context
    const labels = lazy.crypto.randomBytes(16).toString('hex')
    const zone = context.zones.find(text => text !== '.') ?? '.'
    this.#probeName = name(`${labels.slice(0, 16)}.${labels.slice(16)}.${zone === '.' ? '' : zone}`)
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    if (this.#next === undefined) {
      this.#next = next
      this.#schedule(FIRST_PROBE_MS, query)
    }
    if (query.question.qtype === TYPE.HINFO && equalNames(query.question.qname, this.#probeName)) {
      if (++this.#seen > SEEN_MAX) {
        this.#found()
        return servfail({ code: EDE.OTHER, text: 'a forwarding loop: this server is its own upstream' })
      }
    } else if (this.#looping) {
      return servfail(
        { code: EDE.OTHER, text: 'a forwarding loop: this server is its own upstream' },
        'forwarding loop',
      )
    }
    return next(query)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** The first query that would be forwarded lends the probe its listener. */
  #schedule(delayMs: number, query: Query): void {
    this.#timer = this.#context.clock.after(delayMs, () => void this.#probe(query))
  }

  async #probe(query: Query): Promise<void> {
    const next = this.#next
    if (this.#stopped || next === undefined) return
    this.#seen = 0
    const nowMs = this.#context.clock.nowMs()
    const question = { qname: this.#probeName, qtype: TYPE.HINFO, qclass: CLASS.IN }
    this.#seen = 1
    try {
      await next({ ...query, question, receivedAtMs: nowMs, deadlineMs: nowMs + LISTEN_MS })
    } catch (error) {
      this.#context.log.write('ERROR', 'plugin/loop', `a plugin failed at the probe: ${String(error)}`)
    }
    if (this.#stopped) return
    if (this.#looping && this.#seen <= SEEN_MAX) {
      this.#looping = false
      this.#context.log.write(
        'INFO',
        'plugin/loop',
        'the forwarding loop is gone; queries are forwarded again',
      )
    }
    if (this.#looping) this.#schedule(AGAIN_MS, query)
  }

  #found(): void {
    if (this.#looping) return
    this.#looping = true
    const probe = formatName(this.#probeName)
    this.#context.log.write(
      'ERROR',
      'plugin/loop',
      `Loop detected for zone ${this.#context.zones[0] ?? '.'}: the query "HINFO ${probe}" came back from an upstream; ` +
        'forwarding is stopped until it does not (an upstream, often one of /etc/resolv.conf, leads back here)',
    )
  }
}
