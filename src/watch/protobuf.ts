// Protocol buffers as the API server sends them (protobuf.dev/programming-guides/encoding): read by a table that names the
// fields wanted, into what JSON.parse would have made of them. All other fields are stepped over unread, and most of an
// object are others: its history of who manages which field, above all.

/** Where octets that are read by somebody else begin and end. */
export type Span = readonly [at: number, end: number]

/** What is made of a field: a string, a number of 32 bits, a boolean, a Span, a map of strings, or an object. */
export type FieldType = 'text' | 'integer' | 'boolean' | 'span' | 'map' | Message

/** One field that is wanted. */
export interface Field {
  readonly key: string
  readonly type: FieldType
  readonly repeated: boolean
}

/** The wanted fields of a message, by number. */
export type Message = readonly (Field | undefined)[]

const WIRE = { VARINT: 0, EIGHT: 1, OCTETS: 2, FOUR: 5 } as const
const VARINT_MAX_OCTETS = 10
/** Below this many octets a string is made of characters one by one, which is faster than asking the decoder. */
const SHORT_TEXT_OCTETS = 16

/** The fields by number: a key, a type, and whether there may be several. */
export function message(
  fields: Readonly<Record<number, readonly [key: string, type: FieldType, repeated?: 'repeated']>>,
): Message {
  const table: (Field | undefined)[] = []
  for (const [number, [key, type, repeated]] of Object.entries(fields))
    table[Number(number)] = { key, type, repeated: repeated !== undefined }
  return Array.from(table)
}

/** Reads octets[at … end) as a message. Throws a RangeError where they are none. */
export function readMessage(octets: Buffer, at: number, end: number, fields: Message): object {
  return new Reader(octets, at).message(end, fields)
}

class Reader {
  readonly #octets: Buffer
  #at: number

  constructor(octets: Buffer, at: number) {
    this.#octets = octets
    this.#at = at
  }

  message(end: number, fields: Message): object {
    const object: Record<string, unknown> = {}
    while (this.#at < end) {
      const tag = this.#varint(end)
      const field = fields[tag >>> 3]
      if (field === undefined) this.#skip(tag & 7, end)
      else if (field.type === 'map') this.#entry(tag, end, object, field.key)
      else {
        const value = this.#value(tag, end, field.type)
        if (!field.repeated) object[field.key] = value
        else {
          const list = object[field.key]
          if (Array.isArray(list)) list.push(value)
          else object[field.key] = [value]
        }
      }
    }
    return object
  }

  #value(tag: number, end: number, type: Exclude<FieldType, 'map'>): unknown {
    if (type === 'integer' || type === 'boolean') {
      if ((tag & 7) !== WIRE.VARINT) throw new RangeError(`field ${tag >>> 3} is no number`)
      const number = this.#varint(end)
      return type === 'boolean' ? number !== 0 : number
    }
    const until = this.#length(tag, end)
    if (type === 'text') return this.#text(until)
    if (type !== 'span') return this.message(until, type)
    const span: Span = [this.#at, until]
    this.#at = until
    return span
  }

  /** One entry of a map: key and value are its fields 1 and 2. An object without a prototype may have any key. */
  #entry(tag: number, end: number, object: Record<string, unknown>, key: string): void {
    const until = this.#length(tag, end)
    let name = ''
    let value = ''
    while (this.#at < until) {
      const part = this.#varint(until)
      if (part >>> 3 === 1) name = this.#text(this.#length(part, until))
      else if (part >>> 3 === 2) value = this.#text(this.#length(part, until))
      else this.#skip(part & 7, until)
    }
    const map: unknown = object[key] ?? Object.create(null)
    object[key] = map
    ;(map as Record<string, string>)[name] = value
  }

  /** Where the octets of a field that begin here end. */
  #length(tag: number, end: number): number {
    if ((tag & 7) !== WIRE.OCTETS) throw new RangeError(`field ${tag >>> 3} has no octets`)
    const length = this.#varint(end)
    if (length < 0 || length > end - this.#at) throw new RangeError(`field ${tag >>> 3} is cut off`)
    return this.#at + length
  }

  #text(end: number): string {
    const octets = this.#octets
    const from = this.#at
    this.#at = end
    if (end - from > SHORT_TEXT_OCTETS) return octets.toString('utf8', from, end)
    let text = ''
    for (let at = from; at < end; at++) {
      const octet = octets[at]!
      if (octet >= 0x80) return octets.toString('utf8', from, end)
      text += String.fromCharCode(octet)
    }
    return text
  }

  /** The lower 32 bits, signed. */
  #varint(end: number): number {
    let value = 0
    for (let i = 0; i < VARINT_MAX_OCTETS; i++) {
      if (this.#at >= end) throw new RangeError('a number is cut off')
      const octet = this.#octets[this.#at++]!
      if (i < 5) value |= (octet & 0x7f) << (7 * i)
      if (octet < 0x80) return value
    }
    throw new RangeError(`a number of more than ${VARINT_MAX_OCTETS} octets`)
  }

  #skip(wire: number, end: number): void {
    if (wire === WIRE.VARINT) this.#varint(end)
    else if (wire === WIRE.OCTETS) this.#at = this.#length(wire, end)
    else if (wire === WIRE.EIGHT) this.#at += 8
    else if (wire === WIRE.FOUR) this.#at += 4
    else throw new RangeError(`wire type ${wire} is not used by Kubernetes`)
    if (this.#at > end) throw new RangeError('a number is cut off')
  }
}
