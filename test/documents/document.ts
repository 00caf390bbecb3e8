// The documents of the project as tests read them: which there are, their links and headings, the commands that they print, the
// Corefiles that they print. Printed text is what stands four spaces in behind an empty line, or between fences.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')

/** Programs whose lines are commands for the reader. */
const PROGRAMS = [
  'aws',
  'ctr',
  'curl',
  'dig',
  'docker',
  'helm',
  'kops',
  'kubectl',
  'node',
  'npm',
  'npx',
  'oc',
  'podman',
  'seamark',
  'sed',
  'skopeo',
  'sudo',
  'systemctl',
]
const COMMAND = new RegExp(`^(?:\\$ )?((?:[A-Z_]+=\\S+ )*(?:${PROGRAMS.join('|')}) .+)$`)

/** A document and its text. */
export interface Document {
  /** Its path from the project's root. */
  readonly path: string
  readonly text: string
}

/** Every document of the project. */
export const documents: readonly Document[] = globSync('**/*.md', {
  cwd: ROOT,
  exclude: path => /(^|\/)(node_modules|dist|\.tap)$/.test(path),
})
  .sort()
  .map(path => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))

export function documentNamed(path: string): Document {
  const found = documents.find(document => document.path === path)
  if (found === undefined) throw new Error(`there is no document ${path}`)
  return found
}

/** Whether each line is printed text, with its indentation taken off, or undefined. */
function printedLines(text: string): (string | undefined)[] {
  let fenced = false
  let indented = false
  let before = ''
  return text.split('\n').map(line => {
    const fence = line.startsWith('```')
    if (fence) fenced = !fenced
    indented = line === '' ? indented : /^ {4}/.test(line) && (indented || before === '')
    before = line
    if (fence) return undefined
    if (fenced) return line
    return indented && line !== '' ? line.slice(4) : undefined
  })
}

/** What is no printed text, each paragraph on a line. */
function proseOf({ text }: Document): string {
  const printed = printedLines(text)
  const lines = text
    .split('\n')
    .map((line, i) => (printed[i] === undefined && !line.startsWith('```') ? line : ''))
  return lines.join('\n').replace(/(?<=\S)\n *(?=\S)(?!\||[-*#] |\d+\. )/g, ' ')
}

/** The blocks of printed text. */
export function blocksOf({ text }: Document): string[] {
  const blocks: string[][] = [[]]
  for (const line of printedLines(text)) {
    if (line === undefined) blocks.push([])
    else blocks.at(-1)!.push(line)
  }
  return blocks.filter(lines => lines.length > 0).map(lines => `${lines.join('\n')}\n`)
}

/** The commands of a document: lines of its blocks, those that end in a bar with the next, and what it quotes in its prose. */
export function commandsOf(document: Document): string[] {
  const lines = blocksOf(document).flatMap(block => block.replace(/ \|\n\s*/g, ' | ').split('\n'))
  const quoted = [...proseOf(document).matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
  return [...lines.map(line => line.trim()), ...quoted]
    .map(line => COMMAND.exec(line)?.[1]?.replace(/\s+#.*$/, ''))
    .filter(command => command !== undefined)
}

/** The section under a heading of the second level, as a document of its own; undefined where there is none. */
export function sectionOf({ path, text }: Document, heading: string): Document | undefined {
  const found = text.split(/^(?=## )/m).find(section => section.startsWith(`## ${heading}\n`))
  return found === undefined ? undefined : { path, text: found }
}

/** The commands that a document prints in blocks of their own, and not in its prose. */
export const printedCommandsOf = ({ path, text }: Document): string[] =>
  blocksOf({ path, text }).flatMap(block => commandsOf({ path, text: `\n\n${block.replace(/^/gm, '    ')}` }))

/** A link in a document. */
export interface Link {
  readonly text: string
  /** The target without its anchor; '' for the document itself. */
  readonly target: string
  readonly anchor: string
}

export function linksOf(document: Document): Link[] {
  return [...proseOf(document).matchAll(/\[([^\]]*)\]\(([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(
    ([, text = '', target = '', anchor = '']) => ({ text, target, anchor }),
  )
}

/** The anchors of a document's headings, as GitHub makes them. */
export const anchorsOf = ({ text }: Document): Set<string> =>
  new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )

/** The Corefiles that a document prints: blocks whose first line ends in ` {` and whose last is a brace. */
export const corefilesOf = (document: Document): string[] =>
  blocksOf(document).filter(block => /^\S.* \{\n[\s\S]*^\}\n$/m.test(block))
