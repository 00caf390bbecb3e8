// HOT: octets from one place to another, as the few that most entries have are copied fastest.

/** Longer ones are copied by the system: what has to be made for that costs as much as so many octets one by one. */
const COPY_MAX_OCTETS = 256

/** Copies from[at … at + length) to out[outAt …). */
export function copyOctets(
  from: Uint8Array,
  at: number,
  length: number,
  out: Uint8Array,
  outAt: number,
): void {
  if (length > COPY_MAX_OCTETS) out.set(from.subarray(at, at + length), outAt)
  else for (let i = 0; i < length; i++) out[outAt + i] = from[at + i]!
}
