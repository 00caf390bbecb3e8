// Reads the `view` directive; its expressions are parsed by expression/.

import { type Line, once, readLine } from '../../corefile/arguments.ts'
import { SyntaxFault } from '../../corefile/go-syntax.ts'
import type { Problems } from '../../corefile/problem.ts'
import { placeInside, type Token } from '../../corefile/token.ts'
import type { Word } from '../plugin.ts'
import { EXPRESSIONS_MAX, type ViewConfig } from './config.ts'
import { checkExpression } from './expression/check.ts'
import { parseExpression } from './expression/parse.ts'
import type { Expression } from './expression/syntax.ts'

/** The configuration of the one directive of a block. */
export const parseView: Word<ViewConfig>['parse'] = (directives, problems) => {
  const directive = once(directives, problems)
  if (directive === undefined) return undefined
  const expressions: Expression[] = []
  let name: string | undefined
  readLine(directive, problems, line => {
    name = line.text('a name')
    line.options({
      expr: option => {
        const expression = readExpression(option, problems)
        if (expression !== undefined) expressions.push(expression)
        if (expressions.length === EXPRESSIONS_MAX + 1)
          option.error(option.word, `more than ${EXPRESSIONS_MAX} expressions`)
      },
    })
  })
  return name === undefined ? undefined : { name, expressions }
}

/** The words of the line are one expression, with single blanks between them. */
function readExpression(option: Line, problems: Problems): Expression | undefined {
  const words = option.some('an expression')
  if (words.length === 0) return undefined
  const placeAt = (at: number): Token => {
    let from = 0
    for (const word of words) {
      if (at <= from + word.text.length) return placeInside(word, at - from)
      from += word.text.length + 1
    }
    return words.at(-1)!
  }
  try {
    const expression = parseExpression(words.map(({ text }) => text).join(' '))
    const type = checkExpression(expression, (at, message) => problems.warning(placeAt(at), message))
    if (type !== 'bool')
      problems.warning(words[0]!, 'this is neither true nor false: the server block gets no query')
    return expression
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    return option.error(placeAt(error.at), error.message)
  }
}
