// HOT: a reply becomes one to the question as it is now, and one of a size that is taken.

import type { Packet } from './packet.ts'

/** A reply to a changed question becomes one to the question as it is now: the records stay as they are. */
export function settleQuestion(packet: Packet): void {
  if (packet.isQuestionStale) copyAnew(packet)
}

/** Writes the reply anew for the question as it is now, with the records that fit. */
export function copyAnew(packet: Packet, limit?: number): void {
  const composer = packet.composeAnew(limit)
  for (const walk = packet.records(); walk.next(); ) if (!composer.copy(walk)) break
  packet.endAnew()
}
