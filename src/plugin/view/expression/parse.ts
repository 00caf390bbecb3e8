// Reads an expression of `view` (the language is expr-lang's, as much of it as Corefiles use):
//
//   choice   =  binary [ ? choice : choice ]
//   binary   =  unary { operator unary }, by how tightly each operator binds (syntax.ts)
//   unary    =  ( not | - ) unary | literal | function "(" arguments ")" | "[" items "]" | "(" choice ")"

import { SyntaxFault } from '../../../corefile/go-syntax.ts'
import {
  BINARY,
  type BinaryOperator,
  type Comparison,
  type Expression,
  type Logic,
  NEGATABLE,
  UNARY,
  type UnaryOperator,
} from './syntax.ts'
import { type ExpressionToken, tokenizeExpression } from './token.ts'

/** Characters of one expression. */
export const EXPRESSION_MAX_CHARACTERS = 16_384
/** Parentheses, lists, calls and signs inside one another, and operators in a row that each take what was before. */
const DEPTH_MAX = 100

/** Reads an expression. Throws a SyntaxFault. */
export function parseExpression(text: string): Expression {
  if (text.length > EXPRESSION_MAX_CHARACTERS)
    throw new SyntaxFault(`an expression may have ${EXPRESSION_MAX_CHARACTERS} characters`, 0)
  return new Parser(tokenizeExpression(text)).whole()
}

class Parser {
  readonly #tokens: readonly ExpressionToken[]
  #next = 0
  #depth = 0

  constructor(tokens: readonly ExpressionToken[]) {
    this.#tokens = tokens
  }

  whole(): Expression {
    const expression = this.#choice()
    if (this.#peek.kind !== 'end') throw unexpected(this.#peek)
    return expression
  }

  get #peek(): ExpressionToken {
    return this.#tokens[this.#next]!
  }

  #choice(): Expression {
    const condition = this.#binary(0)
    if (!this.#takes('?')) return condition
    const { at } = condition
    return this.#deeper(at, () => {
      const then = this.#choice()
      this.#expect(':')
      return { kind: 'choice', at, condition, then, otherwise: this.#choice() }
    })
  }

  #binary(tightness: number): Expression {
    let left = this.#unary()
    for (let links = 0; ; links++) {
      const start = this.#next
      const not = this.#takes('not') ? this.#tokens[start]! : undefined
      const { kind, text, at } = this.#peek
      const binds = kind === 'operator' && isBinary(text) ? BINARY[text] : -1
      if (not && binds >= 0 && !NEGATABLE.has(text))
        throw new SyntaxFault(`not cannot stand before ${text}`, not.at)
      if (binds < tightness) {
        this.#next = start
        return left
      }
      this.#next++
      const right = this.#binary(binds + 1)
      if (isLogic(text)) {
        left = joined(text, left, right, at)
        continue
      }
      if (links === DEPTH_MAX) throw tooDeep(at)
      left = { kind: 'binary', at, operator: text as Comparison, left, right }
      if (not) left = { kind: 'unary', at: not.at, operator: 'not', operand: left }
    }
  }

  #unary(): Expression {
    const { kind, text, at } = this.#peek
    return this.#deeper(at, () => {
      if (kind === 'operator' && isUnary(text)) {
        this.#next++
        return { kind: 'unary', at, operator: text, operand: this.#binary(UNARY[text]) }
      }
      return this.#operand()
    })
  }

  #operand(): Expression {
    const { kind, text, at } = this.#peek
    this.#next++
    if (kind === 'string') return { kind: 'literal', at, value: text }
    if (kind === 'number') return { kind: 'literal', at, value: numberOf(text, at) }
    if (kind === 'name') return this.#name(text, at)
    if (text === '(') {
      const inside = this.#choice()
      this.#expect(')')
      return inside
    }
    if (text === '[') return { kind: 'list', at, items: this.#items(']') }
    throw unexpected({ kind, text, at })
  }

  #name(name: string, at: number): Expression {
    if (name === 'true' || name === 'false') return { kind: 'literal', at, value: name === 'true' }
    if (!this.#takes('(')) {
      const reason = `${name} is no value: texts stand in single quotes, functions have parentheses`
      throw new SyntaxFault(reason, at)
    }
    return { kind: 'call', at, name, args: this.#items(')') }
  }

  /** Expressions with commas between them, up to what closes them. */
  #items(close: ')' | ']'): readonly Expression[] {
    const items: Expression[] = []
    while (!this.#takes(close)) {
      if (items.length > 0) this.#expect(',')
      // A comma may stand behind the last item of a list.
      if (items.length > 0 && close === ']' && this.#takes(close)) break
      items.push(this.#choice())
    }
    return items
  }

  #deeper(at: number, read: () => Expression): Expression {
    if (this.#depth === DEPTH_MAX) throw tooDeep(at)
    this.#depth++
    const expression = read()
    this.#depth--
    return expression
  }

  #takes(text: string): boolean {
    const { kind } = this.#peek
    if (kind !== 'operator' || this.#peek.text !== text) return false
    this.#next++
    return true
  }

  #expect(text: string): void {
    if (this.#takes(text)) return
    throw new SyntaxFault(`${text} is missing`, this.#peek.at)
  }
}

const unexpected = ({ kind, text, at }: ExpressionToken): SyntaxFault => {
  if (kind === 'end') return new SyntaxFault('a value is missing', at)
  const why = kind === 'other' ? 'is not offered in an expression' : 'means nothing here'
  return new SyntaxFault(`${JSON.stringify(text)} ${why}`, at)
}

const tooDeep = (at: number): SyntaxFault =>
  new SyntaxFault(`more than ${DEPTH_MAX} levels inside one another`, at)

/** `a and b` and, behind it, `c`: one of three parts. */
function joined(operator: Logic, left: Expression, right: Expression, at: number): Expression {
  const before = left.kind === 'logic' && left.operator === operator ? left.parts : [left]
  return { kind: 'logic', at: before.length > 1 ? left.at : at, operator, parts: [...before, right] }
}

const isLogic = (text: string): text is Logic => text === 'and' || text === 'or'
const isBinary = (text: string): text is BinaryOperator => Object.hasOwn(BINARY, text)
const isUnary = (text: string): text is UnaryOperator => Object.hasOwn(UNARY, text)

function numberOf(text: string, at: number): number {
  const value = Number(text)
  if (!Number.isFinite(value)) throw new SyntaxFault('this is not a number', at)
  return value
}
