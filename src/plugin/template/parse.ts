// Reads the directives (doc.ts; coredns plugin/template/setup.go). Regular expressions and templates are compiled here
// once, so that every mistake in them is told with its place.

import { type Line, type OptionReaders, type RemovedOptions, readLine } from '../../corefile/arguments.ts'
import type { Directive } from '../../corefile/corefile.ts'
import type { Problems } from '../../corefile/problem.ts'
import { placeInside, type Token } from '../../corefile/token.ts'
import { lazy } from '../../shared/lazy.ts'
import { parseRcode, RCODE } from '../../wire/rcode.ts'
import { CLASS, parseClass, parseType, TYPE } from '../../wire/rrtype.ts'
import type { BlockContext } from '../plugin.ts'
import {
  PARTS_MAX,
  RULES_MAX,
  type Section,
  TEXT_MAX_CHARACTERS,
  type TemplateConfig,
  type TemplateRule,
} from './config.ts'
import { unknownFields } from './fields.ts'
import { compileTemplate } from './go/parse.ts'

const REMOVED: RemovedOptions = { upstream: 'targets of CNAME records are looked up by the server itself' }

/** One rule for each directive, in the order of the file. */
export function parseTemplate(
  directives: readonly Directive[],
  problems: Problems,
  block: BlockContext,
): TemplateConfig {
  const rules: TemplateRule[] = []
  for (const directive of directives) {
    if (rules.length === RULES_MAX) {
      problems.error(directive.word, `more than ${RULES_MAX} template directives in this block`)
      break
    }
    readLine(directive, problems, line => rules.push(readRule(line, block)))
  }
  return { rules }
}

/** What the lines of a block have said so far. */
interface Parts {
  readonly regexes: Token[]
  readonly templates: Readonly<Record<Section, Token[]>>
  rcode: number
  extendedError: TemplateRule['extendedError']
  fallthrough: readonly string[] | undefined
}

function readRule(line: Line, block: BlockContext): TemplateRule {
  const qclass = readNumber(line, 'a class such as IN', parseClass, Object.keys(CLASS)) ?? CLASS.IN
  const qtype = readNumber(line, 'a type such as A', parseType, Object.keys(TYPE)) ?? TYPE.ANY
  const zones = line.zones(block.zones)
  const parts: Parts = {
    regexes: [],
    templates: { answer: [], additional: [], authority: [] },
    rcode: RCODE.NOERROR,
    extendedError: undefined,
    fallthrough: undefined,
  }
  line.options(optionReaders(parts), REMOVED)
  const { regexes, templates, rcode, extendedError, fallthrough } = parts
  const groups = new Set(regexes.flatMap(token => readRegex(line, token)))
  const compiled = (section: Section): readonly string[] => {
    for (const token of templates[section]) readTemplate(line, token, groups)
    return templates[section].map(({ text }) => text)
  }
  const records = {
    answer: compiled('answer'),
    additional: compiled('additional'),
    authority: compiled('authority'),
  }
  warn(line, qclass, parts)
  return {
    qclass,
    qtype,
    zones,
    regexes: regexes.map(({ text }) => text),
    records,
    rcode,
    extendedError,
    fallthrough,
  }
}

function optionReaders(parts: Parts): OptionReaders {
  const records = (section: Section) => (option: Line) => {
    parts.templates[section].push(...readParts(option, 'a record', parts.templates[section].length))
  }
  return {
    match: option => {
      parts.regexes.push(...readParts(option, 'a regular expression', parts.regexes.length))
    },
    answer: records('answer'),
    additional: records('additional'),
    authority: records('authority'),
    rcode: option => {
      const rcode = readNumber(option, 'a response code such as NXDOMAIN', parseRcode, Object.keys(RCODE))
      parts.rcode = rcode ?? parts.rcode
    },
    ederror: option => {
      const code = option.integer('the code', 0, 0xffff)
      const text = option.has ? option.text('the reason') : ''
      if (code !== undefined) parts.extendedError = { code, text: text ?? '' }
    },
    fallthrough: option => {
      parts.fallthrough = option.zones(['.'])
    },
  }
}

/** Tells of what CoreDNS takes and never uses either. */
function warn({ word, problems }: Line, qclass: number, { rcode, extendedError, templates }: Parts): void {
  if (qclass !== CLASS.IN && qclass !== CLASS.ANY) {
    problems.warning(
      word,
      'questions of other classes than IN are refused before any plugin; this answers none',
    )
  }
  const says = extendedError !== undefined || Object.values(templates).some(tokens => tokens.length > 0)
  if (rcode === RCODE.SERVFAIL && says) {
    problems.warning(word, 'SERVFAIL is sent without records and without an extended error')
  }
}

function readNumber(
  line: Line,
  what: string,
  parse: (text: string) => number | undefined,
  allowed: readonly string[],
): number | undefined {
  const token = line.token(what)
  if (token === undefined) return undefined
  return parse(token.text) ?? line.error(token, `this is not ${what}`, { found: token.text, allowed })
}

/** The arguments of an option that may stand there more than once; `before` is how many there were. */
function readParts(option: Line, what: string, before: number): readonly Token[] {
  const tokens = option.some(what)
  for (const token of tokens) {
    if (token.text.length <= TEXT_MAX_CHARACTERS) continue
    option.error(token, `${what} may have ${TEXT_MAX_CHARACTERS} characters`, {
      found: token.text.slice(0, 100),
    })
    return []
  }
  if (before + tokens.length <= PARTS_MAX) return tokens
  option.error(option.word, `more than ${PARTS_MAX} arguments of ${option.word.text}`)
  return []
}

/** The names of an expression's groups. */
function readRegex(line: Line, token: Token): readonly string[] {
  try {
    return Object.keys(lazy.re2js.RE2JS.compile(token.text).namedGroups())
  } catch (error) {
    const message = `this is not a regular expression of RE2: ${(error as Error).message}`
    line.error(token, message, { found: token.text.slice(0, 100) })
    return []
  }
}

function readTemplate(line: Line, token: Token, groups: ReadonlySet<string>): void {
  const compiled = compileTemplate(token.text)
  if ('reason' in compiled) {
    const { reason, at } = compiled
    line.error(placeInside(token, at), `this is not a Go template: ${reason}`, {
      found: token.text.slice(at, at + 40),
    })
    return
  }
  for (const { at, found, message } of unknownFields(compiled, groups)) {
    line.problems.warning(placeInside(token, at), message, { found })
  }
}
