// HOT: how old the answers are, in words for the person who asked with EDNS, once the API server has not been heard for a
// while (HEAD.AGE in table/layout.ts). Nothing is written, and nothing but that word is read, while it is heard.
//
//   $ dig brandnew.shop.svc.cluster.local
//   ; EDE: 19 (Stale NXDOMAIN Answer): (no service brandnew in namespace shop (the API server was last heard 170 s ago))

import { KIND_NAMES } from '../../objects/objects.ts'
import { agedKind, ageSeconds } from '../../table/layout.ts'
import { EDE, type ExtendedError } from '../../wire/extended-error.ts'
import { RCODE } from '../../wire/rcode.ts'

/** The words before the seconds, by agedKind(). */
const BEFORE: readonly Uint8Array[] = [
  'the API server was last heard ',
  ...KIND_NAMES.map(kind => `${kind.toLowerCase()}s were last heard of `),
].map(octetsOf)
const AFTER = octetsOf(' s ago')
const OPEN = octetsOf(' (')
const CLOSE = octetsOf(')')
const DIGIT_0 = 0x30

/** Why an old answer is told to be one (RFC 8914 4.4, 4.20). */
export const staleCode = (rcode: number): number =>
  rcode === RCODE.NXDOMAIN ? EDE.STALE_NXDOMAIN : EDE.STALE_ANSWER

/** How old a state of that age, which is not 0, is. */
const ageText = (age: number): string =>
  Buffer.concat([BEFORE[agedKind(age)]!, octetsOf(String(ageSeconds(age))), AFTER]).toString()

/** Why a reply of that age is as it is, off the fast path. */
export const agedReason = (age: number, rcode: number, reason?: string): ExtendedError => ({
  code: staleCode(rcode),
  text: reason === undefined ? ageText(age) : `${reason} (${ageText(age)})`,
})

/**
 * Writes the same at `at`, in brackets behind a reason, where it ends before `limit`; returns the offset behind it, or -1
 * where it does not fit.
 */
export function writeAge(
  age: number,
  behindReason: boolean,
  out: Uint8Array,
  at: number,
  limit: number,
): number {
  const before = BEFORE[agedKind(age)]!
  const seconds = ageSeconds(age)
  let digits = 1
  for (let left = seconds; left >= 10; left = Math.floor(left / 10)) digits++
  const brackets = behindReason ? OPEN.length + CLOSE.length : 0
  if (at + before.length + digits + AFTER.length + brackets > limit) return -1
  if (behindReason) at = copy(OPEN, out, at)
  at = copy(before, out, at)
  for (let i = digits - 1, left = seconds; i >= 0; i--, left = Math.floor(left / 10)) {
    out[at + i] = DIGIT_0 + (left % 10)
  }
  at = copy(AFTER, out, at + digits)
  return behindReason ? copy(CLOSE, out, at) : at
}

function copy(from: Uint8Array, out: Uint8Array, at: number): number {
  for (let i = 0; i < from.length; i++) out[at++] = from[i]!
  return at
}

function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text))
}
