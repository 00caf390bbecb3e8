// health, ready and prometheus: words that only say what the control thread serves over HTTP.

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { healthWord } from '../../src/plugin/health.ts'
import { prometheusWord } from '../../src/plugin/prometheus.ts'
import { readyWord } from '../../src/plugin/ready.ts'
import { makeAuthority } from '../support/certificates.ts'
import { parseWord } from '../support/words.ts'

function expectComplaints(
  t: Test,
  complaints: readonly string[],
  expected: RegExp | undefined,
  what: string,
): void {
  t.equal(complaints.length, expected === undefined ? 0 : 1, `${what}: ${complaints.join()}`)
  if (expected !== undefined) t.match(complaints[0], expected, what)
}

const at = (host: string, port: number) => ({ host, port })

t.test('health', async t => {
  const cases: [directive: string, config: unknown, complaint?: RegExp][] = [
    ['health', { address: at('', 8080), lameduckMs: 0 }],
    ['health :8888', { address: at('', 8888), lameduckMs: 0 }],
    ['health localhost:8080 {\nlameduck 5s\n}', { address: at('localhost', 8080), lameduckMs: 5000 }],
    ['health [::1]:8080', { address: at('::1', 8080), lameduckMs: 0 }],
    ['health\nhealth :1 {\nlameduck 1m\n}', { address: at('', 1), lameduckMs: 60_000 }],
    ['health 8080', undefined, /2:8: error: this is not HOST:PORT or :PORT/],
    ['health :1 :2', undefined, /2:11: error: too many arguments/],
    ['health {\nlameduck\n}', undefined, /3:1: error: lameduck needs the lameduck time/],
    ['health {\nlameduck 5\n}', undefined, /3:10: error: the lameduck time must be a duration/],
    ['health {\nlameduk 5s\n}', undefined, /3:1: error: unknown property .*did you mean "lameduck"/],
  ]
  for (const [directive, config, complaint] of cases) {
    const parsed = parseWord(healthWord, directive)
    if (config !== undefined) t.same(parsed.config, config, directive)
    expectComplaints(t, parsed.complaints, complaint, directive)
  }
})

t.test('ready', async t => {
  const cases: [directive: string, config: unknown, complaint?: RegExp][] = [
    ['ready', { address: at('', 8181), monitor: 'until-ready' }],
    [
      'ready 127.0.0.1:8182 {\nmonitor continuously\n}',
      { address: at('127.0.0.1', 8182), monitor: 'continuously' },
    ],
    ['ready {\nmonitor until-ready\n}', { address: at('', 8181), monitor: 'until-ready' }],
    ['ready {\nmonitor always\n}', undefined, /3:9: error: .*allowed: until-ready, continuously/],
    ['ready\nready', undefined, /3:1: error: ready is given twice/],
  ]
  for (const [directive, config, complaint] of cases) {
    const parsed = parseWord(readyWord, directive)
    if (config !== undefined) t.same(parsed.config, config, directive)
    expectComplaints(t, parsed.complaints, complaint, directive)
  }
})

t.test('prometheus', async t => {
  const authority = makeAuthority()
  const server = authority.issue('server')
  const directory = t.testdir({
    'server.crt': server.cert,
    'server.key': server.key,
    'ca.crt': authority.cert,
    'web.yml': 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n',
    'mutual.yml':
      'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: ca.crt\n',
    'half.yml': 'tls_server_config:\n  cert_file: server.crt\n',
    'none.yml': 'basic_auth_users: {}\n',
    'gone.yml': 'tls_server_config:\n  cert_file: none.crt\n  key_file: server.key\n',
  })
  const local = at('localhost', 9153)
  const { cert, key } = server
  const cases: [directive: string, config: unknown, complaint?: RegExp][] = [
    ['prometheus', { address: local, runtimeMetrics: false, tls: undefined }],
    ['prometheus :9153', { address: at('', 9153), runtimeMetrics: false, tls: undefined }],
    ['prometheus {\nruntime_metrics\n}', { address: local, runtimeMetrics: true, tls: undefined }],
    ['prometheus {\ntls web.yml\n}', { address: local, runtimeMetrics: false, tls: { cert, key } }],
    [
      `prometheus {\ntls ${join(directory, 'mutual.yml')}\n}`,
      { address: local, runtimeMetrics: false, tls: { cert, key, clientCa: authority.cert } },
    ],
    ['prometheus {\ntls half.yml\n}', undefined, /3:5: error: .*tls_server_config.key_file is missing/],
    ['prometheus {\ntls none.yml\n}', undefined, /3:5: error: .*tls_server_config is missing/],
    ['prometheus {\ntls gone.yml\n}', undefined, /3:5: error: reading the web configuration: ENOENT/],
    ['prometheus {\ntls\n}', undefined, /3:1: error: tls needs a web configuration file/],
    ['prometheus {\ntls web.yml\ntls web.yml\n}', undefined, /4:1: error: tls is given twice/],
    ['prometheus {\nruntime_metrics all\n}', undefined, /3:17: error: runtime_metrics takes no arguments/],
    ['prometheus\nprometheus', undefined, /3:1: error: prometheus is given twice/],
    ['prometheus /metrics', undefined, /2:12: error: this is not HOST:PORT or :PORT/],
  ]
  for (const [directive, config, complaint] of cases) {
    const parsed = parseWord(prometheusWord, directive, { directory })
    if (config !== undefined) t.same(parsed.config, config, directive)
    expectComplaints(t, parsed.complaints, complaint, directive)
  }
})
