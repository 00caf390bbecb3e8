// Reads the directives (doc.ts; coredns plugin/template/setup.go). Regular expressions and templates are compiled here
// once, so that every mistake in them is told with its place.

import { RE2JS } from 're2js'
import { type Line, type RemovedOptions, readLine } from '../../corefile/arguments.ts'
import type { Directive } from '../../corefile/parser.ts'
import type { Problems } from '../../corefile/problem.ts'
import type { Token } from '../../corefile/token.ts'
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

function readRule(line: Line, block: BlockContext): TemplateRule {
  const qclass = readNumber(line, 'a class such as IN', parseClass, Object.keys(CLASS)) ?? CLASS.IN
  const qtype = readNumber(line, 'a type such as A', parseType, Object.keys(TYPE)) ?? TYPE.ANY
  if (qclass !== CLASS.IN && qclass !== CLASS.ANY) {
    const message =
      'questions of other classes than IN are refused before any plugin sees them; this answers none'
    line.problems.warning(line.word, message)
  }
  const zones = line.zones(block.zones)
  const regexes: string[] = []
  const groups = new Set<string>()
  const templates: Record<Section, Token[]> = { answer: [], additional: [], authority: [] }
  let rcode: number = RCODE.NOERROR
  let extendedError: TemplateRule['extendedError']
  let fallthrough: readonly string[] | undefined
  const records = (section: Section) => (option: Line) => {
    templates[section].push(...readParts(option, 'a record', templates[section].length))
  }
  line.options(
    {
      match: option => {
        for (const token of readParts(option, 'a regular expression', regexes.length)) {
          for (const group of readRegex(option, token)) groups.add(group)
          regexes.push(token.text)
        }
      },
      answer: records('answer'),
      additional: records('additional'),
      authority: records('authority'),
      rcode: option => {
        rcode =
          readNumber(option, 'a response code such as NXDOMAIN', parseRcode, Object.keys(RCODE)) ?? rcode
      },
      ederror: option => {
        const code = option.integer('the code', 0, 0xffff)
        const text = option.has ? option.text('the reason') : ''
        if (code !== undefined) extendedError = { code, text: text ?? '' }
      },
      fallthrough: option => {
        fallthrough = option.zones(['.'])
      },
    },
    REMOVED,
  )
  const compiled = (section: Section): readonly string[] =>
    templates[section].map(token => {
      readTemplate(line, token, groups)
      return token.text
    })
  return {
    qclass,
    qtype,
    zones,
    regexes,
    records: {
      answer: compiled('answer'),
      additional: compiled('additional'),
      authority: compiled('authority'),
    },
    rcode,
    extendedError,
    fallthrough,
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

/** The names of the expression's groups. */
function readRegex(option: Line, token: Token): readonly string[] {
  try {
    return Object.keys(RE2JS.compile(token.text).namedGroups())
  } catch (error) {
    const message = `this is not a regular expression of RE2: ${(error as Error).message}`
    option.error(token, message, { found: token.text.slice(0, 100) })
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

/** The place of a character of a word; of a word with variables of the environment its beginning. */
function placeInside(token: Token, at: number): Token {
  if (token.text !== token.written) return token
  const before = token.text.slice(0, at)
  // A quote inside quotes is written with a backslash.
  const written = token.quoted ? before.replaceAll('"', '\\"') : before
  const lastBreak = written.lastIndexOf('\n')
  if (lastBreak < 0) return { ...token, column: token.column + (token.quoted ? 1 : 0) + written.length }
  const line = token.line + written.split('\n').length - 1
  return { ...token, line, column: written.length - lastBreak }
}
