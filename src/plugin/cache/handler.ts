// The cache as a link of the chain: answers what it has, passes on what it has not, and keeps what comes back
// (coredns plugin/cache/handler.go and cache.go; RFC 2308, RFC 8767).
//
//   found    serve_stale  what the client gets              what is asked
//   fresh    any          the entry, its TTL counted down   behind, when popular and nearly expired
//   stale    immediate    the entry, TTL 0 or as told       behind, one refresh at a time
//   stale    verify       what comes back, else the entry   at once, for as long as told
//   nothing  any          what comes back                   at once
//
// Whatever passes gets one TTL on all records. Unlike CoreDNS it never stores replies made from the cluster's own table:
// the table is as fast, never stale, and a SERVFAIL of the time before it is synced must not outlive that time.

import { LOOKUPS_MAX } from '../../query/packet.ts'
import type { Query } from '../../query/query.ts'
import { DROP, type MaybePromise, type Outcome, type Reply } from '../../query/reply.ts'
import { EDE, type ExtendedError } from '../../wire/extended-error.ts'
import { MESSAGE_MAX } from '../../wire/header.ts'
import { formatName, isWithinAny, type Name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { typeName } from '../../wire/rrtype.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import { type Classified, classify } from './classify.ts'
import type { CacheConfig, StaleConfig } from './config.ts'
import { type CacheCounters, CounterSets, makeCounters } from './counters.ts'
import { buildEntry, type Entry } from './entry.ts'
import { FastCache, type FastOptions } from './fast.ts'
import { optionsKey, questionKey } from './key.ts'
import { noteEntry } from './notes.ts'
import { countHit, isPopular } from './prefetch.ts'
import { ResponseStore } from './store.ts'
import { replyTtl, sideOf, withReplyTtl, zoneNames } from './ttl.ts'

/** Refreshes behind clients' backs at one moment, on one thread; further ones wait for the next hit. */
export const REFRESHES_MAX = 256

/** Writers whose replies come out of the cluster's table. */
const TABLE_PLUGINS: ReadonlySet<string> = new Set(['kubernetes', 'k8s_external'])

/** One query on its way, with what every step of it needs. */
interface Passage {
  readonly query: Query
  readonly key: string
  readonly next: Next
  readonly counters: CacheCounters
}

/** The cache of one server block on one serving thread. */
export class CacheHandler implements TreeHandler {
  readonly trees = true
  readonly #config: CacheConfig
  readonly #context: ServingContext
  readonly #store: ResponseStore
  readonly #counters: CounterSets
  readonly #zones: readonly Name[]
  readonly #exceptZones: Readonly<Record<'success' | 'denial', readonly Name[]>>
  #refreshes = 0
  #stopped = false

  constructor(config: CacheConfig, context: ServingContext) {
    this.#config = config
    this.#context = context
    this.#store = new ResponseStore(config)
    this.#counters = new CounterSets((server, view) => {
      const counters = makeCounters(context.meters, server, view, config.zones)
      this.#store.gauge(counters)
      return counters
    })
    this.#zones = zoneNames(config.zones)
    this.#exceptZones = {
      success: zoneNames(config.success.exceptZones),
      denial: zoneNames(config.denial.exceptZones),
    }
  }

  /** The part of the fast path that answers out of this cache, for the queries of one listener and view. */
  fastPath(server: string, view: string, options: FastOptions): FastCache {
    return new FastCache(this.#store, this.#config, this.#counters.of(server, view), options)
  }

  /** Entries and octets held. */
  get usage(): { readonly entries: number; readonly octets: number } {
    const success = this.#store.usage('success')
    const denial = this.#store.usage('denial')
    return { entries: success.entries + denial.entries, octets: success.octets + denial.octets }
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { question, edns, checkingDisabled } = query
    if (!isWithinAny(question.qname, this.#zones)) return next(query)
    const counters = this.#counters.of(query.server, query.view)
    counters.requests.add()
    const nowMs = this.#context.clock.nowMs()
    const key =
      questionKey(question, edns?.dnssecOk ?? false, checkingDisabled) + optionsKey(query.addedOptions)
    const entry = this.#store.select(key, nowMs)
    const passage: Passage = { query, key, next, counters }
    if (entry === undefined) {
      counters.misses.add()
      query.trace?.note('cache', 'has no answer to it')
      return this.#pass(passage)
    }
    counters.hits[entry.side].add()
    if (query.trace !== undefined) noteEntry(query.trace, entry, nowMs)
    const { prefetch, stale } = this.#config
    const ttl = entry.ttlAt(nowMs)
    if (ttl <= 0 && stale !== undefined) return this.#answerStale(passage, entry, stale, nowMs)
    if (prefetch !== undefined && isPopular(prefetch, entry, ttl, nowMs)) {
      countHit(prefetch, entry, nowMs)
      this.#refreshBehind(passage, entry, 0)
    }
    return this.#answerFrom(passage, entry, ttl)
  }

  /** Forgets everything; what is under way ends without being stored. */
  stop(): void {
    this.#stopped = true
    this.#store.clear()
  }

  #answerFrom(passage: Passage, entry: Entry, ttl: number, stale?: ExtendedError): MaybePromise<Outcome> {
    const { query, key } = passage
    const shown = this.#config.keepTtl && (stale === undefined || ttl === 0) ? entry.ttlSeconds : ttl
    const reply = entry.reply(query.question, shown, wantsAuthenticData(query))
    if (reply === undefined) {
      this.#store.forget(key)
      return this.#pass(passage)
    }
    return stale === undefined ? reply : { ...reply, extendedError: stale }
  }

  /** Asks the rest of the chain and keeps what comes back. AD is asked for, so that its answer can be kept. */
  #pass(passage: Passage): MaybePromise<Outcome> {
    const outcome = passage.next(withAuthenticData(passage.query))
    const keep = (late: Outcome): Outcome => (late === DROP ? DROP : this.#keep(passage, late))
    return outcome instanceof Promise ? outcome.then(keep) : keep(outcome)
  }

  /** Flattens the TTLs of a reply, stores it where it may be, and hides AD from those who did not ask for it. */
  #keep(passage: Passage, reply: Reply): Reply {
    const classified = this.#classify(passage.query, reply)
    // A transfer's TTLs are the zone's.
    if (classified.kind === 'transfer') return reply
    const ttlSeconds = replyTtl(this.#config, classified.kind, reply)
    const flat = withReplyTtl(reply, ttlSeconds)
    if (classified.storable && ttlSeconds > 0) this.#put(passage, flat, classified, ttlSeconds)
    return flat.authenticData && !wantsAuthenticData(passage.query) ? { ...flat, authenticData: false } : flat
  }

  #put({ query, key, counters }: Passage, reply: Reply, classified: Classified, ttlSeconds: number): void {
    // A failure that nobody wrote is the server's own: the next query may fare better (CoreDNS keeps none either).
    if (this.#stopped || reply.plugin === '' || TABLE_PLUGINS.has(reply.plugin)) return
    const { question } = query
    const side = sideOf(classified.kind)
    if (isWithinAny(question.qname, this.#exceptZones[side])) return
    const nowMs = this.#context.clock.nowMs()
    // RFC 8914 4.14: a failure out of the cache says so.
    const extendedError =
      reply.extendedError ??
      (reply.rcode === RCODE.SERVFAIL ? { code: EDE.CACHED_ERROR, text: '' } : undefined)
    const entry = buildEntry(
      question,
      { ...reply, extendedError },
      classified.answering,
      side,
      ttlSeconds,
      nowMs,
    )
    if (entry === undefined) counters.drops.add()
    else this.#store.put(key, entry, counters)
  }

  #answerStale(passage: Passage, entry: Entry, stale: StaleConfig, nowMs: number): MaybePromise<Outcome> {
    if (!stale.verify) {
      this.#refreshBehind(passage, entry, stale.recheckMs)
      return this.#serveStale(passage, entry, stale)
    }
    // Without a recheck time every client's query is a try of its own, as in CoreDNS.
    if (stale.recheckMs > 0 && !entry.beginRefresh(nowMs)) return this.#serveStale(passage, entry, stale)
    const attempt = this.#refresh(passage).then(reply => {
      if (stale.recheckMs > 0) this.#endRefresh(entry, reply, stale.recheckMs)
      return reply
    })
    return this.#within(attempt, stale.verifyTimeoutMs).then(
      reply => reply ?? this.#serveStale(passage, entry, stale),
    )
  }

  #serveStale(passage: Passage, entry: Entry, { ttlSeconds }: StaleConfig): MaybePromise<Outcome> {
    passage.counters.servedStale.add()
    const code = entry.rcode === RCODE.NXDOMAIN ? EDE.STALE_NXDOMAIN : EDE.STALE_ANSWER
    return this.#answerFrom(passage, entry, ttlSeconds, { code, text: '' })
  }

  /** What comes of the attempt in that time; undefined when it takes longer, and then it goes on alone. 0 is no bound. */
  #within(attempt: Promise<Reply | undefined>, timeoutMs: number): Promise<Reply | undefined> {
    if (timeoutMs === 0) return attempt
    return new Promise(resolve => {
      const timer = this.#context.clock.after(timeoutMs, () => resolve(undefined))
      void attempt.then(reply => {
        timer.cancel()
        resolve(reply)
      })
    })
  }

  /** Refreshes an entry while clients are served from it, one refresh at a time. */
  #refreshBehind(passage: Passage, entry: Entry, recheckMs: number): void {
    const { query, counters } = passage
    const nowMs = this.#context.clock.nowMs()
    if (entry.isRefreshing(nowMs)) return
    if (this.#refreshes >= REFRESHES_MAX) {
      counters.refreshesSkipped.add()
      return
    }
    entry.beginRefresh(nowMs)
    this.#refreshes++
    counters.prefetches.add()
    const wasFresh = entry.ttlAt(nowMs) > 0
    const behind = { ...passage, query: backgroundQuery(query, nowMs) }
    void this.#refresh(behind, wasFresh).then(reply => {
      this.#refreshes--
      this.#endRefresh(entry, reply, recheckMs)
      const newest = reply && this.#store.newest(passage.key)
      if (!newest || newest === entry) return
      // The new entry is as popular as the old one was.
      newest.hits = entry.hits
      newest.lastHitMs = nowMs
    })
  }

  #endRefresh(entry: Entry, reply: Reply | undefined, recheckMs: number): void {
    const retryAtMs = this.#context.clock.nowMs() + recheckMs
    entry.endRefresh(reply === undefined && recheckMs > 0 ? retryAtMs : 0)
  }

  /** Like `#replacement`; a failure of the chain is logged and gives undefined. */
  async #refresh(passage: Passage, wasFresh = false): Promise<Reply | undefined> {
    try {
      return await this.#replacement(passage, wasFresh)
    } catch (error) {
      const { qname, qtype } = passage.query.question
      const what = `refreshing ${formatName(qname)} ${typeName(qtype)}`
      this.#context.log.write('ERROR', 'plugin/cache', `${what}: ${String(error)}`)
      return undefined
    }
  }

  /**
   * Asks again for what is in the cache. Gives the reply where it may take the place of a stale one (RFC 8767 section 4:
   * NOERROR or NXDOMAIN; under `prefer_positive` a usable answer) and undefined otherwise. A fresh entry is replaced by
   * whatever comes.
   */
  async #replacement(passage: Passage, wasFresh: boolean): Promise<Reply | undefined> {
    const { query, next } = passage
    const outcome = await next(withAuthenticData(query))
    if (outcome === DROP) return undefined
    if (wasFresh) return this.#keep(passage, outcome)
    if (outcome.truncated) return undefined
    const { kind, answering } = this.#classify(query, outcome)
    if (this.#config.preferPositive) {
      const reply = this.#keep(passage, outcome)
      return kind === 'positive' && answering ? reply : undefined
    }
    if (kind === 'failure' || kind === 'transfer' || kind === 'other') return undefined
    return this.#keep(passage, outcome)
  }

  #classify({ question, edns }: Query, reply: Reply): Classified {
    return classify(question, reply, edns?.dnssecOk ?? false, this.#context.clock.wallMs())
  }
}

/** RFC 6840 5.7 and 5.8: AD is for those who set it or DO. */
const wantsAuthenticData = ({ edns, authenticData }: Query): boolean =>
  authenticData || (edns?.dnssecOk ?? false)

const withAuthenticData = (query: Query): Query =>
  query.authenticData ? query : { ...query, authenticData: true }

/** The same question asked for nobody: over TCP, so that no size cuts the reply, with time and budget of its own. */
const backgroundQuery = (query: Query, nowMs: number): Query => ({
  ...query,
  transport: 'tcp',
  replyMaxOctets: MESSAGE_MAX,
  receivedAtMs: nowMs,
  deadlineMs: nowMs + (query.deadlineMs - query.receivedAtMs),
  budget: { lookupsLeft: LOOKUPS_MAX },
  metadata: new Map(),
  trace: undefined,
})
