// Which slices belong to a service or an import.

import type { SlimEndpointSlice } from '../objects/objects.ts'

/** Slices by the key of what they belong to. */
export type Slices = Map<string, readonly SlimEndpointSlice[]>

/** Adds a slice to what it belongs to. */
export function withSlice(owners: Slices, key: string, slice: SlimEndpointSlice): void {
  const others = owners.get(key)
  owners.set(key, others ? others.concat(slice) : [slice])
}

/** Takes a slice from what it belongs to. */
export function withoutSlice(owners: Slices, key: string, { name }: SlimEndpointSlice): void {
  const left = (owners.get(key) ?? []).filter(other => other.name !== name)
  if (left.length > 0) owners.set(key, left)
  else owners.delete(key)
}
