// Keeps a Sink equal to one resource of the API server, for ever.
//
//            ┌────────────── relist: candidate ──────────────┐
//   start ──▶│ WatchList stream, or paged list then watch    │── complete ──▶ one sink.replace ──▶ live watch
//            └───────────────────────────────────────────────┘                                      │  │
//                 ▲      410, garbage, stale, every ten minutes                                     │  │ lost
//                 └─────────────────────────────────────────────────────────────────────────────────┘  ▼
//                                                                              resume: watch from the last version
//
// - A relist collects slim objects beside the state that is served and replaces it in one step, or not at all. While
//   a healthy watch runs, it goes on beside the relist (the periodic check of consistency costs no freshness), and the
//   new set is taken only when it has caught up with what that watch has told meanwhile.
// - resourceVersions are opaque: they are sent back and compared for equality, never ordered.
// - Every failure is followed by another attempt, with full jitter between 0.1 s and 30 s; the state stays as it is.
// - An object that says the same as before stays the very same object: no upsert, and no memory after a relist.
// - Nothing that comes from the API server or the sink throws out of here.

import type { Kind, Kinds } from '../objects/objects.ts'
import type { ResourceStatus } from '../objects/source.ts'
import type { Timer } from '../shared/clock.ts'
import { ApiError } from './api-error.ts'
import type { ApiCall } from './client.ts'
import { FaultLog } from './fault-log.ts'
import { HeldObjects } from './held.ts'
import { PagedList } from './paged-list.ts'
import {
  DEFAULT_TIMING,
  type ReflectorOptions,
  type ReflectorTiming,
  type RestartCause,
} from './reflector-options.ts'
import { Retry } from './retry.ts'
import { type Ahead, Session } from './session.ts'
import { WatchStream } from './stream.ts'

/** One resource, watched. Started once, stopped once. */
export class Reflector<K extends Kind> {
  readonly #options: ReflectorOptions<K>
  readonly #timing: ReflectorTiming
  readonly #relistRetry: Retry
  readonly #watchRetry: Retry
  readonly #fault: FaultLog
  readonly #held: HeldObjects<K>
  /** What the live watch has told since a candidate was begun beside it. */
  readonly #ahead: Ahead = new Map()
  readonly #restarts = new Map<RestartCause, number>()
  #live: Session<K> | undefined
  #candidate: Session<K> | undefined
  /** Where to resume; undefined before the first list and after a version was dropped. */
  #version: string | undefined
  #synced = false
  #stopped = false
  #watchList: boolean
  #fruitless = 0
  #relists = 0
  #heardMs: number | undefined
  /** When the live watch was last heard, or a complete state taken. */
  #followedMs: number | undefined
  #periodic: Timer | undefined
  #idle: Timer | undefined
  #catchUp: Timer | undefined

