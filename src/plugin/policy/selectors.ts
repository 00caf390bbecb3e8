// What selectors of namespaces take: clients, which are told by a text (rules.ts), and namespaces; and what is known of labels.

import type { Labels } from '../../objects/label-selector.ts'
import { EVERY, isByLabels, labelTest } from '../../objects/selectors.ts'
import { labelsKey } from '../../table/namespace-labels.ts'
import type { TableReader } from '../../table/reader.ts'
import { readText } from '../../table/texts.ts'
import { HOST, NOBODY } from '../kubernetes/client-namespace.ts'

export type Test = (text: string) => boolean

/** The labels of a namespace; undefined where they are not known. */
export type LabelsOf = (namespace: string) => Labels | undefined

/** Whether the selector takes one namespace alone. */
export const isExact = (selector: string): boolean => !isByLabels(selector) && !selector.includes('*')

/**
 * Whether one of the selectors takes a client, or a namespace. `unknown` is what those by labels say of a namespace whose labels
 * are not known, as one has that `namespace_labels` leaves out.
 */
export function testOf(selectors: readonly string[], labelsOf: LabelsOf, unknown = false): Test {
  if (selectors.includes(EVERY)) return () => true
  const byLabels = selectors.filter(isByLabels).map(labelTest)
  const names = selectors.filter(selector => !isByLabels(selector))
  const exact = new Set(names.filter(isExact))
  const globs = names.filter(name => !exact.has(name)).map(globTest)
  return text => {
    if (exact.has(text)) return true
    if (text === NOBODY || text === HOST) return false
    for (let i = 0; i < globs.length; i++) if (globs[i]!(text)) return true
    if (byLabels.length === 0) return false
    const labels = labelsOf(text)
    if (labels === undefined) return unknown
    for (let i = 0; i < byLabels.length; i++) if (byLabels[i]!(labels)) return true
    return false
  }
}

/** `*` is any characters; linear in the text, for there is no going back beyond the last star. */
function globTest(glob: string): Test {
  const [head = '', ...rest] = glob.split('*')
  const tail = rest.pop() ?? ''
  return text => {
    if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail))
      return false
    let at = head.length
    for (const part of rest) {
      const found = text.indexOf(part, at)
      if (found < 0 || found + part.length > text.length - tail.length) return false
      at = found + part.length
    }
    return true
  }
}

/** Namespaces whose labels are kept as they are read; beyond, all are forgotten. */
const REMEMBERED_MAX = 10_000

/** Labels of namespaces out of the table of the block's `kubernetes`. */
export class NamespaceLabels {
  readonly #table: TableReader
  readonly #known = new Map<string, Labels | undefined>()
  #changes: number

  constructor(table: TableReader) {
    this.#table = table
    this.#changes = table.labelChanges
  }

  /** HOT: whether labels have changed since the last call: what was made of them counts no more. */
  hasChanged(): boolean {
    const changes = this.#table.labelChanges
    if (changes === this.#changes) return false
    this.#changes = changes
    this.#known.clear()
    return true
  }

  readonly of: LabelsOf = namespace => {
    if (this.#known.has(namespace)) return this.#known.get(namespace)
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
    const text = readText(this.#table, labelsKey(namespace))?.text
    const labels = text === undefined ? undefined : labelsIn(JSON.parse(text))
    this.#known.set(namespace, labels)
    return labels
  }
}

const labelsIn = (texts: readonly string[]): Labels =>
  new Map(
    texts.map(text => {
      const at = text.indexOf('=')
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
