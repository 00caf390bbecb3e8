// The parameters of SVCB and HTTPS records in presentation form (RFC 9460 2.1 and appendix A, RFC 9461): KEY or KEY=VALUE.
//
//   alpn=h2,h3 port=8443 ipv4hint=192.0.2.1 mandatory=alpn key65280="any octets"

import { parseIp } from '../../shared/ip.ts'
import { type Reader, readString } from './cursor.ts'
import { readIpv6, unsigned } from './field.ts'

/** RFC 9460 14.3.2 and the registry behind it. */
const KEYS: Readonly<Record<string, number>> = {
  mandatory: 0,
  alpn: 1,
  'no-default-alpn': 2,
  port: 3,
  ipv4hint: 4,
  ech: 5,
  ipv6hint: 6,
  dohpath: 7,
  ohttp: 8,
}

/** Everything left as parameters, in the order of their keys. */
export const serviceParameters: Reader = cursor => {
  const parameters = new Map<number, Uint8Array>()
  while (cursor.has) {
    const { text } = cursor.peek()!
    cursor.take('a parameter')
    const equals = text.indexOf('=')
    const word = equals < 0 ? text : text.slice(0, equals)
    const key = keyNumber(word)
    if (key === undefined) return cursor.fail('this is not a key of a service parameter')
    if (parameters.has(key)) return cursor.fail('this key is given twice')
    const octets = readValue(key, equals < 0 ? undefined : text.slice(equals + 1))
    if (octets === undefined || octets.length > 0xffff) return cursor.fail(`this is not a value of ${word}`)
    parameters.set(key, octets)
  }
  if (!hasMandatory(parameters)) return cursor.fail('a mandatory key is missing')
  return write(parameters)
}

function keyNumber(word: string): number | undefined {
  const known = KEYS[word]
  if (known !== undefined) return known
  const number = Number(/^key(0|[1-9]\d{0,4})$/.exec(word)?.[1] ?? Number.NaN)
  return number < 0xffff ? number : undefined
}

/** The value in wire form; undefined where it is none of that key. */
function readValue(key: number, text: string | undefined): Uint8Array | undefined {
  if (key === KEYS['no-default-alpn'] || key === KEYS.ohttp) {
    return text === undefined ? new Uint8Array(0) : undefined
  }
  if (text === undefined) return key > KEYS.ohttp! ? new Uint8Array(0) : undefined
  const octets = readString(text)
  if (octets === undefined) return undefined
  const read = VALUES[key]
  return read ? read(octets) : octets
}

const VALUES: Readonly<Record<number, (octets: Uint8Array) => Uint8Array | undefined>> = {
  0: octets => {
    const keys = list(octets)?.map(keyNumber)
    if (!keys || keys.includes(undefined) || keys.includes(0) || new Set(keys).size < keys.length)
      return undefined
    return Buffer.concat((keys as number[]).sort((a, b) => a - b).map(key => unsigned(key, 2)))
  },
  1: octets =>
    each(octets, id =>
      id.length > 255 ? undefined : Uint8Array.of(id.length, ...Buffer.from(id, 'latin1')),
    ),
  3: octets => {
    const text = latin1(octets)
    return /^\d{1,5}$/.test(text) && Number(text) <= 0xffff ? unsigned(Number(text), 2) : undefined
  },
  4: octets => each(octets, text => (text.includes(':') ? undefined : parseIp(text)?.bytes)),
  5: octets => {
    const text = latin1(octets)
    const ech = Buffer.from(text, 'base64')
    return ech.length > 0 && ech.toString('base64') === text ? ech : undefined
  },
  6: octets => each(octets, readIpv6),
}

const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1')

/** The items of a list, each through `read`, put together. */
function each(octets: Uint8Array, read: (item: string) => Uint8Array | undefined): Uint8Array | undefined {
  const items = list(octets)?.map(read)
  return items?.every(item => item !== undefined) ? Buffer.concat(items) : undefined
}

/** Items between commas; `\,` and `\\` are what they escape (RFC 9460 A.1). An empty item makes the list none. */
function list(octets: Uint8Array): string[] | undefined {
  const items = latin1(octets).match(/(?:\\.|[^,\\])+|,/gs) ?? []
  const good = items.length % 2 === 1 && items.every((item, i) => (item === ',') === (i % 2 === 1))
  return good ? items.filter((_, i) => i % 2 === 0).map(item => item.replace(/\\(.)/gs, '$1')) : undefined
}

function hasMandatory(parameters: ReadonlyMap<number, Uint8Array>): boolean {
  const keys = parameters.get(0) ?? new Uint8Array(0)
  for (let at = 0; at < keys.length; at += 2) {
    if (!parameters.has((keys[at]! << 8) | keys[at + 1]!)) return false
  }
  return true
}

function write(parameters: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const sorted = [...parameters].sort(([a], [b]) => a - b)
  return Buffer.concat(
    sorted.flatMap(([key, octets]) => [unsigned(key, 2), unsigned(octets.length, 2), octets]),
  )
}
