// What an operator has to know, as Kubernetes Events on the server's own Pod, where `kubectl describe pod` shows it. Opt-in
// (-events): it takes the right to create and patch Events in the Pod's namespace.
//
// An Event that is told again is counted, not written again: its name is made of what it says, so that a process after a
// restart counts on where the one before it ended. One write at a time, each takes one of a few tokens; what is told
// meanwhile waits as a count.

import { createHash } from 'node:crypto'
import { timeText } from '../objects/stated.ts'
import type { ProcessLog } from '../observe/log.ts'
import type { Counter, Meters } from '../observe/meters.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { ApiError, isRecord } from '../watch/api-error.ts'
import { ApiClient, type ApiWriter } from '../watch/client.ts'
import { openAccess } from '../watch/open-access.ts'

/** Why, as `kubectl describe pod` shows it. */
export type EventReason = 'CorefileRefused' | 'WatchForbidden' | 'ForwardingLoop'

/** The Pod that Events are about. */
export interface OwnPod {
  readonly name: string
  readonly namespace: string
  readonly uid: string
}

export interface PodEventsOptions {
  readonly pod: OwnPod
  readonly writer: ApiWriter
  readonly clock: Clock
  readonly log: Pick<ProcessLog, 'write'>
  readonly meters: Meters
}

const LOG_FROM = 'events'
/** Events that are known, each with its count; of one more the one that was told longest ago is forgotten. */
const KNOWN_MAX = 32
/** Writes at once, and how long one more takes to come. */
const BURST = 8
const REFILL_MS = 30_000
/** An Event that could not be written is tried again after this long, and given up after so many tries. */
const RETRY_MS = 10_000
const TRIES_MAX = 6
/** How long an end waits for what is not written yet. */
const FLUSH_MS = 5000
/** The API server's bound of an Event's message. */
const MESSAGE_MAX_OCTETS = 1024
const COMPONENT = 'seamark'

interface Known {
  readonly name: string
  readonly reason: EventReason
  readonly message: string
  readonly firstAtMs: number
  lastAtMs: number
  /** As the API server has it; 0 before it does. */
  count: number
  /** Told and not written yet. */
  untold: number
  tries: number
}

export class PodEvents {
  readonly #options: PodEventsOptions
  readonly #path: string
  readonly #results: Readonly<Record<'written' | 'failed' | 'dropped', Counter>>
  readonly #known = new Map<string, Known>()
  #tokens = BURST
  #tokenAtMs: number
  #writing: Promise<void> | undefined
  #timer: Timer | undefined
  /** Of the latest failure, which is told once. */
  #failure = ''
  #isStopped = false

  constructor(options: PodEventsOptions) {
    this.#options = options
    this.#path = `/api/v1/namespaces/${encodeURIComponent(options.pod.namespace)}/events`
    const counter = (result: string): Counter =>
      options.meters.counter('seamark_kubernetes_events_total', { result })
    this.#results = { written: counter('written'), failed: counter('failed'), dropped: counter('dropped') }
    this.#tokenAtMs = options.clock.nowMs()
  }

