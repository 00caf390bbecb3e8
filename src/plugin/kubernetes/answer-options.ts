// What the answers of a zone (answers.ts) depend on that is known before any query comes, for the plugins around, too.

import type { Counter } from '../../observe/meters.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { KubernetesConfig } from './config.ts'

/** The types that are answered otherwise than all others, which the cluster has no records of. */
export const ANSWERED_TYPES: ReadonlySet<number> = new Set([
  TYPE.A, TYPE.AAAA, TYPE.AXFR, TYPE.CNAME, TYPE.IXFR, TYPE.NS, TYPE.PTR, TYPE.SOA, TYPE.SRV, TYPE.TXT,
]) // biome-ignore format: a list

/** docs/coredns.md 1.9 */
const SOA_TTL_MAX_SECONDS = 300

/** The TTL of the zones' SOA. */
export const soaTtlSeconds = ({ ttlSeconds }: KubernetesConfig): number =>
  Math.min(ttlSeconds, SOA_TTL_MAX_SECONDS)

/** What the plugins around make of an answer, known before any query comes. */
export interface AnswerOptions {
  /** Whether `loadbalance` shuffles addresses. */
  readonly shuffle: boolean
  /** Whether `minimal` takes additional records out. */
  readonly minimal?: boolean
  /** The TTL that `cache` gives to a positive or a negative answer (docs/coredns.md 3.4); the identity without one. */
  flattenedTtl(ttlSeconds: number, kind: 'success' | 'denial'): number
  readonly random: () => number
  /** Whether clients with EDNS are told why they get nothing (the directive `ede`). */
  readonly reasons: boolean
  /** This server's own addresses, 4 or 16 octets each. */
  readonly ownAddresses: readonly Uint8Array[]
  /** The block has `transfer`, to which AXFR and IXFR are left; without it they are refused. */
  readonly transfers?: boolean
  /** Counts reasons (reason.ts reasonCounters); absent: nobody wants to know. */
  readonly counters?: readonly Counter[]
}
