// One DNS query over HTTP (RFC 8484 4): the request is judged before anything of it is decoded, the query in it is answered
// as over any other transport, and the reply says how long it may be kept.
//
//   404  another path            405  neither GET nor POST        415  POST of something else
//   413  longer than a message   414  a URL beyond its bound      400  no query in it
//   503  too many octets of bodies are held already               500  a query that a plugin leaves without an answer
//   200  everything else, whatever its response code

import type { Readable } from 'node:stream'
import type { Origin, Packet } from '../query/packet.ts'
import type { Endpoint } from '../query/sockaddr.ts'
import { RECORD_OCTETS } from '../query/waiting.ts'
import { freshnessSeconds } from '../wire/freshness.ts'
import { MESSAGE_MAX, readU16 } from '../wire/header.ts'
import { RCODE } from '../wire/rcode.ts'
import { PARKED, SILENCE } from './responder.ts'
import type { StreamShared } from './stream-shared.ts'

/** Where queries are answered (CoreDNS plugin/pkg/doh). */
export const DOH_PATH = '/dns-query'
export const DOH_TYPE = 'application/dns-message'
/** Octets of a request's head, the URL included: room for a query of ten thousand octets in it. */
export const HEAD_MAX_OCTETS = 16 * 1024
/** Octets of request bodies that one listener holds on one thread, those of all connections together. */
export const BODIES_MAX_OCTETS = 4 * 2 ** 20

/** How the targets of most GETs begin: a query alone behind it needs no other reading. */
const GET_PREFIX = `${DOH_PATH}?dns=`
const BASE64URL = /^[\w-]+$/

/** Headers of an answer. */
export type Headers = Record<string, string | number>

/** A request, whichever version of HTTP brought it. */
export interface HttpRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly contentType: string | undefined
  readonly contentLength: string | undefined
  /** The value of any other field, by its name in lower case; undefined where it is not there, or more than once. */
  header(name: string): string | undefined
  readonly body: Readable
  /** Answers it, once, whether or not the body was read; the headers are its own from then on. */
  respond(status: number, headers: Headers, body: Uint8Array): void
  /** Gives it up at once. */
  abort(): void
}

/** What the exchanges of one listener share. */
export interface HttpShared {
  readonly streams: StreamShared
  /** Octets of bodies that are held now. */
  heldOctets: number
  /** Told of every answer. */
  answered(status: number): void
}

export class HttpExchange implements Origin {
  readonly transport = 'https'
  readonly #request: HttpRequest
  readonly #shared: HttpShared
  readonly #from: Uint8Array
  readonly #local: Endpoint
  readonly #startedAtMs: number
  readonly #changed: () => void
  #chunks: Uint8Array[] = []
  /** Of the body. */
  #octets = 0
  /** Of the query that is answered later, then of the answer, until it is taken. */
  #waitingOctets = 0
  #respondedAtMs = -1
  #reading = false

  /** `from` is the client's socket address; `changed` is told when it keeps more, last of all that is done. */
  constructor(
    request: HttpRequest,
    shared: HttpShared,
    from: Uint8Array,
    local: Endpoint,
    changed: () => void,
  ) {
    this.#request = request
    this.#changed = changed
    this.#shared = shared
    this.#from = from
    this.#local = local
    this.#startedAtMs = shared.streams.nowMs()
  }

  /** What it keeps. */
  get octets(): number {
    return this.#octets + this.#waitingOctets
  }

  /** Since when the answer waits for the peer to take it; -1 where there is none. */
  get untakenSinceMs(): number {
    return this.#respondedAtMs
  }

  /** Whether the peer has been slow for too long: with its request, or in taking the answer. */
  overdue(nowMs: number): 'https-request-timeout' | 'tcp-write-timeout' | undefined {
    const { firstReadTimeoutMs, writeTimeoutMs } = this.#shared.streams.limits
    if (this.#reading && nowMs - this.#startedAtMs >= firstReadTimeoutMs) return 'https-request-timeout'
    const waits = this.#respondedAtMs >= 0 && nowMs - this.#respondedAtMs >= writeTimeoutMs
    return waits ? 'tcp-write-timeout' : undefined
  }

  /** Judges the request, and answers it now or later. */
  start(): void {
    const { method, target } = this.#request
    if (method === 'GET' && target.startsWith(GET_PREFIX) && target.length <= HEAD_MAX_OCTETS) {
      const text = target.slice(GET_PREFIX.length)
      if (isEncoded(text)) {
        this.#answer(Buffer.from(text, 'base64url'))
        return
      }
    }
    // HTTP/1.1 has its bound before (https.ts); that of HTTP/2 in Node is wider.
    if (target.length > HEAD_MAX_OCTETS) {
      this.#fail(414, 'the query is too long')
      return
    }
    // The absolute form is for proxies, and for servers to take (RFC 9112 3.2.2).
    const [, path = '', query = ''] = /^(?:https?:\/\/[^/?]*)?([^?]*)\??(.*)$/is.exec(target) ?? []
    if (path !== DOH_PATH) this.#fail(404, 'queries are answered at /dns-query')
    else if (method === 'GET') this.#get(query)
    else if (method === 'POST') this.#post()
    else this.#fail(405, 'GET and POST are answered', { allow: 'GET, POST' })
  }

  /** The request is gone, answered or not. */
  end(): void {
    this.#letGo()
  }

  #get(query: string): void {
    const encoded = new URLSearchParams(query).getAll('dns')
    const [text = ''] = encoded
    if (encoded.length !== 1 || !isEncoded(text)) {
      this.#fail(400, 'one parameter dns in base64url without padding is needed')
    } else this.#answer(Buffer.from(text, 'base64url'))
  }

