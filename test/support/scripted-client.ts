// An ApiRequester without a network: the test reads what was asked and says, octet by octet if need be, what comes back.

import { ApiError } from '../../src/watch/api-error.ts'
import type { ApiCall, ApiHandlers, ApiRequester } from '../../src/watch/client.ts'

/** A request that was made, to be answered by the test. */
export class ScriptedCall implements ApiCall {
  readonly path: string
  readonly query: URLSearchParams
  aborted = false
  readonly #handlers: ApiHandlers

  constructor(path: string, handlers: ApiHandlers) {
    this.path = path.split('?')[0]!
    this.query = new URLSearchParams(path.split('?')[1])
    this.#handlers = handlers
  }

  abort(): void {
    this.aborted = true
  }

  open(): this {
    if (!this.aborted) this.#handlers.onOpen('application/json')
    return this
  }

  /** Sends text as one chunk. */
  text(text: string): this {
    if (!this.aborted) this.#handlers.onData(Buffer.from(text))
    return this
  }

  /** Sends one event. */
  event(type: string, object: unknown): this {
    return this.text(`${JSON.stringify({ type, object })}\n`)
  }

  /** Sends a bookmark, the one that ends the initial events if told so. */
  bookmark(resourceVersion: string, initialEnd = false): this {
    const annotations = initialEnd ? { 'k8s.io/initial-events-end': 'true' } : {}
    return this.event('BOOKMARK', { kind: 'Service', metadata: { resourceVersion, annotations } })
  }

  end(error?: ApiError): void {
    if (!this.aborted) this.#handlers.onEnd(error)
  }

  /** Answers with a status that is not 200. */
  refuse(code: ApiError['code'], status = 0, retryAfterMs?: number): void {
    this.end(new ApiError(code, `${status} told to fail`, { status, retryAfterMs }))
  }
}

/** Collects requests. */
export class ScriptedClient implements ApiRequester {
  readonly calls: ScriptedCall[] = []

  get(path: string, _accept: string, handlers: ApiHandlers): ScriptedCall {
    const call = new ScriptedCall(path, handlers)
    this.calls.push(call)
    return call
  }

  /** The latest request. */
  get last(): ScriptedCall {
    const last = this.calls.at(-1)
    if (!last) throw new Error('nothing has been asked for')
    return last
  }

  /** The latest watch. */
  get lastWatch(): ScriptedCall {
    const last = this.calls.findLast(({ query }) => query.has('watch'))
    if (!last) throw new Error('nothing has been watched')
    return last
  }
}
