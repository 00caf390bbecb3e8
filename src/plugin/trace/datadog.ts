// Spans as Datadog's agent takes them at /v0.4/traces (docs.datadoghq.com/tracing/guide/send_traces_to_agent_by_api): lists of spans,
// one for each trace, in JSON; ids are integers of 64 bits, which JavaScript's numbers cannot hold.

import type { Span } from './span.ts'

/** As Datadog's own tracers tell the upper half of an id of 128 bits. */
const UPPER_HALF = '_dd.p.tid'
const ANALYTICS_RATE = '_dd1.sr.eausr'
const SAMPLING_PRIORITY = '_sampling_priority_v1'

const decimal = (hex: string): string => BigInt(`0x${hex}`).toString()

function datadogSpan(span: Span, service: string, analyticsRate: number): string {
  const isRoot = span.kind === 'server'
  const meta = {
    ...Object.fromEntries(
      span.tags.map(([key, value]) => [key.replace('coredns.io/', 'coredns.io@'), value]),
    ),
    ...(isRoot && { [UPPER_HALF]: span.traceId.slice(0, 16) }),
    ...(span.error !== undefined && { 'error.message': span.error, 'error.type': 'dns_error' }),
    'span.kind': span.kind,
  }
  const metrics = {
    ...(isRoot && { [SAMPLING_PRIORITY]: 1, '_dd.top_level': 1 }),
    ...(isRoot && analyticsRate > 0 && { [ANALYTICS_RATE]: analyticsRate }),
  }
  const rest = {
    name: span.name,
    resource: span.name,
    service,
    type: 'dns',
    error: span.error === undefined ? 0 : 1,
  }
  const numbers = [
    `"trace_id":${decimal(span.traceId.slice(16))}`,
    `"span_id":${decimal(span.id)}`,
    `"parent_id":${span.parentId === undefined ? 0 : decimal(span.parentId)}`,
    `"start":${span.startUs}000`,
    `"duration":${span.durationUs}000`,
  ]
  return `{${numbers.join()},${JSON.stringify({ ...rest, meta, metrics }).slice(1)}`
}

/** The body of a request, and how many traces it has. */
export function datadogBody(
  spans: readonly Span[],
  service: string,
  analyticsRate: number,
): { readonly body: string; readonly traces: number } {
  const traces = Map.groupBy(spans, ({ traceId }) => traceId)
  const lists = [...traces.values()].map(
    trace => `[${trace.map(span => datadogSpan(span, service, analyticsRate)).join()}]`,
  )
  return { body: `[${lists.join()}]`, traces: traces.size }
}
