// How `trace` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { BACKLOG_MAX, BATCH_MAX, COLLECTORS } from './config.ts'

const BATCH = 'for every type'

export const traceDoc: WordDoc = {
  usage: 'trace [TYPE] [ENDPOINT]',
  meaning:
    'sends what becomes of queries to a collector, as spans: one for the query, one for each plugin that waits, one for each upstream that is asked',
  default: 'zipkin localhost:9411; datadog is at localhost:8126, otlp at localhost:4318',
  range: `TYPE ${COLLECTORS.join(', ')}; ENDPOINT \`HOST:PORT\`, \`http://…\` or \`https://…\``,
  options: [
    { usage: 'every AMOUNT', meaning: 'traces one query of AMOUNT; none with 0', default: '1' },
    { usage: 'service NAME', meaning: 'the name of the service', default: 'coredns' },
    {
      usage: 'client_server [BOOL]',
      meaning: 'the span of a query is the one that its client has named (zipkin)',
      default: 'a child of it',
    },
    {
      usage: 'datadog_analytics_rate RATE',
      meaning: 'which part of the traces Datadog analyzes',
      default: '0',
      range: '0 to 1',
    },
    {
      usage: 'zipkin_max_backlog_size SIZE',
      meaning: `spans that may wait, ${BATCH}; the oldest are dropped`,
      default: '1000',
      range: `0 (the default) to ${BACKLOG_MAX}`,
    },
    {
      usage: 'zipkin_max_batch_size SIZE',
      meaning: `spans that are sent together, ${BATCH}`,
      default: '100',
      range: `0 (the default) to ${BATCH_MAX}`,
    },
    {
      usage: 'zipkin_max_batch_interval DURATION',
      meaning: `how long spans wait for more of them, ${BATCH}`,
      default: '1s',
    },
  ],
  notes: [
    'OpenTelemetry: `trace otlp http://collector:4318` sends OTLP over HTTP, in JSON, to `/v1/traces` there, or to the path that is written. CoreDNS has no `otlp`.',
    'The span of a query is `servedns`, with the tags `coredns.io/name`, `type`, `proto`, `remote` and `rcode`; a plugin has its name, an upstream is `connect` with `peer.address`.',
    'A query over HTTPS is a part of the trace that its client names in B3 headers (zipkin) or `traceparent` (otlp), and is traced only where the client has its trace recorded.',
    'With `metadata` the id of the trace is the label `trace/traceid`: `{/trace/traceid}` in `log`.',
    'A collector that is slow or away costs its spans and nothing else: they are counted in `seamark_trace_dropped_total{endpoint}`, those that it has taken in `seamark_trace_spans_total{endpoint}`.',
  ],
  example: `
    . {
        trace otlp http://127.0.0.1:4318 {
            every 100
        }
        forward . /etc/resolv.conf
    }`,
}
