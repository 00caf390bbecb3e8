// Every metric family of the server, in one table: those that others have, too, and Seamark's own.

import type { Family, FamilyType } from './family.ts'
import { KNOWN_FAMILIES } from './known-families.ts'
import { OWN_FAMILIES } from './own-families.ts'

const TABLE: readonly Family[] = [...KNOWN_FAMILIES, ...OWN_FAMILIES]

const byName: ReadonlyMap<string, Family> = new Map(TABLE.map(family => [family.name, family]))

/** Every family, by name in byte order, as an exposition lists them. */
export const FAMILIES: readonly Family[] = [...TABLE].sort((a, b) => (a.name < b.name ? -1 : 1))

/** The family of that name, or undefined. */
export const familyNamed = (name: string): Family | undefined => byName.get(name)

/** The family of that name and type. An unknown name or another type is a bug of the caller and throws a TypeError. */
export function familyOf(name: string, type: FamilyType): Family {
  const family = byName.get(name)
  if (family === undefined) throw new TypeError(`metric family ${name} is not declared in families.ts`)
  if (family.type !== type) throw new TypeError(`metric family ${name} is a ${family.type}, not a ${type}`)
  return family
}
