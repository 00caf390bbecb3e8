// The body of a list, taken apart while it comes in, so that not even one page is ever held:
//
//   {"kind":"ServiceList","apiVersion":"v1","metadata":{…},"items":[ {…} , {…} ]}
//   └────────────────── envelope ────────────────────────────────┘ item   item └┘ envelope
//
// Each item is handed on as text as soon as its last octet is there; all around them is the envelope, a small JSON
// object with an empty list of items. One pass over the octets that knows strings, escapes and depth and nothing else:
// whether an item is good JSON is for JSON.parse to say.

import { ApiError } from './api-error.ts'
import { EVENT_MAX_OCTETS } from './line-splitter.ts'
import { OctetCarry } from './octet-carry.ts'

const ENVELOPE_MAX_OCTETS = 1024 * 1024
const ITEMS_KEY = Buffer.from('items')
/** Depths: 1 inside the envelope, 2 inside its list of items, 3 inside an item. */
const ENVELOPE_DEPTH = 1
const ITEMS_DEPTH = 2

const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const NOTHING = Buffer.alloc(0)

/** Takes a list's body apart. */
export class ListSplitter {
  readonly #onItem: (item: string) => void
  readonly #item = new OctetCarry()
  readonly #envelope = new OctetCarry()
  #depth = 0
  #inString = false
  #escaped = false
  #inItems = false
  #inItem = false
  /** Inside a string of the envelope: how much of `items` it has matched, -1 once it differs. */
  #inKey = false
  #keyMatched = 0

  constructor(onItem: (item: string) => void) {
    this.#onItem = onItem
  }

  /** Takes the next chunk; throws an ApiError `protocol` for an item or an envelope that is too large. */
  push(chunk: Buffer): void {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const octet = chunk[at]!
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false
        else if (octet === BACKSLASH) this.#escaped = true
        else if (octet === QUOTE) this.#inString = false
        if (this.#inKey) this.#matchKey(octet)
        continue
      }
      // Between items: commas and white space go nowhere, anything but the end of the list begins an item.
      if (this.#inItems && !this.#inItem && octet !== CLOSE_LIST) {
        from = at + 1
        if (octet === COMMA || octet <= SPACE) continue
        from = at
        this.#inItem = true
      }
      switch (octet) {
        case QUOTE:
          this.#inString = true
          this.#inKey = this.#depth === ENVELOPE_DEPTH
          if (this.#inKey) this.#keyMatched = 0
          break
        case OPEN_OBJECT:
          this.#depth++
          break
        case OPEN_LIST:
          this.#depth++
          if (this.#depth === ITEMS_DEPTH && this.#keyMatched === ITEMS_KEY.length) {
            this.#keep(chunk, from, at + 1)
            from = at + 1
            this.#inItems = true
          }
          break
        case COMMA:
        case CLOSE_LIST:
          // What stands in the place of an object without being one (a number, null) is an item, too.
          if (this.#inItem && this.#depth === ITEMS_DEPTH) from = this.#endItem(chunk, from, at)
          if (octet === CLOSE_LIST) from = this.#close(chunk, from, at)
          break
        case CLOSE_OBJECT:
          from = this.#close(chunk, from, at)
          break
      }
    }
    if (this.#inItem || !this.#inItems) this.#keep(chunk, from, chunk.length)
  }

  /** The envelope, once the body has ended; throws an ApiError `protocol` if the body was cut or is no JSON. */
  end(): unknown {
    try {
      return JSON.parse(this.#envelope.take(NOTHING))
    } catch (cause) {
      throw new ApiError('protocol', 'reading a list: the body is not JSON or was cut', { cause })
    }
  }

  #matchKey(octet: number): void {
    if (!this.#inString) this.#inKey = false
    else this.#keyMatched = octet === ITEMS_KEY[this.#keyMatched] ? this.#keyMatched + 1 : -1
  }

  /** One level up; gives where the octets begin that nobody has taken yet. */
  #close(chunk: Buffer, from: number, at: number): number {
    this.#depth--
    if (this.#inItem && this.#depth === ITEMS_DEPTH) return this.#endItem(chunk, from, at + 1)
    if (!this.#inItems || this.#depth >= ITEMS_DEPTH) return from
    this.#inItems = false
    this.#inItem = false
    this.#keyMatched = 0
    return at
  }

  #endItem(chunk: Buffer, from: number, to: number): number {
    this.#inItem = false
    if (this.#item.length + to - from > EVENT_MAX_OCTETS) this.#tooLarge()
    this.#onItem(this.#item.take(chunk, from, to))
    return to
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    const carry = this.#inItem ? this.#item : this.#envelope
    if (carry.length + to - from > (this.#inItem ? EVENT_MAX_OCTETS : ENVELOPE_MAX_OCTETS)) this.#tooLarge()
    carry.add(chunk, from, to)
  }

  #tooLarge(): never {
    this.#item.clear()
    this.#envelope.clear()
    throw new ApiError('protocol', 'reading a list: an item or the text around the items is too large')
  }
}
