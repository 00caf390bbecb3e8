// HOT: writes a message record by record into somebody's buffer, names compressed (RFC 1035 4.1.4), and leaves out from the
// end what does not fit, whole records, setting TC (RFC 2181 9). Records come as octets, or out of another message by a
// walk over it, whose names are uncompressed on the way. Nothing is allocated and never is an octet written behind `limit`.
//
//   composer.begin(out, outAt, limit)
//   composer.question(octets, nameAt, type, class)
//   composer.copy(walk, section)                        one record as it is
//   composer.open(section, owner, 0, type, class, ttl)  or in parts: owner and head,
//   composer.name(…)  composer.octets(…)                its data,
//   composer.close()                                    its length; false where it did not fit
//   composer.finish()                                   the counts; gives the end
//
// The first two octets behind the id, with flags and code, are the caller's.

import { FLAG_TC, HEADER_OCTETS, readU16, writeU16, writeU32 } from './header.ts'
import { copyName, measureName, nameEnd } from './message-name.ts'
import { NAME_MAX_OCTETS } from './name.ts'
import { COMPRESSIBLE, RDATA_LAYOUT } from './rrtype.ts'
import type { RecordWalk } from './walk.ts'

/** Pointers reach no further. */
const POINTER_MAX = 0x3fff
/** Ends of names that are remembered at most; what finds no slot is written whole. */
const SLOTS = 2048
/** Slots that are looked at for one: names that somebody chose to collide cost no more than others. */
const PROBES_MAX = 16
const LABELS_MAX = 128
const DIGIT_0 = 0x30
const NAME_FIELD = 0x6e
const STRING_FIELD = 0x73

export class Composer {
  #out: Uint8Array = new Uint8Array(0)
  #start = 0
  #limit = 0
  /** Where writing goes on. */
  #at = 0
  /** Where the record at hand began, and the length of its data stands. */
  #recordAt = 0
  #lengthAt = 0
  #section = 0
  #fits = true
  #truncated = false
  readonly #counts = [0, 0, 0]
  #questions = 0
  /** Whether the message has a question with another name than the root: most names are that one. */
  #hasAsked = false
  /** Where in the message each remembered end of a name stands, by its hash; of this message where the stamp is its. */
  readonly #offsets = new Uint16Array(SLOTS)
  readonly #stamps = new Uint32Array(SLOTS)
  #stamp = 0
  readonly #name = new Uint8Array(NAME_MAX_OCTETS + 1)
  readonly #labelAt = new Uint8Array(LABELS_MAX)
  readonly #hashes = new Int32Array(LABELS_MAX)

  /** Begins a message at out[outAt …) of at most `limit` octets; its header is zero but for the first four octets. */
  begin(out: Uint8Array, outAt: number, limit: number): void {
    this.#out = out
    this.#start = outAt
    this.#limit = outAt + limit
    this.#at = outAt + HEADER_OCTETS
    for (let i = 4; i < HEADER_OCTETS; i++) out[outAt + i] = 0
    this.#fits = true
    this.#truncated = false
    this.#counts[0] = this.#counts[1] = this.#counts[2] = this.#questions = 0
    this.#hasAsked = false
    this.#stamp = (this.#stamp + 1) >>> 0
    if (this.#stamp === 0) {
      this.#stamps.fill(0)
      this.#stamp = 1
    }
  }

  /** Whether a record was left out. */
  get truncated(): boolean {
    return this.#truncated
  }

  /** Records written to a section. */
  countOf(section: number): number {
    return this.#counts[section]!
  }

  /** Writes the question; the name is a whole one, in octets[nameAt …). There is always room for it. */
  question(octets: Uint8Array, nameAt: number, type: number, rrclass: number): void {
    this.#fits = true
    this.name(octets, nameAt)
    this.#u16(type)
    this.#u16(rrclass)
    this.#questions = 1
    this.#hasAsked = octets[nameAt] !== 0
  }

