// One upstream: what it is asked by, how long it takes, and how it is doing. What comes of one question is an Attempt
// (attempt.ts).

import type { SecureContext } from 'node:tls'
import type { Counter, Histogram, Meters } from '../../observe/meters.ts'
import type { ThreadLog } from '../../observe/thread-log.ts'
import type { Clock } from '../../shared/clock.ts'
import { rcodeLabel } from '../../wire/rcode.ts'
import { addressText, type DohMethod, type UpstreamAddress } from './config.ts'
import { isOurs } from './error-text.ts'
import { Health } from './health.ts'
import { Latency } from './latency.ts'
import { STOPPED, type StreamAsker, type StreamPool } from './stream.ts'
import { type OpenUdp, type UdpAsker, UdpSockets } from './udp.ts'
import { HttpsPool } from './upstream-https.ts'
import { ConnectionPool } from './upstream-tcp.ts'

/** How long an upstream that refuses EDNS is asked without. */
export const PLAIN_MS = 300_000
/** How metrics name what an upstream speaks over connections. */
const PROTO_LABEL = { dns: 'tcp', tls: 'tcp-tls', https: 'https' } as const
/** At most one line about replies that do not fit in this time. */
const WARNING_INTERVAL_MS = 60_000

/** What a rule says of all its upstreams. */
export interface UpstreamOptions {
  readonly maxFails: number
  readonly healthIntervalMs: number
  readonly expireMs: number
  readonly maxAgeMs: number
  readonly idleConnectionsMax: number
  readonly readTimeoutMs: number
  readonly sourceAddress: string | undefined
  readonly dohMethod: DohMethod
  /** For upstreams over TLS and HTTPS. */
  readonly secureContext: SecureContext | undefined
  readonly openUdp: OpenUdp
  /** Asks whether the upstream is well, which `done` is told once; undefined where that could not be found out. */
  readonly check: (upstream: Upstream, done: (well: boolean | undefined) => void) => void
}

/** What a serving thread lends to its upstreams. */
export interface UpstreamContext {
  readonly clock: Clock
  readonly meters: Meters
  readonly log: ThreadLog
}

/** One upstream of one rule on one serving thread. */
export class Upstream {
  /** `10.0.0.1:53`, as in the metrics. */
  readonly to: string
  /** Whether it is asked over connections only. */
  readonly isStream: boolean
  readonly readTimeoutMs: number
  readonly latency: Latency
  readonly #context: UpstreamContext
  readonly #pool: StreamPool
  readonly #udp: UdpSockets
  readonly #health: Health
  readonly #durations = new Map<number, Histogram>()
  readonly #udpMisses: Counter
  #plainUntilMs = 0
  #warnedAtMs = Number.NEGATIVE_INFINITY
  #isStopped = false
  #isRetired = false
  #isResting = false
  /** Attempts under way. */
  #attempts = 0

