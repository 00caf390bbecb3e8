// Which of several zones a name belongs to: the longest one by whole labels.

import { countLabels, type Name, name } from '../wire/name.ts'
import { TYPE } from '../wire/rrtype.ts'
import { type Scan, zoneInScan } from '../wire/scan.ts'

/** Something that serves one zone. */
export interface Zoned {
  /** Lower case. */
  readonly zone: Name
}

/** HOT: the zones of one listener, longest first; a look-up compares the name's tail with each, of which there are few. */
export class ZoneTable<T extends Zoned> {
  readonly #entries: readonly { readonly labels: number; readonly value: T }[]

  /** Several values may have one zone: the first is found first. */
  constructor(values: readonly T[]) {
    this.#entries = values
      .map(value => ({ labels: countLabels(value.zone), value }))
      .sort((a, b) => b.labels - a.labels)
  }

  /** The value with the longest zone that the scanned name lies in, from the `from`th on; -1 from `indexOf` is none. */
  indexOf(scan: Scan, from = 0): number {
    for (let i = from; i < this.#entries.length; i++) {
      const { labels, value } = this.#entries[i]!
      if (zoneInScan(scan, value.zone, labels) >= 0) return i
    }
    return -1
  }

  /**
   * Where a scanned question goes first: the longest zone. The DS records of a zone's own name belong to the zone above it
   * (RFC 4035 3.1.4.1), where that is served too; the root does not count, for its block forwards (as in CoreDNS).
   */
  ownerOf(scan: Scan): number {
    const index = this.indexOf(scan)
    if (index < 0 || scan.qtype !== TYPE.DS || this.#entries[index]!.labels < scan.labelCount) return index
    for (let above = this.indexOf(scan, index + 1); above >= 0; above = this.indexOf(scan, above + 1)) {
      const { labels } = this.#entries[above]!
      if (labels > 0 && labels < scan.labelCount) return above
    }
    return index
  }

  at(index: number): T {
    return this.#entries[index]!.value
  }
}

/** A zone that names are held against. */
export interface ScanZone {
  /** Lower case. */
  readonly zone: Name
  readonly labels: number
}

/** Zones from their texts, lower-case absolute names. */
export const scanZones = (texts: readonly string[]): readonly ScanZone[] =>
  texts.map(text => {
    const zone = name(text)
    return { zone, labels: countLabels(zone) }
  })

/** HOT: whether the scanned name lies in one of the zones. */
export function isInZones(scan: Scan, zones: readonly ScanZone[]): boolean {
  for (let i = 0; i < zones.length; i++)
    if (zoneInScan(scan, zones[i]!.zone, zones[i]!.labels) >= 0) return true
  return false
}
