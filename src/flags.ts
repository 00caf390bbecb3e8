// Reads the command line by the table of commands: as CoreDNS (docs/coredns.md 2.5) with one or two dashes, and values behind
// `=` or as the next word.

import type { Command, CommandRow, Given, Option } from './command.ts'
import { COMMANDS, HELP } from './commands.ts'

const DEFAULT_PORT = 53

/** All names of options that take a value, in whatever command. */
const VALUED = new Set(
  COMMANDS.flatMap(({ options }) => options)
    .filter(({ value }) => value !== undefined)
    .flatMap(namesOf),
)

/** Reads the arguments behind the program's name. Never throws. */
export function parseFlags(args: readonly string[]): Command {
  const found: { readonly written: string; readonly name: string; readonly value: string }[] = []
  const words: string[] = []
  for (let i = 0; i < args.length; i++) {
    const written = args[i]!
    const [, name, given] = /^--?([a-z][a-z.-]*)(?:=(.*))?$/s.exec(written) ?? []
    if (name === undefined) {
      words.push(written)
      continue
    }
    const value = given ?? (VALUED.has(name) ? args[++i] : 'true')
    if (value === undefined) return wrong(`the flag -${name} needs a value`)
    found.push({ written, name, value })
  }
  const named = COMMANDS.find(({ name }) => name !== '' && name === words[0])
  if (named !== undefined) words.shift()
  const row = named ?? COMMANDS.find(({ sign }) => found.some(({ name }) => name === sign)) ?? COMMANDS[0]!
  const known = new Map([...row.options, HELP].flatMap(option => namesOf(option).map(name => [name, option])))
  const values = new Map<string, string>()
  for (const { written, name, value } of found) {
    const option = known.get(name)
    if (option === undefined) return wrong(unknown(row, written, known))
    const { values: allowed } = option
    if (typeof allowed === 'object' && !allowed.includes(value))
      return wrong(`-${name} ${value}: ${allowed.join(' or ')} is allowed`)
    values.set(option.name, value)
  }
  if (values.has('help')) return { command: 'help', about: row.name }
  const text = (name: string): string => values.get(name) ?? ''
  const portText = values.get('dns.port') ?? String(DEFAULT_PORT)
  const port = Number(portText)
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    return wrong(`the port ${portText} is not a number from 1 to 65535`)
  const given: Given = { words, text, has: name => values.has(name), port }
  const command = row.read(given)
  return typeof command === 'string' ? wrong(command) : command
}

function namesOf({ name, also }: Option): string[] {
  return also === undefined ? [name] : [name, also]
}

function unknown(row: CommandRow, written: string, known: ReadonlyMap<string, Option>): string {
  const of = row.name === '' ? '' : ` of ${row.name}`
  return `unknown flag ${written}${of} (known: ${[...known.keys()].join(', ')})`
}

const wrong = (message: string): Command => ({ command: 'error', message })
