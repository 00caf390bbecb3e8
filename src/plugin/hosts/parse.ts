// Reads the `hosts` directive: its options, and lines of addresses among them.

import { resolve } from 'node:path'
import { type Line, type LineReader, once, readLine } from '../../corefile/arguments.ts'
import type { Token } from '../../corefile/token.ts'
import { isWithinAny, name, parseName } from '../../wire/name.ts'
import type { Word } from '../plugin.ts'
import {
  FILE,
  type HostsConfig,
  type LoadedHosts,
  RELOAD_MIN_MS,
  RELOAD_MS,
  TTL_MAX_SECONDS,
  TTL_SECONDS,
} from './config.ts'
import { type HostsInput, inlineHosts, loadHosts } from './load.ts'
import { ENTRIES_MAX, parseHostAddress } from './table.ts'

/** The configuration of the one directive of a block. */
export const parseHosts: Word<HostsConfig>['parse'] = (directives, problems, block) => {
  const directive = once(directives, problems)
  if (directive === undefined) return undefined
  const file: { token?: Token; loaded?: LoadedHosts | undefined } = {}
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
    if (line.has) {
      file.token = line.token('a file')!
      config.file = resolve(block.directory, file.token.text)
    }
    config.zones = line.zones(block.zones)
    readBlock(line, config)
    const entries = config.inline.reduce((sum, inline) => sum + inline.split(' ').length - 1, 0)
    if (entries > ENTRIES_MAX) line.error(line.word, `more than ${ENTRIES_MAX} names with an address`)
    if (config.fallthroughUnsupported && config.fallthrough.length === 0)
      line.error(line.word, 'fallthrough_unsupported needs fallthrough')
    file.loaded = load(line, file.token, config)
  })
  return file.loaded && { ...config, loaded: file.loaded }
}

/** What the file says, and where it cannot be read the Corefile's lines: it may come later. One that is too large is an error. */
function load(line: Line, token: Token | undefined, input: HostsInput): LoadedHosts | undefined {
  const read = loadHosts(input)
  if ('image' in read) return read
  const at = token ?? line.word
  const found = { found: at.text }
  if (read.tooMuch) return line.error(at, read.problem, found)
  // Nobody named the usual file: where there is none, that is nothing to tell.
  if (token !== undefined) line.problems.warning(token, read.problem, found)
  const inline = inlineHosts(input, read.problem)
  return 'image' in inline ? inline : undefined
}

type Draft = { -readonly [K in keyof Omit<HostsConfig, 'loaded'>]: HostsConfig[K] } & { inline: string[] }

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
