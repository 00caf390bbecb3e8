// What the `trace` directive of a block is told, as data.

/** Whom spans are sent to, and how they are written: Zipkin v2, Datadog's agent v0.4, OTLP over HTTP; each in JSON. */
export const COLLECTORS = ['zipkin', 'datadog', 'otlp'] as const
export type CollectorType = (typeof COLLECTORS)[number]

/** Spans that wait for their collector, of all threads together. */
export const BACKLOG_DEFAULT = 1000
export const BACKLOG_MAX = 100_000
/** Spans of one request. */
export const BATCH_DEFAULT = 100
export const BATCH_MAX = 1000
export const BATCH_INTERVAL_DEFAULT_MS = 1000
export const SERVICE_DEFAULT = 'coredns'

/** The configuration of `trace`. */
export interface TraceConfig {
  readonly type: CollectorType
  /** Where spans are posted. */
  readonly url: string
  /** One query of so many is traced; 0: none. */
  readonly every: number
  readonly service: string
  /** Whether the span of a query is that of the client that sent its id (Zipkin's shared spans). */
  readonly clientServer: boolean
  /** Datadog's; 0 is none. */
  readonly analyticsRate: number
  readonly backlogMax: number
  readonly batchMax: number
  readonly batchIntervalMs: number
}
