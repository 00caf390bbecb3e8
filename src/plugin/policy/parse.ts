// Reads the `policy` directive, and the files of names that it tells of.

import { resolve } from 'node:path'
import { type Line, once, readLine } from '../../corefile/arguments.ts'
import type { Directive } from '../../corefile/corefile.ts'
import { parseKey } from '../../corefile/key.ts'
import { lineText, type Token } from '../../corefile/token.ts'
import { parseZone } from '../../corefile/zone.ts'
import { EVERY } from '../../objects/selectors.ts'
import { readRegular } from '../../shared/regular-file.ts'
import { type Name, name, parseName } from '../../wire/name.ts'
import { TOS_MAX } from '../forward/config.ts'
import { readTo } from '../forward/to.ts'
import { HOST } from '../kubernetes/client-namespace.ts'
import { verifiesPods } from '../kubernetes/clients.ts'
import type { BlockContext, Word } from '../plugin.ts'
import {
  type NameRule,
  type NamespaceRule,
  type PolicyConfig,
  SUFFIXES_MAX,
  UPSTREAM_RULES_MAX,
  type UpstreamRule,
} from './config.ts'
import { selectorWords } from './selector-words.ts'
import { packSuffixes } from './suffixes.ts'

/** As a hosts file may have. */
const NAMES_FILE_MAX_OCTETS = 64 * 1024 * 1024

/** Of a line that is shown. */
const WRITTEN_WORDS_MAX = 12
const WRITTEN_MAX = 200

type Draft = { -readonly [K in keyof PolicyConfig]: PolicyConfig[K] } & {
  shared: string[]
  namespaces: NamespaceRule[]
  names: readonly NameRule[]
  upstreams: UpstreamRule[]
}

export const parsePolicy: Word<PolicyConfig>['parse'] = (directives, problems, block) => {
  const directive = once(directives, problems)
  if (directive === undefined) return undefined
  const draft: Draft = {
    default: 'allow',
    defaultWritten: lineText([directive.word]),
    shared: [],
    namespaces: [],
    names: [],
    upstreams: [],
    refuses: false,
    objects: false,
    externalZones: externalZones(block),
  }
  let suffixes = 0
  const names = new Map<string, NameLines>()
  readLine(directive, problems, line => {
    line.options({
      default: option => {
        draft.default = option.choice('allow or deny', ['allow', 'deny']) ?? draft.default
        draft.defaultWritten = `${writtenOf(option, [])} ${draft.default}`
      },
      shared: option => {
        draft.shared.push(...selectors(option, option.some('a namespace'), false))
      },
      allow: option => readNamespaces('allow', option, draft),
      deny: option => readNamespaces('deny', option, draft),
      names: option => {
        suffixes += readNames(option, names, block)
        if (suffixes > SUFFIXES_MAX) option.error(option.word, `more than ${SUFFIXES_MAX} names in all lists`)
      },
      upstreams: option => readUpstreams(option, draft, block),
      refuse: () => {
        draft.refuses = true
      },
      objects: () => {
        draft.objects = true
      },
    })
    if (!verifiesPods(block)) {
      const needed = block.words.has('kubernetes')
        ? '`pods verified` in kubernetes'
        : 'kubernetes in this server block'
      line.error(line.word, `policy needs ${needed}: without it nobody knows whose namespace a client is in`)
    }
  })
  draft.names = [...names.values()].map(({ action, from, written, names, lines }) => ({
    action,
    from,
    written,
    suffixes: packSuffixes(names, written.length > 1 ? lines : undefined),
  }))
  return draft
}

/** Lines that do one thing for the same clients, while they are read. */
interface NameLines extends Pick<NameRule, 'action' | 'from'> {
  readonly written: string[]
  readonly names: Name[]
  /** Of each name. */
  readonly lines: number[]
}

/** `from SELECTOR… to SELECTOR…`. */
function readNamespaces(action: NamespaceRule['action'], option: Line, draft: Draft): void {
  const words = option.some('from SELECTOR… to SELECTOR…')
  const to = words.findIndex(({ text }) => text === 'to')
  if (words[0]?.text !== 'from' || to < 2 || to === words.length - 1) {
    option.error(words[0] ?? option.word, `write ${action} from SELECTOR… to SELECTOR…`)
    return
  }
  draft.namespaces.push({
    action,
    written: writtenOf(option, words),
    from: selectors(option, words.slice(1, to), true),
    to: selectors(option, words.slice(to + 1), false),
  })
}

