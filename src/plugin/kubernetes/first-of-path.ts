// Names that only the search path of a Pod makes, X.NS.svc.ZONE, and that nobody types in full: the first of the names that a Pod of
// NS asks for when it looks for X.

import type { TableReader } from '../../table/reader.ts'
import type { Scan } from '../../wire/scan.ts'
import { isLabel, SVC } from './parse-name.ts'

const UNDERSCORE = 0x5f
/** Labels that such a name has at least before the zone: two of X, NS, and svc. */
export const PATH_LABELS_MIN = 4

/**
 * HOT: whether a name with so many labels before the zone is one: NS is a namespace, X has two labels and more (nothing less is
 * looked for outside) without underscores (ports have them), and the last of X is no service of NS, whose endpoint X would be.
 */
export function isFirstOfPath({ folded, labelAt }: Scan, labels: number, table: TableReader): boolean {
  if (labels < PATH_LABELS_MIN) return false
  const svcAt = labelAt[labels - 1]!
  if (!isLabel(folded, svcAt, SVC) || table.find(folded, labelAt[labels - 2]!, svcAt) === 0) return false
  for (let label = 0; label < labels - 2; label++)
    if (folded[labelAt[label]! + 1] === UNDERSCORE) return false
  return table.find(folded, labelAt[labels - 3]!, svcAt) === 0
}

/** NS of such a name. */
export function namespaceOf({ folded, labelAt }: Scan, labels: number): string {
  const at = labelAt[labels - 2]!
  return Buffer.from(folded.subarray(at + 1, at + 1 + folded[at]!)).toString('latin1')
}
