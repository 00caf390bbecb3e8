// `view NAME { expr EXPRESSION… }`: a server block for some queries only (CoreDNS plugin/view). Blocks with the same zone
// and port are tried in the order of the file; a query goes to the first whose expressions are all true, or that has no view.
//
//   . {
//     view office {
//       expr incidr(client_ip(), '10.1.0.0/16')
//     }
//     forward . 10.1.0.53
//   }
//   . {
//     forward . 9.9.9.9
//   }

import { type Line, once, readLine } from '../../corefile/arguments.ts'
import { SyntaxFault } from '../../corefile/go-syntax.ts'
import type { Problems } from '../../corefile/problem.ts'
import { placeInside, type Token } from '../../corefile/token.ts'
import type { Query } from '../../query/query.ts'
import type { MaybePromise, Outcome } from '../../query/reply.ts'
import type { Handler, Next, Word } from '../plugin.ts'
import { checkExpression } from './expression/check.ts'
import { compileExpression, type Evaluate } from './expression/compile.ts'
import { FUNCTION_NAMES } from './expression/functions.ts'
import { EXPRESSION_MAX_CHARACTERS, parseExpression } from './expression/parse.ts'
import type { Expression } from './expression/syntax.ts'

/** Expressions of one view. */
const EXPRESSIONS_MAX = 100

/** The configuration of `view`. */
export interface ViewConfig {
  readonly name: string
  /** All must be true. */
  readonly expressions: readonly Expression[]
}

/** `view`, once in a server block. */
export const viewWord = {
  word: 'view',
  doc: {
    usage: 'view NAME',
    meaning:
      'gives the server block only the queries for which all its expressions are true; of several blocks for one zone and port the first that takes a query counts',
    options: [
      {
        usage: 'expr EXPRESSION',
        meaning: `a condition in the language of expr-lang, such as \`incidr(client_ip(), '10.0.0.0/8') || name() endsWith '.example.'\``,
        default: 'every query',
        range: `${EXPRESSION_MAX_CHARACTERS} characters, ${EXPRESSIONS_MAX} lines`,
      },
    ],
    notes: [
      `An expression has texts, numbers, \`true\`, \`false\`, lists, parentheses, \`? :\`, the operators \`== != < > <= >= and && or || not ! in contains startsWith endsWith matches + - * / %\` and the functions ${FUNCTION_NAMES.map(name => `\`${name}\``).join(', ')}; other parts of the language are errors.`,
      'A server block with a view answers every query through its plugins; a block without one keeps its faster way, unless a block with a view for the same zone stands before it.',
    ],
  },
  parse(directives, problems) {
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
  },
  create: config => new ViewHandler(config),
} satisfies Word<ViewConfig>

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

/** The condition of one server block on one serving thread. */
export class ViewHandler implements Handler {
  readonly name: string
  readonly #conditions: readonly Evaluate[]

  constructor({ name, expressions }: ViewConfig) {
    this.name = name
    this.#conditions = expressions.map(compileExpression)
  }

  /** Whether the query is for the server block. What an expression cannot say counts as false. */
  accepts(query: Query): boolean {
    for (const condition of this.#conditions) if (condition(query) !== true) return false
    return true
  }

  annotate({ metadata }: Query): void {
    metadata.set('view/name', this.name)
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    return next(query)
  }
}
