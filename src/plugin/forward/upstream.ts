// One upstream: how it is asked, what of its replies is taken, and how it is doing. Never throws: what came of a question
// is an Attempt.
//
//   UDP   a reply that does not fit the question is not taken and the wait goes on; at the first one the question is
//         asked over TCP, too, where nobody can meddle from aside (RFC 5452; BIND does the same)
//   EDNS  an upstream that refuses an OPT record is asked again without (RFC 6891 section 7), and remembered

import type { SecureContext } from 'node:tls'
import type { Counter, Histogram, Meters } from '../../observe/meters.ts'
import type { ThreadLog } from '../../observe/thread-log.ts'
import type { Clock } from '../../shared/clock.ts'
import { lazy } from '../../shared/lazy.ts'
import type { Message } from '../../wire/message.ts'
import { ROOT } from '../../wire/name.ts'
import { rcodeName } from '../../wire/rcode.ts'
import type { Rr } from '../../wire/record.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import { type Asked, encodeAsked, judge } from './asked.ts'
import { addressText, type DohMethod, type HealthCheckConfig, type UpstreamAddress } from './config.ts'
import { isOurs } from './error-text.ts'
import { CHECK_TIMEOUT_MS, Health } from './health.ts'
import { HttpsPool } from './upstream-https.ts'
import { CONNECTIONS_MAX, ConnectionPool, STOPPED, type StreamPool } from './upstream-tcp.ts'
import { UdpExchange } from './upstream-udp.ts'

/** Replies to one question that do not fit it, after which only TCP is listened to. */
export const MISMATCHES_MAX = 32
/** How long an upstream that refuses EDNS is asked without. */
export const PLAIN_MS = 300_000
/** How metrics name what an upstream speaks over connections. */
const PROTO_LABEL = { dns: 'tcp', tls: 'tcp-tls', https: 'https' } as const
/** At most one line about replies that do not fit in this time. */
const WARNING_INTERVAL_MS = 60_000

/** What came of asking: a message that fits the question, or why there is none. */
export type Attempt =
  | { readonly message: Message; readonly protocol: 'udp' | 'tcp' }
  | { readonly failure: string }

/** What a rule says of all its upstreams. */
export interface UpstreamOptions {
  readonly forceTcp: boolean
  readonly maxFails: number
  readonly healthCheck: HealthCheckConfig & { readonly asked: Asked }
  readonly expireMs: number
  readonly maxAgeMs: number
  readonly idleConnectionsMax: number
  readonly readTimeoutMs: number
  readonly sourceAddress: string | undefined
  readonly dohMethod: DohMethod
  /** For upstreams over TLS and HTTPS. */
  readonly secureContext: SecureContext | undefined
}

/** What a serving thread lends to its upstreams. */
export interface UpstreamContext {
  readonly clock: Clock
  readonly meters: Meters
  readonly log: ThreadLog
  /** The payload size that upstreams are told (RFC 6891 6.2.3). */
  readonly udpMaxOctets: number
}

/** One upstream of one rule on one serving thread. */
export class Upstream {
  /** `10.0.0.1:53`, as in the metrics. */
  readonly to: string
  readonly #address: UpstreamAddress
  readonly #options: UpstreamOptions
  readonly #context: UpstreamContext
  readonly #pool: StreamPool
  readonly #health: Health
  readonly #durations = new Map<number, Histogram>()
  readonly #udpMisses: Counter
  /** Ends every exchange over UDP that is under way. */
  readonly #exchanges = new Set<() => void>()
  #plainUntilMs = 0
  #warnedAtMs = Number.NEGATIVE_INFINITY
  #stopped = false
  #retired = false
  /** Questions under way. */
  #asking = 0

