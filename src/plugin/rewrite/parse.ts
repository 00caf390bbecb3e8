// Reads the `rewrite` directives of a server block (CoreDNS plugin/rewrite, setup.go and the constructor of each rule). A
// rule stands on the directive's line, or in its block, whose lines are read as one:
//
//   rewrite continue name suffix .a.org .b.org answer auto
//   rewrite stop {
//     name regex (.*)\.a\.org\. {1}.b.org
//     answer name (.*)\.b\.org\. {1}.a.org
//   }
//
// FROM and TO are lower-cased and get a final dot, but for patterns and for what `cname` holds against a part of a target.

import { type Line, readLine } from '../../corefile/arguments.ts'
import type { Problems } from '../../corefile/problem.ts'
import { regexGroups, regexProblem } from '../../corefile/regex.ts'
import { lineText, type Token } from '../../corefile/token.ts'
import { parseRcode, RCODE } from '../../wire/rcode.ts'
import { TTL_MAX_SECONDS } from '../../wire/record.ts'
import { parseClass, parseType } from '../../wire/rrtype.ts'
import type { BlockContext, Word } from '../plugin.ts'
import {
  ANSWERS_MAX,
  type AnswerRule,
  EDNS_RULES_MAX,
  KINDS,
  type Kind,
  type RewriteConfig,
  RULES_MAX,
  TO_MAX_CHARACTERS,
} from './config.ts'
import { groupsMissing, groupsUsed } from './match.ts'
import { readEdns } from './parse-edns0.ts'
import { warnOfSlips } from './slips.ts'
import { readAbsoluteText, readText } from './text.ts'
import type { ReadRule, Written, WrittenRule } from './written.ts'

const FIELDS: Readonly<Record<string, (line: Line, args: readonly Token[]) => ReadRule | undefined>> = {
  class: line => readNumbers(line, 'class', parseClass),
  cname: readCname,
  edns0: readEdns,
  name: readName,
  rcode: readRcode,
  ttl: readTtl,
  type: line => readNumbers(line, 'type', parseType),
}

/** Reads all rules of a block; what is surely a slip is warned about. */
export const parseRewrite: Word<RewriteConfig>['parse'] = (directives, problems, block: BlockContext) => {
  const read: WrittenRule[] = []
  for (const directive of directives) {
    readLine(directive, problems, line => {
      const rule = readRule(line, wordsOf(line), problems)
      if (rule !== undefined) read.push(rule)
    })
    if (read.length <= RULES_MAX) continue
    problems.error(directive.word, `more than ${RULES_MAX} rewrite rules in this block`)
    break
  }
  const edns = read.filter(({ rule }) => rule.field === 'edns0')
  if (edns.length > EDNS_RULES_MAX)
    problems.error(edns[EDNS_RULES_MAX]!.word, `more than ${EDNS_RULES_MAX} edns0 rules in this block`)
  warnOfSlips(read, problems, block)
  return { rules: read.map(({ rule }) => rule) }
}

/** The words of a rule: those on the line, and of a line without a rule those in its block. */
function wordsOf(line: Line): readonly Token[] {
  const words = [...line.rest()]
  if (words.length > 1 || !line.hasBlock) return words
  for (const { word, args, block } of line.lines()) {
    words.push(word, ...args)
    if (block !== undefined) line.error(word, `${word.text} takes no block`)
  }
  return words
}

function readRule(line: Line, words: readonly Token[], problems: Problems): WrittenRule | undefined {
  const mode = words[0]?.text.toLowerCase()
  const hasMode = mode === 'continue' || mode === 'stop'
  const [word, ...args] = hasMode ? words.slice(1) : words
  const allowed = Object.keys(FIELDS)
  if (word === undefined) return line.error(line.word, 'rewrite needs a field', { allowed })
  const field = word.text.toLowerCase()
  if (field === 'answer') return line.error(word, 'an answer rule must stand behind a name rule')
  const reader = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined
  if (reader === undefined)
    return line.error(word, 'this is not a field that rewrite changes', { found: word.text, allowed })
  let read: ReadRule | undefined
  readLine({ word, args, block: undefined }, problems, rest => {
    read = reader(rest, args)
  })
  return (
    read && { ...read, word, rule: { ...read.rule, stop: mode !== 'continue', written: lineText(words) } }
  )
}

/** `FROM TO [answer …]`, or `KIND FROM TO [answer …]`. */
function readName(line: Line, args: readonly Token[]): ReadRule | undefined {
  const kind = args.length > 2 ? readKind(line) : 'exact'
  const written = kind && readSubstitution(line, kind, readAbsoluteText)
  if (written === undefined || !hasGroups(line, written)) return undefined
  const answers = readAnswers(line)
  if (answers === undefined) return undefined
  return {
    rule: {
      field: 'name',
      substitution: written.substitution,
      auto: answers.auto || kind === 'exact',
      answers: answers.rules.map(each => each.substitution),
    },
    substitutions: [written, ...answers.rules],
  }
}

interface Answers {
  readonly auto: boolean
  readonly rules: readonly Written<AnswerRule>[]
}

