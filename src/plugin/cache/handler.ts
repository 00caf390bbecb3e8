// The cache as a link of the chain: answers what it has, passes on what it has not, and keeps what comes back
// (coredns plugin/cache/handler.go and cache.go; RFC 2308, RFC 8767).
//
//   found    serve_stale  what the client gets              what is asked
//   fresh    any          the entry, its TTL counted down   behind, when popular and nearly expired
//   stale    immediate    the entry, TTL 0 or as told       behind, one refresh at a time
//   stale    verify       what comes back, else the entry   at once, for as long as told (errands.ts)
//   nothing  any          what comes back                   at once
//
// Whatever passes gets one TTL on all records. Unlike CoreDNS it never stores replies made from the cluster's own table:
// the table is as fast, never stale, and a SERVFAIL of the time before it is synced must not outlive that time.

import { pluginIndex } from '../../observe/query-meters.ts'
import { BACK, DONE, DROP, type Kept, NEXT, type Packet, type Step, WAIT } from '../../query/packet.ts'
import { settleQuestion } from '../../query/settle.ts'
import { isInZones, type ScanZone, scanZones } from '../../query/zone-table.ts'
import { lazy } from '../../shared/lazy.ts'
import { EDE } from '../../wire/extended-error.ts'
import { RCODE } from '../../wire/rcode.ts'
import { setTtls, smallestTtl } from '../../wire/ttls.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { type Classified, classify } from './classify.ts'
import type { CacheConfig, StaleConfig } from './config.ts'
import { type CacheCounters, CounterSets, makeCounters } from './counters.ts'
import type { Entry } from './entry.ts'
import { Refresh, Verification } from './errands.ts'
import { FastCache, type FastOptions } from './fast.ts'
import { noteEntry } from './notes.ts'
import { countHit, isPopular } from './prefetch.ts'
import { ResponseStore } from './store.ts'
import { replyTtl, sideOf } from './ttl.ts'

/** Refreshes behind clients' backs at one moment, on one thread; further ones wait for the next hit. */
export const REFRESHES_MAX = 256
/** Octets of stale entries that clients wait beside under `verify`, on one thread; further clients get the entry at once. */
export const VERIFIED_MAX_OCTETS = 4 * 2 ** 20

const CACHE = pluginIndex('cache')
/** Writers whose replies come out of the cluster's table. */
const TABLE_PLUGINS: readonly number[] = ['kubernetes', 'k8s_external', 'k8s_records'].map(pluginIndex)
/** What is kept of a packet that passes: whether its client has set AD. */
const PLAIN = 0
const AUTHENTIC = 1

/** The cache of one server block on one serving thread. */
export class CacheHandler implements Handler {
  readonly seesDrops = true
  readonly #config: CacheConfig
  readonly #context: ServingContext
  readonly #store: ResponseStore
  readonly #counters: CounterSets
  readonly #zones: readonly ScanZone[]
  readonly #exceptZones: Readonly<Record<'success' | 'denial', readonly ScanZone[]>>
  /** What this thread's clock counts from, on the one that all have in common. */
  readonly #originMs: number
  #refreshes = 0
  /** Of the entries of all verifications under way. */
  #verifiedOctets = 0
  #stopped = false

