// Whether values out of a file are parts of slim objects, as JSON.parse gave them: for files that this server wrote, and that
// somebody may have changed.

import { canonicalIp } from '../shared/ip.ts'

/** Longer texts are kept of no object. */
export const TEXT_MAX = 1024

export const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= TEXT_MAX

/** Canonical, as addresses are compared. */
export const isAddress = (value: unknown): value is string =>
  typeof value === 'string' && canonicalIp(value) === value

/** In ms since 1970. */
export const isTimeMs = (value: unknown): value is number => Number.isSafeInteger(value)

export function isListOf<T>(
  value: unknown,
  max: number,
  isOne: (item: unknown) => item is T,
): value is readonly T[] {
  return Array.isArray(value) && value.length <= max && value.every(isOne)
}
