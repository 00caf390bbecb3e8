// What a person reads about the command line, out of the table of commands: `seamark --help`, `seamark COMMAND --help`, and the
// manual page seamark(1), which `npm run docs` writes to docs/seamark.1.

import type { CommandRow, Option } from './command.ts'
import { COMMANDS, HELP } from './commands.ts'

const WIDTH = 100
const INDENT = 2
/** Options longer than this stand on a line of their own. */
const TERM_MAX = 20
const PURPOSE = "A Kubernetes cluster DNS server that takes CoreDNS's place."

const SERVE = COMMANDS[0]!
const invocation = ({ name }: CommandRow): string => (name === '' ? 'seamark' : `seamark ${name}`)

/** `-dns.port PORT, -p PORT`. */
const termOf = ({ name, also, value }: Option): string =>
  [name, ...(also === undefined ? [] : [also])]
    .map(each => (value === undefined ? `-${each}` : `-${each} ${value}`))
    .join(', ')

const aboutOf = ({ about, values }: Option): string =>
  typeof values === 'object' ? `${about}: ${values.join(', ')}` : about

const usageOf = (row: CommandRow): string =>
  [invocation(row), '[OPTION…]', ...(row.operands === '' ? [] : [row.operands])].join(' ')

/** The help about a command; '' is the server, with the list of the others. */
export function helpAbout(name: string): string {
  const row = COMMANDS.find(each => each.name === name) ?? SERVE
  const others = COMMANDS.filter(each => each.name !== '')
  const parts = [
    ...(row === SERVE ? [wrapped(PURPOSE, 0)] : []),
    usages(row),
    ...(row === SERVE ? [] : [wrapped(`${capital(row.about)}.`, 0)]),
    section(
      'options',
      [...row.options, HELP].map(option => [termOf(option), aboutOf(option)]),
    ),
    ...(row === SERVE
      ? [
          section(
            'commands',
            others.map(each => [each.name, each.about] as const),
          ),
        ]
      : []),
    ...(row.more ?? []).map(text => wrapped(text, 0)),
    section('examples', row.examples, true),
    ...(row === SERVE ? ['seamark COMMAND -help says more about a command.\n'] : []),
  ]
  return parts.join('\n')
}

/** What stands under a mistake: how the command is written, and where more is. */
export const usageAfterMistake = (): string =>
  `${usages(SERVE)}${COMMANDS.filter(({ name }) => name !== '')
    .map(row => `       ${usageOf(row)}\n`)
    .join('')}seamark -help says more\n`

const usages = (row: CommandRow): string => `usage: ${usageOf(row)}\n`

function section(title: string, rows: readonly (readonly [string, string])[], stacked = false): string {
  const lines = rows.map(([term, about]) => {
    if (stacked) return `${' '.repeat(INDENT)}${term}\n${wrapped(about, INDENT * 3)}`
    const column = INDENT + TERM_MAX
    const text = wrapped(about, column)
    const head = `${' '.repeat(INDENT)}${term}`
    return head.length < column - 1 ? `${head.padEnd(column)}${text.slice(column)}` : `${head}\n${text}`
  })
  return `${title}:\n${lines.join('')}`
}

/** Lines of at most WIDTH, each with the margin. */
function wrapped(text: string, margin: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && margin + line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map(each => `${' '.repeat(margin)}${each}\n`).join('')
}

const capital = (phrase: string): string => `${phrase[0]!.toUpperCase()}${phrase.slice(1)}`

/** The manual page, in man(7). */
export function manualPage(version: string): string {
  const lines = [
    `.TH SEAMARK 1 "" "Seamark ${version}" "User Commands"`,
    '.SH NAME',
    `seamark \\- ${roff('a Kubernetes cluster DNS server')}`,
    '.SH SYNOPSIS',
    ...COMMANDS.flatMap((row, i) => [...(i === 0 ? [] : ['.br']), roff(usageOf(row))]),
    '.SH DESCRIPTION',
    roff(PURPOSE),
    ...paragraphs(SERVE),
    '.SH OPTIONS',
    ...options([...SERVE.options, HELP]),
    '.SH COMMANDS',
    ...COMMANDS.filter(row => row !== SERVE).flatMap(row => [
      `.SS ${roff([row.name, row.operands].join(' ').trim())}`,
      roff(`${capital(row.about)}.`),
      ...paragraphs(row),
      ...options(row.options),
    ]),
    '.SH EXIT STATUS',
    ...tagged('0', 'what was asked for is done'),
    ...tagged(
      '1',
      'a wrong command line, a Corefile that cannot be served, or what a command says of itself',
    ),
    ...tagged('2', 'ended at once by a second signal'),
    ...tagged('3', 'the end went wrong'),
    '.SH EXAMPLES',
    ...COMMANDS.flatMap(({ examples }) => examples).flatMap(([line, does]) => tagged(line, does)),
  ]
  return `${lines.join('\n')}\n`
}

const paragraphs = ({ more = [] }: CommandRow): string[] => more.flatMap(text => ['.PP', roff(text)])

const tagged = (term: string, about: string): string[] => [
  '.TP',
  `.B ${roff(term)}`,
  roff(`${capital(about)}.`),
]

const options = (rows: readonly Option[]): string[] =>
  rows.flatMap(option => tagged(termOf(option), aboutOf(option)))

/** Text that roff takes as it is: its escape, dashes as they are typed, no request at the begin of a line. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&')
