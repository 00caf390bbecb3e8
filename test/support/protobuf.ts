// Writes protocol buffers as an API server does, by the table that Seamark reads them by: the counterpart for tests. Numbers of
// fields are proven by octets of a real API server (watch/protobuf.test.ts) and by the end-to-end tests.

import { fieldAt, isJson } from '../../src/objects/field.ts'
import { type FieldType, type Message, message } from '../../src/watch/protobuf.ts'
import { MESSAGES } from '../../src/watch/protobuf-objects.ts'

const MAGIC = Buffer.from('k8s\0')

/** A number that is not negative, seven bits an octet. */
function varint(number: number): Buffer {
  const octets: number[] = []
  for (let left = number; ; left = Math.floor(left / 128)) {
    octets.push(left > 127 ? (left % 128) + 128 : left)
    if (left <= 127) return Buffer.from(octets)
  }
}

/** A field of octets. */
export const octetsField = (number: number, octets: Uint8Array): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(octets.length), octets])

const textField = (number: number, text: string): Buffer => octetsField(number, Buffer.from(text))

function write(number: number, type: FieldType, value: unknown): Buffer {
  if (typeof value === 'string')
    return type === 'text' || type === 'span' ? textField(number, value) : Buffer.alloc(0)
  if (typeof value === 'number')
    return type === 'integer' ? Buffer.concat([varint(number * 8), varint(value)]) : Buffer.alloc(0)
  if (typeof value === 'boolean')
    return type === 'boolean' ? Buffer.from([number * 8, Number(value)]) : Buffer.alloc(0)
  if (!isJson(value)) return Buffer.alloc(0)
  if (typeof type === 'object') return octetsField(number, encode(value, type))
  if (type !== 'map') return Buffer.alloc(0)
  const entries = Object.entries(value).map(([key, text]) =>
    octetsField(number, Buffer.concat([textField(1, key), textField(2, String(text))])),
  )
  return Buffer.concat(entries)
}

const META = message({ 1: ['name', 'text'], 3: ['namespace', 'text'], 6: ['resourceVersion', 'text'] })
const LIST = message({
  1: ['metadata', message({ 2: ['resourceVersion', 'text'], 3: ['continue', 'text'] })],
  2: ['items', message({ 1: ['metadata', META] }), 'repeated'],
})

/** A list of metadata in protocol buffers. */
export function encodeList(list: object): Buffer {
  const kind = String(fieldAt(list, 'kind'))
  return Buffer.concat([
    MAGIC,
    octetsField(1, textField(2, kind)),
    octetsField(2, encode(list, LIST)),
    octetsField(3, new Uint8Array(0)),
    textField(4, ''),
  ])
}

/** The fields of an object that the table names; those of another type are left out. */
export function encode(object: unknown, fields: Message): Buffer {
  const parts = fields.flatMap((field, number) => {
    if (!field) return []
    const value = fieldAt(object, field.key)
    const values = field.repeated && Array.isArray(value) ? value : [value]
    return values.map(one => write(number, field.type, one))
  })
  return Buffer.concat(parts)
}

/** One event of a watch, behind its length; `object` are the octets of an object of that kind. */
export function framed(type: string, kind: string, object: Uint8Array): Buffer {
  const unknown = Buffer.concat([MAGIC, octetsField(1, textField(2, kind)), octetsField(2, object)])
  const event = Buffer.concat([textField(1, type), octetsField(2, octetsField(1, unknown))])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(event.length)
  return Buffer.concat([length, event])
}

/** The same for an object as JSON has it. */
export function encodeEvent(type: string, object: unknown): Buffer {
  const kind = String(fieldAt(object, 'kind'))
  return framed(type, kind, encode(object, MESSAGES.get(kind) ?? []))
}