  #post(): void {
    const { contentType = '', contentLength, body } = this.#request
    if (contentType.split(';', 1)[0]!.trim().toLowerCase() !== DOH_TYPE) {
      this.#fail(415, `${DOH_TYPE} is needed`)
      return
    }
    if (Number(contentLength ?? 0) > MESSAGE_MAX) {
      this.#fail(413, 'the query is too long')
      return
    }
    this.#reading = true
    body.on('data', (chunk: Uint8Array) => this.#take(chunk))
    body.once('end', () => {
      if (!this.#reading) return
      const octets = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
      this.#letGo()
      this.#answer(octets)
    })
  }

  #take(chunk: Uint8Array): void {
    if (!this.#reading) return
    this.#octets += chunk.length
    this.#shared.heldOctets += chunk.length
    this.#chunks.push(chunk)
    if (this.#octets > MESSAGE_MAX) this.#fail(413, 'the query is too long')
    else if (this.#shared.heldOctets > BODIES_MAX_OCTETS) {
      this.#shared.streams.count('https-bodies-max')
      this.#fail(503, 'too many queries are being sent', { 'retry-after': '1' })
    } else this.#changed()
  }

  #letGo(): void {
    this.#shared.heldOctets -= this.#octets
    this.#octets = 0
    this.#chunks = []
    this.#reading = false
  }

  #answer(octets: Uint8Array): void {
    const { responder, out, packet } = this.#shared.streams
    packet.octets = octets
    packet.start = 0
    packet.end = octets.length
    packet.origin = this
    packet.from = this.#from
    packet.fromAt = 0
    packet.fromOctets = packet.from.length
    packet.family = this.#local.family
    packet.slot = out
    packet.slotAt = 0
    packet.slotOctets = MESSAGE_MAX
    responder.enter()
    const written = responder.answer(packet)
    responder.leave()
    if (written === PARKED) return
    if (written === SILENCE && packet.isDropped) this.#reply(undefined)
    else if (written === SILENCE || isNoQuery(out)) this.#fail(400, 'this is not a DNS query')
    else this.#reply(out.slice(0, written))
  }

  localOf(): Endpoint {
    return this.#local
  }

  header(name: string): string | undefined {
    return this.#request.header(name)
  }

  parked(): void {
    this.#waitingOctets = RECORD_OCTETS
    this.#changed()
  }

  reply({ slot, slotAt }: Packet, octets: number): void {
    this.#reply(octets > 0 ? slot.slice(slotAt, slotAt + octets) : undefined)
  }

  #reply(reply: Uint8Array | undefined): void {
    if (reply === undefined) this.#fail(500, 'there is no answer')
    else
      this.#respond(200, reply, {
        'content-type': DOH_TYPE,
        'cache-control': `max-age=${freshnessSeconds(reply)}`,
      })
  }

  #fail(status: number, text: string, headers: Headers = {}): void {
    const plain = { 'content-type': 'text/plain; charset=utf-8', ...headers }
    this.#respond(status, Buffer.from(`${text}\n`), plain)
  }

  #respond(status: number, body: Uint8Array, headers: Headers): void {
    this.#letGo()
    this.#respondedAtMs = this.#shared.streams.nowMs()
    this.#shared.answered(status)
    this.#waitingOctets = body.length
    headers['content-length'] = `${body.length}`
    this.#request.respond(status, headers, body)
    this.#changed()
  }
}

/** Whether it is base64url without padding (RFC 8484 6). */
const isEncoded = (text: string): boolean => BASE64URL.test(text) && text.length % 4 !== 1

/** Whether the reply says that no question could be read: without one, and a failure; a cookie may be asked about alone. */
function isNoQuery(reply: Uint8Array): boolean {
  const rcode = reply[3]! & 15
  return readU16(reply, 4) === 0 && (rcode === RCODE.FORMERR || rcode === RCODE.NOTIMP)
}
