// What the live page shows of the server, put together when somebody looks: counters between two looks, samples, watches, threads.
// While nobody looks nothing of it is done.

import { totalmem } from 'node:os'
import type { EventLoopUtilization } from 'node:perf_hooks'
import { memoryUsage } from 'node:process'
import type { Clusters } from '../cluster/clusters.ts'
import type { BusyThread } from '../observe/busy.ts'
import { TIME_BUCKETS } from '../observe/family.ts'
import type { Registry } from '../observe/registry.ts'
import type { StatusData, UpstreamFigures, WatchFigures } from '../observe/status/data.ts'
import { countOf, quantileMs, Rates, sumOf } from '../observe/status/rates.ts'
import type { StatusSource } from '../observe/status/routes.ts'
import type { Traffic } from '../observe/traffic.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { VERSION } from '../shared/version.ts'

/** How often who follows is told. */
const TELL_EVERY_MS = 2000
/** Two looks are at least so far apart: a figure of less says nothing. */
const LOOK_MIN_MS = 1000
/** Lines of each list of the most frequent. */
const LISTED = 10
/** Problems that are shown. */
const PROBLEMS_MAX = 20

const FAILURES: ReadonlySet<string> = new Set(['SERVFAIL', 'REFUSED'])

export interface StatusOptions {
  readonly clock: Clock
  readonly registry: Registry
  readonly traffic: Pick<Traffic, 'lists' | 'storms'>
  readonly clusters: Pick<Clusters, 'all'>
  readonly threads: () => readonly BusyThread[]
  /** Of the Corefile, for anybody to read. */
  readonly problems: () => readonly string[]
  readonly explain: StatusSource['explain']
}

export class Status implements StatusSource {
  readonly explain: StatusSource['explain']
  readonly #options: StatusOptions
  readonly #rates: Rates
  readonly #startedMs: number
  readonly #followers = new Set<(data: StatusData) => void>()
  #busy = new Map<string, EventLoopUtilization>()
  #lookedMs = Number.NEGATIVE_INFINITY
  #last: StatusData | undefined
  #timer: Timer | undefined

  constructor(options: StatusOptions) {
    this.#options = options
    this.explain = options.explain
    this.#startedMs = options.clock.nowMs()
    this.#rates = new Rates(this.#startedMs)
  }

  data(): StatusData {
    const nowMs = this.#options.clock.nowMs()
    if (this.#last === undefined || nowMs - this.#lookedMs >= LOOK_MIN_MS) this.#last = this.#look(nowMs)
    return this.#last
  }

  follow(changed: (data: StatusData) => void): () => void {
    this.#followers.add(changed)
    this.#timer ??= this.#tellLater()
    return () => {
      this.#followers.delete(changed)
      if (this.#followers.size > 0) return
      this.#timer?.cancel()
      this.#timer = undefined
    }
  }

  #tellLater(): Timer {
    return this.#options.clock.after(TELL_EVERY_MS, () => {
      this.#timer = this.#tellLater()
      const data = this.data()
      for (const changed of this.#followers) changed(data)
    })
  }

  #look(nowMs: number): StatusData {
    const { registry, traffic, clusters } = this.#options
    const rates = this.#rates
    rates.look(registry.counted(), nowMs)
    this.#lookedMs = nowMs
    const durations = rates.changes('coredns_dns_request_duration_seconds')
    const cacheHits = sumOf(rates.changes('coredns_cache_hits_total'))
    const cacheRequests = sumOf(rates.changes('coredns_cache_requests_total'))
    const entries = registry.counted().find(({ family }) => family.name === 'coredns_cache_entries')
    return {
      version: VERSION,
      upSeconds: (nowMs - this.#startedMs) / 1000,
      queriesPerSecond: rates.perSecond(sumOf(rates.changes('coredns_dns_requests_total'))),
      codes: this.#codes(),
      p50Ms: quantileMs(durations, TIME_BUCKETS, 0.5),
      p99Ms: quantileMs(durations, TIME_BUCKETS, 0.99),
      cacheHitRatio: cacheRequests > 0 ? Math.min(1, cacheHits / cacheRequests) : undefined,
      cacheEntries: entries?.samples.reduce((sum, { numbers }) => sum + (numbers[0] ?? 0), 0) ?? 0,
      upstreams: this.#upstreams(),
      watches: clusters.all.flatMap(({ source }) => source.status().map(watchFigures)),
      threads: this.#threads(),
      memoryOctets: memoryUsage.rss(),
      memoryLimitOctets: Math.min(process.constrainedMemory() || totalmem(), totalmem()),
      lists: traffic.lists(LISTED),
      storms: traffic.storms,
      problems: this.#problems(),
    }
  }

