// Writes what is said about directives, docs/directives.md, from the words themselves (src/corefile/doc.ts) and the Corefile of
// kubeadm that the tests start, and the manual page from the table of commands. `npm run docs`; test/plugin/docs.test.ts fails
// while the files are not as written here.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exampleOf, type LineDoc, type WordDoc } from '../src/corefile/doc.ts'
import { DIRECTIVE_WORDS } from '../src/corefile/words.ts'
import { manualPage } from '../src/help.ts'
import { SERVED_WORDS, servedWord } from '../src/plugin/registry.ts'
import { VERSION } from '../src/shared/version.ts'

const ROOT = join(import.meta.dirname, '..')
const STOCK = join(ROOT, 'test', 'corefiles', 'kubeadm.Corefile')

/** The files to be written, by their path from the project's root. */
export function documents(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/directives.md', `${head()}${overview()}${reference()}`],
    ['docs/seamark.1', manualPage(VERSION)],
  ])
}

const row = (...cells: readonly string[]): string =>
  `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`

const printed = (text: string): string => text.replace(/^(?=.)/gm, '    ')

const code = (text: string): string => `\`${text}\``

/** What holds for every Corefile. */
function head(): string {
  const stock = readFileSync(STOCK, 'utf8').replace(/^#.*\n/gm, '')
  return `# The Corefile and its directives

Written from the source by \`npm run docs\`. The whole language of CoreDNS's Corefile is read: quotes, comments, environment,
snippets, \`import\` with globs, several keys to a block, CIDR keys. The order of plugins is CoreDNS's, whatever the order in the
file. This one, which kubeadm writes, runs as it is:

${printed(stock.trimEnd())}

\`seamark check [--json] [--offline] [FILE]\` (from a checkout \`npm run seamark -- check FILE\`) says everything that is wrong, with
file, line, column and the words allowed, without serving, and warns about what parses and surprises: zones and directives that no
query reaches, loops, a guard with an open door beside it, what a cluster's Corefile lacks. FILE is a Corefile or a manifest, whose
ConfigMaps are read with what they import of one another (keys \`Corefile\`, \`*.server\`, \`*.override\`); \`-\` is standard input. Files
and folders that only the Pod has are errors here: with \`--offline\` they are warnings.

A broken change of the Corefile is refused, and what was served goes on. With \`-last-good FILE\` on a volume (an \`emptyDir\`
outlives a container) that holds across restarts: a Corefile that cannot be served is told in the log, in \`/ready?verbose\` and by
\`seamark_corefile_refused\`, and the configuration before it is served until the Corefile is mended.

Durations are written as \`500ms\`, \`30s\`, \`1m30s\`; a file's name is relative to the Corefile.
`
}

/** Every directive of CoreDNS with what becomes of it here. */
function overview(): string {
  const rows = DIRECTIVE_WORDS.map(({ word, instead, notOffered }) => {
    const served = servedWord(word)
    if (served) return row(`[\`${word}\`](#${word})`, 'served', served.doc.meaning)
    if (instead !== undefined) return row(code(word), 'accepted, with a warning', `instead: ${instead}`)
    return row(code(word), 'refused', `instead: ${notOffered}`)
  })
  return `\n${row('directive', '', '')}${row('---', '---', '---')}${rows.join('')}`
}

/** All served directives with their options. */
const reference = (): string => SERVED_WORDS.map(word => section(word, servedWord(word)!.doc)).join('')

function section(word: string, doc: WordDoc): string {
  const facts = [sentence(doc.meaning), ...limits(doc).map(sentence), ...(doc.notes ?? [])].join(' ')
  const options = doc.options.map(option =>
    row(code(option.usage), option.meaning, option.default ?? '', option.range ?? ''),
  )
  const table =
    options.length === 0
      ? ''
      : `\n${row('option', 'meaning', 'default', 'range')}${row('---', '---', '---', '---')}${options.join('')}`
  return `\n## ${word}\n\n    ${doc.usage}\n\n${facts}\n${table}\n${printed(exampleOf(doc))}`
}

const limits = (doc: LineDoc): string[] => [
  ...(doc.default === undefined ? [] : [`default: ${doc.default}`]),
  ...(doc.range === undefined ? [] : [`range: ${doc.range}`]),
]

const sentence = (phrase: string): string => `${phrase[0]!.toUpperCase()}${phrase.slice(1)}.`

if (import.meta.main) for (const [file, text] of documents()) writeFileSync(join(ROOT, file), text)
