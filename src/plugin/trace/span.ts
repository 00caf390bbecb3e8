// One step of a query's way, as collectors of every type know it.

import { lazy } from '../../shared/lazy.ts'

export interface Span {
  /** 32 hexadecimal digits; of a client of Zipkin's they may be 16. */
  readonly traceId: string
  /** 16 of them. */
  readonly id: string
  readonly parentId: string | undefined
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal'
  /** In µs since 1970. */
  readonly startUs: number
  readonly durationUs: number
  readonly tags: readonly (readonly [key: string, value: string])[]
  /** What went wrong; undefined: nothing. */
  readonly error: string | undefined
  /** Whether the id is the client's, which has a span of it, too. */
  readonly isShared: boolean
}

/** Random octets that ids are cut from. */
const POOL_OCTETS = 4096
let pool = Buffer.alloc(0)
let poolAt = 0

/** A new id of so many octets, in hexadecimal digits; not all of them are 0. */
export function randomId(octets: 8 | 16): string {
  if (poolAt + octets > pool.length) {
    pool = lazy.crypto.randomBytes(POOL_OCTETS)
    poolAt = 0
  }
  const id = pool.toString('hex', poolAt, poolAt + octets)
  poolAt += octets
  return /[^0]/.test(id) ? id : randomId(octets)
}
