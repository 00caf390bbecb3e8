// How the routes of an HTTP server are answered: one answer for all who wait for the same, and between two answers of a route
// three times as long as the first of them took. Metrics cost some milliseconds of the thread that follows the cluster: whoever
// asks for them without end gets no more than a quarter of it, and probes are answered in between.

import { promisify } from 'node:util'
import { lazy } from '../shared/lazy.ts'

/** What a path answers. */
export interface HttpAnswer {
  readonly status: number
  /** text/plain; charset=utf-8 unless given. */
  readonly contentType?: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer that has no end: text as it comes. */
export interface HttpStream {
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  /** Begins for one client; what it gives ends that. */
  start(write: (text: string) => void): () => void
}

/** Answers one path; `query` is what stands behind its `?`, `accept` the header, or ''. A rejection is a bug and becomes 500. */
export type HttpRoute = (query: URLSearchParams, accept: string) => HttpAnswer | Promise<HttpAnswer>

/** An answer as octets. */
export interface Rendered extends Pick<HttpAnswer, 'status' | 'contentType' | 'headers'> {
  readonly plain: Uint8Array
  gzip(): Promise<Uint8Array>
}

/** How many times as long as it took a route rests. */
const REST = 3

export class HttpAnswers {
  /** By path. */
  routes: ReadonlyMap<string, HttpRoute>
  /** Answers that are not made yet, by target and what is accepted. */
  readonly #waiting = new Map<string, Promise<Rendered>>()
  /** When the last answer of a path has been rested from. */
  readonly #rested = new Map<string, Promise<unknown>>()

  constructor(routes: ReadonlyMap<string, HttpRoute>) {
    this.routes = routes
  }

  /** The answer to a request's target, made after this call. */
  answer(target: string, accept = ''): Promise<Rendered> {
    const [path = '', query = ''] = target.split('?', 2)
    if (!this.routes.has(path)) return Promise.resolve(NOT_FOUND)
    const key = `${target} ${accept}`
    const known = this.#waiting.get(key)
    if (known) return known
    let tookMs = 0
    const answer = Promise.resolve(this.#rested.get(path)).then(async () => {
      this.#waiting.delete(key)
      const fromMs = performance.now()
      const answer = await answerOf(this.routes.get(path), new URLSearchParams(query), accept)
      tookMs = performance.now() - fromMs
      return render(answer)
    })
    this.#waiting.set(key, answer)
    this.#rested.set(
      path,
      answer.then(() => rest(REST * tookMs)),
    )
    return answer
  }
}

/** At least until others have had their turn; nobody is kept from ending by it. */
const rest = (ms: number): Promise<void> =>
  new Promise(resolve => {
    if (ms < 1) setImmediate(resolve)
    else setTimeout(resolve, ms).unref()
  })

function render(answer: HttpAnswer): Rendered {
  const plain = Buffer.from(answer.body)
  let packed: Promise<Uint8Array> | undefined
  const gzip = (): Promise<Uint8Array> => {
    packed ??= promisify<Uint8Array, Buffer>(lazy.zlib.gzip)(plain)
    return packed
  }
  return { ...answer, plain, gzip }
}

const NOT_FOUND = render({ status: 404, body: '404 page not found\n' })

async function answerOf(
  route: HttpRoute | undefined,
  query: URLSearchParams,
  accept: string,
): Promise<HttpAnswer> {
  try {
    return route ? await route(query, accept) : { status: 404, body: '404 page not found\n' }
  } catch (error) {
    return { status: 500, body: `${error instanceof Error ? error.message : String(error)}\n` }
  }
}
