// A packet made shorter for as long as the same thing is wrong with it.

/** Tries in all: each is a packet sent. */
const TRIES_MAX = 400

/** Takes out ever smaller pieces while `fails` holds. */
export async function shrunk(
  packet: Uint8Array,
  fails: (packet: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let best = packet
  let tries = 0
  for (let piece = best.length >> 1; piece > 0; piece >>= 1) {
    for (let at = 0; at < best.length && tries < TRIES_MAX; ) {
      const shorter = Uint8Array.of(...best.subarray(0, at), ...best.subarray(at + piece))
      tries++
      if (await fails(shorter)) best = shorter
      else at += piece
    }
  }
  return best
}