  constructor(address: UpstreamAddress, options: UpstreamOptions, context: UpstreamContext) {
    const { clock, meters } = context
    this.to = addressText(address)
    this.#address = address
    this.#options = options
    this.#context = context
    const labels = { proxy_name: 'forward', to: this.to }
    const connections = (result: 'hits' | 'misses', proto: string): Counter =>
      meters.counter(`coredns_proxy_conn_cache_${result}_total`, { ...labels, proto })
    const hits = connections('hits', PROTO_LABEL[address.protocol])
    const misses = connections('misses', PROTO_LABEL[address.protocol])
    this.#udpMisses = connections('misses', 'udp')
    const poolOptions = {
      remote: address,
      secureContext: address.protocol === 'dns' ? undefined : options.secureContext,
      sourceAddress: options.sourceAddress,
      clock,
      expireMs: options.expireMs,
      maxAgeMs: options.maxAgeMs,
      idleMax: options.idleConnectionsMax,
      readTimeoutMs: options.readTimeoutMs,
      taken: (reused: boolean) => (reused ? hits : misses).add(),
    }
    this.#pool =
      address.protocol === 'https'
        ? new HttpsPool({ ...poolOptions, method: options.dohMethod })
        : new ConnectionPool(poolOptions)
    const failures = meters.counter('coredns_proxy_healthcheck_failures_total', labels)
    this.#health = new Health({
      clock,
      intervalMs: options.healthCheck.intervalMs,
      maxFails: options.maxFails,
      check: () => this.#check(),
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

  /** Asks, over UDP unless `overTcp`, TLS, HTTPS or force_tcp say otherwise. Settles within `limitMs`. */
  async ask(asked: Asked, overTcp: boolean, limitMs: number): Promise<Attempt> {
    this.#asking++
    const attempt = await this.#askAsItCan(asked, overTcp, limitMs)
    this.#asking--
    if ('message' in attempt) this.#health.acquit()
    else if (!this.#stopped && !this.#retired && !isOurs(attempt.failure)) this.#health.accuse()
    if (this.#retired && this.#asking === 0) this.stop()
    return attempt
  }

  /** Does not belong to the rule any more: stops when what is under way has ended. */
  retire(): void {
    this.#retired = true
    this.#health.stop()
    if (this.#asking === 0) this.stop()
  }

  /** Closes connections and sockets; what is under way fails. */
  stop(): void {
    this.#stopped = true
    this.#health.stop()
    this.#pool.stop()
    for (const end of [...this.#exchanges]) end()
  }

  async #askAsItCan(asked: Asked, overTcp: boolean, limitMs: number): Promise<Attempt> {
    const { clock } = this.#context
    const deadlineMs = clock.nowMs() + limitMs
    const edns = clock.nowMs() >= this.#plainUntilMs
    let attempt = await this.#once(asked, overTcp, deadlineMs, edns)
    if (attempt === 'no-edns') {
      attempt = await this.#once(asked, overTcp, deadlineMs, false)
      // A question that is refused with and without EDNS says nothing about EDNS.
      if (attempt !== 'no-edns' && 'message' in attempt && ![1, 4].includes(attempt.message.rcode)) {
        this.#plainUntilMs = clock.nowMs() + PLAIN_MS
      }
    }
    if (attempt === 'no-edns') return { failure: `${this.to} refuses EDNS where there is none` }
    return attempt
  }

  #once(asked: Asked, overTcp: boolean, deadlineMs: number, edns: boolean): Promise<Attempt | 'no-edns'> {
    if (this.#stopped) return Promise.resolve({ failure: STOPPED })
    const stream = overTcp || this.#options.forceTcp || this.#address.protocol !== 'dns'
    return stream ? this.#askTcp(asked, deadlineMs, edns) : this.#askUdp(asked, deadlineMs, edns)
  }

  /** What we announce, where we announce anything. */
  #payloadSize(edns: boolean): number | undefined {
    return edns ? this.#context.udpMaxOctets : undefined
  }

  #askUdp(asked: Asked, deadlineMs: number, edns: boolean): Promise<Attempt | 'no-edns'> {
    const { clock } = this.#context
    const startMs = clock.nowMs()
    const packet = encodeAsked(asked, lazy.crypto.randomInt(65536), this.#payloadSize(edns))
    this.#udpMisses.add()
    return new Promise(resolve => {
      let mismatches = 0
      let failure: string | undefined
      let tcpEnded = true
      const settle = (attempt: Attempt | 'no-edns'): void => {
        exchange.close()
        this.#exchanges.delete(end)
        resolve(attempt)
      }
      const end = (): void => settle({ failure: STOPPED })
      const failed = (text: string): void => {
        failure ??= text
        if (tcpEnded) settle({ failure })
      }
      const askTcpToo = async (): Promise<void> => {
        tcpEnded = false
        const attempt = await this.#askTcp(asked, deadlineMs, edns)
        tcpEnded = true
        if (attempt === 'no-edns' || 'message' in attempt) settle(attempt)
        else if (failure !== undefined) settle({ failure })
      }
      const datagram = (octets: Uint8Array): void => {
        const judgement = judge(octets, packet, 'udp')
        if (judgement.kind === 'no-edns') settle('no-edns')
        else if (judgement.kind === 'reply') {
          this.#observe(judgement.message.rcode, startMs)
          settle({ message: judgement.message, protocol: 'udp' })
        } else if (++mismatches === 1) {
          this.#warnOfMismatch()
          askTcpToo()
        } else if (mismatches > MISMATCHES_MAX) {
          exchange.close()
          failed(`${mismatches} replies of ${this.to} do not fit the question`)
        }
      }
      const timeoutMs = Math.max(0, Math.min(this.#options.readTimeoutMs, deadlineMs - startMs))
      const { sourceAddress } = this.#options
      const exchange = new UdpExchange(
        { remote: this.#address, sourceAddress, clock, timeoutMs, packet },
        { datagram, failed },
      )
      this.#exchanges.add(end)
      exchange.start()
    })
  }

  async #askTcp(asked: Asked, deadlineMs: number, edns: boolean): Promise<Attempt | 'no-edns'> {
    const { clock } = this.#context
    const startMs = clock.nowMs()
    const packet = encodeAsked(asked, 0, this.#payloadSize(edns))
    for (let attempts = 1; ; attempts++) {
      const result = await this.#pool.ask(packet, Math.max(0, deadlineMs - clock.nowMs()))
      if ('failure' in result) {
        // Idle connections that the upstream closed meanwhile: there may be as many as there can be connections.
        if (result.stale && attempts <= CONNECTIONS_MAX) continue
        return { failure: result.failure }
      }
      const judgement = judge(result.octets, result.sent, 'tcp')
      if (judgement.kind === 'no-edns') return 'no-edns'
      if (judgement.kind === 'mismatch')
        return { failure: `the reply of ${this.to} does not fit the question` }
      this.#observe(judgement.message.rcode, startMs)
      return { message: aged(judgement.message, result.ageSeconds), protocol: 'tcp' }
    }
  }

  /** Any reply will do, whatever it says. */
  async #check(): Promise<boolean | undefined> {
    const { asked } = this.#options.healthCheck
    const { clock } = this.#context
    const attempt = await this.#once(asked, false, clock.nowMs() + CHECK_TIMEOUT_MS, false)
    if (attempt === 'no-edns' || 'message' in attempt) return true
    return isOurs(attempt.failure) ? undefined : false
  }

  #observe(rcode: number, startMs: number): void {
    let histogram = this.#durations.get(rcode)
    if (histogram === undefined) {
      const labels = { proxy_name: 'forward', to: this.to, rcode: rcodeLabel(rcode) }
      histogram = this.#context.meters.histogram('coredns_proxy_request_duration_seconds', labels)
      this.#durations.set(rcode, histogram)
    }
    histogram.observe((this.#context.clock.nowMs() - startMs) / 1000)
  }

  #warnOfMismatch(): void {
    const { clock, log } = this.#context
    if (clock.nowMs() - this.#warnedAtMs < WARNING_INTERVAL_MS) return
    this.#warnedAtMs = clock.nowMs()
    log.write(
      'WARNING',
      'plugin/forward',
      `${this.to}: a reply does not fit its question; asking over TCP, too`,
    )
  }

  #tellHealth(down: boolean): void {
    const { log } = this.#context
    if (down) log.write('WARNING', 'plugin/forward', `${this.to} is down: its health checks fail`)
    else log.write('INFO', 'plugin/forward', `${this.to} answers again`)
  }
}

/** What was kept on the way for a while may be kept that much shorter (RFC 8484 5.1). */
function aged(message: Message, ageSeconds = 0): Message {
  if (ageSeconds <= 0) return message
  const older = (records: readonly Rr[]): Rr[] =>
    records.map(record => ({
      ...record,
      ttlSeconds: Math.max(0, record.ttlSeconds - Math.floor(ageSeconds)),
    }))
  const { answer, authority, additional } = message
  return { ...message, answer: older(answer), authority: older(authority), additional: older(additional) }
}

/** As CoreDNS writes it: the number where the code has no name. */
const rcodeLabel = (rcode: number): string => {
  const name = rcodeName(rcode)
  return name.startsWith('RCODE') ? String(rcode) : name
}

/** What health checks ask: NS of the domain. */
export const healthQuestion = (domain: Asked['qname'] = ROOT, recursionDesired = true): Asked => ({
  qname: domain,
  qtype: TYPE.NS,
  qclass: CLASS.IN,
  recursionDesired,
  checkingDisabled: false,
  dnssecOk: false,
  options: [],
})
