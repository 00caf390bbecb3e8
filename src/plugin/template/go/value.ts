// The values that a template works with, and what Go makes of them: truth, type names, printing.

/** A struct of Go. */
export interface Struct {
  /** `*dns.Question` */
  readonly type: string
  /** How it prints itself. */
  text(): string
  has(field: string): boolean
  /** The value of a field that it has. */
  get(field: string): Value | Method
}

/** A method of a struct that takes one text. */
export type Method = (text: string) => string

/** Integers are bigint; undefined is what a missing key of a map gives. */
export type Value =
  | string
  | bigint
  | boolean
  | undefined
  | readonly Value[]
  | ReadonlyMap<string, string>
  | Struct

/** Characters of a template's text, and of each value on the way to it: more than the longest record needs. */
export const TEXT_MAX_CHARACTERS = 65_536

/** Why a template cannot be rendered for this query. Thrown while rendering, caught by renderTemplate. */
export class RenderFault extends Error {}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

export const isMap = (value: Value): value is ReadonlyMap<string, string> => value instanceof Map

export const isStruct = (value: Value): value is Struct =>
  typeof value === 'object' && !isList(value) && !isMap(value)

/** Go's name of the type. */
export function typeOf(value: Value): string {
  if (isList(value)) return typeof value[0] === 'object' ? '[]dns.Question' : '[]string'
  if (isMap(value)) return 'map[string]string'
  if (isStruct(value)) return value.type
  return { string: 'string', bigint: 'int', boolean: 'bool' }[typeof value as string] ?? '<nil>'
}

/** Whether the value counts as true: nothing that is empty or zero does. */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0
  if (isMap(value)) return value.size > 0
  return isStruct(value) || Boolean(value)
}

/** The value as `%v` prints it. */
export function valueText(value: Value): string {
  if (value === undefined) return '<nil>'
  if (isList(value)) return `[${value.map(valueText).join(' ')}]`
  if (isMap(value))
    return `map[${[...value]
      .sort(byKey)
      .map(([key, text]) => `${key}:${text}`)
      .join(' ')}]`
  if (isStruct(value)) return value.text()
  return String(value)
}

/** Entries of a map by their keys' octets. */
export const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]): number =>
  a < b ? -1 : a > b ? 1 : 0
