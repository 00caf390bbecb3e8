// Sends spans to their collector, in batches over HTTP: one request at a time, with a bounded queue before it. What a
// collector does not take, or has no time for, is dropped and counted; queries never wait.

import type { Agent, ClientRequest } from 'node:http'
import type { Counter, Meters } from '../../observe/meters.ts'
import type { ThreadLog } from '../../observe/thread-log.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { lazy } from '../../shared/lazy.ts'
import type { TraceConfig } from './config.ts'
import { datadogBody } from './datadog.ts'
import { otlpBody } from './otlp.ts'
import type { Span } from './span.ts'
import { zipkinBody } from './zipkin.ts'

const LOG_FROM = 'plugin/trace'
/** Of a whole request, as zipkin-go has it. */
const TIMEOUT_MS = 5000
/** After a request that failed, the next one comes so late; twice as late for each in a row, up to a bound. */
const RETRY_FIRST_MS = 1000
const RETRY_MAX_MS = 30_000
/** How long an end waits for what is under way. */
const FINISH_MS = 1000

export interface SpanSenderOptions {
  readonly config: TraceConfig
  readonly clock: Clock
  readonly log: ThreadLog
  readonly meters: Meters
  /** How many threads share the backlog. */
  readonly threads: number
  /** Whether this thread tells what all of them see alike. */
  readonly tells: boolean
}

export class SpanSender {
  readonly #options: SpanSenderOptions
  readonly #sent: Counter
  readonly #dropped: Counter
  readonly #backlogMax: number
  readonly #waiting: Span[] = []
  #agent: Agent | undefined
  #request: ClientRequest | undefined
  #sending: Promise<void> | undefined
  #timer: Timer | undefined
  #failures = 0
  #isStopped = false

  constructor(options: SpanSenderOptions) {
    this.#options = options
    const labels = { endpoint: options.config.url }
    this.#sent = options.meters.counter('seamark_trace_spans_total', labels)
    this.#dropped = options.meters.counter('seamark_trace_dropped_total', labels)
    this.#backlogMax = Math.ceil(options.config.backlogMax / options.threads)
  }

  /** Takes the spans of a query; of too many the oldest are dropped. */
  send(spans: readonly Span[]): void {
    if (this.#isStopped) {
      this.#dropped.add(spans.length)
      return
    }
    this.#waiting.push(...spans)
    const tooMany = this.#waiting.length - this.#backlogMax
    if (tooMany > 0) {
      this.#waiting.splice(0, tooMany)
      this.#dropped.add(tooMany)
    }
    if (this.#sending === undefined) this.#schedule()
  }

  /** Sends what waits, for a second at most; what is not taken by then is dropped. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    const limit = this.#options.clock.after(FINISH_MS, () => this.#request?.destroy())
    await this.#sending
    while (this.#waiting.length > 0 && this.#failures === 0) await this.#post()
    limit.cancel()
    this.#dropped.add(this.#waiting.length)
    this.#waiting.length = 0
    this.#agent?.destroy()
  }

  #flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#sending = this.#post().then(() => {
      this.#sending = undefined
      if (!this.#isStopped && this.#waiting.length > 0) this.#schedule()
    })
  }

  /** A batch that is full is sent at once, one that is not when it has waited; neither before a failure is a while ago. */
  #schedule(): void {
    const { config, clock } = this.#options
    const isFull = this.#failures === 0 && this.#waiting.length >= config.batchMax
    if (isFull) this.#flush()
    else this.#timer ??= clock.after(this.#delayMs, () => this.#flush())
  }

  get #delayMs(): number {
    if (this.#failures === 0) return this.#options.config.batchIntervalMs
    return Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (this.#failures - 1))
  }

  /** Sends one batch; it is taken, or dropped. */
  async #post(): Promise<void> {
    const { config, log, tells } = this.#options
    const spans = this.#waiting.splice(0, config.batchMax)
    const failure = await this.#ask(spans)
    if (failure === undefined) {
      this.#failures = 0
      this.#sent.add(spans.length)
      return
    }
    this.#dropped.add(spans.length)
    if (this.#failures++ === 0 && tells)
      log.write('ERROR', LOG_FROM, `Spans are not taken by ${config.url}: ${failure}`)
  }

  /** Asks the collector to take spans; why it does not, in words. Never rejects. */
  #ask(spans: readonly Span[]): Promise<string | undefined> {
    const { config, clock } = this.#options
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const { body, headers } = bodyOf(spans, config)
    const client = config.url.startsWith('https:') ? lazy.https : lazy.http
    this.#agent ??= new client.Agent({ keepAlive: true, maxSockets: 1 })
    const request = client.request(config.url, {
      agent: this.#agent,
      method: config.type === 'datadog' ? 'PUT' : 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    })
    this.#request = request
    const limit = clock.after(TIMEOUT_MS, () =>
      request.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)),
    )
    request.on('response', response => {
      const { statusCode = 0 } = response
      response.on('end', () =>
        resolve(statusCode >= 200 && statusCode < 300 ? undefined : `status ${statusCode}`),
      )
      response.on('error', error => resolve(error.message))
      response.resume()
    })
    request.on('error', error => resolve(error.message))
    request.on('close', () => {
      limit.cancel()
      resolve('the connection was closed')
    })
    request.end(body)
    return promise
  }
}

function bodyOf(
  spans: readonly Span[],
  { type, service, analyticsRate }: TraceConfig,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  if (type === 'zipkin') return { body: zipkinBody(spans, service), headers: {} }
  if (type === 'otlp') return { body: otlpBody(spans, service), headers: {} }
  const { body, traces } = datadogBody(spans, service, analyticsRate)
  return { body, headers: { 'x-datadog-trace-count': String(traces) } }
}
