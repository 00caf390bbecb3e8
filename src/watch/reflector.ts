// Keeps a Sink equal to one resource of the API server, for ever.
//
//            ┌────────────── relist: candidate ──────────────┐
//   start ──▶│ WatchList stream, or paged list then watch    │── complete ──▶ one sink.replace ──▶ live watch
//            └───────────────────────────────────────────────┘                                      │  │
//                 ▲      410, garbage, stale, an event lost, another history                         │  │ lost, over
//                 └─────────────────────────────────────────────────────────────────────────────────┘  ▼
//                                                                              resume: watch from the last version
//
// - A relist collects slim objects beside the state that is served and replaces it in one step, or not at all. While
//   a healthy watch runs, it goes on beside the relist (the periodic check of consistency costs no freshness), and the
//   new set is taken only when it has caught up with what that watch has told meanwhile.
// - A watch is asked to live less than a minute: the API server ends each with a bookmark, so that every one is heard in that
//   time and none stays where nothing comes any more. The one that begins with all objects may take its time.
// - That the watch is well is not believed for long: the versions of all objects are compared every two minutes
//   (consistency.ts), and after a lost connection the server's own version with the one reached (history.ts).
// - Every failure is followed by another attempt, with full jitter between 0.1 s and 30 s; the state stays as it is.
// - An object that says the same as before stays the very same object: no upsert, and no memory after a relist.
// - Nothing that comes from the API server or the sink throws out of here.
//
// One file, as it is one machine: every step asks for the live watch, the candidate and both retries. What can stand by itself
// does: sessions (session.ts) and their ends (session-end.ts), how it fares (progress.ts), consistency.ts and history.ts.

import type { Kind, Kinds } from '../objects/objects.ts'
import type { ResourceStatus } from '../objects/source.ts'
import type { Timer } from '../shared/clock.ts'
import { ApiError } from './api-error.ts'
import type { ApiCall } from './client.ts'
import { ConsistencyCheck, lostText } from './consistency.ts'
import { FaultLog } from './fault-log.ts'
import { HeldObjects } from './held.ts'
import { History } from './history.ts'
import { PagedList } from './paged-list.ts'
import { Progress } from './progress.ts'
import {
  DEFAULT_TIMING,
  type ReflectorOptions,
  type ReflectorTiming,
  type RestartCause,
} from './reflector-options.ts'
import { Requests, WITH_INITIAL_EVENTS } from './requests.ts'
import { Retry } from './retry.ts'
import { type Ahead, Session } from './session.ts'
import { isFruitless, isOver, refusesWatchList } from './session-end.ts'

/** One resource, watched. Started once, stopped once. */
export class Reflector<K extends Kind> {
  readonly #options: ReflectorOptions<K>
  readonly #timing: ReflectorTiming
  readonly #relistRetry: Retry
  readonly #watchRetry: Retry
  readonly #fault: FaultLog
  readonly #held: HeldObjects<K>
  readonly #requests: Requests<K>
  readonly #history: History
  readonly #check: ConsistencyCheck
  /** What the live watch has told since a candidate was begun beside it. */
  readonly #ahead: Ahead = new Map()
  readonly #progress: Progress
  #live: Session<K> | undefined
  #candidate: Session<K> | undefined
  #stopped = false
  #watchList: boolean
  #fruitless = 0
  #idle: Timer | undefined
  #catchUp: Timer | undefined

