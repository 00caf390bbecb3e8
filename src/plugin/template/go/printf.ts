// `printf` (Go package fmt): %v %s %q %d %x %X %o %O %b %c %U %t %T with flags, width and precision, `*` and `[n]`.
// What does not fit is written into the text as Go writes it: `%!d(string=hi)`, `%!s(MISSING)`, `%!(EXTRA int=1)`.

import { isList, RenderFault, typeOf, type Value, valueText } from './value.ts'

/** Characters of one formatted value. */
const WIDTH_MAX = 10_000

const DIRECTIVE =
  /%(?<flags>[-+# 0]*)(?:\[(?<from>\d+)\])?(?<width>\*|\d+)?(?:\.(?<precision>\*|\d*))?(?:\[(?<index>\d+)\])?(?<verb>.?)/gsu

/** How one value is written. */
interface Format {
  readonly flags: string
  readonly width: number
  /** Undefined where none is given. */
  readonly precision: number | undefined
  readonly verb: string
}

/** Writes `args` into the format. Throws a RenderFault for a width beyond WIDTH_MAX. */
export function printf(format: string, args: readonly Value[]): string {
  let next = 0
  let indexed = false
  const take = (): { value: Value } | undefined => (next < args.length ? { value: args[next++] } : undefined)
  const text = format.replace(DIRECTIVE, (...match) => {
    const { flags, from, width, precision, index, verb } = match.at(-1) as Record<string, string | undefined>
    const jump = (to: string | undefined): void => {
      if (to === undefined) return
      next = Number(to) - 1
      indexed = true
    }
    jump(from)
    const widthNumber = numberOf(width, take)
    const precisionNumber = precision === undefined ? undefined : numberOf(precision, take)
    jump(index)
    if (verb === '') return '%!(NOVERB)'
    if (verb === '%') return '%'
    if (next < 0 || ((from ?? index) !== undefined && next >= args.length)) return `%!${verb}(BADINDEX)`
    const taken = take()
    if (taken === undefined) return `%!${verb}(MISSING)`
    const left = widthNumber < 0 ? `${flags}-` : flags!
    return write(
      { flags: left, width: Math.abs(widthNumber), precision: precisionNumber, verb: verb! },
      taken.value,
    )
  })
  if (indexed || next >= args.length) return text
  const extra = args
    .slice(next)
    .map(value => (value === undefined ? '<nil>' : `${typeOf(value)}=${valueText(value)}`))
  return `${text}%!(EXTRA ${extra.join(', ')})`
}

function numberOf(written: string | undefined, take: () => { value: Value } | undefined): number {
  const given = written === '*' ? take()?.value : BigInt(written || 0)
  const number = typeof given === 'bigint' ? Number(given) : 0
  if (Math.abs(number) > WIDTH_MAX) throw new RenderFault(`a width of more than ${WIDTH_MAX} characters`)
  return number
}

function write(format: Format, value: Value): string {
  const { verb } = format
  if (verb === 'T') return pad(typeOf(value), format, false)
  if (isList(value)) return `[${value.map(item => write(format, item)).join(' ')}]`
  const text = verb === 'v' ? plain(format, value) : byVerb(format, value)
  return text ?? `%!${verb}(${value === undefined ? '<nil>' : `${typeOf(value)}=${valueText(value)}`})`
}

/** `%v`: each kind of value in its own verb. */
function plain(format: Format, value: Value): string {
  if (typeof value === 'bigint') return integer({ ...format, verb: 'd' }, value)!
  return pad(valueText(value), format, false)
}

/** Undefined where the verb is not one for such a value. */
function byVerb(format: Format, value: Value): string | undefined {
  switch (typeof value) {
    case 'string':
      return text(format, value)
    case 'bigint':
      return integer(format, value)
    case 'boolean':
      return format.verb === 't' ? pad(String(value), format, false) : undefined
    default:
      return format.verb === 's' && value !== undefined ? pad(valueText(value), format, false) : undefined
  }
}

function text(format: Format, value: string): string | undefined {
  const { verb, precision, flags } = format
  const cut = precision === undefined ? value : [...value].slice(0, precision).join('')
  if (verb === 's') return pad(cut, format, false)
  if (verb === 'q') return pad(JSON.stringify(cut), format, false)
  if (verb !== 'x' && verb !== 'X') return undefined
  const octets = Buffer.from(value, 'utf8').subarray(0, precision)
  const hex = [...octets].map(octet => octet.toString(16).padStart(2, '0'))
  const mark = flags.includes('#') ? '0x' : ''
  const joined = flags.includes(' ') ? hex.map(pair => mark + pair).join(' ') : mark + hex.join('')
  return pad(verb === 'X' ? joined.toUpperCase() : joined, format, false)
}

const BASES: Readonly<Record<string, { readonly base: number; readonly mark: string }>> = {
  d: { base: 10, mark: '' },
  x: { base: 16, mark: '0x' },
  X: { base: 16, mark: '0X' },
  o: { base: 8, mark: '0' },
  O: { base: 8, mark: '' },
  b: { base: 2, mark: '0b' },
}

function integer(format: Format, value: bigint): string | undefined {
  const { verb, flags, precision } = format
  if (verb === 'c') return pad(character(value), format, false)
  if (verb === 'q') return pad(`'${character(value)}'`, format, false)
  if (verb === 'U') return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, format, false)
  const known = BASES[verb]
  if (known === undefined) return undefined
  const magnitude = (value < 0n ? -value : value).toString(known.base).padStart(precision ?? 0, '0')
  const digits = verb === 'X' ? magnitude.toUpperCase() : magnitude
  const mark = verb === 'O' ? '0o' : flags.includes('#') ? known.mark : ''
  return signed(value < 0n, mark + digits, format, precision === undefined)
}

const character = (code: bigint): string =>
  code >= 0n && code <= 0x10ffffn ? String.fromCodePoint(Number(code)) : '\ufffd'

/** Sign before digits; zeros of a width stand between them. */
function signed(negative: boolean, digits: string, format: Format, zeros: boolean): string {
  const { flags, width } = format
  const sign = negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  if (zeros && flags.includes('0') && !flags.includes('-'))
    return sign + digits.padStart(width - sign.length, '0')
  return pad(sign + digits, format, true)
}

function pad(text: string, { flags, width }: Format, number: boolean): string {
  const missing = Math.max(0, width - [...text].length)
  if (flags.includes('-')) return text + ' '.repeat(missing)
  return (flags.includes('0') && !number ? '0' : ' ').repeat(missing) + text
}
