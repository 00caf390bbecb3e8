// Extended errors (RFC 8914): why a reply is as it is, as an EDNS option.

import { readU16 } from './header.ts'
import type { EdnsOption } from './message.ts'
import { OPTION } from './scan.ts'

/** The longest reason in words that a reply carries. */
export const REASON_MAX_OCTETS = 200

/** An extended error (RFC 8914): a code of its registry and a reason in words. */
export interface ExtendedError {
  readonly code: number
  readonly text: string
}

/** RFC 8914 section 4, the codes that Seamark uses. */
export const EDE = {
  OTHER: 0,
  STALE_ANSWER: 3,
  FORGED_ANSWER: 4,
  BLOCKED: 15,
  FILTERED: 17,
  PROHIBITED: 18,
  STALE_NXDOMAIN: 19,
  NOT_AUTHORITATIVE: 20,
  NOT_SUPPORTED: 21,
  NO_REACHABLE_AUTHORITY: 22,
  NETWORK_ERROR: 23,
  NOT_READY: 14,
  CACHED_ERROR: 13,
} as const

/** The extended error among the options of a reply, if there is one. */
export function readExtendedError(options: readonly EdnsOption[]): ExtendedError | undefined {
  const data = options.find(({ code }) => code === OPTION.EDE)?.data
  if (data === undefined || data.length < 2) return undefined
  return { code: readU16(data, 0), text: Buffer.from(data.subarray(2)).toString('utf8') }
}
