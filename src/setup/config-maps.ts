// The Corefiles in the manifests of a cluster's DNS: the key Corefile of a ConfigMap, and the keys *.server and *.override that
// AKS, k3s and others let users add in a second one, which the Corefile imports from its folder `custom`. A key that is written
// as a block (`Corefile: |`) keeps its lines and columns, so that what is wrong is told where it stands in the manifest.

import { dirname, isAbsolute, join } from 'node:path'
import type { Document, LineCounter, Node } from 'yaml'
import { type CorefileHost, matchesPattern, nodeHost } from '../corefile/host.ts'
import type { Problem } from '../corefile/problem.ts'
import { lazy } from '../shared/lazy.ts'
import type { ConfigurationSource } from './configuration.ts'

/** Where a Pod has the ConfigMap, and in it the second one. */
const MOUNTED = '/etc/coredns'
const CUSTOM = 'custom'
const COREFILE_KEY = /^Corefile\b/i
const SERVER_KEY = /\.server$/
const OVERRIDE_KEY = /\.override$/
const LISTS_MAX = 4

/** One Corefile to be judged. */
export interface FoundCorefile extends Omit<ConfigurationSource, 'port'> {
  /** How the summary calls it. */
  readonly title: string
}

/** A key of a ConfigMap. */
interface Key {
  readonly map: string
  readonly key: string
  /** What it holds. */
  readonly text: string
  /** The same with the lines of the manifest around it left empty; undefined where it is written otherwise. */
  readonly inPlace: string | undefined
}

/** Whether a text is a manifest and no Corefile. */
export const isManifest = (text: string): boolean =>
  /^(?:apiVersion|kind|items):\s/m.test(text) || /^\s*\{\s*"/.test(text)

/** What a manifest holds, or why that is no Corefile. */
export type FoundInManifest =
  | { readonly corefiles: readonly FoundCorefile[] }
  | { readonly problems: readonly Problem[] }

/** Looks for Corefiles in a manifest; `file` is the name that its problems have. */
export function findCorefiles(text: string, file: string): FoundInManifest {
  const lines = new lazy.yaml.LineCounter()
  const documents = lazy.yaml.parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  })
  const all: readonly Document.Parsed[] = Array.isArray(documents) ? documents : []
  const broken = all.flatMap(({ errors }) => errors)
  if (broken.length > 0) {
    return {
      problems: broken.map(({ pos, message }) => problemAt(file, lines, pos[0], `broken YAML: ${message}`)),
    }
  }
  const keys = all.flatMap(document =>
    document.contents === null ? [] : keysOf(document.contents, text, lines, 0),
  )
  if (keys.length > 0) return { corefiles: corefilesOf(keys, file) }
  const message = 'no ConfigMap with a key Corefile, *.server or *.override is in this manifest'
  return { problems: [problemAt(file, lines, 0, message)] }
}

function problemAt(file: string, lines: LineCounter, offset: number, message: string): Problem {
  const { line, col } = lines.linePos(offset)
  return { severity: 'error', file, line: Math.max(1, line), column: Math.max(1, col), message }
}

/** The keys of a ConfigMap, or of all in a list. */
function keysOf(node: Node, text: string, lines: LineCounter, depth: number): Key[] {
  const { isMap, isScalar, isSeq } = lazy.yaml
  if (!isMap(node)) return []
  const items = node.get('items', true)
  if (isSeq(items) && depth < LISTS_MAX) {
    return items.items.flatMap(item => (lazy.yaml.isNode(item) ? keysOf(item, text, lines, depth + 1) : []))
  }
  const data = node.get('data', true)
  if (node.get('kind') !== 'ConfigMap' || !isMap(data)) return []
  const map = String(node.getIn(['metadata', 'name']) ?? '')
  return data.items.flatMap(({ key, value }): Key[] => {
    const name = isScalar(key) ? String(key.value) : ''
    const isCorefile = [COREFILE_KEY, SERVER_KEY, OVERRIDE_KEY].some(shape => shape.test(name))
    if (!isCorefile || !isScalar(value) || typeof value.value !== 'string') return []
    return [{ map, key: name, text: value.value, inPlace: inPlace(value, text, lines) }]
  })
}

/** A block scalar as it stands in the manifest. */
function inPlace(
  value: { readonly type?: string; readonly range?: readonly number[] | null },
  text: string,
  lines: LineCounter,
): string | undefined {
  const [start, end] = value.range ?? []
  if (value.type !== 'BLOCK_LITERAL' || start === undefined || end === undefined) return undefined
  const first = lines.linePos(start).line
  const last = lines.linePos(end - 1).line
  return text
    .split('\n')
    .map((line, i) => (i >= first && i < last ? line : ''))
    .join('\n')
}

/** What to judge: each Corefile with all that it imports, and each key that none of them does. */
function corefilesOf(keys: readonly Key[], file: string): FoundCorefile[] {
  const host = hostOf(keys, dirname(file))
  const whole = keys.filter(({ key }) => COREFILE_KEY.test(key))
  const imports = whole.flatMap(({ text }) =>
    [...text.matchAll(/^\s*import\s+(\S+)/gm)].map(([, path = '']) => path),
  )
  const isImported = ({ key }: Key): boolean =>
    imports.some(path => pathsOf(key).some(own => matchesPattern(path, own)))
  const rest = keys.filter(key => !whole.includes(key) && !isImported(key))
  return [...whole, ...rest].map(key => {
    const title = `${file}: ${key.map === '' ? '' : `ConfigMap ${key.map}, `}${key.key}`
    // Directives alone: they are imported into a server block of somebody else's.
    if (OVERRIDE_KEY.test(key.key))
      return { title, file, text: `. {\nimport ${CUSTOM}/${key.key}\n}\n`, host }
    return key.inPlace === undefined
      ? { title, file: title, text: key.text, host }
      : { title, file, text: key.inPlace, host }
  })
}

/** The ways to write where a Pod has a key. */
const pathsOf = (key: string): string[] =>
  [key, `${CUSTOM}/${key}`].flatMap(path => [path, `${MOUNTED}/${path}`])

/** The machine with the keys in the places where a Pod has them, and beside the manifest. */
function hostOf(keys: readonly Key[], directory: string): CorefileHost {
  const files = new Map<string, string>()
  for (const { key, text } of keys)
    for (const path of pathsOf(key)) {
      files.set(isAbsolute(path) ? path : join(directory, path), text)
    }
  return {
    env: nodeHost.env,
    readFile: (path, imported) => files.get(path) ?? nodeHost.readFile(path, imported),
    glob: pattern => {
      const own = [...files.keys()].filter(path => matchesPattern(pattern, path)).sort()
      return own.length > 0 ? own : nodeHost.glob(pattern)
    },
  }
}