  constructor(options: ReflectorOptions<K>) {
    this.#options = options
    this.#timing = { ...DEFAULT_TIMING, ...options.timing }
    const { clock, random } = options
    this.#relistRetry = new Retry(clock, random, this.#timing, () => this.#relist())
    this.#watchRetry = new Retry(clock, random, this.#timing, () => this.#resume())
    this.#fault = new FaultLog(options.resource, options.clock, options.hooks)
    this.#held = new HeldObjects(options.resource.kind, options.sink, options.convert, {
      warn: message => this.#fault.log('warning', message),
      error: message => this.#fault.log('error', message),
    })
    this.#watchList = options.watchList ?? true
  }

  /** Begins; returns at once. */
  start(): void {
    this.#relist()
  }

  /** Ends all requests and timers; the sink hears nothing more. */
  stop(): void {
    this.#stopped = true
    this.#live?.call?.abort()
    this.#candidate?.call?.abort()
    for (const timer of [this.#relistRetry, this.#watchRetry, this.#periodic, this.#idle, this.#catchUp])
      timer?.cancel()
  }

  /**
   * Tries again now instead of after the delay, if all that was wrong is that the server could not be reached: called
   * when somebody else has reached it.
   */
  wake(): void {
    const code = this.#fault.error?.code
    if (this.#stopped || (code !== 'network' && code !== 'timeout' && code !== 'tls')) return
    if (this.#relistRetry.pending) this.#relistRetry.atOnce()
    if (this.#watchRetry.pending) this.#watchRetry.atOnce()
  }

  /** What the sink holds now, by key; empty before the first sync. Read it, do not keep it. */
  get objects(): ReadonlyMap<string, Kinds[K]> {
    return this.#held.all
  }

  /** How things stand. */
  status(): ResourceStatus {
    const { resource, clock } = this.#options
    const since = (atMs: number | undefined): number | undefined =>
      atMs === undefined ? undefined : clock.nowMs() - atMs
    const ageMs = since(this.#followedMs)
    return {
      resource: resource.name,
      kind: resource.kind,
      synced: this.#synced,
      objects: this.#held.all.size,
      lastByteAgeMs: since(this.#heardMs),
      ageMs,
      stale: ageMs !== undefined && ageMs > this.#timing.staleMs,
      relists: this.#relists,
      restartsByCause: Object.fromEntries(this.#restarts),
      skipped: this.#held.skipped,
      sinkErrors: this.#held.sinkErrors,
      lastError: this.#fault.text,
    }
  }

  // ── relist ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #relist(): void {
    this.#relistRetry.cancel()
    if (this.#stopped || this.#candidate) return
    this.#ahead.clear()
    if (this.#watchList) this.#streamInitialState()
    else this.#listPages()
  }

  #begin(verb: 'list' | 'watch'): Session<K> {
    const session = new Session<K>(verb, this.#options.clock.nowMs(), this.#live !== undefined)
    this.#candidate = session
    return session
  }

  /** Without a version the server asks etcd for the newest state, so that a relist never goes back in time. */
  #streamInitialState(): void {
    const session = this.#begin('watch')
    session.call = this.#watch(session, { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' })
  }

  #listPages(): void {
    const { client, clock, resource } = this.#options
    const session = this.#begin('list')
    session.call = new PagedList({
      client,
      clock,
      path: resource.path,
      query: this.#selectors(),
      kind: resource.kind,
      pageSize: this.#timing.pageSize,
      silenceMs: this.#timing.silenceMs,
      receiver: {
        heard: () => this.#heard(session),
        item: object => this.#take(session, false, object),
        restarted: () => session.clear(),
        done: version => {
          session.complete = true
          session.version = version
          if (this.#live === undefined) this.#commit(session)
          else session.call = this.#watch(session, { resourceVersion: version })
        },
        failed: error => this.#candidateEnded(session, error),
      },
    })
  }

  /** Takes a complete candidate as soon as it is not behind the live watch. */
  #commitWhenCaughtUp(session: Session<K>): void {
    if (!session.complete || session.collected === undefined) return
    if (this.#live === undefined || session.hasCaughtUpWith(this.#ahead)) this.#commit(session)
    else this.#catchUp ??= this.#options.clock.after(this.#timing.catchUpMs, () => this.#commit(session))
  }

  #commit(session: Session<K>): void {
    this.#endCatchUp()
    const objects = session.collected
    if (this.#stopped || objects === undefined || this.#candidate !== session) return
    const { resource, clock, hooks } = this.#options
    if (!this.#held.replace(objects)) {
      session.call?.abort()
      this.#candidateEnded(session, new ApiError('protocol', 'publishing a list: the sink failed'))
      return
    }
    session.publish()
    this.#ahead.clear()
    this.#candidate = undefined
    this.#live?.call?.abort()
    this.#live = undefined
    this.#watchRetry.cancel()
    this.#version = session.version
    this.#fruitless = 0
    this.#relistRetry.reset()
    // A list has no watch of its own yet, unless it was made beside another watch.
    if (session.call instanceof PagedList) this.#resume()
    else this.#live = session
    this.#relists++
    this.#followedMs = clock.nowMs()
    this.#armPeriodic()
    this.#fault.recovered()
    const first = !this.#synced
    this.#synced = true
    hooks?.relisted?.(resource.name, objects.size, clock.nowMs() - session.startedMs)
    if (first) hooks?.synced?.(resource.name)
  }

  #candidateEnded(session: Session<K>, error: ApiError | undefined): void {
    if (this.#stopped || this.#candidate !== session) return
    this.#candidate = undefined
    this.#idle?.cancel()
    this.#endCatchUp()
    if (session.verb === 'watch' && !session.complete && error && refusesWatchList(error)) {
      // 403 and 404 may be about `watch` alone, or pass: the list will tell. The others mean an older server.
      if (error.code === 'refused') this.#watchList = false
      this.#count('watch-list-refused')
      this.#listPages()
      return
    }
    const reason =
      error ?? new ApiError('network', 'the server ended the initial state before it was complete')
    this.#count(error?.code ?? 'closed')
    this.#failed(reason, session.complete ? 'watch' : session.verb)
    this.#relistRetry.afterFailure(reason, this.#synced)
  }

  // ── watch ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #resume(): void {
    this.#watchRetry.cancel()
    if (this.#stopped || this.#live || this.#version === undefined) return
    const version = this.#version
    const session = Session.resume<K>(version, this.#options.clock.nowMs())
    this.#live = session
    session.call = this.#watch(session, { resourceVersion: version })
  }

  #watch(session: Session<K>, extra: Readonly<Record<string, string>>): ApiCall {
    const { client, clock, resource, random } = this.#options
    const { timeoutMinSeconds, timeoutMaxSeconds, silenceMs } = this.#timing
    const timeoutSeconds = Math.round(timeoutMinSeconds + random() * (timeoutMaxSeconds - timeoutMinSeconds))
    const query = new URLSearchParams({
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(timeoutSeconds),
      ...extra,
      ...this.#selectors(),
    })
    return new WatchStream({
      client,
      clock,
      path: `${resource.path}?${query}`,
      kind: resource.kind,
      silenceMs,
      receiver: {
        opened: () => this.#opened(session),
        heard: () => this.#heard(session),
        event: (deleted, object) => {
          session.progress = true
          this.#take(session, deleted, object)
          if (this.#candidate) this.#commitWhenCaughtUp(this.#candidate)
        },
        bookmark: (version, initialEnd) => this.#bookmark(session, version, initialEnd),
        closed: error => {
          if (session === this.#candidate) this.#candidateEnded(session, error)
          else if (session === this.#live) this.#liveEnded(session, error)
        },
      },
    })
  }

  #opened(session: Session<K>): void {
    this.#heard(session)
    if (session === this.#live) this.#fault.recovered()
    else if (session.complete) this.#commitWhenCaughtUp(session)
    else this.#awaitInitialEnd(session)
  }

  /** A server that does not know `sendInitialEvents` sends its objects and then never says that these were all. */
  #awaitInitialEnd(session: Session<K>): void {
    const { clock } = this.#options
    this.#idle?.cancel()
    this.#idle = clock.after(this.#timing.initialIdleMs, () => {
      if (session !== this.#candidate || session.complete) return
      const idleMs = clock.nowMs() - (this.#heardMs ?? 0)
      if (idleMs < this.#timing.initialIdleMs) this.#awaitInitialEnd(session)
      else this.#initialEventsIgnored(session)
    })
  }

  #initialEventsIgnored(session: Session<K>): void {
    session.call?.abort()
    this.#candidateEnded(session, new ApiError('refused', 'the server does not know sendInitialEvents'))
  }

  #bookmark(session: Session<K>, version: string, initialEnd: boolean): void {
    session.progress = true
    if (!session.complete && !initialEnd) {
      this.#initialEventsIgnored(session)
      return
    }
    if (!session.complete) {
      this.#idle?.cancel()
      session.complete = true
    }
    this.#advance(session, version)
    if (this.#candidate) this.#commitWhenCaughtUp(this.#candidate)
  }

  #liveEnded(session: Session<K>, error: ApiError | undefined): void {
    if (this.#stopped) return
    this.#live = undefined
    const livedMs = this.#options.clock.nowMs() - session.startedMs
    const steady = session.progress && livedMs >= this.#timing.steadyMs
    if (steady) this.#watchRetry.reset()
    if (session.progress) this.#fruitless = 0
    else if (isFruitless(error)) this.#fruitless++
    const stale = this.#fruitless >= this.#timing.fruitlessMax
    this.#count(stale ? 'stale' : (error?.code ?? 'closed'))
    if (error) this.#failed(error, 'watch')
    if (stale || error?.code === 'gone' || error?.code === 'protocol') {
      // Whatever the version stood for, it is not to be built on.
      this.#version = undefined
      this.#fruitless = 0
      if (this.#candidate === undefined) {
        if (error?.code === 'gone' && this.#relistRetry.fresh) this.#relistRetry.atOnce()
        else this.#relistRetry.afterFailure(error, this.#synced)
      }
    } else if (error === undefined && steady) {
      // An end that the server wished is no failure.
      this.#watchRetry.atOnce()
    } else {
      this.#watchRetry.afterFailure(error, this.#synced)
    }
    if (this.#candidate) this.#commitWhenCaughtUp(this.#candidate)
  }

  // ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #take(session: Session<K>, deleted: boolean, raw: unknown): void {
    const { key, slim, version } = this.#held.read(raw, deleted)
    if (session.complete) this.#advance(session, version)
    if (key === '') return
    if (session.collected) session.collect(key, slim, version)
    else {
      if (this.#candidate) this.#ahead.set(key, slim ? version : '')
      this.#held.apply(key, slim)
    }
  }

  // ── bookkeeping ─────────────────────────────────────────────────────────────────────────────────────────────────

  #advance(session: Session<K>, version: string): void {
    if (version === '') return
    session.version = version
    if (session === this.#live) this.#version = version
  }

  #heard(session: Session<K>): void {
    this.#heardMs = this.#options.clock.nowMs()
    if (session === this.#live) this.#followedMs = this.#heardMs
  }

  #selectors(): Record<string, string> {
    const { labelSelector, fieldSelector } = this.#options
    return { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
  }

  #count(cause: RestartCause): void {
    this.#restarts.set(cause, (this.#restarts.get(cause) ?? 0) + 1)
    this.#options.hooks?.restarted?.(this.#options.resource.name, cause)
  }

  #failed(error: ApiError, verb: 'list' | 'watch'): void {
    // It may be another server, or a newer one, that answers next.
    if (error.code === 'network' || error.code === 'timeout')
      this.#watchList = this.#options.watchList ?? true
    this.#fault.failed(error, verb, this.#followedMs)
  }

  #endCatchUp(): void {
    this.#catchUp?.cancel()
    this.#catchUp = undefined
  }

  #armPeriodic(): void {
    const { clock, random } = this.#options
    this.#periodic?.cancel()
    this.#periodic = clock.after(this.#timing.relistMs * (0.8 + 0.4 * random()), () => {
      // A relist that is under way or waits for its turn ends in the next check being set.
      if (this.#candidate || this.#relistRetry.pending) return
      this.#count('consistency')
      this.#relist()
    })
  }
}

const refusesWatchList = (error: ApiError): boolean =>
  error.code === 'refused' || error.code === 'forbidden' || error.code === 'not-found'

/** Ends that say nothing against the server but something about the version: closed, 400, "too large" (504). */
const isFruitless = (error: ApiError | undefined): boolean =>
  error === undefined || error.code === 'refused' || error.status === 504
