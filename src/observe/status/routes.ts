// The paths of the live page: read-only, nothing from elsewhere, and for nobody else's page to frame or to read.

import type { HttpAnswer, HttpRoute, HttpStream } from '../http-answers.ts'
import { STATUS_SCRIPT, STATUS_STYLE } from './assets.ts'
import type { StatusData } from './data.ts'
import { statusPage, statusParts } from './page.ts'

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

/** A question is cut there: no name is as long. */
const FIELD_MAX_CHARACTERS = 1024

export interface StatusSource {
  data(): StatusData
  /** Why a name resolves or not, in lines. */
  explain(name: string, type: string, from: string): Promise<string>
  /** Calls back with every new state, until the result is called. */
  follow(changed: (data: StatusData) => void): () => void
}

export const STATUS_PATH = '/status'

const asset =
  (contentType: string, body: string): HttpRoute =>
  () => ({ status: 200, contentType, body, headers: HEADERS })

/** By path. */
export const statusRoutes = (source: StatusSource): ReadonlyMap<string, HttpRoute> =>
  new Map<string, HttpRoute>([
    [STATUS_PATH, query => page(source, query)],
    [`${STATUS_PATH}/style.css`, asset('text/css; charset=utf-8', STATUS_STYLE)],
    [`${STATUS_PATH}/script.js`, asset('text/javascript; charset=utf-8', STATUS_SCRIPT)],
  ])

/** Server-sent events: the parts of the page as they change. */
export const statusStreams = (source: StatusSource): ReadonlyMap<string, HttpStream> =>
  new Map([
    [
      `${STATUS_PATH}/events`,
      {
        contentType: 'text/event-stream',
        headers: HEADERS,
        start: (write: (text: string) => void) => {
          const tell = (data: StatusData): void => write(`data: ${JSON.stringify(statusParts(data))}\n\n`)
          tell(source.data())
          return source.follow(tell)
        },
      },
    ],
  ])

async function page(source: StatusSource, query: URLSearchParams): Promise<HttpAnswer> {
  const field = (name: string): string => (query.get(name) ?? '').trim().slice(0, FIELD_MAX_CHARACTERS)
  const [name, type, from] = [field('name'), field('type'), field('from')]
  const text = name === '' ? '' : await source.explain(name, type, from)
  const body = statusPage(source.data(), { name, type, from, text })
  return { status: 200, contentType: 'text/html; charset=utf-8', body, headers: HEADERS }
}
