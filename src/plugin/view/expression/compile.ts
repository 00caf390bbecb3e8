// HOT: an expression made ready: closures over a packet. No expression loops, so it takes the time that its length says; a
// pattern is RE2 and linear in the text. What most views ask, whether the client is in a network that is written out, looks
// at octets alone.

import type { Packet } from '../../../query/packet.ts'
import { isIn } from '../../../query/sockaddr.ts'
import { parseCidr } from '../../../shared/ip.ts'
import { lazy } from '../../../shared/lazy.ts'
import { Networks } from '../../../shared/networks.ts'
import { functionNamed, isNetwork, type Value } from './functions.ts'
import type { Comparison, Expression } from './syntax.ts'

/** A checked expression at work; undefined where it cannot say. */
export type Evaluate = (packet: Packet) => Value

/** Compiles a checked expression. */
export function compileExpression(expression: Expression): Evaluate {
  switch (expression.kind) {
    case 'literal': {
      const { value } = expression
      return () => value
    }
    case 'list': {
      const items = expression.items.map(compileExpression)
      const isWritten = expression.items.every(({ kind }) => kind === 'literal')
      if (!isWritten) return packet => items.map(item => item(packet))
      const values = expression.items.map(item => (item.kind === 'literal' ? item.value : undefined))
      return () => values
    }
    case 'call':
      return compileCall(expression)
    case 'unary':
      return compileUnary(expression.operator, compileExpression(expression.operand))
    case 'logic': {
      const parts = expression.parts.map(compileExpression)
      const decides = expression.operator === 'or'
      return packet => {
        for (const part of parts) {
          const value = part(packet)
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
      return packet => {
        const value = condition(packet)
        return value === undefined ? undefined : value ? then(packet) : otherwise(packet)
      }
    }
    case 'binary':
      return compileBinary(expression)
  }
}

type Of<K extends Expression['kind']> = Extract<Expression, { readonly kind: K }>

const NOTHING: readonly Value[] = []

function compileCall(call: Of<'call'>): Evaluate {
  const inNetwork = compileClientInNetwork(call)
  if (inNetwork) return inNetwork
  const called = functionNamed(call.name)!
  const args = call.args.map(compileExpression)
  if (args.length === 0) return packet => called.run(packet, NOTHING)
  return packet => {
    const values = args.map(arg => arg(packet))
    return values.includes(undefined) ? undefined : called.run(packet, values)
  }
}

/** `incidr(client_ip(), '10.0.0.0/8')`; undefined for anything else. */
function compileClientInNetwork({ name, args }: Of<'call'>): Evaluate | undefined {
  const [address, network] = args
  if (name !== 'incidr' || address?.kind !== 'call' || address.name !== 'client_ip') return undefined
  if (network?.kind !== 'literal' || !isNetwork(String(network.value))) return undefined
  const networks = new Networks([parseCidr(String(network.value))!])
  return ({ from, fromAt }) => isIn(networks, from, fromAt)
}

function compileUnary(operator: 'not' | '-', operand: Evaluate): Evaluate {
  return packet => {
    const value = operand(packet)
    if (value === undefined) return undefined
    return operator === 'not' ? !value : -(value as number)
  }
}

function compileBinary({ operator, left, right }: Of<'binary'>): Evaluate {
  const [first, second] = [compileExpression(left), compileExpression(right)]
  if (operator === 'matches') {
    const pattern = lazy.re2js.RE2JS.compile(right.kind === 'literal' ? String(right.value) : '')
    return packet => {
      const value = first(packet)
      return typeof value === 'string' ? pattern.matcher(value).find() : undefined
    }
  }
  const apply = OPERATIONS[operator]
  return packet => {
    const [a, b] = [first(packet), second(packet)]
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
