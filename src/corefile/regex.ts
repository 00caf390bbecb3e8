// Patterns in a Corefile: RE2, as CoreDNS has it, so that no text can make one slow (re2js is linear in the text).

import { lazy } from '../shared/lazy.ts'

/** As CoreDNS bounds it. */
export const REGEX_MAX_CHARACTERS = 10_000

/** Why a text is no pattern (lower case, no full stop); undefined where it is one. */
export function regexProblem(regex: string): string | undefined {
  if (regex.length > REGEX_MAX_CHARACTERS)
    return `a regular expression may have ${REGEX_MAX_CHARACTERS} characters`
  try {
    lazy.re2js.RE2JS.compile(regex)
    return undefined
  } catch (error) {
    return `this is not a regular expression of RE2: ${(error as Error).message}`
  }
}

/** How many groups a good pattern has, the whole match not counted. */
export const regexGroups = (regex: string): number => lazy.re2js.RE2JS.compile(regex).groupCount()
