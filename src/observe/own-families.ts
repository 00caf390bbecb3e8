// The metric families that are Seamark's own. A module that counts something new adds its line here.

import { counter, type Family, gauge, histogram, maximum, PUBLISH_BUCKETS } from './family.ts'

const CACHE = 'server zones view'

/** In no order. */
export const OWN_FAMILIES: readonly Family[] = [
  maximum(
    'seamark_thread_busy_ratio',
    'thread',
    'Share of the time since the last scrape in which the thread was busy.',
  ),
  counter(
    'seamark_log_dropped_lines_total',
    'reason',
    'Log lines not written: more than the rate allows, a reader too slow, or a thread too far ahead.',
  ),
  counter(
    'seamark_cache_refreshes_skipped_total',
    CACHE,
    'Refreshes of cached replies put off because too many were under way.',
  ),
  counter(
    'seamark_listen_events_total',
    'event',
    'What listeners met: limits that bit, connections, failed reads and writes.',
  ),
  counter('seamark_storm_queries_total', '', 'Queries of storms, as far as samples of all queries tell.'),
  counter('seamark_storms_total', '', 'Storms: what made up far too much of all queries for a while.'),
  gauge(
    'seamark_storm_queries_per_second',
    'kind client pod name namespace',
    'Queries a second of each storm that goes on, by what it is of; a name that begins with * stands for missing names.',
  ),
  counter(
    'seamark_tap_dropped_lines_total',
    '',
    'Queries that followers (seamark tap) wanted to see and were not sent, because there were too many.',
  ),
  counter(
    'seamark_kubernetes_events_total',
    'result',
    'Events on the own Pod: written, failed (told so often and not taken by the API server), dropped (too many different ones).',
  ),
  counter('seamark_trace_spans_total', 'endpoint', 'Spans that a collector has taken.'),
  counter(
    'seamark_trace_dropped_total',
    'endpoint',
    'Spans that a collector has not taken: it refused them, was away, or too many waited.',
  ),
  counter('seamark_dnstap_frames_total', 'endpoint', 'Messages of dnstap that were sent.'),
  counter(
    'seamark_dnstap_dropped_total',
    'endpoint',
    'Messages of dnstap that were dropped, because the receiver is away or too slow.',
  ),
  gauge(
    'seamark_failing_name_queries_per_second',
    'name rcode',
    'Names whose queries failed most in the last minute, at most ten, by the code of the replies.',
  ),
  gauge(
    'seamark_failing_name_error_per_second',
    'name rcode',
    'What seamark_failing_name_queries_per_second may be too high by.',
  ),
  counter(
    'seamark_admin_requests_total',
    'result',
    'Commands at the administration socket: answered, refused because there are too many, or malformed.',
  ),
  counter(
    'seamark_samples_dropped_total',
    '',
    'Sampled queries that were not looked at, because the control thread was too far behind.',
  ),
  counter(
    'seamark_policy_denied_total',
    'server what',
    'Queries that policy denied: a namespace, a name, an address, or a whole zone was kept from the client.',
  ),
  counter(
    'seamark_ratelimit_limited_total',
    'server by kind result',
    'Queries beyond what ratelimit lets one client, or one namespace, ask: of all kinds, or misses that an upstream would be asked.',
  ),
  counter(
    'seamark_ratelimit_forgotten_total',
    '',
    'Clients that had asked lately and were forgotten because more of them asked than ratelimit remembers.',
  ),
  counter(
    'seamark_answers_by_reason_total',
    'code reason',
    'Answers for which there is a reason to tell, by its RFC 8914 code and by its name there or, for names of the cluster, ours.',
  ),
  gauge('seamark_watch_synced', 'resource', 'Whether the resource was listed completely once.'),
  gauge('seamark_watch_objects', 'resource', 'Objects of the resource that are kept.'),
  gauge(
    'seamark_watch_last_byte_age_seconds',
    'resource',
    'Seconds since the API server said anything about the resource.',
  ),
  gauge(
    'seamark_watch_age_seconds',
    'resource',
    'Seconds since what is kept of the resource was last known to be what the API server has.',
  ),
  counter('seamark_watch_relists_total', 'resource', 'Complete states taken from the API server.'),
  counter(
    'seamark_watch_restarts_total',
    'resource cause',
    'Watches that ended and were begun again, by cause.',
  ),
  counter('seamark_watch_skipped_total', 'resource', 'Malformed objects that were left out.'),
  histogram(PUBLISH_BUCKETS)(
    'seamark_watch_publish_duration_seconds',
    'resource',
    'Time from the first event of a batch to its published answers.',
  ),
  gauge(
    'seamark_table_names',
    'source',
    'Services, namespaces, Pods and, where they are known as clients, their addresses in the answer table.',
  ),
  gauge('seamark_table_octets', 'source', 'Memory that the answer table has touched.'),
  gauge(
    'seamark_table_retired_blocks',
    'source',
    'Blocks of the answer table that are out of use and wait until no thread can be reading them.',
  ),
  counter(
    'seamark_transfers_total',
    'result',
    'Outgoing zone transfers: complete, cut off, refused for their number.',
  ),
  counter(
    'seamark_notifies_total',
    'result',
    'Notifications of changed zones: accepted, or failed after all attempts.',
  ),
  gauge(
    'seamark_corefile_refused',
    '',
    'Whether the Corefile is broken and the configuration before it goes on being served.',
  ),
  gauge(
    'seamark_capturing_namespaces',
    'source',
    'Namespaces whose names capture look-ups of other domains by the search path.',
  ),
  gauge(
    'seamark_table_stale',
    'source',
    'Whether answers may be old: a watch was not heard for longer than it is ever silent, or a snapshot is served.',
  ),
  gauge(
    'seamark_table_age_seconds',
    'source',
    'How old the state is that answers are made of, where seamark_table_stale is 1; otherwise 0.',
  ),
  gauge(
    'seamark_snapshot_saved_timestamp_seconds',
    'source',
    'When the last good state was saved, in unix seconds.',
  ),
  counter(
    'seamark_status_writes_total',
    'result',
    'Statuses of objects that were written, failed, were forbidden, or were dropped because too many waited.',
  ),
  counter('seamark_snapshot_failures_total', 'source', 'Times that the last good state could not be saved.'),
  maximum(
    'seamark_memory_limit_bytes',
    '',
    'What process_resident_memory_bytes may become: the limit of the container, or the memory of the machine.',
  ),
  counter('seamark_thread_restarts_total', '', 'Serving threads that ended and were replaced.'),
  counter(
    'seamark_table_full_total',
    '',
    'Names that kept their former answers because the answer table is full.',
  ),
  counter('seamark_metrics_overflow_total', '', 'Increments of label sets for which no room was left.'),
  counter(
    'seamark_http_dropped_connections_total',
    'address',
    'Connections to health, ready or prometheus that were closed for others, or for a second request before an answer.',
  ),
]
