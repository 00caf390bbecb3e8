// The metric families that others have, too: CoreDNS's own (docs/coredns.md 5; names, help texts, labels and buckets as CoreDNS
// 1.14.7 has them, so that dashboards and alerts go on working), the process_ and nodejs_ ones that client libraries give.

import {
  counter,
  defaults,
  type Family,
  gauge,
  histogram,
  maximum,
  PROGRAMMING_BUCKETS,
  SLIM_TIME_BUCKETS,
  sizes,
  times,
} from './family.ts'

const ZONE = 'server zone view'
const CACHE = 'server zones view'
const CACHE_TYPE = 'server type zones view'
const TEMPLATE = `${ZONE} class type`
const ENDED = 'Counter of DNS requests being'

/** In no order. */
export const KNOWN_FAMILIES: readonly Family[] = [
  // The server (plugin/metrics).
  maximum(
    'coredns_build_info',
    'version revision goversion',
    "A metric with a constant '1' value labeled by version, revision, and goversion from which CoreDNS was built.",
  ),
  counter(
    'coredns_nodecache_setup_errors_total',
    'errortype',
    'The number of errors during periodic network setup for node-cache.',
  ),
  counter('coredns_panics_total', '', 'A metrics that counts the number of panics.'),
  maximum(
    'coredns_plugin_enabled',
    'server zone view name',
    'A metric that indicates whether a plugin is enabled on per server and zone basis.',
  ),
  counter(
    'coredns_dns_requests_total',
    `${ZONE} proto family type`,
    'Counter of DNS requests made per zone, protocol and family.',
  ),
  times(
    'coredns_dns_request_duration_seconds',
    ZONE,
    'Histogram of the time (in seconds) each request took per zone.',
  ),
  sizes(
    'coredns_dns_request_size_bytes',
    `${ZONE} proto`,
    'Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.',
  ),
  sizes('coredns_dns_response_size_bytes', `${ZONE} proto`, 'Size of the returned response in bytes.'),
  counter('coredns_dns_responses_total', `${ZONE} rcode plugin`, 'Counter of response status codes.'),
  counter('coredns_dns_do_requests_total', ZONE, 'Counter of DNS requests with DO bit set per zone.'),
  counter(
    'coredns_dns_https_responses_total',
    'server status',
    'Counter of DoH responses per server and http status code.',
  ),
  // cache
  gauge('coredns_cache_entries', CACHE_TYPE, 'The number of elements in the cache.'),
  counter('coredns_cache_requests_total', CACHE, 'The count of cache requests.'),
  counter('coredns_cache_hits_total', CACHE_TYPE, 'The count of cache hits.'),
  counter(
    'coredns_cache_misses_total',
    CACHE,
    'The count of cache misses. Deprecated, derive misses from cache hits/requests counters.',
  ),
  counter(
    'coredns_cache_prefetch_total',
    CACHE,
    'The number of times the cache has prefetched a cached item.',
  ),
  counter(
    'coredns_cache_drops_total',
    CACHE,
    'The number responses that are not cached, because the reply is malformed.',
  ),
  counter(
    'coredns_cache_served_stale_total',
    CACHE,
    'The number of requests served from stale cache entries.',
  ),
  counter('coredns_cache_evictions_total', CACHE_TYPE, 'The count of cache evictions.'),
  // forward and its upstreams
  counter(
    'coredns_forward_healthcheck_broken_total',
    '',
    'Counter of the number of complete failures of the healthchecks.',
  ),
  counter(
    'coredns_forward_max_concurrent_rejects_total',
    '',
    'Counter of the number of queries rejected because the concurrent queries were at maximum.',
  ),
  times(
    'coredns_proxy_request_duration_seconds',
    'proxy_name to rcode',
    'Histogram of the time each request took.',
  ),
  counter(
    'coredns_proxy_healthcheck_failures_total',
    'proxy_name to',
    'Counter of the number of failed healthchecks.',
  ),
  counter(
    'coredns_proxy_conn_cache_hits_total',
    'proxy_name to proto',
    'Counter of connection cache hits per upstream and protocol.',
  ),
  counter(
    'coredns_proxy_conn_cache_misses_total',
    'proxy_name to proto',
    'Counter of connection cache misses per upstream and protocol.',
  ),
  maximum(
    'seamark_upstream_down',
    'to',
    'Whether health checks have failed so often that the upstream is not asked.',
  ),
  // kubernetes
  histogram(PROGRAMMING_BUCKETS)(
    'coredns_kubernetes_dns_programming_duration_seconds',
    'service_kind',
    'Histogram of the time (in seconds) it took to program a dns instance.',
  ),
  defaults(
    'coredns_kubernetes_rest_client_request_duration_seconds',
    'verb host',
    'Request latency in seconds. Broken down by verb and host.',
  ),
  defaults(
    'coredns_kubernetes_rest_client_rate_limiter_duration_seconds',
    'verb host',
    'Client side rate limiter latency in seconds. Broken down by verb and host.',
  ),
  counter(
    'coredns_kubernetes_rest_client_requests_total',
    'code method host',
    'Number of HTTP requests, partitioned by status code, method, and host.',
  ),
  // health, reload
  histogram(SLIM_TIME_BUCKETS)(
    'coredns_health_request_duration_seconds',
    '',
    'Histogram of the time (in seconds) each request took.',
  ),
  counter('coredns_health_request_failures_total', '', 'The number of times the health check failed.'),
  counter('coredns_reload_failed_total', '', 'Counter of the number of failed reload attempts.'),
  maximum(
    'coredns_reload_version_info',
    'hash value',
    "A metric with a constant '1' value labeled by hash, and value which type of hash generated.",
  ),
  // hosts, template, acl and the small ones
  maximum('coredns_hosts_entries', 'hostsfile', 'The combined number of entries in hosts and Corefile.'),
  maximum('coredns_hosts_reload_timestamp_seconds', '', 'The timestamp of the last reload of hosts file.'),
  counter('coredns_template_matches_total', TEMPLATE, 'Counter of template regex matches.'),
  counter(
    'coredns_template_template_failures_total',
    `${TEMPLATE} section template`,
    'Counter of go template failures.',
  ),
  counter(
    'coredns_template_rr_failures_total',
    `${TEMPLATE} section template`,
    'Counter of mis-templated RRs.',
  ),
  counter('coredns_acl_blocked_requests_total', ZONE, `${ENDED} blocked.`),
  counter('coredns_acl_filtered_requests_total', ZONE, `${ENDED} filtered.`),
  counter('coredns_acl_dropped_requests_total', ZONE, `${ENDED} dropped.`),
  counter('coredns_acl_allowed_requests_total', 'server view', `${ENDED} allowed.`),
  counter('coredns_autopath_success_total', 'server', 'Counter of requests that did autopath.'),
  counter(
    'coredns_dns64_requests_translated_total',
    'server',
    'Counter of DNS requests translated by dns64.',
  ),
  counter('coredns_local_localhost_requests_total', '', 'Counter of special localhost subdomain requests.'),
  // The process, under the names that Prometheus's client libraries agree on.
  counter('process_cpu_seconds_total', '', 'Total user and system CPU time spent in seconds.'),
  maximum('process_resident_memory_bytes', '', 'Resident memory size in bytes.'),
  maximum('process_virtual_memory_bytes', '', 'Virtual memory size in bytes.'),
  maximum('process_open_fds', '', 'Number of open file descriptors.'),
  maximum('process_max_fds', '', 'Maximum number of open file descriptors.'),
  maximum('process_start_time_seconds', '', 'Start time of the process since unix epoch in seconds.'),
  // Node itself, under prom-client's names; of the control thread unless a thread label says otherwise.
  maximum('nodejs_heap_size_total_bytes', '', 'Heap that V8 has reserved on the control thread, in bytes.'),
  maximum('nodejs_heap_size_used_bytes', '', 'Heap in use on the control thread, in bytes.'),
  maximum(
    'nodejs_external_memory_bytes',
    '',
    'Memory outside the heap that is bound to objects of the control thread, in bytes.',
  ),
  maximum(
    'nodejs_heap_space_size_used_bytes',
    'space',
    "The control thread's heap in use per space of V8, in bytes.",
  ),
  maximum(
    'nodejs_eventloop_lag_max_seconds',
    '',
    "The longest delay of the control thread's event loop since the last scrape.",
  ),
  maximum(
    'nodejs_eventloop_lag_p99_seconds',
    '',
    "The 99th percentile of the delay of the control thread's event loop since the last scrape.",
  ),
]
