// The bounds of TCP and TLS connections, by name. Times as in CoreDNS's `timeouts` (3 s, 10 s, 5 s); the
// counts are per listener and thread, where CoreDNS has none (CVE-2025-68151).

export interface StreamLimits {
  /** From the connection's beginning to its first whole query, a TLS handshake included. */
  readonly firstReadTimeoutMs: number
  /** Without a query in flight, from the last whole query. Less where connections are many: `idleLimitMs`. */
  readonly idleTimeoutMs: number
  /**
   * A peer that has taken nothing of what waits for it for so long is cut off; also how long it has to close.
   */
  readonly writeTimeoutMs: number
  readonly connectionsMax: number
  readonly connectionsPerClientMax: number
  /** Slow queries of one connection; beyond them it is not read. */
  readonly inFlightPerConnectionMax: number
  /** Queries after which a connection is closed; -1 for no such bound. */
  readonly queriesPerConnectionMax: number
}

export const STREAM_LIMITS: StreamLimits = {
  firstReadTimeoutMs: 3000,
  idleTimeoutMs: 10_000,
  writeTimeoutMs: 5000,
  connectionsMax: 2000,
  connectionsPerClientMax: 1000,
  inFlightPerConnectionMax: 128,
  queriesPerConnectionMax: -1,
}

/** The least that is left of the idle timeout when every connection is taken. */
const IDLE_LEAST = 0.1

/**
 * The idle timeout at that many connections: whole up to half of them, then falling to a tenth (RFC 7766
 * 6.2.3).
 */
export function idleLimitMs(limits: StreamLimits, connections: number): number {
  const used = connections / limits.connectionsMax
  const share = used <= 0.5 ? 1 : Math.max(IDLE_LEAST, 1 - (used - 0.5) * 2 * (1 - IDLE_LEAST))
  return limits.idleTimeoutMs * share
}
