// Reads the `log` directives of a block.

import { type Line, readLine } from '../../corefile/arguments.ts'
import type { Problems } from '../../corefile/problem.ts'
import type { Token } from '../../corefile/token.ts'
import { parseName } from '../../wire/name.ts'
import type { Word } from '../plugin.ts'
import { REPLY_CLASSES, type ReplyClass } from './classify.ts'
import { type LogConfig, type LogRule, RULES_MAX } from './config.ts'
import { COMMON_FORMAT, expandFormat } from './format.ts'

/** Rules in the order of the file: the first that covers a name decides. */
export const parseLog: Word<LogConfig>['parse'] = (directives, problems) => {
  const rules: LogRule[] = []
  for (const directive of directives) {
    readLine(directive, problems, line => rules.push(...readRules(line, problems)))
    if (rules.length <= RULES_MAX) continue
    problems.error(directive.word, `more than ${RULES_MAX} names in the log directives of this block`)
    break
  }
  return { rules }
}

function readRules(line: Line, problems: Problems): readonly LogRule[] {
  const { names, format } = readArguments([...line.rest()], problems)
  const classes: ReplyClass[] = []
  line.options({
    class: option => {
      if (!option.has) option.error(option.word, 'class needs a class', { allowed: REPLY_CLASSES })
      while (option.has) {
        const chosen = option.choice('a class', REPLY_CLASSES)
        if (chosen !== undefined) classes.push(chosen)
      }
    },
  })
  return names.map(name => ({ name, format, classes: classes.length > 0 ? classes : ['all'] }))
}

/** NAMES and FORMAT: the last argument is a format when it has a brace. */
function readArguments(args: Token[], problems: Problems): { names: readonly string[]; format: string } {
  const last = args.at(-1)
  let format = COMMON_FORMAT
  if (last?.text.includes('{')) {
    format = expandFormat(last.text)
    args.pop()
    if (args.length === 0) {
      const message =
        'CoreDNS takes a format without a name before it for a name and logs nothing; write `log . FORMAT`'
      problems.warning(last, message, { found: last.text })
    }
  }
  for (const token of args) {
    if (parseName(token.text) === undefined)
      problems.error(token, 'this is no domain name', { found: token.text })
  }
  return { names: args.length > 0 ? args.map(({ text }) => text) : ['.'], format }
}
