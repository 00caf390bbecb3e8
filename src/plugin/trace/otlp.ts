// Spans as OTLP has them over HTTP in JSON (opentelemetry.io/docs/specs/otlp, opentelemetry-proto collector/trace/v1): camelCase keys,
// ids in hexadecimal digits, 64-bit integers as strings.

import { VERSION } from '../../shared/version.ts'
import type { Span } from './span.ts'

const KINDS = { internal: 1, server: 2, client: 3 } as const
const ERROR = 2

const attribute = ([key, value]: readonly [string, string]): object => ({
  key,
  value: { stringValue: value },
})

const otlpSpan = (span: Span): object => ({
  traceId: span.traceId,
  spanId: span.id,
  ...(span.parentId !== undefined && { parentSpanId: span.parentId }),
  name: span.name,
  kind: KINDS[span.kind],
  startTimeUnixNano: `${span.startUs}000`,
  endTimeUnixNano: `${span.startUs + span.durationUs}000`,
  attributes: span.tags.map(attribute),
  status: span.error === undefined ? {} : { code: ERROR, message: span.error },
})

/** The body of a request: an ExportTraceServiceRequest. */
export const otlpBody = (spans: readonly Span[], service: string): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: [
            ['service.name', service],
            ['telemetry.sdk.name', 'seamark'],
            ['telemetry.sdk.language', 'nodejs'],
            ['telemetry.sdk.version', VERSION],
          ].map(pair => attribute(pair as [string, string])),
        },
        scopeSpans: [{ scope: { name: 'seamark', version: VERSION }, spans: spans.map(otlpSpan) }],
      },
    ],
  })
