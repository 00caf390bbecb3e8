// How much heap a serving thread may have where the container's memory is limited (cgroup v1 or v2, as Node reads it).
// V8 gives each isolate half of the container's memory by itself: right for the control thread, far too much for several
// serving threads beside it. One that passes its limit ends alone and is replaced; the container is not killed.

import type { ResourceLimits } from 'node:worker_threads'

/** What the serving threads may have together. */
const SHARE = 0.4
/** Of that, what is for objects that have just been made. */
const YOUNG_SHARE = 0.25
const OLD_MIN_MIB = 32
const YOUNG_MIN_MIB = 6
/** V8's own default: three semi-spaces of 16 MiB. */
const YOUNG_MAX_MIB = 48
const OCTETS_PER_MIB = 2 ** 20

/**
 * Limits for each of `threads` serving threads; none where the container has no limit, or one beyond what the machine
 * has (as cgroup v1 says "unlimited"). Sizes in octets, limits in MiB as worker_threads takes them.
 */
export function serveHeapLimits(
  containerOctets: number,
  machineOctets: number,
  threads: number,
): ResourceLimits | undefined {
  if (containerOctets <= 0 || containerOctets >= machineOctets) return undefined
  const eachMib = (containerOctets * SHARE) / OCTETS_PER_MIB / threads
  return {
    maxOldGenerationSizeMb: Math.max(OLD_MIN_MIB, Math.floor(eachMib * (1 - YOUNG_SHARE))),
    maxYoungGenerationSizeMb: Math.min(
      YOUNG_MAX_MIB,
      Math.max(YOUNG_MIN_MIB, Math.floor(eachMib * YOUNG_SHARE)),
    ),
  }
}
