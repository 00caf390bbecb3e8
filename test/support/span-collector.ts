// A collector of spans for tests: it takes whatever is posted to it, and holds it to the fields that the schemas of Zipkin v2
// (zipkin2-api.yaml), OTLP (opentelemetry-proto trace.proto in JSON) and Datadog's agent have.

import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from './until.ts'

export interface Posted {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A span, whatever it was written as; times in µs. */
export interface CollectedSpan {
  readonly traceId: string
  readonly id: string
  readonly parentId: string | undefined
  readonly name: string
  readonly kind: string
  readonly startUs: number
  readonly durationUs: number
  readonly tags: Readonly<Record<string, string>>
  readonly service: string
  readonly error: string | undefined
}

export class SpanCollector {
  readonly posted: Posted[] = []
  /** How requests are answered from now on. */
  status: number | 'never' = 202
  readonly #server: Server
  readonly #held: ServerResponse[] = []

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString()
      const { method = '', url = '', headers } = request
      this.posted.push({ method, path: url, headers, body })
      if (this.status === 'never') this.#held.push(response)
      else response.writeHead(this.status).end()
    })
  }

  static async listen(): Promise<SpanCollector> {
    const collector = new SpanCollector()
    await new Promise<void>(resolve => collector.#server.listen(0, '127.0.0.1', resolve))
    return collector
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Every span that was posted to a path, in the order of coming. Throws where one is not as its schema says. */
  spans(path: string): CollectedSpan[] {
    const read = READERS[path]
    if (read === undefined) throw new Error(`nobody takes spans at ${path}`)
    return this.posted.filter(posted => posted.path === path).flatMap(({ body }) => read(JSON.parse(body)))
  }

  /** Waits for spans of which that is true. */
  async has(path: string, is: (span: CollectedSpan) => boolean, count = 1): Promise<CollectedSpan[]> {
    await until(`spans at ${path}`, () => this.spans(path).filter(is).length >= count)
    return this.spans(path).filter(is)
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

type Json = Readonly<Record<string, unknown>>

/** Throws unless the object has those fields, and no others but the optional ones, each as its test says. */
function hold(
  what: string,
  value: unknown,
  fields: Readonly<Record<string, (value: unknown) => boolean>>,
): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is no object`)
  const object = value as Json
  for (const key of Object.keys(object))
    if (!fields[key] && !fields[`${key}?`]) throw new Error(`${what} has ${key}`)
  for (const [name, is] of Object.entries(fields)) {
    const key = name.replace(/\?$/, '')
    if (object[key] === undefined ? !name.endsWith('?') : !is(object[key]))
      throw new Error(`${what}: ${key} is ${JSON.stringify(object[key])}`)
  }
  return object
}

const text = (value: unknown): boolean => typeof value === 'string'
const matching =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value)
const integer = (value: unknown): boolean => Number.isSafeInteger(value)
const list = Array.isArray
const anything = (): boolean => true
const textsOnly = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every(text)
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/
const ID = /^(?!0+$)[0-9a-f]{16}$/
const NANOS = /^\d{19}$/

function zipkin(body: unknown): CollectedSpan[] {
  if (!Array.isArray(body)) throw new Error('Zipkin takes a list')
  return body.map(one => {
    const span = hold('a span of Zipkin', one, {
      traceId: matching(TRACE_ID),
      id: matching(ID),
      'parentId?': matching(ID),
      name: matching(/^[a-z]/),
      'kind?': matching(/^(CLIENT|SERVER)$/),
      timestamp: integer,
      duration: value => integer(value) && (value as number) >= 1,
      localEndpoint: anything,
      'shared?': value => value === true,
      tags: textsOnly,
    })
    const { serviceName } = hold('an endpoint', span.localEndpoint, { serviceName: text })
    const { error, ...tags } = span.tags as Record<string, string>
    return {
      ...(span as unknown as CollectedSpan),
      kind: String(span.kind ?? 'internal').toLowerCase(),
      startUs: span.timestamp as number,
      durationUs: span.duration as number,
      service: serviceName as string,
      tags,
      error,
    }
  })
}

const KINDS = ['', 'internal', 'server', 'client']

function attributesOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    (value as readonly unknown[]).map(one => {
      const { key, value } = hold('an attribute', one, { key: text, value: anything })
      return [key, hold('its value', value, { stringValue: text }).stringValue]
    }),
  ) as Record<string, string>
}

function otlp(body: unknown): CollectedSpan[] {
  const { resourceSpans } = hold('an ExportTraceServiceRequest', body, { resourceSpans: list })
  return (resourceSpans as readonly unknown[]).flatMap(one => {
    const { resource, scopeSpans } = hold('a ResourceSpans', one, { resource: anything, scopeSpans: list })
    const about = attributesOf(hold('a Resource', resource, { attributes: list }).attributes)
    return (scopeSpans as readonly unknown[]).flatMap(each => {
      const { scope, spans } = hold('a ScopeSpans', each, { scope: anything, spans: list })
      hold('a scope', scope, { name: text, version: text })
      return (spans as readonly unknown[]).map(inner => {
        const span = hold('a span of OTLP', inner, {
          traceId: matching(TRACE_ID),
          spanId: matching(ID),
          'parentSpanId?': matching(ID),
          name: matching(/./),
          kind: value => value === 1 || value === 2 || value === 3,
          startTimeUnixNano: matching(NANOS),
          endTimeUnixNano: matching(NANOS),
          attributes: list,
          status: anything,
        })
        const { message } = hold('a status', span.status, { 'code?': code => code === 2, 'message?': text })
        const startUs = Number(BigInt(span.startTimeUnixNano as string) / 1000n)
        const endUs = Number(BigInt(span.endTimeUnixNano as string) / 1000n)
        return {
          traceId: span.traceId as string,
          id: span.spanId as string,
          parentId: span.parentSpanId as string | undefined,
          name: span.name as string,
          kind: KINDS[span.kind as number]!,
          startUs,
          durationUs: endUs - startUs,
          tags: attributesOf(span.attributes),
          service: about['service.name'] ?? '',
          error: message as string | undefined,
        }
      })
    })
  })
}

/** Ids are numbers that JavaScript's cannot hold: what is read of them says whether they are there. */
function datadog(body: unknown): CollectedSpan[] {
  if (!Array.isArray(body)) throw new Error('Datadog takes a list of traces')
  return body.flat().map(one => {
    const whole = (value: unknown): boolean => Number.isInteger(value)
    const span = hold('a span of Datadog', one, {
      trace_id: whole,
      span_id: whole,
      parent_id: whole,
      start: whole,
      duration: whole,
      name: text,
      resource: text,
      service: text,
      type: text,
      error: value => value === 0 || value === 1,
      meta: textsOnly,
      metrics: anything,
    })
    const { 'span.kind': kind = '', 'error.message': error, ...tags } = span.meta as Record<string, string>
    return {
      traceId: String(span.trace_id),
      id: String(span.span_id),
      parentId: span.parent_id === 0 ? undefined : String(span.parent_id),
      name: span.name as string,
      kind,
      startUs: Math.round((span.start as number) / 1000),
      durationUs: Math.round((span.duration as number) / 1000),
      tags,
      service: span.service as string,
      error,
    }
  })
}

const READERS: Readonly<Record<string, (body: unknown) => CollectedSpan[]>> = {
  '/api/v2/spans': zipkin,
  '/v1/traces': otlp,
  '/v0.4/traces': datadog,
}
