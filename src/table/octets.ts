// A block (layout.ts) while it is written: numbers little-endian, texts behind their length.

import type { SlimPort } from '../objects/objects.ts'
import { BLOCK } from './block.ts'
import { NO_PORT, PROTOCOL } from './layout.ts'

const FIRST_OCTETS = 4096
/** A buffer that has become larger is not kept. */
const KEPT_OCTETS = 256 * 1024

/** The buffer of the last block, for the next one. */
let spare: Uint8Array | undefined

/** A block under way; its buffer is the next one's when it is finished, and the result is a copy. */
export class Octets {
  length = 0
  #octets: Uint8Array

  constructor() {
    this.#octets = spare ?? new Uint8Array(FIRST_OCTETS)
    spare = undefined
  }

  head(kind: number, flags: number, keyLength: number, v4Count: number, v6Count: number): void {
    this.u32(0)
    this.u8(kind)
    this.u8(flags)
    this.u16(keyLength)
    this.u32(v4Count)
    this.u32(v6Count)
    this.u32(0)
    if (this.length !== BLOCK.ADDRESSES) throw new RangeError('the head of a block has the wrong length')
  }

  /** The block, with its size and the offset of its detail filled in. */
  finish(detail: number): Uint8Array {
    this.#setU32(BLOCK.SIZE, this.length)
    this.#setU32(BLOCK.DETAIL, detail)
    return this.take()
  }

  /** What was written, where it is no block of its own. */
  take(): Uint8Array {
    const octets = this.#octets.slice(0, this.length)
    if (this.#octets.length <= KEPT_OCTETS) spare = this.#octets
    return octets
  }

  ports(ports: readonly SlimPort[]): void {
    this.u16(ports.length)
    const octetsAt = this.length
    this.u32(0)
    const from = this.length
    for (const port of ports) {
      this.u16(port.port < 0 ? NO_PORT : port.port)
      this.u8(PROTOCOL[port.protocol] ?? 0xff)
      this.text(port.name)
    }
    const octets = this.length - from
    this.setU16(octetsAt, octets & 0xffff)
    this.setU16(octetsAt + 2, octets >>> 16)
  }

  /** The label behind its length in `from` at `at`. */
  label(from: Uint8Array, at: number): void {
    this.part(from, at, at + 1 + from[at]!)
  }

  text(text: string): void {
    const kept = text.slice(0, 255)
    this.u8(kept.length)
    this.octets(kept)
  }

  /** Octets of `from` between two places. */
  part(from: Uint8Array, at: number, end: number): void {
    this.#room(end - at)
    for (; at < end; at++) this.#octets[this.length++] = from[at]!
  }

  /** Characters that stand for one octet each. */
  octets(text: string): void {
    this.#room(text.length)
    for (let i = 0; i < text.length; i++) this.#octets[this.length++] = text.charCodeAt(i)
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#octets.set(bytes, this.length)
    this.length += bytes.length
  }

  u8(value: number): void {
    this.#room(1)
    this.#octets[this.length++] = value
  }

  u16(value: number): void {
    this.u8(value & 0xff)
    this.u8(value >> 8)
  }

  setU16(at: number, value: number): void {
    this.#octets[at] = value
    this.#octets[at + 1] = value >> 8
  }

  #setU32(at: number, value: number): void {
    this.setU16(at, value)
    this.setU16(at + 2, value >>> 16)
  }

  u32(value: number): void {
    this.u16(value & 0xffff)
    this.u16(value >>> 16)
  }

  #room(octets: number): void {
    if (this.length + octets <= this.#octets.length) return
    const grown = new Uint8Array(2 * (this.length + octets))
    grown.set(this.#octets.subarray(0, this.length))
    this.#octets = grown
  }
}
