// One watch request, from its URL to parsed events. The receiver learns how it ended, once; what to do about it is the
// reflector's business. A stream in which no octet comes for SILENCE_MS is taken for dead: with bookmarks asked for,
// the API server has something to say about once a minute. Events come as protocol buffers, half the
// octets of JSON and quicker to read (protobuf-objects.ts), or as JSON where the server has nothing else:
//
//   {"type":"ADDED","object":{"kind":"Service",…}}⏎
//   {"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"12","annotations":{"k8s.io/initial-events-end":"true"}}}}⏎
//   {"type":"ERROR","object":{"kind":"Status","code":410,…}}⏎

import { fieldAt, textAt } from '../objects/field.ts'
import type { Kind } from '../objects/objects.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { ApiError, errorOfStatus, messageOf } from './api-error.ts'
import type { ApiCall, ApiRequester } from './client.ts'
import { FrameSplitter } from './frame-splitter.ts'
import { LineSplitter } from './line-splitter.ts'
import { acceptOf, PROTOBUF_WATCH, readEvent } from './protobuf-objects.ts'

/** What a watch tells. */
export interface WatchReceiver {
  /** The server accepted the watch. */
  opened(): void
  /** Some octets came, of whatever kind. */
  heard(): void
  /** An object was added, modified or (`deleted`) removed. */
  event(deleted: boolean, object: unknown): void
  /** The version moved on without an event; `initialEnd`: all initial events have been sent. */
  bookmark(version: string, initialEnd: boolean): void
  /** Last and once: undefined for an end as HTTP means it. Not called after `abort`. */
  closed(error: ApiError | undefined): void
}

/** What a watch is made of. */
export interface WatchOptions {
  readonly client: ApiRequester
  readonly clock: Clock
  readonly path: string
  /** Objects that say that they are of another kind end the stream. */
  readonly kind: Kind
  readonly silenceMs: number
  readonly receiver: WatchReceiver
}

/** The annotation of the bookmark that ends the initial events (KEP-3157). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

/** A watch under way: begins at once and runs until it is closed or aborted. */
export class WatchStream implements ApiCall {
  readonly #options: WatchOptions
  readonly #silence: Silence
  #events: LineSplitter | FrameSplitter | undefined
  readonly #call: ApiCall
  #ended = false

  constructor(options: WatchOptions) {
    this.#options = options
    const { receiver } = options
    this.#silence = new Silence(options.clock, options.silenceMs, error => this.#end(error))
    this.#call = options.client.get(options.path, acceptOf(options.kind), {
      onOpen: contentType => {
        this.#events = this.#splitter(contentType)
        this.#silence.start()
        receiver.opened()
      },
      onData: chunk => {
        this.#silence.heard()
        receiver.heard()
        try {
          this.#events?.push(chunk)
        } catch (cause) {
          this.#end(cause instanceof ApiError ? cause : new ApiError('protocol', messageOf(cause), { cause }))
        }
      },
      onEnd: error => this.#end(error),
    })
  }

  abort(): void {
    this.#ended = true
    this.#silence.stop()
    this.#call.abort()
  }

  #end(error: ApiError | undefined): void {
    if (this.#ended) return
    this.abort()
    this.#options.receiver.closed(error)
  }

  #splitter(contentType: string): LineSplitter | FrameSplitter {
    return contentType.startsWith(PROTOBUF_WATCH)
      ? new FrameSplitter((octets, at, end) => {
          if (!this.#ended) this.#handle(readEvent(octets, at, end))
        })
      : new LineSplitter(line => {
          if (!this.#ended) this.#handle(parse(line))
        })
  }

  #handle(event: unknown): void {
    const { receiver, kind } = this.#options
    const object = fieldAt(event, 'object')
    const type = fieldAt(event, 'type')
    if (type === 'ERROR') throw errorOfStatus(object)
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED' && type !== 'BOOKMARK') {
      throw new ApiError('protocol', 'reading a watch: a line that is no event')
    }
    const said = fieldAt(object, 'kind')
    if (said !== undefined && said !== kind) {
      throw new ApiError('protocol', `reading a watch: kind ${JSON.stringify(said)} instead of ${kind}`)
    }
    if (type !== 'BOOKMARK') {
      receiver.event(type === 'DELETED', object)
      return
    }
    const initialEnd = textAt(object, 'metadata', 'annotations', INITIAL_EVENTS_END) === 'true'
    receiver.bookmark(textAt(object, 'metadata', 'resourceVersion'), initialEnd)
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new ApiError('protocol', `reading a watch: ${messageOf(cause)}`, { cause })
  }
}

/** Notices that nothing comes any more, with one timer however many octets come. */
export class Silence {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #onSilence: (error: ApiError) => void
  #heardMs = 0
  #timer: Timer | undefined

  constructor(clock: Clock, limitMs: number, onSilence: (error: ApiError) => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#onSilence = onSilence
  }

  start(): void {
    this.heard()
    this.#arm(this.#limitMs)
  }

  heard(): void {
    this.#heardMs = this.#clock.nowMs()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(delayMs, () => {
      const leftMs = this.#heardMs + this.#limitMs - this.#clock.nowMs()
      if (leftMs > 0) this.#arm(leftMs)
      else this.#onSilence(new ApiError('silence', `heard nothing for ${this.#limitMs / 1000} s`))
    })
  }
}
