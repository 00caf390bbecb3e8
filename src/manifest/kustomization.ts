// A kustomization.yaml as far as it says what the objects of a folder are: the files and folders that it lists, the namespace
// that they are put into, and what comes before and behind their names. What else it would change is told, and not done.

import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { quote } from '../objects/field.ts'
import { isDnsLabel } from '../objects/slim.ts'
import type { ManifestProblem } from './problem.ts'

/** The names that kubectl looks for in a folder. */
const FILE_NAMES: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** Whether a file of that name says what its folder is. */
export const isKustomization = (fileName: string): boolean => FILE_NAMES.includes(fileName)

/** A place in the file. */
export type At = Pick<ManifestProblem, 'file' | 'line' | 'column'>

export interface Kustomization {
  /** Files and folders, relative to the kustomization's own. */
  readonly resources: readonly { readonly path: string; readonly at: At }[]
  /** Put in place of every object's own; '' for none. */
  readonly namespace: string
  readonly namePrefix: string
  readonly nameSuffix: string
}

/** Without effect on names, addresses and endpoints: left out without a word. */
const SILENT = new Set(
  `apiVersion kind metadata images configMapGenerator secretGenerator generatorOptions labels commonLabels commonAnnotations crds
  openapi sortOptions buildMetadata`.split(/\s+/),
)
const APPLIED = new Set(['resources', 'bases', 'namespace', 'namePrefix', 'nameSuffix'])

/** Reads the text of one; never throws. An error among the problems means that it may be incomplete. */
export function parseKustomization(
  file: string,
  text: string,
): { readonly kustomization: Kustomization; readonly problems: readonly ManifestProblem[] } {
  const reader = new Reader(file, text)
  return { kustomization: reader.read(), problems: reader.problems }
}

class Reader {
  readonly problems: ManifestProblem[] = []
  readonly #file: string
  readonly #lines = new LineCounter()
  readonly #root: YAMLMap | undefined

  constructor(file: string, text: string) {
    this.#file = file
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, logLevel: 'error' })
    for (const { pos, message } of document.errors) this.#say('error', pos[0], `broken YAML: ${message}`)
    if (isMap(document.contents)) this.#root = document.contents
    else if (document.errors.length === 0) this.#say('error', 0, 'this is no kustomization')
  }

  read(): Kustomization {
    this.#tellOthers()
    return {
      resources: [...this.#list('resources'), ...this.#list('bases')],
      namespace: this.#namespace(),
      namePrefix: this.#text('namePrefix')?.text ?? '',
      nameSuffix: this.#text('nameSuffix')?.text ?? '',
    }
  }

  /** One line for each field that would change what is served. */
  #tellOthers(): void {
    for (const { key } of this.#root?.items ?? []) {
      const field = isScalar(key) ? String(key.value) : ''
      if (SILENT.has(field) || APPLIED.has(field)) continue
      const message = `${quote(field)} is not applied: write what kubectl kustomize prints where names or endpoints depend on it`
      this.#say('warning', isNode(key) ? offsetOf(key) : 0, message)
    }
  }

  #list(field: string): { path: string; at: At }[] {
    const node = this.#root?.get(field, true)
    if (!isSeq(node)) return []
    return node.items.flatMap(item => {
      if (isScalar(item) && typeof item.value === 'string' && item.value !== '')
        return [{ path: item.value, at: this.#at(offsetOf(item)) }]
      this.#say('error', isNode(item) ? offsetOf(item) : 0, `${field} are names of files and folders`)
      return []
    })
  }

  #namespace(): string {
    const found = this.#text('namespace')
    if (found === undefined || isDnsLabel(found.text)) return found?.text ?? ''
    this.#say('error', found.offset, `${quote(found.text)} is no valid namespace`)
    return ''
  }

  #text(field: string): { readonly text: string; readonly offset: number } | undefined {
    const node = this.#root?.get(field, true)
    if (!isScalar(node) || node.value === null) return undefined
    return { text: String(node.value), offset: offsetOf(node) }
  }

  #at(offset: number): At {
    const { line, col } = this.#lines.linePos(offset)
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) }
  }

  #say(severity: ManifestProblem['severity'], offset: number, message: string): void {
    this.problems.push({ severity, ...this.#at(offset), message })
  }
}

const offsetOf = (node: Node): number => node.range?.[0] ?? 0
