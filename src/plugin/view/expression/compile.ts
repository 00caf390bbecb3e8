// An expression made ready: closures over a query. No expression loops, so it takes the time that its length says; a
// pattern is RE2 and linear in the text.

import type { Query } from '../../../query/query.ts'
import { lazy } from '../../../shared/lazy.ts'
import { functionNamed, type Value } from './functions.ts'
import type { Comparison, Expression } from './syntax.ts'

/** A checked expression at work; undefined where it cannot say. */
export type Evaluate = (query: Query) => Value

/** Compiles a checked expression. */
export function compileExpression(expression: Expression): Evaluate {
  switch (expression.kind) {
    case 'literal': {
      const { value } = expression
      return () => value
    }
    case 'list': {
      const items = expression.items.map(compileExpression)
      return query => items.map(item => item(query))
    }
    case 'call': {
      const called = functionNamed(expression.name)!
      const args = expression.args.map(compileExpression)
      return query => {
        const values = args.map(arg => arg(query))
        return values.includes(undefined) ? undefined : called.run(query, values)
      }
    }
    case 'unary':
      return compileUnary(expression.operator, compileExpression(expression.operand))
    case 'logic': {
      const parts = expression.parts.map(compileExpression)
      const decides = expression.operator === 'or'
      return query => {
        for (const part of parts) {
          const value = part(query)
          if (value === undefined || value === decides) return value
        }
        return !decides
      }
    }
    case 'choice': {
      const [condition, then, otherwise] = [
        compileExpression(expression.condition),
        compileExpression(expression.then),
        compileExpression(expression.otherwise),
      ]
      return query => {
        const value = condition(query)
        return value === undefined ? undefined : value ? then(query) : otherwise(query)
      }
    }
    case 'binary':
      return compileBinary(expression)
  }
}

function compileUnary(operator: 'not' | '-', operand: Evaluate): Evaluate {
  return query => {
    const value = operand(query)
    if (value === undefined) return undefined
    return operator === 'not' ? !value : -(value as number)
  }
}

function compileBinary({ operator, left, right }: Extract<Expression, { kind: 'binary' }>): Evaluate {
  const [first, second] = [compileExpression(left), compileExpression(right)]
  if (operator === 'matches') {
    const pattern = lazy.re2js.RE2JS.compile(right.kind === 'literal' ? String(right.value) : '')
    return query => {
      const value = first(query)
      return typeof value === 'string' ? pattern.matcher(value).find() : undefined
    }
  }
  const apply = OPERATIONS[operator]
  return query => {
    const [a, b] = [first(query), second(query)]
    return a === undefined || b === undefined ? undefined : apply(a as never, b as never)
  }
}

type Operation = (a: never, b: never) => Value

const ofTexts = (apply: (a: string, b: string) => Value): Operation => apply as Operation
const ofNumbers = (apply: (a: number, b: number) => Value): Operation => apply as Operation

/** Both sides are known, and of the types that check.ts wants; `+` joins texts, too. */
const OPERATIONS: Readonly<Record<Exclude<Comparison, 'matches'>, Operation>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
  in: (item, list) => (list as readonly Value[]).includes(item),
  contains: ofTexts((a, b) => a.includes(b)),
  startsWith: ofTexts((a, b) => a.startsWith(b)),
  endsWith: ofTexts((a, b) => a.endsWith(b)),
  '+': ofNumbers((a, b) => a + b),
  '-': ofNumbers((a, b) => a - b),
  '*': ofNumbers((a, b) => a * b),
  '/': ofNumbers((a, b) => (b === 0 ? undefined : a / b)),
  '%': ofNumbers((a, b) => (b === 0 ? undefined : a % b)),
}
