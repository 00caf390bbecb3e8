// Which slices belong to a service or an import.

import type { SlimEndpointSlice } from '../objects/objects.ts'

/** Slices by the key of what they belong to; most have one. */
export class SliceOwners {
  readonly #owners = new Map<string, SlimEndpointSlice | Map<string, SlimEndpointSlice>>()

  /** What has slices. */
  get keys(): ReadonlyMap<string, unknown> {
    return this.#owners
  }

  /** The slices of an owner, in no order. */
  of(key: string): readonly SlimEndpointSlice[] {
    const slices = this.#owners.get(key)
    if (slices === undefined) return []
    return slices instanceof Map ? [...slices.values()] : [slices]
  }

  /** Adds a slice to what it belongs to, in place of the one of its name. */
  add(key: string, slice: SlimEndpointSlice): void {
    const slices = this.#owners.get(key)
    if (slices instanceof Map) slices.set(slice.name, slice)
    else if (slices === undefined || slices.name === slice.name) this.#owners.set(key, slice)
    else {
      const several = [slices, slice].map(one => [one.name, one] as const)
      this.#owners.set(key, new Map(several))
    }
  }

  /** Takes a slice from what it belongs to. */
  remove(key: string, { name }: SlimEndpointSlice): void {
    const slices = this.#owners.get(key)
    if (slices instanceof Map) {
      slices.delete(name)
      if (slices.size === 0) this.#owners.delete(key)
    } else if (slices?.name === name) this.#owners.delete(key)
  }
}
