// Reads the `trace` directives of a block (CoreDNS plugin/trace/setup.go).

import { type Line, readLine } from '../../corefile/arguments.ts'
import type { Word } from '../plugin.ts'
import {
  BACKLOG_DEFAULT,
  BACKLOG_MAX,
  BATCH_DEFAULT,
  BATCH_INTERVAL_DEFAULT_MS,
  BATCH_MAX,
  COLLECTORS,
  type CollectorType,
  SERVICE_DEFAULT,
  type TraceConfig,
} from './config.ts'

const ENDPOINTS: Readonly<Record<CollectorType, { readonly address: string; readonly path: string }>> = {
  zipkin: { address: 'localhost:9411', path: '/api/v2/spans' },
  datadog: { address: 'localhost:8126', path: '/v0.4/traces' },
  otlp: { address: 'localhost:4318', path: '/v1/traces' },
}
/** As Go's strconv.ParseBool. */
const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'] as const
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'] as const

/** Of several directives the last one counts, as in CoreDNS. */
export const parseTrace: Word<TraceConfig>['parse'] = (directives, problems) => {
  let config: TraceConfig | undefined
  for (const directive of directives) {
    readLine(directive, problems, line => {
      config = readTrace(line) ?? config
    })
  }
  return config
}

function readTrace(line: Line): TraceConfig | undefined {
  const [first, second] = [
    line.has ? line.token('a type') : undefined,
    line.has ? line.token('an endpoint') : undefined,
  ]
  const type = second === undefined ? 'zipkin' : COLLECTORS.find(each => each === first!.text.toLowerCase())
  if (type === undefined) {
    line.options({})
    return line.error(first!, 'there is no such type of collector', {
      found: first!.text,
      allowed: COLLECTORS,
    })
  }
  const endpoint = second ?? first
  const url = urlOf(type, endpoint?.text ?? ENDPOINTS[type].address)
  if (url === undefined)
    line.error(endpoint!, 'an endpoint is HOST:PORT, or a URL of http or https', { found: endpoint!.text })
  const read = {
    every: 1,
    service: SERVICE_DEFAULT,
    clientServer: false,
    analyticsRate: 0,
    backlogMax: 0,
    batchMax: 0,
    batchIntervalMs: 0,
  }
  line.options({
    every: option => {
      read.every = option.integer('an amount') ?? read.every
    },
    service: option => {
      read.service = option.text('a name') ?? read.service
    },
    client_server: option => {
      const word = option.has ? option.choice('true or false', [...TRUE, ...FALSE]) : 'true'
      read.clientServer = TRUE.some(each => each === word)
    },
    datadog_analytics_rate: option => {
      read.analyticsRate = option.has ? (option.decimal('a rate', 0, 1) ?? 0) : 0
    },
    zipkin_max_backlog_size: option => {
      read.backlogMax = option.integer('a size', 0, BACKLOG_MAX) ?? 0
    },
    zipkin_max_batch_size: option => {
      read.batchMax = option.integer('a size', 0, BATCH_MAX) ?? 0
    },
    zipkin_max_batch_interval: option => {
      read.batchIntervalMs = option.duration('an interval') ?? 0
    },
  })
  return {
    ...read,
    type,
    url: url ?? '',
    backlogMax: read.backlogMax || BACKLOG_DEFAULT,
    batchMax: read.batchMax || BATCH_DEFAULT,
    batchIntervalMs: read.batchIntervalMs || BATCH_INTERVAL_DEFAULT_MS,
  }
}

/**
 * Where spans are posted. Zipkin's URL is taken as it is, as CoreDNS does; of the others one without a path is given theirs,
 * as OpenTelemetry has it (OTEL_EXPORTER_OTLP_ENDPOINT).
 */
function urlOf(type: CollectorType, endpoint: string): string | undefined {
  const { path } = ENDPOINTS[type]
  const isUrl = /^https?:\/\//i.test(endpoint)
  if (!isUrl && endpoint.includes('://')) return undefined
  const text = isUrl ? endpoint : `http://${endpoint}${type === 'zipkin' ? path : ''}`
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.hostname === '' || url.username !== '' || url.password !== '') return undefined
  if (type !== 'zipkin' && url.pathname === '/') url.pathname = path
  return url.href
}
