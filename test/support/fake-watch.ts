// One watch that a fake API server serves: it sends its initial events, then whatever the history holds beyond the
// version it has reached, bookmarks now and then, and its end when its time is over. Like a real one it turns changes
// of labels into ADDED and DELETED for a watch with a selector.

import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from '../../src/shared/clock.ts'
import { PROTOBUF_WATCH } from '../../src/watch/protobuf-objects.ts'
import { FAKE_RESOURCES, type FakeCluster, type RawObject, type ResourceName } from './fake-cluster.ts'
import { encodeEvent } from './protobuf.ts'

/** How events are cut into chunks: each in one, octet by octet, or all that are ready in one. */
export type Chunking = 'event' | 'octet' | 'batch'

/** What a watch is made of. */
export interface FakeWatchOptions {
  readonly cluster: FakeCluster
  readonly clock: Clock
  readonly resource: ResourceName
  readonly response: ServerResponse
  readonly matches: (object: RawObject) => boolean
  readonly bookmarks: boolean
  readonly bookmarkMs: number
  readonly timeoutSeconds: number
  /** The newest version that the server knows of; a lagging server lives in the past. */
  readonly horizon: () => number
  readonly chunking: () => Chunking
  /** Events as protocol buffers instead of lines of JSON. */
  readonly protobuf: boolean
  readonly onEnd: () => void
}

/** A watch under way. */
export class FakeWatch {
  readonly resource: ResourceName
  /** Nothing is written any more, though the connection stays: octets are lost on the way. */
  muted = false
  /** Nothing is written for now: the process stands still. */
  paused = false
  /** So many of the next events are never sent, on a connection that is well. */
  lose = 0
  /** The next event is cut in the middle, and the connection with it. */
  cut = false
  readonly #options: FakeWatchOptions
  readonly #timers: Timer[] = []
  #version = 0
  #initial = true
  #onDrained = (): void => {}
  #ended = false

  constructor(options: FakeWatchOptions) {
    this.#options = options
    this.resource = options.resource
    options.response.on('close', () => this.#stop())
    options.response.on('drain', () => this.#onDrained())
  }

  /** Sends the objects given, if any, and then all changes beyond `version`. */
  async begin(version: number, initial: readonly RawObject[], announceEnd: boolean): Promise<void> {
    const { response, clock, bookmarkMs, timeoutSeconds } = this.#options
    this.#version = version
    response.writeHead(200, { 'content-type': mediaType(this.#options.protobuf) })
    response.flushHeaders()
    for (const object of initial) {
      if (this.#ended) return
      if (!this.#write(this.#event('ADDED', object))) await this.#drained()
    }
    if (announceEnd) this.bookmark(true)
    this.#initial = false
    this.#every(bookmarkMs)
    this.#timers.push(
      clock.after(timeoutSeconds * 1000, () => {
        if (this.muted || this.paused) return
        this.bookmark()
        this.end()
      }),
    )
    this.pump()
  }

  /** All that was sent has left for the client. */
  get written(): boolean {
    return this.#options.response.writableLength === 0
  }

  /** Sends what is due. */
  pump(): void {
    if (this.#ended || this.#initial || this.paused) return
    const { cluster, resource, horizon } = this.#options
    const events: Buffer[] = []
    for (const change of cluster.changesSince(resource, this.#version)) {
      if (change.version > horizon()) break
      this.#version = change.version
      const event = this.#eventOf(change.object, change.before, change.deleted)
      if (event === undefined) continue
      if (this.lose > 0) this.lose--
      else if (this.cut) {
        this.cut = false
        this.#write(Buffer.concat([...events, event.subarray(0, event.length >> 1)]))
        this.muted = true
        setImmediate(() => this.kill())
        return
      } else if (this.#options.chunking() === 'batch') events.push(event)
      else this.#write(event)
    }
    this.#version = Math.max(this.#version, horizon())
    if (events.length > 0) this.#write(Buffer.concat(events))
  }

  /** Sends a bookmark of the version reached, if the client asked for bookmarks. */
  bookmark(initialEnd = false): void {
    const { bookmarks, cluster, resource, horizon } = this.#options
    // One that waits for a version that is not there yet has nothing to say.
    if (!bookmarks || this.#ended || (!initialEnd && this.#version > horizon())) return
    const { kind, group, version } = FAKE_RESOURCES[resource]
    this.#write(
      this.#event('BOOKMARK', {
        kind,
        apiVersion: group === '' ? version : `${group}/${version}`,
        metadata: {
          resourceVersion: cluster.spell(this.#version),
          creationTimestamp: null,
          ...(initialEnd && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
        },
      }),
    )
  }

  /** Sends any text or octets, as they are. */
  send(data: string | Uint8Array): void {
    this.#write(Buffer.from(data))
  }

  /** Ends the response as HTTP means it. */
  end(): void {
    this.#stop()
    this.#options.response.end()
  }

  /** Resets the connection. */
  kill(): void {
    this.#stop()
    this.#options.response.socket?.destroy()
  }

  #eventOf(object: RawObject, before: RawObject | undefined, deleted: boolean): Buffer | undefined {
    const { matches } = this.#options
    const matched = before !== undefined && matches(before)
    const matching = !deleted && matches(object)
    if (!matched && !matching) return undefined
    if (!matching) return this.#event('DELETED', object)
    return this.#event(matched ? 'MODIFIED' : 'ADDED', object)
  }

  #event(type: string, object: unknown): Buffer {
    return encodeAs(this.#options.protobuf, type, object)
  }

  #write(octets: Uint8Array): boolean {
    if (this.muted || this.#ended) return true
    const { response } = this.#options
    if (this.#options.chunking() !== 'octet') return response.write(octets)
    for (const octet of octets) response.write(Uint8Array.of(octet))
    return true
  }

  #every(delayMs: number): void {
    if (this.#ended) return
    this.#timers[0]?.cancel()
    this.#timers[0] = this.#options.clock.after(delayMs, () => {
      if (!this.paused) this.bookmark()
      this.#every(delayMs)
    })
  }

  #drained(): Promise<void> {
    return new Promise(resolve => {
      this.#onDrained = resolve
    })
  }

  #stop(): void {
    if (this.#ended) return
    this.#ended = true
    this.#onDrained()
    for (const timer of this.#timers) timer.cancel()
    this.#options.onEnd()
  }
}

/** One event, in either form. */
export const encodeAs = (protobuf: boolean, type: string, object: unknown): Buffer =>
  protobuf ? encodeEvent(type, object) : Buffer.from(`${JSON.stringify({ type, object })}\n`)

/** The media type of a watch. */
export const mediaType = (protobuf: boolean): string =>
  protobuf ? `${PROTOBUF_WATCH};stream=watch` : 'application/json'
