// `hosts [FILE [ZONES…]] { lines of a hosts file; options }`: names and addresses of a hosts file and of lines in the
// Corefile (CoreDNS plugin/hosts).
//
//   hosts /etc/coredns/NodeHosts {     what k3s writes
//     10.0.0.1 gateway.example.org     lines of addresses stand before `fallthrough`
//     ttl 60
//     reload 15s
//     fallthrough
//   }

import { resolve } from 'node:path'
import { type Line, type LineReader, once, readLine } from '../../corefile/arguments.ts'
import { isWithinAny, name, parseName } from '../../wire/name.ts'
import type { Word } from '../plugin.ts'
import type { HostsConfig } from './config.ts'
import { HostsHandler } from './handler.ts'
import { FILE_MAX_OCTETS, fileProblem } from './source.ts'
import { ENTRIES_MAX, parseHostAddress } from './table.ts'

const FILE = '/etc/hosts'
const TTL_SECONDS = 3600
const TTL_MAX_SECONDS = 65_535
const RELOAD_MS = 5000
/** The file is not looked at more often. */
const RELOAD_MIN_MS = 100

/** `hosts`, once in a server block. */
export const hostsWord: Word<HostsConfig> = {
  word: 'hosts',
  doc: {
    usage: 'hosts [FILE [ZONE…]]',
    meaning:
      'answers A, AAAA and PTR from a hosts file, and from lines of that shape in the block, before `fallthrough`; a name may begin with `*.`',
    default: `${FILE}, the server block's zones`,
    range: `${FILE_MAX_OCTETS / 1024 / 1024} MiB, ${ENTRIES_MAX} names with an address`,
    options: [
      {
        usage: 'ttl SECONDS',
        meaning: 'the TTL of all records',
        default: `${TTL_SECONDS}`,
        range: `1 to ${TTL_MAX_SECONDS}`,
      },
      { usage: 'no_reverse', meaning: 'makes no PTR records' },
      {
        usage: 'reload DURATION',
        meaning: 'how often the file is looked at; 0s is never',
        default: `${RELOAD_MS / 1000}s`,
        range: `from ${RELOAD_MIN_MS}ms`,
      },
      {
        usage: 'fallthrough [ZONE…]',
        meaning: 'hands names that are not listed to the next plugin, all or those in the zones',
        default: 'SERVFAIL',
      },
      {
        usage: 'fallthrough_unsupported',
        meaning: 'hands types other than A, AAAA and PTR to the next plugin even where the name is listed',
        range: 'with fallthrough',
      },
    ],
    notes: [
      'A file that cannot be read any more, or has grown beyond the bounds, changes nothing and is logged once.',
      'A listed name counts before a wildcard wherever the two are written; an address that is listed twice is answered once.',
    ],
  },
  parse(directives, problems, block) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    const config: Draft = {
      file: FILE,
      zones: [],
      inline: [],
      ttlSeconds: TTL_SECONDS,
      reverse: true,
      reloadMs: RELOAD_MS,
      fallthrough: [],
      fallthroughUnsupported: false,
    }
    readLine(directive, problems, line => {
      if (line.has) config.file = readFile(line, block.directory)
      config.zones = line.zones(block.zones)
      readBlock(line, config)
      const entries = config.inline.reduce((sum, inline) => sum + inline.split(' ').length - 1, 0)
      if (entries > ENTRIES_MAX) line.error(line.word, `more than ${ENTRIES_MAX} names with an address`)
      if (config.fallthroughUnsupported && config.fallthrough.length === 0)
        line.error(line.word, 'fallthrough_unsupported needs fallthrough')
    })
    return config
  },
  create: (config, context) => new HostsHandler(config, context),
}

type Draft = { -readonly [K in keyof HostsConfig]: HostsConfig[K] } & { inline: string[] }

function readFile(line: Line, directory: string): string {
  const token = line.token('a file')!
  const file = resolve(directory, token.text)
  const problem = fileProblem(file)
  if (problem !== undefined) line.problems.warning(token, problem, { found: token.text })
  return file
}

function readBlock(line: Line, config: Draft): void {
  const readers = optionReaders(config)
  for (const option of line.lines()) {
    const { text } = option.word
    const reader = Object.hasOwn(readers, text) ? readers[text] : undefined
    const inline: LineReader = each => readInline(each, config, Object.keys(readers).sort())
    readLine(option, line.problems, reader ?? inline)
  }
}

const optionReaders = (config: Draft): Readonly<Record<string, LineReader>> => ({
  ttl: option => {
    config.ttlSeconds = option.integer('the TTL in seconds', 1, TTL_MAX_SECONDS) ?? config.ttlSeconds
  },
  no_reverse: () => {
    config.reverse = false
  },
  reload: option => {
    const reloadMs = option.duration('the time between two looks at the file') ?? config.reloadMs
    config.reloadMs = reloadMs === 0 ? 0 : Math.max(RELOAD_MIN_MS, reloadMs)
  },
  fallthrough: option => {
    config.fallthrough = option.zones(['.'])
  },
  fallthrough_unsupported: () => {
    config.fallthroughUnsupported = true
  },
})

/** A line of addresses in the Corefile. CoreDNS passes over what it does not understand; here it is told. */
function readInline(line: Line, config: Draft, allowed: readonly string[]): void {
  const { word, problems } = line
  const names = line.rest()
  const found = word.text
  const isAddress = parseHostAddress(found) !== undefined
  if (config.fallthrough.length > 0) {
    if (isAddress) line.error(word, 'lines of addresses must stand before fallthrough', { found })
    else line.error(word, 'unknown property of hosts', { found, allowed })
    return
  }
  if (!isAddress) {
    problems.warning(word, 'neither an option of hosts nor an address: does nothing', { found, allowed })
    return
  }
  if (names.length === 0) problems.warning(word, 'an address without names does nothing', { found })
  for (const token of names) {
    const parsed = parseName(token.text)
    if (parsed === undefined) problems.warning(token, 'this is no domain name', { found: token.text })
    else if (!isWithinAny(parsed, config.zones.map(name)))
      problems.warning(token, 'this name is in no zone of hosts', { found: token.text })
  }
  config.inline.push([found, ...names.map(({ text }) => text)].join(' '))
}
