// Names of a zone by their labels.

import { foldName, type Name } from '../../wire/name.ts'

/** Where the labels left of name[end] begin, from right to left. */
export function labelStarts(name: Name, end: number): number[] {
  const starts: number[] = []
  for (let at = 0; at < end; at += name[at]! + 1) starts.push(at)
  return starts.reverse()
}

/** `*` before the name that begins at name[at]: the source of synthesis below it (RFC 4592 3.3.1). */
export function wildcardOf(name: Name, at: number): Name {
  const wildcard = new Uint8Array(2 + name.length - at)
  wildcard[0] = 1
  wildcard[1] = 0x2a
  wildcard.set(foldName(name.subarray(at)), 2)
  return wildcard
}
