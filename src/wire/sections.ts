// HOT: leaves sections out of a message, where it lies. Names point backwards only, so what stands before stays as it is.

import { readU16, writeU16 } from './header.ts'
import { RecordWalk, SECTION } from './walk.ts'

const walk = new RecordWalk()

/** Where the section of the message in octets[start … end) begins. */
export function sectionAt(octets: Uint8Array, start: number, end: number, section: number): number {
  let before = 0
  for (let i = 0; i < section; i++) before += readU16(octets, start + 6 + 2 * i)
  if (!walk.open(octets, start, end)) return end
  while (before > 0 && walk.next()) before--
  return walk.rdataEnd
}

/** Leaves out that section and those behind it; returns the message's new end. */
export function dropSections(octets: Uint8Array, start: number, end: number, from: number): number {
  const newEnd = sectionAt(octets, start, end, from)
  for (let section = from; section <= SECTION.ADDITIONAL; section++)
    writeU16(octets, start + 6 + 2 * section, 0)
  return newEnd
}
