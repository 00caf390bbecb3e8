// Which zones of a word nobody else has a say about: those of which no name falls through.

import { isWithin, name } from '../wire/name.ts'

/** The zones of a word that speaks for them alone, for `Effect.owns`. */
export function ownedZones(zones: readonly string[], fallthrough: readonly string[] = []): string[] {
  const passed = fallthrough.map(zone => name(zone))
  return zones.filter(text => {
    const zone = name(text)
    return !passed.some(each => isWithin(zone, each) || isWithin(each, zone))
  })
}
