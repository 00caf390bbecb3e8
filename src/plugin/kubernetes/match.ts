// HOT: whether a port or an endpoint in the table is the one a name asks for.

import { portNameAt, portProtocol } from '../../table/block.ts'
import { PROTOCOL_LABELS } from '../../table/layout.ts'

const UNDERSCORE = 0x5f

/**
 * Whether the label at `labelAt`, one leading underscore aside, is the octet-counted text at `textAt`; nothing left of
 * the label is any text (docs/coredns.md 1.3).
 */
function labelAsks(folded: Uint8Array, labelAt: number, octets: Uint8Array, textAt: number): boolean {
  let from = labelAt + 1
  let length = folded[labelAt]!
  if (folded[from] === UNDERSCORE) {
    from++
    length--
  }
  if (length === 0) return true
  if (octets[textAt] !== length) return false
  for (let i = 0; i < length; i++) if (octets[textAt + 1 + i] !== folded[from + i]) return false
  return true
}

/** Protocol labels as octet-counted text, by PROTOCOL; the last one stands for every unknown protocol. */
const protocolTexts = [...PROTOCOL_LABELS, '?'].map(text => Uint8Array.of(text.length, ...Buffer.from(text)))

/** Whether the port record at `at` (table/layout.ts) is the one asked for. */
export function portAsks(
  folded: Uint8Array,
  portAt: number,
  protocolAt: number,
  octets: Uint8Array,
  at: number,
): boolean {
  const protocol = protocolTexts[portProtocol(octets, at)] ?? protocolTexts[protocolTexts.length - 1]!
  return labelAsks(folded, portAt, octets, portNameAt(at)) && labelAsks(folded, protocolAt, protocol, 0)
}

/** Whether both labels ask for any port: what a service without ports still answers. */
export const asksAny = (folded: Uint8Array, portAt: number, protocolAt: number): boolean =>
  isAny(folded, portAt) && isAny(folded, protocolAt)

const isAny = (folded: Uint8Array, at: number): boolean => folded[at] === 1 && folded[at + 1] === UNDERSCORE

/** Whether the label at `labelAt` is exactly the octet-counted text at `textAt`. */
export function labelIs(folded: Uint8Array, labelAt: number, octets: Uint8Array, textAt: number): boolean {
  for (let i = folded[labelAt]!; i >= 0; i--) if (octets[textAt + i] !== folded[labelAt + i]) return false
  return true
}

/** Whether the labels of folded[at … end), joined by dots, are the octet-counted text at `textAt`. */
export function dottedIs(
  folded: Uint8Array,
  at: number,
  end: number,
  octets: Uint8Array,
  textAt: number,
): boolean {
  const length = end - at - 1
  if (octets[textAt] !== length) return false
  let nextLabel = at + 1 + folded[at]!
  for (let i = 0; i < length; i++) {
    const from = at + 1 + i
    const dot = from === nextLabel
    if (octets[textAt + 1 + i] !== (dot ? 0x2e : folded[from])) return false
    if (dot) nextLabel = from + 1 + folded[from]!
  }
  return true
}

/** Whether `length` octets are equal. */
export function equalOctets(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}
