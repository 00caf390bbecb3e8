import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FAMILIES, familyNamed, familyOf } from '../../src/observe/families.ts'
import { labelValues, TIME_BUCKETS } from '../../src/observe/family.ts'

const SRC = join(import.meta.dirname, '..', '..', 'src')

t.test('names, types and labels are what dashboards ask for', async t => {
  // docs/coredns.md 5.
  const cases: [name: string, type: string, labels: string][] = [
    ['build_info', 'gauge', 'version revision goversion'],
    ['panics_total', 'counter', ''],
    ['plugin_enabled', 'gauge', 'server zone view name'],
    ['dns_requests_total', 'counter', 'server zone view proto family type'],
    ['dns_request_duration_seconds', 'histogram', 'server zone view'],
    ['dns_request_size_bytes', 'histogram', 'server zone view proto'],
    ['dns_response_size_bytes', 'histogram', 'server zone view proto'],
    ['dns_responses_total', 'counter', 'server zone view rcode plugin'],
    ['dns_do_requests_total', 'counter', 'server zone view'],
    ['dns_https_responses_total', 'counter', 'server status'],
    ['cache_entries', 'gauge', 'server type zones view'],
    ['cache_hits_total', 'counter', 'server type zones view'],
    ['cache_misses_total', 'counter', 'server zones view'],
    ['cache_requests_total', 'counter', 'server zones view'],
    ['cache_prefetch_total', 'counter', 'server zones view'],
    ['cache_drops_total', 'counter', 'server zones view'],
    ['cache_served_stale_total', 'counter', 'server zones view'],
    ['cache_evictions_total', 'counter', 'server type zones view'],
    ['forward_healthcheck_broken_total', 'counter', ''],
    ['forward_max_concurrent_rejects_total', 'counter', ''],
    ['proxy_request_duration_seconds', 'histogram', 'proxy_name to rcode'],
    ['proxy_healthcheck_failures_total', 'counter', 'proxy_name to'],
    ['proxy_conn_cache_hits_total', 'counter', 'proxy_name to proto'],
    ['proxy_conn_cache_misses_total', 'counter', 'proxy_name to proto'],
    ['kubernetes_dns_programming_duration_seconds', 'histogram', 'service_kind'],
    ['kubernetes_rest_client_request_duration_seconds', 'histogram', 'verb host'],
    ['kubernetes_rest_client_rate_limiter_duration_seconds', 'histogram', 'verb host'],
    ['kubernetes_rest_client_requests_total', 'counter', 'code method host'],
    ['health_request_duration_seconds', 'histogram', ''],
    ['health_request_failures_total', 'counter', ''],
    ['reload_failed_total', 'counter', ''],
    ['reload_version_info', 'gauge', 'hash value'],
    ['hosts_entries', 'gauge', 'hostsfile'],
    ['hosts_reload_timestamp_seconds', 'gauge', ''],
    ['template_matches_total', 'counter', 'server zone view class type'],
    ['template_template_failures_total', 'counter', 'server zone view class type section template'],
    ['template_rr_failures_total', 'counter', 'server zone view class type section template'],
    ['acl_blocked_requests_total', 'counter', 'server zone view'],
    ['acl_filtered_requests_total', 'counter', 'server zone view'],
    ['acl_dropped_requests_total', 'counter', 'server zone view'],
    ['acl_allowed_requests_total', 'counter', 'server view'],
    ['autopath_success_total', 'counter', 'server'],
    ['dns64_requests_translated_total', 'counter', 'server'],
    ['local_localhost_requests_total', 'counter', ''],
    ['nodecache_setup_errors_total', 'counter', 'errortype'],
  ]
  for (const [name, type, labels] of cases) {
    const family = familyNamed(`coredns_${name}`)
    t.same([family?.type, family?.labels.join(' ')], [type, labels], name)
  }
  const ours = FAMILIES.filter(({ name }) => name.startsWith('coredns_'))
  t.equal(ours.length, cases.length, 'no coredns_ name of our own invention')
})

t.test('no family that nobody publishes', async t => {
  const code = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.endsWith('families.ts'))
    .flatMap(file => readFileSync(join(SRC, file), 'utf8').split('\n'))
    .filter(line => !/^\s*(?:\/\/|\/?\*)/.test(line))
    .join('\n')
  // A name may be put together: `nodejs_heap_${what}_bytes`.
  const named = [...code.matchAll(/\b(?:coredns|process|nodejs|seamark)_(?:\w|\$\{[^}]*\})+/g)].map(
    ([text]) => new RegExp(`^${text.replace(/\$\{[^}]*\}/g, '\\w+')}$`),
  )
  for (const { name } of FAMILIES)
    t.ok(
      named.some(pattern => pattern.test(name)),
      name,
    )
})

t.test('buckets', async t => {
  const bounds = (name: string): readonly number[] => familyNamed(name)!.buckets
  t.same(TIME_BUCKETS.slice(0, 4), [0.00025, 0.0005, 0.001, 0.002])
  t.equal(TIME_BUCKETS.at(-1), 8.192)
  t.same(bounds('coredns_health_request_duration_seconds'), [0.00025, 0.0025, 0.025, 0.25, 2.5])
  t.same(
    bounds('coredns_dns_response_size_bytes'),
    [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16000, 32000, 48000, 64000],
  )
  t.equal(bounds('coredns_kubernetes_dns_programming_duration_seconds').at(-1), 524.288)
  t.equal(bounds('coredns_kubernetes_rest_client_request_duration_seconds').length, 11)
})

t.test('the table is sound', async t => {
  const names = FAMILIES.map(({ name }) => name)
  t.same(names, [...new Set(names)].sort(), 'each once, in order')
  for (const { name, type, labels, help, buckets } of FAMILIES) {
    t.match(name, /^(coredns|process|nodejs|seamark)_[a-z0-9_]+$/)
    t.equal(name.endsWith('_total') || name === 'process_cpu_seconds_total', type === 'counter', name)
    t.ok(help.endsWith('.'), `${name}: a sentence`)
    t.equal(buckets.length > 0, type === 'histogram', name)
    t.ok(
      labels.every(label => /^[a-z_]+$/.test(label) && label !== 'le'),
      name,
    )
  }
})

t.test('a mistake in code is told at once', async t => {
  t.throws(() => familyOf('coredns_nothing_total', 'counter'), /not declared in families.ts/)
  t.throws(() => familyOf('coredns_panics_total', 'gauge'), /is a counter, not a gauge/)
  const family = familyOf('coredns_autopath_success_total', 'counter')
  t.same(labelValues(family, { server: 'dns://:53' }), ['dns://:53'])
  t.throws(() => labelValues(family, {}), /has the labels server/)
  t.throws(() => labelValues(family, { server: 'a', zone: 'b' }), /has the labels server/)
  t.throws(() => labelValues(family, { zone: 'b' }), /has the labels server/)
})