  constructor(options: ReflectorOptions<K>) {
    this.#options = options
    this.#timing = { ...DEFAULT_TIMING, ...options.timing }
    const { clock, random } = options
    this.#progress = new Progress(clock)
    this.#relistRetry = new Retry(clock, random, this.#timing, () => this.#relist())
    this.#watchRetry = new Retry(clock, random, this.#timing, () => this.#resume())
    this.#fault = new FaultLog(options.resource, options.clock, options.hooks)
    this.#held = new HeldObjects(options.resource.kind, options.sink, options.convert, {
      warn: message => this.#fault.log('warning', message),
      error: message => this.#fault.log('error', message),
    })
    this.#watchList = options.watchList ?? true
    this.#requests = new Requests(options, this.#timing)
    this.#history = new History({
      clock,
      probe: receiver => this.#requests.versions({ limit: '1' }, receiver),
      ranBackwards: (version, before, again) => this.#ranBackwards(version, before, again),
    })
    this.#check = this.#makeCheck()
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
    this.#history.stop()
    this.#check.stop()
    for (const timer of [this.#relistRetry, this.#watchRetry, this.#idle, this.#catchUp]) timer?.cancel()
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
    const { resource } = this.#options
    return {
      resource: resource.name,
      kind: resource.kind,
      objects: this.#held.all.size,
      ...this.#progress.status(this.#timing.staleMs),
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
    const { initialTimeoutMinSeconds, initialTimeoutMaxSeconds } = this.#timing
    const timeoutMs = this.#between(initialTimeoutMinSeconds, initialTimeoutMaxSeconds)
    const session = new Session<K>({ verb, startedMs: this.#options.clock.nowMs(), timeoutMs })
    this.#candidate = session
    return session
  }

  #streamInitialState(): void {
    const session = this.#begin('watch')
    session.call = this.#watch(session, WITH_INITIAL_EVENTS)
  }

  #listPages(): void {
    const session = this.#begin('list')
    session.call = this.#requests.list({
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
    if (!this.#held.replace(objects, session.versions)) {
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
    this.#history.begin(session.version)
    this.#fruitless = 0
    this.#relistRetry.reset()
    // A list has no watch of its own yet, unless it was made beside another watch.
    if (session.call instanceof PagedList) this.#resume()
    else this.#live = session
    const first = this.#progress.relisted()
    this.#check.begin()
    this.#fault.recovered()
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
    this.#relistRetry.afterFailure(reason, this.#progress.synced)
  }

  // ── watch ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #resume(): void {
    this.#watchRetry.cancel()
    const { version } = this.#history
    if (this.#stopped || this.#live || version === undefined) return
    const { timeoutMinSeconds, timeoutMaxSeconds } = this.#timing
    const timeoutMs = this.#between(timeoutMinSeconds, timeoutMaxSeconds)
    const session = Session.resume<K>(version, { startedMs: this.#options.clock.nowMs(), timeoutMs })
    this.#live = session
    session.call = this.#watch(session, { resourceVersion: version })
  }

  #watch(session: Session<K>, from: Readonly<Record<string, string>>): ApiCall {
    return this.#requests.watch(session.timeoutMs, from, {
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
    })
  }

  #opened(session: Session<K>): void {
    this.#heard(session)
    if (session === this.#live) this.#reopened()
    else if (session.complete) this.#commitWhenCaughtUp(session)
    else this.#awaitInitialEnd(session)
  }

  #reopened(): void {
    this.#fault.recovered()
    if (this.#history.reopened()) this.#check.soon()
  }

  /** A server that does not know `sendInitialEvents` sends its objects and then never says that these were all. */
  #awaitInitialEnd(session: Session<K>): void {
    const { clock } = this.#options
    this.#idle?.cancel()
    this.#idle = clock.after(this.#timing.initialIdleMs, () => {
      if (session !== this.#candidate || session.complete) return
      const idleMs = clock.nowMs() - (this.#progress.heardMs ?? 0)
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
    if (session.progress) this.#fruitless = 0
    const steady = session.progress && livedMs >= this.#timing.steadyMs
    if (steady) this.#watchRetry.reset()
    if (!isOver(session, error, livedMs, this.#timing.silenceMs)) this.#liveLost(session, error, steady)
    else {
      // One without a word, not even the bookmark before its end, may have been asked for what is not there yet.
      if (!session.progress) this.#history.doubt(false)
      this.#watchRetry.atOnce()
    }
    if (this.#candidate) this.#commitWhenCaughtUp(this.#candidate)
  }

  #liveLost(session: Session<K>, error: ApiError | undefined, steady: boolean): void {
    this.#history.doubt(true)
    this.#check.stop()
    if (!session.progress && isFruitless(error)) this.#fruitless++
    const stale = this.#fruitless >= this.#timing.fruitlessMax
    this.#count(stale ? 'stale' : (error?.code ?? 'closed'))
    if (error) this.#failed(error, 'watch')
    if (stale || error?.code === 'gone' || error?.code === 'protocol') {
      // Whatever the version stood for, it is not to be built on.
      this.#history.drop()
      this.#fruitless = 0
      if (this.#candidate !== undefined) return
      if (error?.code === 'gone' && this.#relistRetry.fresh) this.#relistRetry.atOnce()
      else this.#relistRetry.afterFailure(error, this.#progress.synced)
    } else if (error === undefined && steady) {
      // An end that the server wished is no failure.
      this.#watchRetry.atOnce()
    } else this.#watchRetry.afterFailure(error, this.#progress.synced)
  }

  // ── consistency ─────────────────────────────────────────────────────────────────────────────────────────────────

  #makeCheck(): ConsistencyCheck {
    const { clock, random } = this.#options
    return new ConsistencyCheck({
      clock,
      random,
      timing: this.#timing,
      // A server that does not stream initial events would ask etcd for all objects; its cache will do.
      list: receiver => this.#requests.versions(this.#watchList ? {} : { resourceVersion: '0' }, receiver),
      steady: () => this.#live !== undefined && !this.#candidate && !this.#relistRetry.pending,
      versions: () => this.#held.versions,
      judge: () => this.#history.judge(this.#watchList),
      consistent: () => this.#progress.followed(),
      differs: keys => this.#eventLost(keys),
      failed: error => {
        // Who may watch and not list streams all objects instead.
        if (refusesWatchList(error) && this.#watchList) this.#relistBeside()
        else this.#check.soon()
      },
    })
  }

  #eventLost(keys: readonly string[]): void {
    this.#fault.log('warning', lostText(keys))
    this.#relistBeside()
  }

  #relistBeside(): void {
    if (this.#candidate || this.#relistRetry.pending) return
    this.#count('consistency')
    this.#relist()
  }

  #ranBackwards(version: string, before: string, again: boolean): void {
    this.#count('restored')
    const what = `the API server is at version ${version}, after ${before}`
    if (!again) this.#fault.log('warning', `${what}: its history was restored, listing anew`)
    this.#check.stop()
    this.#live?.call?.abort()
    this.#live = undefined
    this.#watchRetry.cancel()
    if (this.#candidate) return
    if (!again) this.#relistRetry.atOnce()
    else {
      const { slowMs: retryAfterMs } = this.#timing
      this.#relistRetry.afterFailure(new ApiError('gone', what, { retryAfterMs }), this.#progress.synced)
    }
  }

  // ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #take(session: Session<K>, deleted: boolean, raw: unknown): void {
    const { key, slim, version } = this.#held.read(raw, deleted)
    if (key !== '') {
      const known = deleted ? undefined : version
      if (session.collected) session.collect(key, slim, known)
      else {
        this.#check.told(key)
        if (this.#candidate) this.#ahead.set(key, slim ? version : '')
        this.#held.apply(key, slim, known)
      }
    }
    if (session.complete) this.#advance(session, version)
  }

  // ── bookkeeping ─────────────────────────────────────────────────────────────────────────────────────────────────

  #advance(session: Session<K>, version: string): void {
    if (version === '') return
    session.version = version
    if (session === this.#live) this.#history.advance(version)
  }

  #heard(session: Session<K>): void {
    this.#progress.heard()
    if (session === this.#live) this.#progress.followed()
  }

  #count(cause: RestartCause): void {
    this.#progress.restarted(cause)
    this.#options.hooks?.restarted?.(this.#options.resource.name, cause)
  }

  #failed(error: ApiError, verb: 'list' | 'watch'): void {
    // It may be another server, or a newer one, that answers next.
    if (error.code === 'network' || error.code === 'timeout')
      this.#watchList = this.#options.watchList ?? true
    this.#fault.failed(error, verb, this.#progress.followedMs)
  }

  #endCatchUp(): void {
    this.#catchUp?.cancel()
    this.#catchUp = undefined
  }

  /** A whole number of seconds between two, in ms. */
  #between(minSeconds: number, maxSeconds: number): number {
    return 1000 * Math.round(minSeconds + this.#options.random() * (maxSeconds - minSeconds))
  }
}
