// Matches at work: whether a text is one, and what it becomes. Plain text is compared; patterns take a time that is linear in
// the text whatever they are.

import { compilePattern, type Pattern } from '../../shared/pattern.ts'
import type { Match, Substitution } from './config.ts'

/** What a text becomes; undefined where it does not match. */
export type Renamer = (text: string) => string | undefined

/** Compiles a match; the pattern is known to be good. */
export function compileMatch({ kind, from, anyCase }: Match): (text: string) => boolean {
  switch (kind) {
    case 'exact':
      return text => text === from
    case 'prefix':
      return text => text.startsWith(from)
    case 'suffix':
      return text => text.endsWith(from)
    case 'substring':
      return text => text.includes(from)
    case 'regex': {
      const pattern = compilePattern(from, anyCase)
      return text => pattern.test(text)
    }
  }
}

/** Compiles a substitution; the pattern is known to be good. */
export function compileSubstitution({ kind, from, to, anyCase }: Substitution): Renamer {
  switch (kind) {
    case 'exact':
      return text => (text === from ? to : undefined)
    case 'prefix':
      return text => (text.startsWith(from) ? to + text.slice(from.length) : undefined)
    case 'suffix':
      return text => (text.endsWith(from) ? text.slice(0, text.length - from.length) + to : undefined)
    case 'substring':
      return text => (text.includes(from) ? text.split(from).join(to) : undefined)
    case 'regex':
      return compileRegex(compilePattern(from, anyCase), to)
  }
}

/** Back from `from` to `to`: the name itself and every name below it (CoreDNS's remap). */
export function remap(from: string, to: string): Renamer {
  const below = `.${from}`
  return text => {
    if (text === from) return to
    return text.endsWith(below) ? text.slice(0, text.length - from.length) + to : undefined
  }
}

/** The whole name becomes `to`, whatever part of it matched. */
function compileRegex(pattern: Pattern, to: string): Renamer {
  const parts = templateParts(to, pattern.groupCount)
  return text => {
    const found = pattern.find(text)
    return found && parts.map(part => (typeof part === 'string' ? part : (found[part] ?? ''))).join('')
  }
}

/** Text and numbers of groups in turn; `{9}` of a pattern with fewer groups is text. */
function templateParts(to: string, groups: number): readonly (string | number)[] {
  return to.split(/(\{\d+\})/).map(part => {
    const number = groupNumber(part)
    return number !== undefined && number <= groups ? number : part
  })
}

/** The number in `{1}`; undefined for any other text. Numbers have no leading zeros and go to 100, as in CoreDNS. */
export function groupNumber(part: string): number | undefined {
  const number = /^\{(0|[1-9]\d{0,2})\}$/.exec(part)?.[1]
  return number !== undefined && Number(number) <= 100 ? Number(number) : undefined
}

/** The groups that a replacement names, each once. */
export const groupsUsed = (to: string): ReadonlySet<number> =>
  new Set((to.match(/\{\d+\}/g) ?? []).flatMap(part => groupNumber(part) ?? []))

/** Those of them that a pattern with so many groups does not have, as written. */
export const groupsMissing = (to: string, groups: number): readonly string[] =>
  [...groupsUsed(to)].filter(group => group > groups).map(group => `{${group}}`)
