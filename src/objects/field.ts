// Reading untyped JSON safely: what an API server or a file holds may have any shape, and a key may be called
// `__proto__` or `constructor`. Every function gives a value of the type it names, never throws, and looks at own
// properties only.

/** A plain JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** Where a value stands inside its object: keys and list indexes from the root. */
export type Path = readonly (string | number)[]

/** Whether the value is a JSON object (not null, not a list). */
export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The own property of an object, or undefined where there is none or the value is no object. */
export function field(value: unknown, key: string): unknown {
  return isJson(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** The value found by following own properties. */
export function fieldAt(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce(field, value)
}

/** The text at the end of the keys, or '' for anything that is no string. */
export function textAt(value: unknown, ...keys: readonly string[]): string {
  const found = fieldAt(value, ...keys)
  return typeof found === 'string' ? found : ''
}

/** The list at the end of the keys, or an empty one. */
export function listAt(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = fieldAt(value, ...keys)
  return Array.isArray(found) ? found : []
}

/** The string values of an object (labels, annotations) as a Map; other values are left out. */
export function textMapAt(value: unknown, ...keys: readonly string[]): Map<string, string> {
  const found = fieldAt(value, ...keys)
  const entries = isJson(found) ? Object.entries(found) : []
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** metadata.labels. */
export const labelsOf = (raw: unknown): Map<string, string> => textMapAt(raw, 'metadata', 'labels')

/** metadata.creationTimestamp in ms since 1970, 0 where there is none. */
export function createdMsOf(raw: unknown): number {
  const seconds = fieldAt(raw, 'metadata', 'creationTimestamp', 'seconds')
  const created =
    typeof seconds === 'number' ? seconds * 1000 : Date.parse(textAt(raw, 'metadata', 'creationTimestamp'))
  return Number.isNaN(created) ? 0 : created
}

/** A value as it is shown in a message, cut to a readable length. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? 'nothing')
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
