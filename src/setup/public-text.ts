// What strangers may read of a Corefile that is refused: anybody in the cluster can ask for /ready?verbose. Where it is wrong is
// told, and what is wrong where that shows only words of the Corefile itself: not a value of the environment, not a line of an
// imported file, which may hold secrets. The log has all of it.

import type { Corefile, Directive } from '../corefile/corefile.ts'
import type { Environment } from '../corefile/environment.ts'
import { formatProblem, type Problem } from '../corefile/problem.ts'
import { placeText, type Token } from '../corefile/token.ts'

/** A shorter one is no secret, and in half of all texts. */
const SECRET_MIN_CHARACTERS = 4

/** What of a configuration is not to be shown. */
export interface Hidden {
  /** The Corefile itself. */
  readonly file: string
  /** Lines, as FILE:LINE, with a value of the environment. */
  readonly lines: ReadonlySet<string>
  /** The values that were read. */
  readonly values: ReadonlySet<string>
}

/** An environment that notes which values are read. */
export function noting(env: Environment, values: Set<string>): Environment {
  return new Proxy(env, {
    get(target, name) {
      const value = typeof name === 'string' && Object.hasOwn(target, name) ? target[name] : undefined
      if (value) values.add(value)
      return value
    },
  })
}

/** What is to be hidden of a Corefile whose environment was noted. */
export function hiddenOf(
  file: string,
  { blocks }: Pick<Corefile, 'blocks'>,
  values: ReadonlySet<string>,
): Hidden {
  const lines = new Set<string>()
  const look = (token: Token): void => {
    if (token.text !== token.written) lines.add(`${token.file}:${token.line}`)
  }
  const lookInto = ({ word, args, block }: Directive): void => {
    look(word)
    args.forEach(look)
    block?.forEach(lookInto)
  }
  for (const { keys, directives } of blocks) {
    for (const { token } of keys) look(token)
    directives.forEach(lookInto)
  }
  return { file, lines, values }
}

/** A problem for anybody: all of it, or its place. */
export function publicProblem(problem: Problem, hidden: Hidden): string {
  const { file, line, severity } = problem
  const text = formatProblem(problem)
  const isShown = file === hidden.file && !hidden.lines.has(`${file}:${line}`) && !tells(text, hidden)
  return isShown ? text : `${placeText(problem)}: ${severity}: refused; the log says why`
}

/** Another text about a configuration for anybody: its first line, or where to look for it. */
export function publicText(text: string, hidden: Hidden | undefined): string {
  return hidden && tells(text, hidden) ? 'the log says why' : text.split('\n', 1)[0]!
}

/** Whether the text has a value in it, however it is spelled. */
function tells(text: string, { values }: Hidden): boolean {
  const lower = text.toLowerCase()
  for (const value of values)
    if (value.length >= SECRET_MIN_CHARACTERS && lower.includes(value.toLowerCase())) return true
  return false
}