/** `answer auto`, `answer name FROM TO`, `answer value FROM TO`, in a row; behind the first, `answer` may be left out. */
function readAnswers(line: Line): Answers | undefined {
  const rules: Written<AnswerRule>[] = []
  let auto = false
  for (let first = true; line.has; first = false) {
    if (line.peek === 'answer') line.token('answer')
    else if (first)
      return line.error(line.token('answer')!, 'only answer rules may follow', { allowed: ['answer'] })
    const part = line.choice('an answer rule', ['auto', 'name', 'value'])
    if (part === undefined) return undefined
    if (part === 'auto') {
      auto = true
      continue
    }
    const written = readSubstitution(line, 'regex', readAbsoluteText)
    if (written === undefined || !hasGroups(line, written)) return undefined
    rules.push({ ...written, substitution: { ...written.substitution, part } })
    if (rules.length > ANSWERS_MAX) return line.error(line.word, `more than ${ANSWERS_MAX} answer rules`)
  }
  const named = rules.find(({ substitution }) => substitution.part === 'name')
  if (auto && named !== undefined)
    return line.error(named.from, 'answer auto and answer name exclude each other')
  return { auto, rules }
}

/** `FROM TO`, or `KIND FROM TO`. Parts of a target are compared as they are written, without a final dot supplied. */
function readCname(line: Line, args: readonly Token[]): ReadRule | undefined {
  const kind = args.length > 2 ? readKind(line) : 'exact'
  const written = kind && readSubstitution(line, kind, kind === 'exact' ? readAbsoluteText : readText)
  if (written === undefined) return undefined
  const { substitution, from, to } = written
  for (const token of [from, to]) if (token.text === '') return line.error(token, 'this must not be empty')
  // CoreDNS lower-cases the pattern itself, which makes \S of \s.
  const anyCase = { ...substitution, anyCase: true }
  return {
    rule: { field: 'cname', substitution: anyCase },
    substitutions: [{ substitution: anyCase, from, to }],
  }
}

/** `FROM SECONDS`, or `KIND FROM SECONDS`, where SECONDS is `30`, `30-300`, `-300` or `30-`. */
function readTtl(line: Line, args: readonly Token[]): ReadRule | undefined {
  const kind = args.length > 2 ? readKind(line) : 'exact'
  const written = kind && readFrom(line, kind)
  if (written === undefined) return undefined
  const token = line.token('a TTL')
  if (token === undefined) return undefined
  const [, low = '', dash, high = ''] = /^(\d*)(?:(-)(\d*))?$/.exec(token.text) ?? []
  const minSeconds = Number(low)
  const maxSeconds = dash === undefined ? minSeconds : high === '' ? TTL_MAX_SECONDS : Number(high)
  if (low + high === '' || minSeconds > maxSeconds || maxSeconds > TTL_MAX_SECONDS) {
    const range = `30, 30-300, -300 or 30- within 0 to ${TTL_MAX_SECONDS} seconds`
    return line.error(token, `a TTL is written as ${range}`, { found: token.text })
  }
  return {
    rule: { field: 'ttl', match: written.match, minSeconds, maxSeconds },
    substitutions: [],
    from: written.token,
  }
}

/** `FROM OLD NEW`, or `KIND FROM OLD NEW`. */
function readRcode(line: Line, args: readonly Token[]): ReadRule | undefined {
  const kind = args.length > 3 ? readKind(line) : 'exact'
  const written = kind && readFrom(line, kind)
  const code = (): number | undefined =>
    readNumber(line, 'a response code', text =>
      /^\d+$/.test(text) && Number(text) <= RCODE.BADCOOKIE ? Number(text) : parseRcode(text),
    )
  if (written === undefined) return undefined
  const [from, to] = [code(), code()]
  if (from === undefined || to === undefined) return undefined
  return {
    rule: { field: 'rcode', match: written.match, from, to },
    substitutions: [],
    from: written.token,
  }
}

function readNumbers(
  line: Line,
  field: 'type' | 'class',
  parse: (text: string) => number | undefined,
): ReadRule | undefined {
  const from = readNumber(line, `a ${field}`, parse)
  const to = from === undefined ? undefined : readNumber(line, `a ${field}`, parse)
  return from === undefined || to === undefined ? undefined : { rule: { field, from, to }, substitutions: [] }
}

function readNumber(
  line: Line,
  what: string,
  parse: (text: string) => number | undefined,
): number | undefined {
  const token = line.token(what)
  if (token === undefined) return undefined
  return parse(token.text) ?? line.error(token, `this is not ${what}`, { found: token.text })
}

function readKind(line: Line): Kind | undefined {
  const token = line.token('a way to match')!
  const kind = KINDS.find(each => each === token.text.toLowerCase())
  return kind ?? line.error(token, 'this is not a way to match', { found: token.text, allowed: KINDS })
}

function readFrom(line: Line, kind: Kind, read = readAbsoluteText) {
  const token = line.token('FROM')
  if (token === undefined) return undefined
  if (kind !== 'regex') return { token, match: { kind, from: read(token.text) } }
  const reason = regexProblem(token.text)
  if (reason !== undefined) return line.error(token, reason, { found: token.text.slice(0, 100) })
  return { token, match: { kind, from: token.text } }
}

function readSubstitution(line: Line, kind: Kind, read: (written: string) => string): Written | undefined {
  const written = readFrom(line, kind, read)
  if (written === undefined) return undefined
  const to = line.token('TO')
  if (to === undefined) return undefined
  if (to.text.length > TO_MAX_CHARACTERS) return line.error(to, `TO may have ${TO_MAX_CHARACTERS} characters`)
  return { substitution: { ...written.match, to: read(to.text) }, from: written.token, to }
}

/** Refuses a TO that names more groups than the pattern has, as CoreDNS counts them; slips.ts warns about the rest. */
function hasGroups(line: Line, { substitution: { kind, from }, to }: Written): boolean {
  if (kind !== 'regex' || groupsUsed(to.text).size <= regexGroups(from)) return true
  const missing = groupsMissing(to.text, regexGroups(from))
  if (missing.length === 0) return true
  line.error(to, `the pattern has ${regexGroups(from)} groups`, { found: missing[0]! })
  return false
}
