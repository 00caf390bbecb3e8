// HOT: which endpoints of a headless service a client is given: those on its own node, where the service asks for it, else
// those for its zone, else all. A circle is taken where it has as many of what is asked for as `topology` wants. An endpoint of which no zone is
// known is in every zone: or nobody would be given it where all zones have others. A client whose node is in no zone has none around it.
//
//   place of an endpoint   NODE,NODE/ZONE,ZONE    (objects/slim.ts)

import type { Asker } from './asker.ts'

/** The circles around a client, the widest first. */
export const CIRCLE = { ALL: 0, ZONE: 1, NODE: 2 } as const
export type Circle = (typeof CIRCLE)[keyof typeof CIRCLE]

/** What became of a question: OFF where the client does not matter, NOWHERE where nobody knows its place, else its circle. */
export const NEARNESS = { OFF: -2, NOWHERE: -1, ...CIRCLE } as const
export type Nearness = (typeof NEARNESS)[keyof typeof NEARNESS]

const SLASH = 0x2f
const COMMA = 0x2c

/** Whether the place at `at`, behind its length, is in that circle around the asker. */
export function isWithinCircle(octets: Uint8Array, at: number, circle: Circle, asker: Asker): boolean {
  if (circle === CIRCLE.ALL) return true
  const end = at + 1 + octets[at]!
  let slash = at + 1
  while (slash < end && octets[slash] !== SLASH) slash++
  if (circle === CIRCLE.NODE) return isListed(octets, at + 1, slash, asker.nodeAt)
  return slash + 1 >= end || isListed(octets, slash + 1, end, asker.zoneAt)
}

/** Whether one of the texts in octets[from … end), a comma between two, is the one at `known`. */
function isListed(octets: Uint8Array, from: number, end: number, known: number): boolean {
  for (let at = from; at < end; ) {
    let to = at
    while (to < end && octets[to] !== COMMA) to++
    if (isText(octets, at, to, known)) return true
    at = to + 1
  }
  return false
}

/** Why a client in that place is given these endpoints, for a person; undefined where its place does not matter. */
export function nearnessText(
  nearness: Nearness,
  { node, zone }: { readonly node: string; readonly zone: string },
  atLeast: number,
): string | undefined {
  switch (nearness) {
    case NEARNESS.OFF:
      return undefined
    case NEARNESS.NOWHERE:
      return 'gives all endpoints: nobody knows on which node the client is'
    case NEARNESS.NODE:
      return `gives the endpoints on node ${node}, where the client is`
    case NEARNESS.ZONE:
      return `gives the endpoints for zone ${zone}, where the client is, on node ${node}`
    default: {
      if (zone === '') return `gives all endpoints: node ${node}, where the client is, is in no zone`
      const few = atLeast === 1 ? 'none is' : `fewer than ${atLeast} are`
      return `gives all endpoints: ${few} for zone ${zone}, where the client is, on node ${node}`
    }
  }
}

/** Whether octets[from … to) is the text at `known`, behind its length; nothing is not. */
function isText(octets: Uint8Array, from: number, to: number, known: number): boolean {
  if (known === 0 || octets[known] !== to - from || to === from) return false
  for (let i = 0; i < to - from; i++) if (octets[from + i] !== octets[known + 1 + i]) return false
  return true
}