  constructor(address: UpstreamAddress, options: UpstreamOptions, context: UpstreamContext) {
    const { clock, meters } = context
    const { sourceAddress, readTimeoutMs } = options
    this.to = addressText(address)
    this.isStream = address.protocol !== 'dns'
    this.readTimeoutMs = readTimeoutMs
    this.latency = new Latency(readTimeoutMs, clock.nowMs())
    this.#context = context
    const labels = { proxy_name: 'forward', to: this.to }
    const connections = (result: 'hits' | 'misses', proto: string): Counter =>
      meters.counter(`coredns_proxy_conn_cache_${result}_total`, { ...labels, proto })
    const hits = connections('hits', PROTO_LABEL[address.protocol])
    const misses = connections('misses', PROTO_LABEL[address.protocol])
    this.#udpMisses = connections('misses', 'udp')
    this.#udp = new UdpSockets({ remote: address, sourceAddress, clock, open: options.openUdp })
    const poolOptions = {
      remote: address,
      secureContext: address.protocol === 'dns' ? undefined : options.secureContext,
      sourceAddress,
      clock,
      expireMs: options.expireMs,
      maxAgeMs: options.maxAgeMs,
      idleMax: options.idleConnectionsMax,
      taken: (reused: boolean) => (reused ? hits : misses).add(),
    }
    this.#pool =
      address.protocol === 'https'
        ? new HttpsPool({ ...poolOptions, method: options.dohMethod })
        : new ConnectionPool(poolOptions)
    const failures = meters.counter('coredns_proxy_healthcheck_failures_total', labels)
    this.#health = new Health({
      clock,
      intervalMs: options.healthIntervalMs,
      maxFails: options.maxFails,
      check: done => options.check(this, done),
      failed: () => failures.add(),
      changed: down => this.#tellHealth(down),
    })
  }

  /** More health checks in a row failed than max_fails. */
  get down(): boolean {
    return this.#health.down
  }

  /** The last health check failed. */
  get suspect(): boolean {
    return this.#health.suspect
  }

  /** Whether it is asked with EDNS. */
  takesEdns(nowMs: number): boolean {
    return nowMs >= this.#plainUntilMs
  }

  /** It answers without EDNS what it refuses with. */
  refusedEdns(nowMs: number): void {
    this.#plainUntilMs = nowMs + PLAIN_MS
  }

  // For attempts.

  askUdp(asker: UdpAsker): void {
    if (this.#isStopped) {
      asker.udpFailed(STOPPED)
      return
    }
    this.#udpMisses.add()
    this.#udp.ask(asker)
  }

  againUdp(asker: UdpAsker): void {
    this.#udp.again(asker)
  }

  forgetUdp(asker: UdpAsker): void {
    this.#udp.forget(asker)
  }

  timeoutOfUdp(asker: UdpAsker): string {
    return this.#udp.timeoutOf(asker)
  }

  askStream(asker: StreamAsker): void {
    this.#pool.ask(asker)
  }

  entered(): void {
    this.#attempts++
  }

  left(): void {
    this.#attempts--
    if (this.#isRetired && this.#attempts === 0) this.stop()
  }

  /** A reply that fits came to what was asked at `startedMs`; its time is known where it was asked once. */
  observe(rcode: number, startedMs: number, isAskedOnce: boolean): void {
    const nowMs = this.#context.clock.nowMs()
    const ms = nowMs - startedMs
    this.latency.answered(nowMs, isAskedOnce ? ms : undefined)
    let histogram = this.#durations.get(rcode)
    if (histogram === undefined) {
      const labels = { proxy_name: 'forward', to: this.to, rcode: rcodeLabel(rcode) }
      histogram = this.#context.meters.histogram('coredns_proxy_request_duration_seconds', labels)
      this.#durations.set(rcode, histogram)
    }
    histogram.observe(ms / 1000)
  }

  warnOfMismatch(): void {
    const { clock, log } = this.#context
    if (clock.nowMs() - this.#warnedAtMs < WARNING_INTERVAL_MS) return
    this.#warnedAtMs = clock.nowMs()
    log.write(
      'WARNING',
      'plugin/forward',
      `${this.to}: a reply does not fit its question; asking over TCP, too`,
    )
  }

  // For questions of clients.

  /** It answered one. */
  acquit(): void {
    if (!this.#isResting) this.#health.acquit()
  }

  /** It did not. */
  accuse(text: string): void {
    if (!this.#isResting && !this.#isRetired && !isOurs(text)) this.#health.accuse()
  }

  /** Does not belong to the rule any more: stops when what is under way has ended. */
  retire(): void {
    this.#isRetired = true
    this.#health.stop()
    if (this.#attempts === 0) this.stop()
  }

  /** It is not checked any more, as another configuration serves. */
  rest(): void {
    if (this.#isResting) return
    this.#isResting = true
    if (this.down) this.#context.meters.gauge('seamark_upstream_down', { to: this.to }).set(0)
    this.#health.stop()
  }

  /** Closes connections and sockets; what is under way fails. */
  stop(): void {
    this.#isStopped = true
    this.rest()
    this.#pool.stop()
    this.#udp.stop(STOPPED)
  }

  #tellHealth(down: boolean): void {
    const { log, meters } = this.#context
    meters.gauge('seamark_upstream_down', { to: this.to }).set(down ? 1 : 0)
    if (down) log.write('WARNING', 'plugin/forward', `${this.to} is down: its health checks fail`)
    else log.write('INFO', 'plugin/forward', `${this.to} answers again`)
  }
}
