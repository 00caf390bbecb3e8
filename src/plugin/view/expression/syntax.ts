// The tree of an expression, as data: it crosses from the thread that reads the Corefile to those that serve.

export type Literal = string | number | boolean

/** A node and where it begins in the expression's text, in UTF-16 units. */
export type Expression = { readonly at: number } & (
  | { readonly kind: 'literal'; readonly value: Literal }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  /** `a and b and c`; as many as one likes without nesting. */
  | { readonly kind: 'logic'; readonly operator: Logic; readonly parts: readonly Expression[] }
  | {
      readonly kind: 'binary'
      readonly operator: Comparison
      readonly left: Expression
      readonly right: Expression
    }
  | {
      readonly kind: 'choice'
      readonly condition: Expression
      readonly then: Expression
      readonly otherwise: Expression
    }
)

export type UnaryOperator = 'not' | '-'

/** How tightly each operator binds; all of them from the left. */
export const BINARY = {
  or: 10,
  and: 15,
  '==': 20,
  '!=': 20,
  '<': 20,
  '>': 20,
  '<=': 20,
  '>=': 20,
  in: 20,
  contains: 20,
  startsWith: 20,
  endsWith: 20,
  matches: 20,
  '+': 30,
  '-': 30,
  '*': 60,
  '/': 60,
  '%': 60,
} as const

export type BinaryOperator = keyof typeof BINARY
export type Logic = 'and' | 'or'
/** Every other one: comparisons and arithmetic. */
export type Comparison = Exclude<BinaryOperator, Logic>

/** `not` binds tighter than a comparison: `not a == b` is `(not a) == b`. */
export const UNARY: Readonly<Record<UnaryOperator, number>> = { not: 50, '-': 90 }

/** Operators that `not` may stand before: `a not in b`. */
export const NEGATABLE: ReadonlySet<string> = new Set(['in', 'contains', 'startsWith', 'endsWith', 'matches'])