  #codes(): StatusData['codes'] {
    const changes = this.#rates.changes('coredns_dns_responses_total')
    return [...Map.groupBy(changes, ({ labels }) => labels.rcode ?? '')]
      .map(([rcode, of]) => ({ rcode, perSecond: this.#rates.perSecond(sumOf(of)) }))
      .filter(({ perSecond }) => perSecond > 0)
      .sort((a, b) => b.perSecond - a.perSecond)
  }

  #upstreams(): readonly UpstreamFigures[] {
    const rates = this.#rates
    const changes = rates.changes('coredns_proxy_request_duration_seconds')
    const down = new Set(
      this.#options.registry
        .counted()
        .find(({ family }) => family.name === 'seamark_upstream_down')
        ?.samples.filter(({ numbers }) => numbers[0] === 1)
        .map(({ values }) => values[0] ?? ''),
    )
    const known = Map.groupBy(changes, ({ labels }) => labels.to ?? '')
    for (const to of down) if (!known.has(to)) known.set(to, [])
    return [...known].map(([to, of]) => ({
      to,
      isDown: down.has(to),
      perSecond: rates.perSecond(countOf(of)),
      p50Ms: quantileMs(of, TIME_BUCKETS, 0.5),
      p99Ms: quantileMs(of, TIME_BUCKETS, 0.99),
      failuresPerSecond: rates.perSecond(
        countOf(of.filter(({ labels }) => FAILURES.has(labels.rcode ?? ''))),
      ),
    }))
  }

  #threads(): StatusData['threads'] {
    const now = new Map(this.#options.threads().map(thread => [thread.name, thread.utilization()]))
    const threads = [...now].map(([name, { active, idle }]) => {
      const before = this.#busy.get(name)
      const isSame = before !== undefined && before.active <= active && before.idle <= idle
      const busy = active - (isSame ? before.active : 0)
      const all = busy + idle - (isSame ? before.idle : 0)
      return { name, busyRatio: all > 0 ? busy / all : 0 }
    })
    this.#busy = now
    return threads
  }

  #problems(): readonly string[] {
    const clusters = this.#options.clusters.all.flatMap(watched => {
      const stands = watched.explain()
      const errors = watched.source
        .status()
        .flatMap(({ resource, lastError, skipped }) => [
          ...(lastError === undefined ? [] : [`${resource}: ${lastError}`]),
          ...(skipped > 0 ? [`${resource}: malformed objects that are left out: ${skipped}`] : []),
        ])
      return [...(stands === 'synced' ? [] : [stands]), ...errors, ...(watched.source.problems?.() ?? [])]
    })
    const all = [...this.#options.problems(), ...clusters]
    if (all.length <= PROBLEMS_MAX) return all
    return [...all.slice(0, PROBLEMS_MAX), `and ${all.length - PROBLEMS_MAX} more`]
  }
}

const watchFigures = ({
  resource,
  objects,
  synced,
  stale,
  ageMs,
}: ReturnType<Clusters['all'][number]['source']['status']>[number]): WatchFigures => ({
  resource,
  objects,
  state: !synced ? 'not listed yet' : stale ? 'old' : 'current',
  ageSeconds: ageMs === undefined ? undefined : ageMs / 1000,
})
