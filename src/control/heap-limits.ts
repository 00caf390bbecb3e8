// How much heap a serving thread may have, above all where the container's memory is limited (cgroup v1 or v2, as Node
// reads it). V8 gives each isolate half of the container's memory by itself: right for the control thread, far too much
// for several serving threads beside it. One that passes its limit ends alone and is replaced; the container lives on.

import { setFlagsFromString } from 'node:v8'
import type { ResourceLimits } from 'node:worker_threads'

/** A query's garbage is small and dies young: more room for it would only be memory (V8 takes 48 MiB a thread). */
const YOUNG_MIB = 3
/** Node makes a dozen objects of each request over HTTP/2, which live until its stream is closed: with less room they are moved twice, and a request costs half as much again. */
const YOUNG_HTTP_MIB = 12
/** What the serving threads may have together of the container's memory. */
const SHARE = 0.4
/** What connections of all serving threads together may keep of it, and never more than that. */
const STREAM_SHARE = 0.1
const STREAM_MAX_MIB = 256
/** Less would not hold one query of every kind. */
const STREAM_MIN_MIB = 2
/** Below it a thread with full caches could not live. */
const OLD_MIN_MIB = 32
const OCTETS_PER_MIB = 2 ** 20

/**
 * Limits for each of `threads` serving threads. Where the container has no limit, or one beyond what the machine has (as
 * cgroup v1 says "unlimited"), only the young generation has one. Sizes in octets, limits in MiB as worker_threads takes them. `hasHttp`:
 * whether queries come over HTTPS when the threads are started.
 */
export function serveHeapLimits(
  containerOctets: number,
  machineOctets: number,
  threads: number,
  hasHttp = false,
): ResourceLimits {
  const youngMib = hasHttp ? YOUNG_HTTP_MIB : YOUNG_MIB
  if (containerOctets <= 0 || containerOctets >= machineOctets) return { maxYoungGenerationSizeMb: youngMib }
  const eachMib = Math.floor((containerOctets * SHARE) / OCTETS_PER_MIB / threads)
  return {
    maxOldGenerationSizeMb: Math.max(OLD_MIN_MIB, eachMib - youngMib),
    maxYoungGenerationSizeMb: youngMib,
  }
}

/**
 * Where Node was started with `--max-semi-space-size`, as the image starts it, V8 asks that before the limits of any thread: it has
 * done its work when the control thread has its heap, and must not hold for those that come.
 */
export function freeThreadsOfFlags(): void {
  setFlagsFromString('--max-semi-space-size=0')
}

/**
 * What the connections of each of `threads` serving threads may keep, in octets: their share of the container's memory, or
 * of the machine's where the container has no limit.
 */
export function streamOctets(containerOctets: number, machineOctets: number, threads: number): number {
  const octets = containerOctets <= 0 ? machineOctets : Math.min(containerOctets, machineOctets)
  const allMib = Math.min(STREAM_MAX_MIB, (octets * STREAM_SHARE) / OCTETS_PER_MIB)
  return Math.floor(Math.max(STREAM_MIN_MIB, allMib / threads) * OCTETS_PER_MIB)
}
