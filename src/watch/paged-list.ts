// A list in pages of 500, for API servers that do not stream the initial state. Items are handed on one by one as they
// come in; the receiver publishes nothing before `done`. A continue token that has become too old in the middle (410)
// begins the list again, the second time without pages: a list that is one request cannot age.

import { fieldAt, isJson, textAt } from '../objects/field.ts'
import type { Clock } from '../shared/clock.ts'
import { ApiError, messageOf } from './api-error.ts'
import type { ApiCall, ApiRequester } from './client.ts'
import { ListSplitter } from './list-splitter.ts'
import { Silence } from './stream.ts'

/** What a list tells. */
export interface ListReceiver {
  /** Some octets came. */
  heard(): void
  item(object: unknown): void
  /** Everything so far is void: the list begins again. */
  restarted(): void
  /** The list is complete, as of this version. */
  done(version: string): void
  /** It is not going to be. */
  failed(error: ApiError): void
}

/** What a list is made of. */
export interface ListOptions {
  readonly client: ApiRequester
  readonly clock: Clock
  /** The resource's path without a query. */
  readonly path: string
  /** Selectors. */
  readonly query: Readonly<Record<string, string>>
  /** The list's kind is this with `List` behind it. */
  readonly kind: string
  readonly pageSize: number
  readonly silenceMs: number
  readonly receiver: ListReceiver
}

/** 5 million objects; a server that never ends its list is broken. */
const PAGES_MAX = 10_000

/** A list under way: begins at once; ends with `done`, `failed` or `abort`. */
export class PagedList implements ApiCall {
  readonly #options: ListOptions
  #call: ApiCall | undefined
  #silence: Silence | undefined
  #version = ''
  #restarts = 0
  #pages = 0
  #ended = false

  constructor(options: ListOptions) {
    this.#options = options
    this.#page('')
  }

  abort(): void {
    this.#ended = true
    this.#silence?.stop()
    this.#call?.abort()
  }

  #page(token: string): void {
    const { client, clock, path, query, pageSize, receiver, silenceMs } = this.#options
    const params = new URLSearchParams(query)
    if (this.#restarts < 2) params.set('limit', String(pageSize))
    if (token !== '') params.set('continue', token)
    const silence = new Silence(clock, silenceMs, error => this.#fail(error))
    const body = new ListSplitter(text => this.#item(text))
    this.#silence = silence
    this.#call = client.get(`${path}?${params}`, 'application/json', {
      onOpen: () => silence.start(),
      onData: chunk => {
        silence.heard()
        receiver.heard()
        this.#guarded(() => body.push(chunk))
      },
      onEnd: error => {
        silence.stop()
        if (this.#ended) return
        if (error === undefined) this.#guarded(() => this.#endPage(body.end()))
        else if (error.code === 'gone' && token !== '') this.#restart()
        else this.#fail(error)
      },
    })
  }

  #item(text: string): void {
    if (this.#ended) return
    let object: unknown
    try {
      object = JSON.parse(text)
    } catch (cause) {
      throw new ApiError('protocol', `reading a list: ${messageOf(cause)}`, { cause })
    }
    const said = fieldAt(object, 'kind')
    if (said !== undefined && said !== this.#options.kind) throw this.#wrongKind(said)
    this.#options.receiver.item(object)
  }

  #endPage(envelope: unknown): void {
    const said = fieldAt(envelope, 'kind')
    if (!isJson(envelope) || said !== `${this.#options.kind}List`) throw this.#wrongKind(said)
    // The version of the first page is the version of the list: later pages repeat it.
    if (this.#version === '') this.#version = textAt(envelope, 'metadata', 'resourceVersion')
    const token = textAt(envelope, 'metadata', 'continue')
    if (token !== '' && ++this.#pages < PAGES_MAX) {
      this.#page(token)
      return
    }
    if (token !== '') throw new ApiError('protocol', `reading a list: more than ${PAGES_MAX} pages`)
    if (this.#version === '') throw new ApiError('protocol', 'reading a list: no resourceVersion')
    this.#ended = true
    this.#options.receiver.done(this.#version)
  }

  #restart(): void {
    this.#restarts++
    this.#version = ''
    this.#pages = 0
    this.#options.receiver.restarted()
    this.#page('')
  }

  #wrongKind(said: unknown): ApiError {
    return new ApiError(
      'protocol',
      `reading a list: kind ${JSON.stringify(said)} instead of ${this.#options.kind}`,
    )
  }

  #guarded(action: () => void): void {
    if (this.#ended) return
    try {
      action()
    } catch (cause) {
      this.#fail(cause instanceof ApiError ? cause : new ApiError('protocol', messageOf(cause), { cause }))
    }
  }

  #fail(error: ApiError): void {
    if (this.#ended) return
    this.abort()
    this.#options.receiver.failed(error)
  }
}
