import t from 'tap'
import type { TraceConfig } from '../../../src/plugin/trace/config.ts'
import { traceWord } from '../../../src/plugin/trace/trace.ts'
import { parseWord } from '../../support/words.ts'

const plain: TraceConfig = {
  type: 'zipkin',
  url: 'http://localhost:9411/api/v2/spans',
  every: 1,
  service: 'coredns',
  clientServer: false,
  analyticsRate: 0,
  backlogMax: 1000,
  batchMax: 100,
  batchIntervalMs: 1000,
}

t.test('where spans go', async t => {
  for (const [text, type, url] of [
    ['', 'zipkin', 'http://localhost:9411/api/v2/spans'],
    ['tracinghost:9253', 'zipkin', 'http://tracinghost:9253/api/v2/spans'],
    ['zipkin tracinghost:9253', 'zipkin', 'http://tracinghost:9253/api/v2/spans'],
    ['http://tracinghost:9411/zipkin/api/v2/spans', 'zipkin', 'http://tracinghost:9411/zipkin/api/v2/spans'],
    ['Zipkin https://t/', 'zipkin', 'https://t/'],
    ['datadog localhost:8126', 'datadog', 'http://localhost:8126/v0.4/traces'],
    ['datadog http://agent:8126', 'datadog', 'http://agent:8126/v0.4/traces'],
    ['otlp http://collector:4318', 'otlp', 'http://collector:4318/v1/traces'],
    ['otlp collector:4318', 'otlp', 'http://collector:4318/v1/traces'],
    ['otlp https://[fd00::1]:4318/otlp/v1/traces', 'otlp', 'https://[fd00::1]:4318/otlp/v1/traces'],
  ] as const)
    t.same(parseWord(traceWord, `trace ${text}`), { config: { ...plain, type, url }, complaints: [] }, text)
})

t.test('the options of CoreDNS', async t => {
  for (const [text, more] of [
    ['every 10000', { every: 10_000 }],
    ['every 0', { every: 0 }],
    ['service dnsproxy', { service: 'dnsproxy' }],
    ['client_server', { clientServer: true }],
    ['client_server true', { clientServer: true }],
    ['client_server F', { clientServer: false }],
    ['datadog_analytics_rate 0.25', { analyticsRate: 0.25 }],
    ['datadog_analytics_rate', {}],
    ['zipkin_max_backlog_size 100', { backlogMax: 100 }],
    ['zipkin_max_backlog_size 0', {}],
    ['zipkin_max_batch_size 20', { batchMax: 20 }],
    ['zipkin_max_batch_interval 2s', { batchIntervalMs: 2000 }],
  ] as const)
    t.same(
      parseWord(traceWord, `trace {\n${text}\n}`),
      { config: { ...plain, ...more }, complaints: [] },
      text,
    )
  const twice = parseWord(traceWord, 'trace one:1\ntrace two:2')
  t.equal(twice.config?.url, 'http://two:2/api/v2/spans', 'the last one counts')
})

t.test('what is wrong', async t => {
  for (const [text, message] of [
    ['trace jaeger localhost:6831', /there is no such type of collector/],
    ['trace zipkin a:1 b', /b/],
    ['trace otlp ftp://a', /an endpoint is HOST:PORT, or a URL of http or https/],
    ['trace http://user:secret@a', /an endpoint is/],
    ['trace {\nevery\n}', /every needs an amount/],
    ['trace {\nevery -1\n}', /-1/],
    ['trace {\ndatadog_analytics_rate 1.5\n}', /1\.5/],
    ['trace {\nclient_server maybe\n}', /maybe/],
    ['trace {\nzipkin_max_batch_interval soon\n}', /soon/],
    ['trace {\nsample 5\n}', /sample/],
  ] as const) {
    const { complaints } = parseWord(traceWord, text)
    t.match(complaints[0], message, text)
    t.equal(complaints.length, 1, text)
  }
})
