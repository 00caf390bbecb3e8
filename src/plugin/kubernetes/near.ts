// HOT: which endpoints of a headless service a client is given: those on its own node, where the service asks for it, else
// those for its zone, else all. A circle is taken where it has as many of what is asked for as `topology` wants. An endpoint of which no zone is
// known is in every zone: or nobody would be given it where all zones have others.
//
//   place of an endpoint   NODE/ZONE,ZONE    (objects/slim.ts)

import type { Asker } from './asker.ts'

/** The circles around a client, the widest first. */
export const CIRCLE = { ALL: 0, ZONE: 1, NODE: 2 } as const
export type Circle = (typeof CIRCLE)[keyof typeof CIRCLE]

const SLASH = 0x2f
const COMMA = 0x2c

/** Whether the place at `at`, behind its length, is in that circle around the asker. */
export function isWithinCircle(octets: Uint8Array, at: number, circle: Circle, asker: Asker): boolean {
  if (circle === CIRCLE.ALL) return true
  const end = at + 1 + octets[at]!
  let slash = at + 1
  while (slash < end && octets[slash] !== SLASH) slash++
  if (circle === CIRCLE.NODE) return isText(octets, at + 1, slash, asker.nodeAt)
  if (slash + 1 >= end) return true
  for (let from = slash + 1; from < end; ) {
    let to = from
    while (to < end && octets[to] !== COMMA) to++
    if (isText(octets, from, to, asker.zoneAt)) return true
    from = to + 1
  }
  return false
}

/** Whether octets[from … to) is the text at `known`, behind its length; nothing is not. */
function isText(octets: Uint8Array, from: number, to: number, known: number): boolean {
  if (known === 0 || octets[known] !== to - from || to === from) return false
  for (let i = 0; i < to - from; i++) if (octets[from + i] !== octets[known + 1 + i]) return false
  return true
}