  constructor(config: CacheConfig, context: ServingContext) {
    this.#config = config
    this.#context = context
    const { clock, thread } = context
    this.#originMs = clock.originMs ?? 0
    this.#store = new ResponseStore(config, thread, lazy.crypto.randomInt(2 ** 31))
    this.#counters = new CounterSets((server, view) => {
      const counters = makeCounters(context.meters, server, view, config.zones)
      this.#store.gauge(counters)
      return counters
    })
    this.#zones = scanZones(config.zones)
    this.#exceptZones = {
      success: scanZones(config.success.exceptZones),
      denial: scanZones(config.denial.exceptZones),
    }
  }

  /** The part of the fast path that answers out of this cache, for the queries of one listener and view. */
  fastPath(server: string, view: string, options: FastOptions): FastCache {
    const counters = this.#counters.of(server, view)
    return new FastCache(this.#store, this.#config, counters, options, this.#originMs)
  }

  /** Entries and octets held. */
  get usage(): { readonly entries: number; readonly octets: number } {
    const success = this.#store.usage('success')
    const denial = this.#store.usage('denial')
    return { entries: success.entries + denial.entries, octets: success.octets + denial.octets }
  }

  handle(packet: Packet): Step {
    if (!isInZones(packet.scan, this.#zones)) return NEXT
    const counters = this.#countersOf(packet)
    counters.requests.add()
    const nowMs = this.#nowMs
    const entry = this.#store.select(packet, nowMs)
    if (entry === undefined) {
      counters.misses.add()
      packet.trace?.note('cache', 'has no answer to it')
      // AD is asked for, so that its answer can be kept.
      packet.keep(packet.authenticData ? AUTHENTIC : PLAIN)
      packet.authenticData = true
      return BACK
    }
    counters.hits[entry.side].add()
    if (packet.trace !== undefined) noteEntry(packet.trace, entry, nowMs)
    const { prefetch, stale } = this.#config
    const ttl = entry.ttlAt(nowMs)
    if (ttl <= 0 && stale !== undefined) return this.#answerStale(packet, entry, stale, nowMs)
    const shown = this.#config.keepTtl ? entry.ttlSeconds : ttl
    const isDue = prefetch !== undefined && isPopular(prefetch, entry, entry.ttlSeconds, ttl, nowMs)
    if (isDue) countHit(prefetch, entry, nowMs)
    const step = entry.answer(packet, CACHE, shown, wantsAuthenticData(packet))
    entry.used()
    if (isDue) this.#refreshBehind(packet, entry, 0)
    return step
  }

  back(packet: Packet, kept: Kept): Step {
    if (kept instanceof Refresh) this.#refreshed(packet, kept)
    else if (kept instanceof Verification) this.#verified(packet, kept)
    else {
      packet.authenticData = kept === AUTHENTIC
      if (!packet.isDropped) {
        this.#keep(packet, this.#classify(packet))
        if (!wantsAuthenticData(packet)) packet.clearAuthentic()
      }
    }
    return packet.isDropped ? DROP : DONE
  }

  lost(kept: Kept): void {
    if (kept instanceof Refresh) this.#endRefresh(kept, false)
    else if (kept instanceof Verification) this.#endVerification(kept, undefined)
  }

  /** What is under way ends without being stored; what is stored is the other threads', too. */
  stop(): void {
    this.#stopped = true
  }

  get #nowMs(): number {
    return this.#context.clock.nowMs() + this.#originMs
  }

  #countersOf({ served }: Packet): CacheCounters {
    return this.#counters.of(served.server, served.view)
  }

  /** Reads what kind of reply it is, once it answers the question as it is now. */
  #classify(packet: Packet): Classified {
    settleQuestion(packet)
    return classify(packet, this.#context.clock.wallMs())
  }

  /** Flattens the TTLs of a reply and stores it where it may be. */
  #keep(packet: Packet, { kind, storable, answering }: Classified): void {
    // A transfer's TTLs are the zone's.
    if (kind === 'transfer') return
    const { out, outAt, rcode, plugin, scan } = packet
    const end = outAt + packet.length
    const ttlSeconds = replyTtl(this.#config, kind, smallestTtl(out, outAt, end))
    setTtls(out, outAt, end, ttlSeconds)
    // A failure that nobody wrote is the server's own: the next query may fare better (CoreDNS keeps none either).
    const isFromTable = packet.isForClient || TABLE_PLUGINS.includes(plugin)
    if (!storable || ttlSeconds <= 0 || this.#stopped || plugin === 0 || isFromTable) return
    const side = sideOf(kind)
    if (isInZones(scan, this.#exceptZones[side])) return
    // RFC 8914 4.14: a failure out of the cache says so.
    const isCachedError = packet.reasonCode <= EDE.OTHER && rcode === RCODE.SERVFAIL
    const reasonCode = isCachedError ? EDE.CACHED_ERROR : packet.reasonCode
    const facts = { reasonCode, answering, ttlSeconds, storedAtMs: this.#nowMs }
    this.#store.put(packet, side, facts, this.#countersOf(packet))
  }

  // What has expired (RFC 8767).

  #answerStale(packet: Packet, entry: Entry, stale: StaleConfig, nowMs: number): Step {
    if (!stale.verify) {
      const step = this.#serveStale(packet, entry, stale)
      this.#refreshBehind(packet, entry, stale.recheckMs)
      return step
    }
    if (this.#verifiedOctets + entry.octets > VERIFIED_MAX_OCTETS) {
      this.#countersOf(packet).refreshesSkipped.add()
      return this.#serveStale(packet, entry, stale)
    }
    // Without a recheck time every client's query is a try of its own, as in CoreDNS.
    if (stale.recheckMs > 0 && !entry.beginRefresh(nowMs)) return this.#serveStale(packet, entry, stale)
    const verification = new Verification(entry)
    this.#verifiedOctets += entry.octets
    this.#ask(packet, verification)
    if (verification.isOver) return this.#endOf(packet, verification, stale)
    const waiting = packet.park()
    // The reply says that there is no place; what comes back is kept all the same.
    if (waiting === undefined) return DONE
    verification.goOn = () => {
      const woken = waiting.wake()
      woken?.goOn(this.#endOf(woken, verification, stale))
    }
    if (stale.verifyTimeoutMs > 0)
      verification.timer = this.#context.clock.after(stale.verifyTimeoutMs, () => verification.wake())
    return WAIT
  }

  /** What the client gets that has waited: what came back where that is of use, else the entry. */
  #endOf(packet: Packet, { reply, entry }: Verification, stale: StaleConfig): Step {
    if (reply === undefined) return this.#serveStale(packet, entry, stale)
    packet.restore(reply)
    if (!wantsAuthenticData(packet)) packet.clearAuthentic()
    return DONE
  }

  #serveStale(packet: Packet, entry: Entry, { ttlSeconds }: StaleConfig): Step {
    this.#countersOf(packet).servedStale.add()
    const shown = this.#config.keepTtl && ttlSeconds === 0 ? entry.ttlSeconds : ttlSeconds
    entry.answer(packet, CACHE, shown, wantsAuthenticData(packet))
    entry.used()
    packet.setReason(entry.rcode === RCODE.NXDOMAIN ? EDE.STALE_NXDOMAIN : EDE.STALE_ANSWER)
    return DONE
  }

  #verified(packet: Packet, verification: Verification): void {
    const isOfUse = this.#replaces(packet, false)
    this.#endVerification(verification, isOfUse ? packet : undefined)
  }

  #endVerification(verification: Verification, packet: Packet | undefined): void {
    this.#verifiedOctets -= verification.entry.octets
    const recheckMs = this.#config.stale?.recheckMs ?? 0
    if (recheckMs > 0) this.#endWait(verification.entry, packet !== undefined, recheckMs)
    verification.end(packet?.keepReply())
  }

  /** Refreshes an entry while clients are served from it, one refresh at a time. */
  #refreshBehind(packet: Packet, entry: Entry, recheckMs: number): void {
    const counters = this.#countersOf(packet)
    const nowMs = this.#nowMs
    if (entry.isRefreshing(nowMs)) return
    if (this.#refreshes >= REFRESHES_MAX) {
      counters.refreshesSkipped.add()
      return
    }
    if (!entry.beginRefresh(nowMs)) return
    this.#refreshes++
    counters.prefetches.add()
    this.#ask(packet, new Refresh(entry, entry.ttlAt(nowMs) > 0, recheckMs, nowMs))
  }

  /** Asks the handlers behind for nobody. */
  #ask(packet: Packet, errand: Refresh | Verification): void {
    const asked = packet.behind()
    asked.authenticData = true
    if (errand instanceof Verification) asked.trace = packet.trace
    asked.send(errand)
  }

  #refreshed(packet: Packet, refresh: Refresh): void {
    const { hits } = refresh.entry
    const isOfUse = this.#replaces(packet, refresh.wasFresh)
    this.#endRefresh(refresh, isOfUse)
    // The new entry is as popular as the old one was.
    const newest = isOfUse ? this.#store.newest(packet) : undefined
    newest?.setHits(hits, refresh.begunMs)
  }

  #endRefresh({ entry, recheckMs }: Refresh, isOfUse: boolean): void {
    this.#refreshes--
    this.#endWait(entry, isOfUse, recheckMs)
  }

  #endWait(entry: Entry, isOfUse: boolean, recheckMs: number): void {
    entry.endRefresh(isOfUse || recheckMs === 0 ? 0 : this.#nowMs + recheckMs)
  }

  /**
   * Keeps the reply to a question that was asked for nobody. Whether it may take the place of a stale one (RFC 8767 section 4:
   * NOERROR or NXDOMAIN; under `prefer_positive` a usable answer). A fresh entry is replaced by whatever comes.
   */
  #replaces(packet: Packet, wasFresh: boolean): boolean {
    if (packet.isDropped) return false
    const classified = this.#classify(packet)
    const { kind, answering } = classified
    if (!wasFresh && packet.truncated) return false
    const { preferPositive } = this.#config
    const isFailure = kind === 'failure' || kind === 'transfer' || kind === 'other'
    if (!wasFresh && !preferPositive && isFailure) return false
    this.#keep(packet, classified)
    return wasFresh || !preferPositive || (kind === 'positive' && answering)
  }
}

/** RFC 6840 5.7 and 5.8: AD is for those who set it or DO. */
const wantsAuthenticData = ({ scan, authenticData }: Packet): boolean => authenticData || scan.dnssecOk
