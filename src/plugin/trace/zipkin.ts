// Spans as Zipkin has them (zipkin.io/zipkin-api, zipkin2-api.yaml): a list in JSON.

import type { Span } from './span.ts'

const KINDS = { internal: undefined, server: 'SERVER', client: 'CLIENT' } as const

const zipkinSpan = (span: Span, service: string): object => ({
  traceId: span.traceId,
  id: span.id,
  parentId: span.parentId,
  name: span.name,
  kind: KINDS[span.kind],
  timestamp: span.startUs,
  duration: span.durationUs,
  localEndpoint: { serviceName: service },
  ...(span.isShared && { shared: true }),
  tags: { ...Object.fromEntries(span.tags), ...(span.error !== undefined && { error: span.error }) },
})

/** The body of a request. */
export const zipkinBody = (spans: readonly Span[], service: string): string =>
  JSON.stringify(spans.map(span => zipkinSpan(span, service)))