  /** Begins a record of the section, which is not before that of the record before; the owner is a whole name. */
  open(
    section: number,
    owner: Uint8Array,
    ownerAt: number,
    type: number,
    rrclass: number,
    ttl: number,
  ): void {
    this.#section = section
    this.#recordAt = this.#at
    this.#fits = !this.#truncated
    this.name(owner, ownerAt)
    if (!this.#has(10)) return
    writeU16(this.#out, this.#at, type)
    writeU16(this.#out, this.#at + 2, rrclass)
    writeU32(this.#out, this.#at + 4, ttl)
    this.#lengthAt = this.#at + 8
    this.#at += 10
  }

  /** Writes a whole name, compressed: only into data of the types of RFC 1035 (RFC 3597 section 4). */
  name(octets: Uint8Array, at: number): void {
    if (this.#hasAsked && this.#isAt(HEADER_OCTETS, octets, at)) {
      this.#u16(0xc000 | HEADER_OCTETS)
      return
    }
    const labelAt = this.#labelAt
    let labels = 0
    let to = at
    for (; octets[to] !== 0; to += octets[to]! + 1) labelAt[labels++] = to - at
    this.#hash(octets, at, to, labels)
    let known = 0
    let first = 0
    for (; first < labels; first++) {
      known = this.#find(octets, at + labelAt[first]!, this.#hashes[first]!)
      if (known !== 0) break
    }
    const plainEnd = first === labels ? to + 1 : at + labelAt[first]!
    const from = this.#at
    this.octets(octets, at, plainEnd)
    if (known !== 0) this.#u16(0xc000 | known)
    if (!this.#fits) return
    for (let i = 0; i < first; i++) this.#remember(from - this.#start + labelAt[i]!, this.#hashes[i]!)
  }

  /** Writes octets[from … to) as they are. */
  octets(octets: Uint8Array, from: number, to: number): void {
    if (!this.#has(to - from)) return
    const out = this.#out
    let at = this.#at
    if (to - from > 64) {
      out.set(octets.subarray(from, to), at)
      at += to - from
    } else for (let i = from; i < to; i++) out[at++] = octets[i]!
    this.#at = at
  }

  /** Ends the record; false where it did not fit, and then no further one does. */
  close(): boolean {
    if (!this.#fits) {
      this.#at = this.#recordAt
      this.#truncated = true
      return false
    }
    writeU16(this.#out, this.#lengthAt, this.#at - this.#lengthAt - 2)
    this.#counts[this.#section]!++
    return true
  }

  /** Writes a record whose data, in data[from … to), has whole names where its type has names. */
  record(
    section: number,
    owner: Uint8Array,
    ownerAt: number,
    type: number,
    rrclass: number,
    ttl: number,
    data: Uint8Array,
    from: number,
    to: number,
  ): boolean {
    this.open(section, owner, ownerAt, type, rrclass, ttl)
    if (COMPRESSIBLE.has(type)) this.#fields(RDATA_LAYOUT.get(type)!, data, from, to, from, true)
    else this.octets(data, from, to)
    return this.close()
  }

  /**
   * Writes the record at which the walk stands, whose data is sound. `ttl` takes the place of its TTL, `owner` that of
   * its owner, `value` that of the first name in its data (RecordWalk.nameAt).
   */
  copy(
    walk: RecordWalk,
    section: number = walk.section,
    ttl: number = walk.ttl,
    owner?: Uint8Array,
    value?: Uint8Array,
  ): boolean {
    const { octets, type } = walk
    if (owner === undefined) copyName(octets, walk.ownerAt, walk.start, this.#name, 0)
    this.open(section, owner ?? this.#name, 0, type, walk.rrclass, ttl)
    const layout = RDATA_LAYOUT.get(type)
    if (layout === undefined) this.octets(octets, walk.rdataAt, walk.rdataEnd)
    else this.#fields(layout, octets, walk.rdataAt, walk.rdataEnd, walk.start, COMPRESSIBLE.has(type), value)
    return this.close()
  }

  /** Writes the counts, and TC where a record was left out; returns where the message ends. */
  finish(): number {
    const out = this.#out
    const start = this.#start
    if (this.#truncated) out[start + 2]! |= FLAG_TC
    writeU16(out, start + 4, this.#questions)
    for (let section = 0; section < 3; section++)
      writeU16(out, start + 6 + 2 * section, this.#counts[section]!)
    return this.#at
  }

  /**
   * Writes record data by its layout; names in it may be compressed, in a message that begins at `start`. `value` takes the
   * place of the first one.
   */
  #fields(
    layout: string,
    data: Uint8Array,
    from: number,
    to: number,
    start: number,
    compress: boolean,
    value?: Uint8Array,
  ): void {
    let at = from
    let instead = value
    for (let i = 0; i < layout.length; i++) {
      const field = layout.charCodeAt(i)
      if (field === NAME_FIELD) {
        const measured = measureName(data, at, start, to)
        // Data of another shape than its type's, which a plugin made: as it is.
        if (measured < 0) break
        const length = instead?.length ?? copyName(data, at, start, this.#name, 0)
        const name = instead ?? this.#name
        instead = undefined
        if (compress) this.name(name, 0)
        else this.octets(name, 0, length)
        at = nameEnd(measured)
        continue
      }
      const fieldEnd = at + (field === STRING_FIELD ? (data[at] ?? 0) + 1 : field - DIGIT_0)
      if (fieldEnd > to) break
      this.octets(data, at, fieldEnd)
      at = fieldEnd
    }
    this.octets(data, at, to)
  }

  #u16(value: number): void {
    if (!this.#has(2)) return
    writeU16(this.#out, this.#at, value)
    this.#at += 2
  }

  /** Whether so many octets fit; once some did not, none do. */
  #has(octets: number): boolean {
    this.#fits &&= this.#at + octets <= this.#limit
    return this.#fits
  }

  /** Hashes the ends of a name, each from its label on: FNV-1a from the last label to the first. */
  #hash(octets: Uint8Array, at: number, root: number, labels: number): void {
    let hash = 0x811c9dc5
    let end = root
    for (let i = labels - 1; i >= 0; i--) {
      const from = at + this.#labelAt[i]!
      for (let k = from; k < end; k++) hash = Math.imul(hash ^ octets[k]!, 0x01000193)
      this.#hashes[i] = hash
      end = from
    }
  }

  /** Where in the message that end of a name stands already, spelled the same; 0 is nowhere. */
  #find(octets: Uint8Array, at: number, hash: number): number {
    for (let i = 0, slot = slotOf(hash); i < PROBES_MAX; i++, slot = (slot + 1) & (SLOTS - 1)) {
      if (this.#stamps[slot] !== this.#stamp) return 0
      const offset = this.#offsets[slot]!
      if (this.#isAt(offset, octets, at)) return offset
    }
    return 0
  }

  #remember(offset: number, hash: number): void {
    if (offset > POINTER_MAX) return
    for (let i = 0, slot = slotOf(hash); i < PROBES_MAX; i++, slot = (slot + 1) & (SLOTS - 1)) {
      if (this.#stamps[slot] === this.#stamp) continue
      this.#stamps[slot] = this.#stamp
      this.#offsets[slot] = offset
      return
    }
  }

  /** Case counts: a pointer to a name spelled otherwise would change what the client reads. */
  #isAt(offset: number, octets: Uint8Array, at: number): boolean {
    const out = this.#out
    let written = this.#start + offset
    for (;;) {
      while (out[written]! >= 0xc0) written = this.#start + (readU16(out, written) & POINTER_MAX)
      const label = octets[at]!
      for (let i = 0; i <= label; i++) if (out[written + i] !== octets[at + i]) return false
      if (label === 0) return true
      written += label + 1
      at += label + 1
    }
  }
}

const slotOf = (hash: number): number => (hash ^ (hash >>> 15)) & (SLOTS - 1)
