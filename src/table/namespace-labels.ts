// Labels of namespaces, as serving threads read them where selectors ask for some: a text for each namespace (texts.ts). Those
// of one that is gone stay until its services are gone from the table: no selector is blind before.

import type { SlimNamespace } from '../objects/objects.ts'
import { PIECES_A_STEP, type Steps } from '../shared/steps.ts'
import { KEY } from './layout.ts'
import { Texts } from './texts.ts'
import type { TableWriter } from './writer.ts'

/** Of one namespace, as JSON; of one with more nothing is known. */
export const LABELS_MAX_OCTETS = 64 * 1024

/** The key of a namespace's labels. */
export const labelsKey = (namespace: string): Uint8Array =>
  Uint8Array.of(KEY.LABELS, ...Buffer.from(namespace, 'latin1'))

export class NamespaceLabels {
  readonly #texts = new Texts()
  readonly #gone = new Set<string>()
  readonly #refused = new Set<string>()
  readonly #refuse: (text: string) => void

  /** `refuse` tells of a namespace with too many labels. */
  constructor(refuse: (text: string) => void) {
    this.#refuse = refuse
  }

  /** Before the namespace and its services. Throws TableFullError, having changed nothing. */
  publish(name: string, namespace: SlimNamespace | undefined, writer: TableWriter): void {
    if (namespace === undefined) this.#gone.add(name)
    else this.#put(name, this.#textOf(namespace), writer)
  }

  /** After services that are gone. */
  *removeGone(namespaces: ReadonlyMap<string, SlimNamespace>, writer: TableWriter): Steps<void> {
    let pieces = 0
    for (const name of this.#gone) {
      this.#gone.delete(name)
      if (!namespaces.has(name)) {
        this.#refused.delete(name)
        this.#put(name, '', writer)
      }
      if (++pieces % PIECES_A_STEP === 0) yield
    }
  }

  #put(name: string, text: string, writer: TableWriter): void {
    if (this.#texts.publish(labelsKey(name), text, writer)) writer.labelsChanged()
  }

  #textOf({ name, labels }: SlimNamespace): string {
    const text = labels === undefined ? '' : JSON.stringify(labels)
    if (Buffer.byteLength(text) <= LABELS_MAX_OCTETS) {
      this.#refused.delete(name)
      return text
    }
    if (!this.#refused.has(name))
      this.#refuse(
        `Namespace ${name}: more than ${LABELS_MAX_OCTETS} octets of labels; to selectors they are not known`,
      )
    this.#refused.add(name)
    return ''
  }
}