  /** Tells of something; never waits and never throws. The same text again raises the count of its Event. */
  tell(reason: EventReason, text: string): void {
    if (this.#isStopped) return
    const message = cut(text)
    const { pod, clock } = this.#options
    const key = createHash('sha256').update(`${pod.uid}\n${reason}\n${message}`).digest('hex').slice(0, 16)
    const nowMs = clock.wallMs()
    let event = this.#known.get(key)
    if (event === undefined) {
      event = {
        name: `${pod.name}.${key}`,
        reason,
        message,
        firstAtMs: nowMs,
        lastAtMs: nowMs,
        count: 0,
        untold: 0,
        tries: 0,
      }
      this.#makeRoom()
    }
    event.lastAtMs = nowMs
    event.untold++
    event.tries = 0
    // The latest is the last one.
    this.#known.delete(key)
    this.#known.set(key, event)
    this.#write()
  }

  /** Waits until everything is written that was told, for five seconds at most; nothing is written after it. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const limit = this.#options.clock.after(FLUSH_MS, resolve)
    await Promise.race([this.#writing ?? Promise.resolve(), promise])
    limit.cancel()
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #makeRoom(): void {
    if (this.#known.size < KNOWN_MAX) return
    const [key, oldest] = this.#known.entries().next().value!
    this.#known.delete(key)
    if (oldest.untold > 0) this.#results.dropped.add(oldest.untold)
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const event = [...this.#known.values()].find(({ untold }) => untold > 0)
      if (event === undefined || this.#isStopped) return
      const waitMs = this.#takeToken()
      if (waitMs > 0) return this.#again(waitMs)
      const { untold } = event
      try {
        await this.#writeOne(event)
        event.untold -= untold
        this.#results.written.add()
        this.#failure = ''
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        this.#tellFailure(error)
        if (++event.tries < TRIES_MAX) return this.#again(RETRY_MS)
        this.#results.failed.add(event.untold)
        event.untold = 0
      }
    }
  }

  #again(delayMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(delayMs, () => this.#write())
  }

  /** 0 where there is one; else how long the next one takes. */
  #takeToken(): number {
    const nowMs = this.#options.clock.nowMs()
    const more = Math.floor((nowMs - this.#tokenAtMs) / REFILL_MS)
    this.#tokens = Math.min(BURST, this.#tokens + more)
    this.#tokenAtMs = this.#tokens === BURST ? nowMs : this.#tokenAtMs + more * REFILL_MS
    if (this.#tokens === 0) return this.#tokenAtMs + REFILL_MS - nowMs
    this.#tokens--
    return 0
  }

  async #writeOne(event: Known): Promise<void> {
    const { untold } = event
    if (event.count > 0 && (await this.#count(event, event.count + untold))) return
    try {
      await this.#create(event, event.count + untold)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error
      // A process before this one has told it; how often only the answer to a write says.
      const path = `${this.#path}/${event.name}`
      const there = await this.#options.writer.write({ method: 'PATCH', path, body: { type: 'Warning' } })
      const count = isRecord(there) && typeof there.count === 'number' ? there.count : 0
      await this.#count(event, count + untold)
    }
  }

  /** False where the API server has forgotten the Event, as it does after an hour. */
  async #count(event: Known, count: number): Promise<boolean> {
    try {
      const body = { count, lastTimestamp: timeText(event.lastAtMs) }
      await this.#options.writer.write({ method: 'PATCH', path: `${this.#path}/${event.name}`, body })
      event.count = count
      return true
    } catch (error) {
      if (error instanceof ApiError && error.code === 'not-found') return false
      throw error
    }
  }

  async #create(event: Known, count: number): Promise<void> {
    const { name, namespace, uid } = this.#options.pod
    await this.#options.writer.write({
      method: 'POST',
      path: this.#path,
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: event.name, namespace },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
        type: 'Warning',
        reason: event.reason,
        message: event.message,
        source: { component: COMPONENT },
        reportingComponent: COMPONENT,
        reportingInstance: name,
        firstTimestamp: timeText(event.firstAtMs),
        lastTimestamp: timeText(event.lastAtMs),
        count,
      },
    })
    event.count = count
  }

  #tellFailure(error: ApiError): void {
    if (this.#failure === error.code) return
    this.#failure = error.code
    const { namespace } = this.#options.pod
    const todo =
      error.code === 'forbidden'
        ? `; add to a Role in ${namespace}: {apiGroups: [""], resources: ["events"], verbs: ["create", "patch"]}`
        : ''
    this.#options.log.write('WARNING', LOG_FROM, `cannot write Events: ${error.message}${todo}`)
  }
}

/** Events as the API server of the Pod's own cluster takes them; the text of what is missing where there can be none. */
export async function openPodEvents(
  options: Omit<PodEventsOptions, 'pod' | 'writer'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PodEvents | string> {
  const pod = { name: env.POD_NAME ?? '', namespace: env.POD_NAMESPACE ?? '', uid: env.POD_UID ?? '' }
  const missing = ['POD_NAME', 'POD_NAMESPACE', 'POD_UID'].filter(name => !env[name])
  if (missing.length > 0)
    return `no Events: ${missing.join(', ')} of the downward API must be in the environment`
  try {
    const access = await openAccess({ from: 'in-cluster' }, options.clock)
    return new PodEvents({ ...options, pod, writer: new ApiClient({ access, clock: options.clock }) })
  } catch (error) {
    if (error instanceof ApiError) return `no Events: ${error.message}`
    throw error
  }
}

/** The text in the octets that a message may have, whole characters of it. */
function cut(text: string): string {
  const octets = Buffer.from(text)
  if (octets.length <= MESSAGE_MAX_OCTETS) return text
  const kept = octets
    .subarray(0, MESSAGE_MAX_OCTETS - 3)
    .toString()
    .replace(/\uFFFD+$/, '')
  return `${kept}…`
}
