// `loop`: finds queries that this server forwards to itself (CoreDNS plugin/loop). Each thread asks its own block, through
// the chain, for a name of 128 random bits; if that question comes back from the network, what was forwarded returns.
// CoreDNS ends its process then; here the loop is broken and reported: while it lasts, questions that would be forwarded are
// answered SERVFAIL, and another probe is asked until none comes back. A name is good for one probe: whoever learns it from
// a log or from an upstream can do nothing with it later (CVE-2026-26018).

import { once, readLine } from '../corefile/arguments.ts'
import type { Query } from '../query/query.ts'
import { type MaybePromise, type Outcome, servfail } from '../query/reply.ts'
import type { Timer } from '../shared/clock.ts'
import { lazy } from '../shared/lazy.ts'
import { EDE } from '../wire/extended-error.ts'
import { equalNames, formatName, type Name, name } from '../wire/name.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import type { Next, ServingContext, TreeHandler, Word } from './plugin.ts'

export type LoopConfig = Record<string, never>

/** When the first probe goes out, and how long a thread waits for the next while a loop lasts. */
const FIRST_PROBE_MS = 500
const AGAIN_MS = 10_000
/** A probe is heard for this long, also where it was answered sooner. */
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
    example: `
      . {
          loop
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    readLine(directive, problems, () => {})
    return {}
  },
  effect: () => ({ transparent: true }),
  create: (_config, context) => new LoopHandler(context),
}

export class LoopHandler implements TreeHandler {
  readonly trees = true
  readonly #context: ServingContext
  #next: Next | undefined
  #timer: Timer | undefined
  /** The name of the probe that is heard; none between two. */
  #probeName: Name | undefined
  #seen = 0
  #looping = false
  #stopped = false

  constructor(context: ServingContext) {
    this.#context = context
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    if (this.#next === undefined) {
      this.#next = next
      this.#schedule(FIRST_PROBE_MS, query)
    }
    const { qtype, qname } = query.question
    if (this.#probeName !== undefined && qtype === TYPE.HINFO && equalNames(qname, this.#probeName)) {
      if (++this.#seen > SEEN_MAX) {
        this.#found(this.#probeName)
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
    const { clock, log } = this.#context
    const nowMs = clock.nowMs()
    const qname = this.#randomName()
    const question = { qname, qtype: TYPE.HINFO, qclass: CLASS.IN }
    this.#probeName = qname
    this.#seen = 1
    const heard = new Promise<void>(resolve => {
      this.#timer = clock.after(LISTEN_MS, resolve)
    })
    try {
      await next({ ...query, question, receivedAtMs: nowMs, deadlineMs: nowMs + LISTEN_MS })
    } catch (error) {
      log.write('ERROR', 'plugin/loop', `a plugin failed at the probe: ${String(error)}`)
    }
    await heard
    this.#probeName = undefined
    if (this.#stopped) return
    if (this.#looping && this.#seen <= SEEN_MAX) {
      this.#looping = false
      log.write('INFO', 'plugin/loop', 'the forwarding loop is gone; queries are forwarded again')
    }
    if (this.#looping) this.#schedule(AGAIN_MS, query)
  }

  #randomName(): Name {
    const labels = lazy.crypto.randomBytes(16).toString('hex')
    const zone = this.#context.zones.find(text => text !== '.') ?? ''
    return name(`${labels.slice(0, 16)}.${labels.slice(16)}.${zone}`)
  }

  #found(probeName: Name): void {
    if (this.#looping) return
    this.#looping = true
    const probe = formatName(probeName)
    this.#context.log.write(
      'ERROR',
      'plugin/loop',
      `Loop detected for zone ${this.#context.zones[0] ?? '.'}: the query "HINFO ${probe}" came back from an upstream; ` +
        'forwarding is stopped until it does not (an upstream, often one of /etc/resolv.conf, leads back here)',
    )
  }
}
