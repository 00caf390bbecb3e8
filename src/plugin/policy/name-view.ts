// HOT: a name of a question or a record, in lower case with its labels told apart; filled again for every name.

import { copyName } from '../../wire/message-name.ts'
import { FOLD, NAME_MAX_OCTETS, type Name } from '../../wire/name.ts'
import { textAt } from '../kubernetes/client-namespace.ts'

const LABELS_MAX = 128

export class NameView {
  readonly folded = new Uint8Array(NAME_MAX_OCTETS + 1)
  length = 0
  /** labelAt[i] is where label i begins, counted from the left; the root is not counted. */
  readonly labelAt = new Uint8Array(LABELS_MAX)
  labelCount = 0

  /** Takes the name at octets[at …) of a message that begins at `start`, compressed or not, which was measured before. */
  read(octets: Uint8Array, at: number, start: number): void {
    const { folded, labelAt } = this
    this.length = copyName(octets, at, start, folded, 0)
    let labels = 0
    for (let i = 0; folded[i] !== 0; ) {
      labelAt[labels++] = i
      const end = i + 1 + folded[i]!
      for (i++; i < end; i++) folded[i] = FOLD[folded[i]!]!
    }
    this.labelCount = labels
  }

  /** Whether the name is the zone's, in lower case and of so many labels, or below it. */
  isWithin(zone: Name, labels: number): boolean {
    if (labels > this.labelCount) return false
    const at = labels === 0 ? this.length - 1 : this.labelAt[this.labelCount - labels]!
    if (this.length - at !== zone.length) return false
    for (let i = 0; i < zone.length; i++) if (this.folded[at + i] !== zone[i]) return false
    return true
  }

  /** A label as text. */
  label(index: number): string {
    return textAt(this.folded, this.labelAt[index]!)
  }

  /** Whether a label is this one, its length before it. */
  isLabel(index: number, label: Uint8Array): boolean {
    const at = this.labelAt[index]!
    for (let i = 0; i < label.length; i++) if (this.folded[at + i] !== label[i]) return false
    return true
  }
}
