// What changes about one entry of a cache (half.ts), for whoever has found it: how popular it is, and whether it is being refreshed.

import type { CacheHalf } from './half.ts'

export class SlotView {
  half!: CacheHalf
  slot = 0

  get hits(): number {
    return this.half.hits(this.slot)
  }

  get lastHitMs(): number {
    return this.half.lastHitMs(this.slot)
  }

  setHits(hits: number, nowMs: number): void {
    this.half.setHits(this.slot, hits, nowMs)
  }

  isRefreshing(nowMs: number): boolean {
    return this.half.isRefreshing(this.slot, nowMs)
  }
}
