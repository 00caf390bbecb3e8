// Holds the parts of an expression against the types that they take, before any query is asked (expr-lang's checker). What
// can only never be true is told, too: CoreDNS takes such an expression and sends nothing to its server block.

import { SyntaxFault } from '../../../corefile/go-syntax.ts'
import { regexProblem } from '../../../corefile/regex.ts'
import { FUNCTION_NAMES, functionNamed, isNetwork, type ListType, type Type } from './functions.ts'
import type { Expression } from './syntax.ts'

/** Tells of what is surely not meant. */
export type Warn = (at: number, message: string) => void

/** The type of an expression. Throws a SyntaxFault where a part is of another type than the one around it takes. */
export function checkExpression(expression: Expression, warn: Warn): Type {
  return new Checker(warn).typeOf(expression)
}

type Of<K extends Expression['kind']> = Extract<Expression, { readonly kind: K }>

class Checker {
  readonly #warn: Warn

  constructor(warn: Warn) {
    this.#warn = warn
  }

  typeOf(expression: Expression): Type {
    switch (expression.kind) {
      case 'literal':
        return typeOfLiteral(expression.value)
      case 'list':
        return listOf(expression.items.map(item => this.typeOf(item)))
      case 'call':
        return this.#call(expression)
      case 'unary':
        return this.#need(expression.operand, expression.operator === '-' ? 'number' : 'bool')
      case 'logic':
        for (const part of expression.parts) this.#need(part, 'bool')
        return 'bool'
      case 'choice':
        return this.#choice(expression)
      case 'binary':
        return this.#binary(expression)
    }
  }

  #call({ name, args, at }: Of<'call'>): Type {
    const called = functionNamed(name)
    if (called === undefined)
      throw new SyntaxFault(`there is no function ${name}; there are ${FUNCTION_NAMES.join(', ')}`, at)
    if (args.length !== called.args.length)
      throw new SyntaxFault(`${name} takes ${called.args.length} arguments, not ${args.length}`, at)
    args.forEach((arg, i) => {
      const wanted = called.args[i]!
      const type = wanted === 'text or list' ? this.typeOf(arg) : this.#need(arg, wanted)
      if (wanted === 'text or list' && type !== 'string' && !isList(type)) throw mismatch(wanted, type, arg)
    })
    const network = name === 'incidr' ? args[1] : undefined
    if (network?.kind === 'literal' && !isNetwork(String(network.value)))
      this.#warn(network.at, `${network.value} is no network such as 10.0.0.0/8: this is never true`)
    return called.result
  }

  #choice({ condition, then, otherwise, at }: Of<'choice'>): Type {
    this.#need(condition, 'bool')
    const [type, other] = [this.typeOf(then), this.typeOf(otherwise)]
    if (!isSame(type, other))
      throw new SyntaxFault(`one side of ? is ${describe(type)}, the other ${describe(other)}`, at)
    return type
  }

  #binary({ operator, left, right, at }: Of<'binary'>): Type {
    switch (operator) {
      case 'matches':
        return this.#matches(left, right)
      case 'contains':
      case 'startsWith':
      case 'endsWith':
        this.#need(left, 'string')
        this.#need(right, 'string')
        return 'bool'
      case 'in':
        return this.#in(left, right)
    }
    const [type, other] = [this.typeOf(left), this.typeOf(right)]
    const comparable = operator === '==' || operator === '!=' ? !isList(type) : type === 'string'
    if (isSame(type, other)) {
      if (operator === '+' && (type === 'string' || type === 'number')) return type
      if (ARITHMETIC.has(operator) && type === 'number') return type
      if (!ARITHMETIC.has(operator) && (comparable || type === 'number')) return 'bool'
    }
    throw new SyntaxFault(`${operator} does not go between ${describe(type)} and ${describe(other)}`, at)
  }

  #matches(left: Expression, right: Expression): Type {
    this.#need(left, 'string')
    if (right.kind !== 'literal' || typeof right.value !== 'string')
      throw new SyntaxFault('the pattern behind matches must be written out', right.at)
    const problem = regexProblem(right.value)
    if (problem !== undefined) throw new SyntaxFault(problem, right.at)
    return 'bool'
  }

  #in(left: Expression, right: Expression): Type {
    const [type, list] = [this.typeOf(left), this.typeOf(right)]
    if (!isList(list)) throw mismatch('a list', list, right)
    if (isList(type) || (list.of !== 'mixed' && !isSame(type, list.of)))
      throw new SyntaxFault(`${describe(type)} is never in ${describe(list)}`, left.at)
    return 'bool'
  }

  #need(expression: Expression, wanted: Type): Type {
    const type = this.typeOf(expression)
    if (!isSame(type, wanted)) throw mismatch(describe(wanted), type, expression)
    return type
  }
}

const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%'])

const typeOfLiteral = (value: string | number | boolean): Type =>
  typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? 'number' : 'string'

const isList = (type: Type): type is ListType => typeof type === 'object'

/** Nothing is known of the items of an empty list. */
function listOf([first, ...others]: readonly Type[]): ListType {
  return { of: first !== undefined && others.every(type => isSame(type, first)) ? first : 'mixed' }
}

const isSame = (a: Type | 'mixed', b: Type | 'mixed'): boolean =>
  typeof a === 'object' && typeof b === 'object' ? isSame(a.of, b.of) : a === b

const NAMES = { string: 'a text', number: 'a number', bool: 'true or false', mixed: 'a list' } as const

function describe(type: Type): string {
  if (!isList(type)) return NAMES[type]
  return { string: 'a list of texts', number: 'a list of numbers' }[type.of as string] ?? 'a list'
}

const mismatch = (wanted: string, type: Type, { at }: Expression): SyntaxFault =>
  new SyntaxFault(`here must stand ${wanted}, and this is ${describe(type)}`, at)
