// The functions of templates: Go's own that make sense in records (text/template, "Functions"), and CoreDNS's parseInt.
// `and` and `or`, which need not look at all their arguments, are in render.ts.

import { printf } from './printf.ts'
import {
  isList,
  isMap,
  isTrue,
  RenderFault,
  TEXT_MAX_CHARACTERS,
  typeOf,
  type Value,
  valueText,
} from './value.ts'

interface TemplateFunction {
  readonly argumentsMin: number
  readonly argumentsMax: number
  call(args: readonly Value[]): Value
}

const MANY = Number.POSITIVE_INFINITY

const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  eq: {
    argumentsMin: 2,
    argumentsMax: MANY,
    call: ([first, ...rest]) => rest.some(value => equal(first, value)),
  },
  ge: compared((a, b) => a >= b),
  gt: compared((a, b) => a > b),
  index: { argumentsMin: 1, argumentsMax: MANY, call: ([item, ...indexes]) => indexes.reduce(indexed, item) },
  le: compared((a, b) => a <= b),
  len: { argumentsMin: 1, argumentsMax: 1, call: ([item]) => BigInt(lengthOf(item)) },
  lt: compared((a, b) => a < b),
  ne: { argumentsMin: 2, argumentsMax: 2, call: ([a, b]) => !equal(a, b) },
  not: { argumentsMin: 1, argumentsMax: 1, call: ([value]) => !isTrue(value) },
  parseInt: {
    argumentsMin: 3,
    argumentsMax: 3,
    call: ([text, base, bits]) => parseUnsigned(text, base, bits),
  },
  print: { argumentsMin: 0, argumentsMax: MANY, call: args => print(args) },
  printf: { argumentsMin: 1, argumentsMax: MANY, call: ([format, ...args]) => printf(asText(format), args) },
  println: { argumentsMin: 0, argumentsMax: MANY, call: args => `${args.map(valueText).join(' ')}\n` },
  slice: { argumentsMin: 1, argumentsMax: 3, call: ([item, from, to]) => sliced(item, from, to) },
}

/** Every function that a template may name. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set([...Object.keys(FUNCTIONS), 'and', 'or'])

/** Calls a function other than `and` and `or`. Throws a RenderFault. */
export function callFunction(name: string, args: readonly Value[]): Value {
  const { argumentsMin, argumentsMax, call } = FUNCTIONS[name]!
  if (args.length < argumentsMin || args.length > argumentsMax) {
    throw new RenderFault(`wrong number of args for ${name}: ${args.length}`)
  }
  try {
    const value = call(args)
    if (typeof value !== 'string' || value.length <= TEXT_MAX_CHARACTERS) return value
    throw new RenderFault(`more than ${TEXT_MAX_CHARACTERS} characters`)
  } catch (error) {
    if (error instanceof RenderFault) throw new RenderFault(`error calling ${name}: ${error.message}`)
    throw error
  }
}

function asText(value: Value): string {
  if (typeof value === 'string') return value
  throw new RenderFault(`wrong type for value; expected string; got ${typeOf(value)}`)
}

/** Values of different types cannot be compared, but for one that is not there, which equals no other. */
function equal(a: Value, b: Value): boolean {
  if (a === undefined || b === undefined) return a === b
  if (typeof a !== typeof b)
    throw new RenderFault(`incompatible types for comparison: ${typeOf(a)} and ${typeOf(b)}`)
  if (typeof a === 'object') throw new RenderFault(`non-comparable type ${typeOf(a)}`)
  return a === b
}

function compared(test: (a: string | bigint, b: string | bigint) => boolean): TemplateFunction {
  const ordered = (value: Value): string | bigint => {
    if (typeof value === 'string' || typeof value === 'bigint') return value
    throw new RenderFault('invalid type for comparison')
  }
  const call = ([first, second]: readonly Value[]): boolean => {
    const [a, b] = [ordered(first), ordered(second)]
    if (typeof a === typeof b) return test(a, b)
    throw new RenderFault(`incompatible types for comparison: ${typeOf(a)} and ${typeOf(b)}`)
  }
  return { argumentsMin: 2, argumentsMax: 2, call }
}

function indexed(item: Value, index: Value): Value {
  if (isMap(item)) return item.get(asText(index)) ?? ''
  if (isList(item)) return item[offset(index, item.length - 1)]
  if (typeof item === 'string') return BigInt(Buffer.from(item)[offset(index, Buffer.byteLength(item) - 1)]!)
  throw new RenderFault(
    item === undefined ? 'index of untyped nil' : `can't index item of type ${typeOf(item)}`,
  )
}

function sliced(item: Value, from: Value = 0n, to?: Value): Value {
  const whole = typeof item === 'string' ? Buffer.from(item) : item
  if (!Buffer.isBuffer(whole) && !isList(whole))
    throw new RenderFault(`can't slice item of type ${typeOf(item)}`)
  const end = to === undefined ? whole.length : offset(to, whole.length)
  const start = offset(from, end)
  return Buffer.isBuffer(whole) ? whole.toString('utf8', start, end) : whole.slice(start, end)
}

function offset(index: Value, max: number): number {
  if (typeof index !== 'bigint') throw new RenderFault(`cannot index slice/array with type ${typeOf(index)}`)
  if (index < 0n || index > BigInt(max)) throw new RenderFault(`index out of range: ${index}`)
  return Number(index)
}

function lengthOf(item: Value): number {
  if (typeof item === 'string') return Buffer.byteLength(item)
  if (isList(item)) return item.length
  if (isMap(item)) return item.size
  throw new RenderFault(`len of type ${typeOf(item)}`)
}

/** fmt.Sprint: a blank between two values of which neither is text. */
function print(args: readonly Value[]): string {
  return args.reduce<string>((text, value, i) => {
    const blank = i > 0 && typeof value !== 'string' && typeof args[i - 1] !== 'string'
    return text + (blank ? ' ' : '') + valueText(value)
  }, '')
}

const INTEGER_BITS_MAX = 64n
const PREFIXES: Readonly<Record<string, bigint>> = { '0x': 16n, '0o': 8n, '0b': 2n }

/** Go's strconv.ParseUint: base 2 to 36, or 0 for what the text's prefix says; bits 0 are 64. */
function parseUnsigned(value: Value, base: Value, bits: Value): bigint {
  const text = asText(value)
  if (typeof base !== 'bigint' || typeof bits !== 'bigint')
    throw new RenderFault('base and bit size are integers')
  const fail = (reason: string): never => {
    throw new RenderFault(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${reason}`)
  }
  if (base !== 0n && (base < 2n || base > 36n)) return fail(`invalid base ${base}`)
  if (bits < 0n || bits > INTEGER_BITS_MAX) return fail(`invalid bit size ${bits}`)
  const prefix = base === 0n ? text.slice(0, 2).toLowerCase() : ''
  const named = PREFIXES[prefix]
  const octal = base === 0n && named === undefined && /^0./.test(text)
  const radix = base === 0n ? (named ?? (octal ? 8n : 10n)) : base
  const digits = named === undefined ? text : text.slice(2)
  const bound = 2n ** (bits === 0n ? INTEGER_BITS_MAX : bits)
  let result = 0n
  for (const digit of base === 0n ? digits.replaceAll('_', '') : digits) {
    const number = /^[\da-z]$/i.test(digit) ? Number.parseInt(digit, 36) : Number.NaN
    if (!(number < Number(radix))) return fail('invalid syntax')
    result = result * radix + BigInt(number)
    if (result >= bound) return fail('value out of range')
  }
  return digits === '' ? fail('invalid syntax') : result
}
