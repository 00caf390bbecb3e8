// What `forward` is told, as data: one rule for each directive of a server block, its defaults and its bounds. The
// Corefile's text is read in parse.ts. Defaults are CoreDNS 1.14.7's (plugin/forward/forward.go, plugin/pkg/proxy).

import type { Place } from '../../corefile/token.ts'
import type { UpstreamAddress } from '../../shared/upstream-address.ts'

export type { UpstreamAddress } from '../../shared/upstream-address.ts'

/** TOs of one directive (CoreDNS's bound). */
export const TOS_MAX = 15
/** Upstreams of one directive once its files and host names are read; the rest is left out and logged. */
export const UPSTREAMS_MAX = 60
/** A health check that is asked for more often than this is made this often. */
export const HEALTH_INTERVAL_MIN_MS = 50

/** In which order the upstreams are tried. */
export const POLICIES = ['random', 'round_robin', 'sequential'] as const

export type PolicyName = (typeof POLICIES)[number]

/** How an upstream over HTTPS is asked. */
export const DOH_METHODS = ['POST', 'GET'] as const

export type DohMethod = (typeof DOH_METHODS)[number]

/** One TO: an address, a file like /etc/resolv.conf, or a host name. */
export type To =
  | ({ readonly kind: 'address' } & UpstreamAddress)
  | {
      readonly kind: 'file'
      readonly path: string
      /** What it held when the Corefile was read; it is read again while serving. */
      readonly upstreams: readonly UpstreamAddress[]
    }
  | ({
      readonly kind: 'host'
      readonly host: string
      /** Where it is written. */
      readonly at: Place
      /** Those it had when the configuration was taken (setup/hosts.ts); it is looked up again while serving. */
      readonly addresses: readonly string[]
    } & Omit<UpstreamAddress, 'address'>)

export interface HealthCheckConfig {
  readonly intervalMs: number
  readonly recursionDesired: boolean
  /** An absolute name; NS is asked of it. */
  readonly domain: string
}

/** What a TLS client needs, in PEM. */
export interface TlsConfig {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The system's authorities where absent. */
  readonly ca?: string | undefined
}

/** One `forward` directive. */
export interface RuleConfig {
  /** A lower-case absolute name. */
  readonly from: string
  readonly to: readonly To[]
  /** Names below `from` that are not forwarded. */
  readonly except: readonly string[]
  readonly policy: PolicyName
  readonly forceTcp: boolean
  readonly preferUdp: boolean
  /** An upstream is down when more checks than this failed in a row; 0: never down, never checked. */
  readonly maxFails: number
  readonly healthCheck: HealthCheckConfig
  /** How long a connection may be idle. */
  readonly expireMs: number
  /** How long a connection may be used; 0: for ever. */
  readonly maxAgeMs: number
  /** Idle connections to one upstream; 0: as many as connections at all (upstream-tcp.ts). */
  readonly idleConnectionsMax: number
  /** How long one upstream may take to answer. */
  readonly readTimeoutMs: number
  /** Client queries at one moment; 0: no limit but that of flights.ts. */
  readonly concurrentMax: number
  /** Failed attempts for one question; 0: as many as its time allows; undefined: two for each upstream. */
  readonly attemptsMax: number | undefined
  /** Response codes after which the next upstream is tried. */
  readonly failover: readonly number[]
  /** Response codes after which the next matching rule is tried. */
  readonly next: readonly number[]
  /** Whether an empty answer is passed to the next matching rule, too. */
  readonly nextOnNodata: boolean
  /** SERVFAIL at once when all upstreams are down, instead of trying one. */
  readonly failfast: boolean
  readonly tls: TlsConfig
  readonly dohMethod: DohMethod
  /** The address that queries are sent from. */
  readonly sourceAddress: string | undefined
  /** `IP` or `IP:PORT` of the servers that know the host names among the TOs; the system's where empty. */
  readonly resolvers: readonly string[]
}

/** All `forward` directives of one server block, in the order of the file. */
export interface ForwardConfig {
  readonly rules: readonly RuleConfig[]
}

/** A rule with nothing but its FROM and TOs. */
export const defaultRule = (from: string, to: readonly To[]): RuleConfig => ({
  from,
  to,
  except: [],
  policy: 'random',
  forceTcp: false,
  preferUdp: false,
  maxFails: 2,
  healthCheck: { intervalMs: 500, recursionDesired: true, domain: '.' },
  expireMs: 10_000,
  maxAgeMs: 0,
  idleConnectionsMax: 0,
  readTimeoutMs: 2000,
  concurrentMax: 0,
  attemptsMax: undefined,
  failover: [],
  next: [],
  nextOnNodata: false,
  failfast: false,
  tls: {},
  dohMethod: 'POST',
  sourceAddress: undefined,
  resolvers: [],
})

/** `IPv4:PORT` or `[IPv6]:PORT`: an upstream as metrics and logs name it. */
export const addressText = ({
  address,
  port,
}: {
  readonly address: string
  readonly port: number
}): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)
