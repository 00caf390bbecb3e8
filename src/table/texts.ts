// Settings out of objects that serving threads read as a whole: a text (JSON) under a key of its own, with a number that grows
// with each new text, by which a reader sees at a glance whether it knows it already.

import { detailAt } from './block.ts'
import { KIND } from './layout.ts'
import { Octets } from './octets.ts'
import type { TableReader } from './reader.ts'
import type { TableWriter } from './writer.ts'

/** Octets of the number before a text. */
const NUMBER_OCTETS = 4

/** Texts of one sort, on the writer's side. */
export class Texts {
  readonly #known = new Map<string, string>()
  #number = 0

  /** Publishes the text under the key, or takes it out: ''. Throws TableFullError, having changed nothing. */
  publish(key: Uint8Array, text: string, writer: TableWriter): boolean {
    const id = Buffer.from(key).toString('latin1')
    if ((this.#known.get(id) ?? '') === text) return false
    if (text === '') {
      this.#known.delete(id)
      return writer.remove(key)
    }
    const out = new Octets()
    out.head(KIND.TEXT, 0, key.length, 0, 0)
    out.bytes(key)
    const detail = out.length
    out.u32(++this.#number)
    out.bytes(Buffer.from(text))
    writer.publish(key, out.finish(detail))
    this.#known.set(id, text)
    return true
  }
}

/** The number of the key's text, 0 where it has none. HOT. */
export function numberOf(table: TableReader, key: Uint8Array, end = key.length): number {
  table.enter()
  const block = table.find(key, 0, end)
  const number = block === 0 ? 0 : u32(table.octets, detailAt(table.words, block))
  table.leave()
  return number
}

/** The key's text with its number; undefined where it has none. */
export function readText(
  table: TableReader,
  key: Uint8Array,
): { readonly number: number; readonly text: string } | undefined {
  const block = table.copyOf(key)
  if (block === undefined) return undefined
  const at = detailAt(new Int32Array(block.buffer, 0, block.length >> 2), 0)
  return { number: u32(block, at), text: Buffer.from(block.subarray(at + NUMBER_OCTETS)).toString() }
}

const u32 = (octets: Uint8Array, at: number): number =>
  octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)
