// Rules that are surely not meant as they are written. A warning changes nothing: the rule works as in CoreDNS.

import type { Problems } from '../../corefile/problem.ts'
import { regexGroups } from '../../corefile/regex.ts'
import { placeText, type Token } from '../../corefile/token.ts'
import type { BlockContext } from '../plugin.ts'
import type { Match, Rule } from './config.ts'
import { compileMatch, groupsMissing, groupsUsed } from './match.ts'
import { endingOf, type Part, readParts } from './shape.ts'
import { nameOf } from './text.ts'
import type { Written, WrittenRule } from './written.ts'

/** Rules before one that it is held against; of more, the first ones. */
const STOPS_MAX = 1000

/** Last labels that nobody means a pattern's free character before. */
const WELL_KNOWN =
  /^(?:com|org|net|edu|gov|io|dev|app|cloud|local|svc|arpa|internal|intern|lan|home|corp|consul|test|example|localhost)$/

/** Warns about the rules of one block. */
export function warnOfSlips(rules: readonly WrittenRule[], problems: Problems, block: BlockContext): void {
  warnOfShadows(rules, problems)
  for (const written of rules) {
    const { rule, word, substitutions } = written
    if (rule.field === 'name') warnOfName(written, problems)
    if (rule.field === 'edns0' && rule.data?.kind === 'metadata' && !block.words.has('metadata'))
      problems.warning(
        word,
        'without the directive metadata no label has a value, and this rule does nothing',
      )
    for (const each of substitutions) warnOfSubstitution(each, problems)
    const question = written.from ?? substitutions[0]?.from
    const match = matchOf(rule)
    if (match?.kind === 'regex' && question !== undefined && block.words.has('kubernetes'))
      warnOfLooseEnd(match, question, problems)
    if (match !== undefined && written.from !== undefined) warnOfPattern(match, written.from, problems)
  }
}

/** What a rule holds the question's name against. */
const matchOf = (rule: Rule): Match | undefined =>
  rule.field === 'name'
    ? rule.substitution
    : rule.field === 'ttl' || rule.field === 'rcode'
      ? rule.match
      : undefined

function warnOfShadows(rules: readonly WrittenRule[], problems: Problems): void {
  let stops: WrittenRule[] = []
  for (const written of rules) {
    const { rule, word } = written
    const stop = stops.find(earlier => takesAll(earlier.rule, rule))
    if (stop !== undefined) {
      const message = `this rule is never reached: the one at ${placeText(stop.word)} takes its queries and stops; begin that one with continue`
      problems.warning(word, message)
    }
    if (rule.stop && stops.length < STOPS_MAX) stops.push(written)
    // Behind a changed question nothing is known.
    if (!rule.stop && ['name', 'type', 'class'].includes(rule.field)) stops = []
  }
}

/** Whether `rule` applies to every query that `later` could apply to. */
function takesAll(rule: Rule, later: Rule): boolean {
  if (rule.field === 'cname') return true
  if (rule.field === 'edns0')
    return (
      rule.action === 'unset' ||
      (rule.action === 'set' && (rule.data?.kind === 'octets' || rule.data?.kind === 'nsid'))
    )
  if (rule.field === 'type' || rule.field === 'class')
    return later.field === rule.field && later.from === rule.from
  const [match, other] = [matchOf(rule), matchOf(later)]
  return match !== undefined && other !== undefined && includesMatch(match, other)
}

/** Whether every name that matches `narrow` matches `wide`; false where that cannot be seen. */
function includesMatch(wide: Match, narrow: Match): boolean {
  if (wide.kind === narrow.kind && wide.from === narrow.from) return true
  if (wide.kind === 'regex' || narrow.kind === 'regex') return false
  const comparable = narrow.kind === 'exact' || wide.kind === narrow.kind || wide.kind === 'substring'
  return comparable && wide.kind !== 'exact' && compileMatch(wide)(narrow.from)
}

function warnOfName({ rule, word, substitutions }: WrittenRule, problems: Problems): void {
  if (rule.field !== 'name') return
  const { substitution, from, to } = substitutions[0]!
  const { kind } = substitution
  const renames = rule.auto || rule.answers.some(({ part }) => part === 'name')
  if (!renames && substitution.from !== substitution.to) {
    const message =
      'replies keep the name that was asked behind this rule, and many clients discard answers for another name than theirs; add `answer auto` (only exact rules turn replies back by themselves)'
    problems.warning(word, message)
  }
  if (kind === 'exact' && nameOf(substitution.from) === undefined)
    problems.warning(from, 'this is no domain name: the rule never applies', { found: from.text })
  if (kind === 'exact' && nameOf(substitution.to) === undefined)
    problems.warning(to, 'this is no domain name: the rule makes SERVFAIL of every query', { found: to.text })
  if (kind === 'suffix') warnOfSuffix(substitutions[0]!, problems)
  for (const answer of substitutions.slice(1)) {
    if (answer.from.text === 'auto')
      problems.warning(answer.from, '`auto` is taken for a pattern here: write `answer auto`, without name')
  }
}

