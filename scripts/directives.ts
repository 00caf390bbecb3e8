// Writes what is said about directives from the words themselves (src/corefile/doc.ts): config/README.md, and the table
// in README.md between its two marks. `npm run docs`; test/plugin/docs.test.ts fails while a file is not as written here.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LineDoc, WordDoc } from '../src/corefile/doc.ts'
import { DIRECTIVE_WORDS } from '../src/corefile/words.ts'
import { SERVED_WORDS, servedWord } from '../src/plugin/registry.ts'

const ROOT = join(import.meta.dirname, '..')
const BEGIN = '<!-- directives: written by `npm run docs` -->'
const END = '<!-- end of directives -->'

/** The files to be written, by their path from the project's root. */
export function documents(): ReadonlyMap<string, string> {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [before, rest] = [readme.slice(0, readme.indexOf(BEGIN)), readme.slice(readme.indexOf(END))]
  if (!readme.includes(BEGIN) || !readme.includes(END))
    throw new Error(`README.md has no ${BEGIN} and ${END}`)
  return new Map([
    ['README.md', `${before}${BEGIN}\n${overview()}${rest}`],
    ['config/README.md', reference()],
  ])
}

const row = (...cells: readonly string[]): string =>
  `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`

const code = (text: string): string => `\`${text}\``

/** Every directive of CoreDNS with what becomes of it here. */
function overview(): string {
  const rows = DIRECTIVE_WORDS.map(({ word, instead, notOffered }) => {
    const served = servedWord(word)
    if (served) return row(code(word), 'served', served.doc.meaning)
    if (instead !== undefined) return row(code(word), 'accepted, with a warning', `instead: ${instead}`)
    return row(code(word), 'refused', `instead: ${notOffered}`)
  })
  return `\n${row('directive', '', '')}${row('---', '---', '---')}${rows.join('')}\n`
}

/** All served directives with their options. */
function reference(): string {
  const head = `# Directives

Written from the source by \`npm run docs\`. \`seamark check\` quotes the same lines beside a mistake. [Corefile](Corefile)
and [examples](examples) are what \`npm start\` serves, [kubernetes](kubernetes) is what runs in a cluster.

Durations are written as \`500ms\`, \`30s\`, \`1m30s\`; a file's name is relative to the Corefile.
`
  return head + SERVED_WORDS.map(word => section(word, servedWord(word)!.doc)).join('')
}

function section(word: string, doc: WordDoc): string {
  const facts = [sentence(doc.meaning), ...limits(doc).map(sentence), ...(doc.notes ?? [])].join(' ')
  const options = doc.options.map(option =>
    row(code(option.usage), option.meaning, option.default ?? '', option.range ?? ''),
  )
  const table =
    options.length === 0
      ? ''
      : `\n${row('option', 'meaning', 'default', 'range')}${row('---', '---', '---', '---')}${options.join('')}`
  return `\n## ${word}\n\n    ${doc.usage}\n\n${facts}\n${table}`
}

const limits = (doc: LineDoc): string[] => [
  ...(doc.default === undefined ? [] : [`default: ${doc.default}`]),
  ...(doc.range === undefined ? [] : [`range: ${doc.range}`]),
]

const sentence = (phrase: string): string => `${phrase[0]!.toUpperCase()}${phrase.slice(1)}.`

if (import.meta.main) for (const [file, text] of documents()) writeFileSync(join(ROOT, file), text)
