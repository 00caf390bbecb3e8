// What a handler says of a packet (packet.ts): where it goes from here. The road acts on it (serving/road.ts).

/** Not mine, or nothing to do on the way back: on to the handler behind. */
export const NEXT = 0 as const
/** On to the handler behind, and then the reply comes to my `back`, with what I kept. */
export const BACK = 1 as const
/** The reply is in the packet. */
export const DONE = 2 as const
/** Nobody gets a reply. */
export const DROP = 3 as const
/** The packet is parked; who has its record wakes it. */
export const WAIT = 4 as const
/** Only from `back` and `found`: down again from the handler behind me, with the question as it is now; then back to me. */
export const AGAIN = 5 as const
/** The whole server is asked the question of `wish`; its reply comes to my `found`, with what I kept. */
export const LOOKUP = 6 as const

/** What a handler says. */
export type Step =
  | typeof NEXT
  | typeof BACK
  | typeof DONE
  | typeof DROP
  | typeof WAIT
  | typeof AGAIN
  | typeof LOOKUP

/** What a handler keeps for its way back: a number where that does. */
export type Kept = unknown