function warnOfSuffix({ substitution: { from, to }, to: token }: Written, problems: Problems): void {
  const [fromDot, toDot] = [from.startsWith('.'), to.startsWith('.')]
  if (fromDot && !toDot && !to.startsWith('-'))
    problems.warning(token, 'FROM begins with a dot and TO does not: the label before is glued to TO')
  if (!fromDot && toDot && to !== '.')
    problems.warning(
      token,
      'TO begins with a dot and FROM does not: the new name has two dots, which is SERVFAIL',
    )
}

function warnOfSubstitution({ substitution, from, to }: Written, problems: Problems): void {
  if (substitution.kind !== 'regex') {
    if (groupsUsed(to.text).size > 0)
      problems.warning(to, 'groups have a meaning for regex only; here the braces are text', {
        found: to.text,
      })
    const ofTarget = !substitution.from.endsWith('.')
    if (substitution.kind === 'suffix' && ofTarget)
      problems.warning(from, 'this never matches: a name ends with a dot', { found: from.text })
    return
  }
  warnOfPattern(substitution, from, problems)
  const [missing] = groupsMissing(to.text, regexGroups(substitution.from))
  if (missing !== undefined) problems.warning(to, `the pattern has no group ${missing}: the braces are text`)
  const groups = takesFinalDot(substitution.from)
  if (groups !== undefined && to.text.replace(/\.$/, '').endsWith(`{${groups}}`)) {
    const message = `group ${groups} takes the name's final dot, and TO gets a second one, which is SERVFAIL: let the pattern end with (.*)\\.`
    problems.warning(to, message, { found: to.text })
  }
}

function warnOfPattern({ kind, from, anyCase }: Match, token: Token, problems: Problems): void {
  const parts = kind === 'regex' ? readParts(from) : undefined
  if (parts === undefined) return
  const ending = endingOf(from)
  if (ending?.anchored && ending.text !== '' && !ending.text.endsWith('.'))
    problems.warning(token, 'this never matches: a name ends with a dot; write `\\.$` at the end', {
      found: from,
    })
  if (!anyCase && parts.some((part, at) => isMandatoryUpperCase(part, parts[at + 1])))
    problems.warning(token, 'this never matches: names are compared in lower case', { found: from })
  const label = labelBehindFreeDot(parts)
  if (label !== undefined)
    problems.warning(token, `the dot before ${label} stands for any character: write \`\\.\``, {
      found: from,
    })
}

/** A pattern that means the end of a name and does not say so also matches names with a search domain behind it. */
function warnOfLooseEnd({ from }: Match, token: Token, problems: Problems): void {
  const ending = endingOf(from)
  if (ending === undefined || ending.anchored || !/[^.]\.[^.]/.test(ending.text)) return
  const message =
    'this is not anchored: it also matches the same name with a search domain behind it, such as Pods ask first; let it end with `\\.$`'
  problems.warning(token, message, { found: from })
}

const isMandatoryUpperCase = (part: Part, next: Part | undefined): boolean =>
  part.kind === 'text' && part.depth === 0 && /[A-Z]/.test(part.text) && next?.kind !== 'repeat'

/** The well-known label that a free character stands before, where a dot was meant. */
function labelBehindFreeDot(parts: readonly Part[]): string | undefined {
  for (const [at, part] of parts.entries()) {
    const before = parts[at - 1]?.kind
    if (part.kind !== 'any' || before === undefined || before === 'start' || before === 'any') continue
    let label = ''
    let end = at + 1
    while (parts[end]?.kind === 'text' && /[a-z]/.test(parts[end]!.text)) label += parts[end++]!.text
    const behind = parts[end]
    const ends = behind === undefined || ['any', 'end', 'close'].includes(behind.kind) || behind.text === '.'
    if (ends && WELL_KNOWN.test(label)) return label
  }
  return undefined
}

/** The number of the group that ends the pattern with `.*` or `.+` and so takes all that is left of the name. */
function takesFinalDot(pattern: string): number | undefined {
  const all = readParts(pattern)
  if (all === undefined) return undefined
  const parts = all.at(-1)?.kind === 'end' ? all.slice(0, -1) : all
  const [any, repeat, close] = parts.slice(-3)
  if (any?.kind !== 'any' || !['*', '+'].includes(repeat?.text ?? '') || close?.kind !== 'close')
    return undefined
  const open = parts.findLastIndex(({ kind, depth }) => kind === 'open' && depth === close.depth)
  if (close.depth !== 0 || parts[open]?.text !== '(') return undefined
  return parts.slice(0, open + 1).filter(({ text, kind }) => kind === 'open' && text === '(').length
}
