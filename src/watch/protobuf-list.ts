// The body of a list in protocol buffers, taken apart while it comes in. Of every object nothing is read but its name,
// namespace and version, which is a tenth of its octets, and that at the same place in all kinds:
//
//   "k8s" 00 Unknown   1 typeMeta   2 raw: the list   1 metadata (2 resourceVersion)   2 items   1 metadata …

import { ApiError, messageOf } from './api-error.ts'
import { EVENT_MAX_OCTETS } from './line-splitter.ts'
import { message, readMessage } from './protobuf.ts'

/** What is read of an object. */
export interface NamedVersion {
  readonly metadata?: {
    readonly name?: string
    readonly namespace?: string
    readonly resourceVersion?: string
  }
}

const ITEM = message({
  1: ['metadata', message({ 1: ['name', 'text'], 3: ['namespace', 'text'], 6: ['resourceVersion', 'text'] })],
})
const LIST_META = message({ 2: ['resourceVersion', 'text'] })
const MAGIC = Buffer.from('k8s\0')
const FIELD = { RAW: 2, METADATA: 1, ITEMS: 2 } as const
const WIRE_OCTETS = 2
/** A tag and a length below 2³¹. */
const HEAD_MAX_OCTETS = 10

/** Takes a list's body apart; one that is no list of objects throws an ApiError `protocol`. */
export class ProtobufListSplitter {
  readonly #onItem: (item: NamedVersion) => void
  #rest = Buffer.alloc(0)
  #begun = false
  /** Octets of the list itself that are still to come; undefined outside of it. */
  #left: number | undefined
  #version: string | undefined

  constructor(onItem: (item: NamedVersion) => void) {
    this.#onItem = onItem
  }

  /** Takes the next chunk. */
  push(chunk: Buffer): void {
    const octets = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    try {
      for (let next = this.#step(octets, at); next > at; next = this.#step(octets, at)) at = next
    } catch (cause) {
      throw cause instanceof ApiError ? cause : broken(messageOf(cause))
    }
    if (octets.length - at > EVENT_MAX_OCTETS) throw broken(`an item of more than ${EVENT_MAX_OCTETS} octets`)
    this.#rest = Buffer.from(octets.subarray(at))
  }

  /** The list's version, once the body has ended. */
  end(): string {
    if (this.#rest.length > 0 || this.#left !== 0 || this.#version === undefined) throw broken('it was cut')
    return this.#version
  }

  /** Reads the next field, if all of it is there; gives where the one after it begins. */
  #step(octets: Buffer, at: number): number {
    if (!this.#begun) return this.#begin(octets, at)
    const head = readHead(octets, at)
    if (head === undefined) return at
    const { field, from, end } = head
    const inList = this.#left !== undefined && this.#left > 0
    if (!inList && field === FIELD.RAW && this.#left === undefined) {
      this.#left = end - from
      return from
    }
    if (end > octets.length) return at
    if (inList) {
      this.#left! -= end - at
      if (field === FIELD.ITEMS) this.#onItem(readMessage(octets, from, end, ITEM))
      else if (field === FIELD.METADATA) {
        const meta: { resourceVersion?: string } = readMessage(octets, from, end, LIST_META)
        this.#version = meta.resourceVersion
      }
    }
    return end
  }

  #begin(octets: Buffer, at: number): number {
    if (octets.length < MAGIC.length) return at
    if (octets.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) throw broken('no protocol buffers')
    this.#begun = true
    return at + MAGIC.length
  }
}

/** The number of the field at `at` and where its octets lie; undefined while they are not all there to tell. */
function readHead(
  octets: Buffer,
  at: number,
): { readonly field: number; readonly from: number; readonly end: number } | undefined {
  const numbers: number[] = []
  let value = 0
  let shift = 0
  for (let i = at; i < octets.length; i++) {
    if (i - at >= HEAD_MAX_OCTETS) throw broken('a number is too long')
    const octet = octets[i]!
    value += (octet & 0x7f) * 2 ** shift
    shift += 7
    if (octet >= 0x80) continue
    numbers.push(value)
    value = shift = 0
    const [tag, length] = numbers
    if (tag !== undefined && tag % 8 !== WIRE_OCTETS)
      throw broken(`field ${Math.floor(tag / 8)} has no octets`)
    if (tag !== undefined && length !== undefined)
      return { field: Math.floor(tag / 8), from: i + 1, end: i + 1 + length }
  }
  return undefined
}

const broken = (why: string): ApiError => new ApiError('protocol', `reading a list: ${why}`)