/** `from SELECTOR… to ADDRESS…`: addresses alone, as files and host names would have to be followed for each of them. */
function readUpstreams(option: Line, draft: Draft, block: BlockContext): void {
  const words = option.some('from SELECTOR… to ADDRESS…')
  const at = words.findIndex(({ text }) => text === 'to')
  if (words[0]?.text !== 'from' || at < 2 || at === words.length - 1) {
    option.error(words[0] ?? option.word, 'write upstreams from SELECTOR… to ADDRESS…')
    return
  }
  const to = words.slice(at + 1).flatMap(token => {
    const read = readTo(token, option, undefined, block.directory)
    if (read === undefined || read.kind === 'address') return read ?? []
    option.error(token, 'upstreams of a namespace are addresses', { found: token.text })
    return []
  })
  if (to.length > TOS_MAX) option.error(words[at]!, `more than ${TOS_MAX} upstreams`)
  if (draft.upstreams.length >= UPSTREAM_RULES_MAX)
    option.error(option.word, `more than ${UPSTREAM_RULES_MAX} lines of upstreams`)
  if (!block.words.has('forward'))
    option.error(option.word, 'upstreams need forward in this server block, whose place they take')
  draft.upstreams.push({
    written: writtenOf(option, words),
    from: selectors(option, words.slice(1, at), true),
    to,
  })
}

/** A line as it is shown to whoever runs the server, of a long one the beginning. */
function writtenOf({ word }: Line, words: readonly Token[]): string {
  const text = lineText([word, ...words.slice(0, WRITTEN_WORDS_MAX)])
  return words.length > WRITTEN_WORDS_MAX || text.length > WRITTEN_MAX
    ? `${text.slice(0, WRITTEN_MAX)} …`
    : text
}

/** `from SELECTOR… allow|block NAME…`, or `file FILE…` in place of names; returns how many names. */
function readNames(option: Line, known: Map<string, NameLines>, { directory }: BlockContext): number {
  const words = option.some('from SELECTOR… allow|block NAME…')
  const at = words.findIndex(({ text }) => text === 'allow' || text === 'block')
  if (words[0]?.text !== 'from' || at < 2 || at === words.length - 1) {
    option.error(words[0] ?? option.word, 'write names from SELECTOR… allow|block NAME… or file FILE…')
    return 0
  }
  const action = words[at]!.text as NameRule['action']
  const rest = words.slice(at + 1)
  const found =
    rest[0]!.text === 'file'
      ? rest.slice(1).flatMap(token => readFile(token, option, directory))
      : rest.flatMap(token => readSuffix(token, option))
  if (rest.length === 1 && rest[0]!.text === 'file') option.error(rest[0]!, 'file needs a file')
  const from = selectors(option, words.slice(1, at), true)
  const key = JSON.stringify([action, from])
  const same = known.get(key) ?? { action, from, written: [], names: [], lines: [] }
  known.set(key, same)
  const line = same.written.push(writtenOf(option, words)) - 1
  for (const name of found) {
    same.names.push(name)
    same.lines.push(line)
  }
  return found.length
}

function readSuffix(token: Token, option: Line): Name[] {
  const zone = parseZone(token.text)
  if ('value' in zone) return [name(zone.value)]
  option.error(token, zone.reason, { found: token.text })
  return []
}

/** A name a line, the last word of it so that hosts files do; `#` begins a comment, and what is no name is told. */
function readFile(token: Token, option: Line, directory: string): Name[] {
  let text: string
  try {
    text = readRegular(resolve(directory, token.text), NAMES_FILE_MAX_OCTETS)
  } catch (error) {
    option.unreadable(token, 'no list of names', error)
    return []
  }
  const names: Name[] = []
  let wrong = ''
  for (const line of text.split('\n')) {
    const word = line.replace(/#.*/, '').trim().split(/\s+/).at(-1) ?? ''
    if (word === '') continue
    const found = parseName(word.endsWith('.') ? word : `${word}.`)
    if (found) names.push(found)
    else wrong ||= word
  }
  if (wrong !== '') option.problems.warning(token, 'some lines of this file hold no name', { found: wrong })
  return names
}

function selectors(option: Line, tokens: readonly Token[], isOfClients: boolean): string[] {
  const others = isOfClients ? `${EVERY} for everybody, or ${HOST}` : `or ${EVERY} for all`
  return selectorWords(tokens).flatMap(({ token, text, read }) => {
    if (typeof read === 'string' && (isOfClients || read !== HOST)) return [read]
    const problem = typeof read === 'string' ? 'this is no namespace' : read.problem
    option.error(token, `${problem}; write a name (web-*), labels (team=a, !legacy), ${others}`, {
      found: text,
    })
    return []
  })
}

/** The zones of the block's k8s_external, whose names end with a namespace. */
function externalZones({ directives, zones }: BlockContext): string[] {
  return (directives.get('k8s_external') ?? []).flatMap((directive: Directive) => {
    const named = directive.args.flatMap(({ text }) => {
      const key = parseKey(text)
      return 'value' in key ? key.value.zones : []
    })
    return named.length > 0 ? named : [...zones]
  })
}
