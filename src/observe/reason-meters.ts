// Why answers are what they are, counted: seamark_answers_by_reason_total{code,reason}. `code` is that of RFC 8914, whether or
// not the client asked with EDNS; `reason` its name there, or for names of the cluster our own, which says more than code 0.

import type { Counter, Meters } from './meters.ts'

/** RFC 8914 section 4, as labels; what is not there is `code_N`. */
const NAMES: readonly string[] = [
  'other', 'unsupported_dnskey_algorithm', 'unsupported_ds_digest', 'stale_answer', 'forged_answer',
  'dnssec_indeterminate', 'dnssec_bogus', 'signature_expired', 'signature_not_yet_valid', 'dnskey_missing',
  'rrsigs_missing', 'no_zone_key_bit', 'nsec_missing', 'cached_error', 'not_ready', 'blocked', 'censored', 'filtered',
  'prohibited', 'stale_nxdomain', 'not_authoritative', 'not_supported', 'no_reachable_authority', 'network_error',
  'invalid_data',
] // biome-ignore format: a list

/** The counter of one reason; the same for the same code and name. */
export const reasonCounter = (meters: Meters, code: number, reason: string): Counter =>
  meters.counter('seamark_answers_by_reason_total', { code: `${code}`, reason })

/** The counters of a thread by code. */
export class ReasonMeters {
  readonly #meters: Meters
  readonly #counters: (Counter | undefined)[] = []

  constructor(meters: Meters) {
    this.#meters = meters
  }

  /** Counts an answer that has that code. Codes are the server's own: those of upstreams do not come here. */
  count(code: number): void {
    this.#counters[code] ??= reasonCounter(this.#meters, code, NAMES[code] ?? `code_${code}`)
    this.#counters[code].add()
  }
}
