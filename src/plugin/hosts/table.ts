// A hosts file as DNS has it (CoreDNS plugin/hosts/hostsfile.go; hosts(5)):
//
//   10.0.0.1   node-1 node-1.example.org   # a comment
//   fd00::1    node-1
//   10.0.0.9   *.apps.example.org          any one label in the place of the star, unless the name itself is listed
//
// A line that is not of this shape is passed over, as is a name outside the zones.

import { reverseZones } from '../../corefile/zone.ts'
import { randomSeed } from '../../shared/half-siphash.ts'
import { type Ip, parseIp } from '../../shared/ip.ts'
import { foldName, isWithinAny, type Name, name, parseName } from '../../wire/name.ts'
import type { Scan } from '../../wire/scan.ts'
import { readImage, writeImage } from './layout.ts'
import { type FoundValues, MultimapBuilder, type NameMultimap } from './multimap.ts'

/** Names with an address, in the file and in the Corefile together. One takes some 100 octets, half of it for its PTR record. */
export const ENTRIES_MAX = 1_000_000
/** Lines that are read without a pause, a millisecond's work. */
const LINES_PER_TURN = 500

const LINE_FEED = 0x0a
/** 01 * */
const STAR = Uint8Array.of(1, 0x2a)

/** What becomes of the lines. */
export interface HostsRules {
  /** Names outside them are passed over. */
  readonly zones: readonly Name[]
  /** Whether addresses get PTR records. */
  readonly reverse: boolean
}

/** What a hosts file says, as it is read. */
export class HostTableBuilder {
  readonly #rules: HostsRules
  readonly #seed = randomSeed()
  readonly #names: MultimapBuilder
  /** By the name behind the star. */
  readonly #wildcards = new MultimapBuilder(this.#seed)
  readonly #pointers = new MultimapBuilder(this.#seed)
  /** Whether lines were left out because there are more than ENTRIES_MAX entries. */
  overfull = false

  /** The address of the line before, which mostly is that of the next one in lists of names to be blocked. */
  #address = ''
  #ip: Ip | undefined
  #reverse: Name | undefined

  /** So many names are expected. */
  constructor(rules: HostsRules, names = 0) {
    this.#rules = rules
    this.#names = new MultimapBuilder(this.#seed, names)
  }

  /** Takes one line. */
  addLine(line: string): void {
    const [address, ...names] = line.split('#', 1)[0]!.match(/[^ \t\r\v\f]+/g) ?? []
    if (address === undefined || names.length === 0) return
    if (address !== this.#address) {
      this.#address = address
      this.#ip = parseHostAddress(address)
      this.#reverse = this.#ip && this.#rules.reverse ? reverseName(this.#ip) : undefined
    }
    if (this.#ip === undefined) return
    for (const text of names) {
      const parsed = parseName(text)
      if (parsed !== undefined) this.#add(this.#ip, foldName(parsed), this.#reverse)
    }
  }

  #add(ip: Ip, name: Name, reverse: Name | undefined): void {
    if (!isWithinAny(name, this.#rules.zones)) return
    if (this.#names.size + this.#wildcards.size >= ENTRIES_MAX) {
      this.overfull = true
    } else if (name[0] === STAR[0] && name[1] === STAR[1]) {
      this.#wildcards.add(name.subarray(STAR.length), ip.bytes)
    } else {
      this.#names.add(name, ip.bytes)
      if (reverse !== undefined) this.#pointers.add(reverse, name)
    }
  }

  /** The table's image (layout.ts). */
  build(): SharedArrayBuffer {
    return writeImage(
      this.#seed,
      [this.#names, this.#wildcards, this.#pointers].map(map => map.arrays),
    )
  }
}

/** What a hosts file says, as serving threads read it. */
export class HostTable {
  readonly buffer: SharedArrayBuffer
  readonly #names: NameMultimap
  readonly #wildcards: NameMultimap
  readonly #pointers: NameMultimap

  constructor(buffer: SharedArrayBuffer) {
    const [names, wildcards, pointers] = readImage(buffer)
    this.buffer = buffer
    this.#names = names!
    this.#wildcards = wildcards!
    this.#pointers = pointers!
  }

  /** Addresses and PTR records, as CoreDNS counts them. */
  get entries(): number {
    return this.#names.size + this.#wildcards.size + this.#pointers.size
  }

  /** HOT: finds the addresses of 4 or of 16 octets that the scanned name has. */
  addresses({ folded, foldedLength, labelAt, labelCount }: Scan, octets: 4 | 16, found: FoundValues): void {
    this.#names.find(folded, 0, foldedLength, octets, found)
    if (found.count === 0 && labelCount > 1)
      this.#wildcards.find(folded, labelAt[1]!, foldedLength, octets, found)
  }

  /** HOT: finds the names of the address that the scanned reverse name is for. */
  pointers({ folded, foldedLength }: Scan, found: FoundValues): void {
    this.#pointers.find(folded, 0, foldedLength, 0, found)
  }

  /** HOT: whether the scanned name has an address. */
  hasAddress({ folded, foldedLength, labelAt, labelCount }: Scan): boolean {
    return (
      this.#names.has(folded, 0, foldedLength) ||
      (labelCount > 1 && this.#wildcards.has(folded, labelAt[1]!, foldedLength))
    )
  }

  /** HOT: whether there may be records for the scanned name, of any type. */
  has(scan: Scan): boolean {
    return this.hasAddress(scan) || this.#pointers.has(scan.folded, 0, scan.foldedLength)
  }
}

/**
 * Reads a file's lines and then the Corefile's. Yields from time to time, so that who reads while answering queries can
 * let these through.
 */
export function* readTable(
  file: Buffer,
  inline: readonly string[],
  rules: HostsRules,
): Generator<undefined, HostTableBuilder> {
  const table = new HostTableBuilder(rules, Math.min(ENTRIES_MAX, countLines(file)))
  let lines = 0
  for (let at = 0; at < file.length && !table.overfull; ) {
    const lineFeed = file.indexOf(LINE_FEED, at)
    const end = lineFeed < 0 ? file.length : lineFeed
    // Octets as they are, whatever their encoding: so they come in questions.
    table.addLine(file.toString('latin1', at, end))
    at = end + 1
    if (++lines % LINES_PER_TURN === 0) yield
  }
  for (const line of inline) table.addLine(line)
  return table
}

function countLines(file: Buffer): number {
  let count = 1
  for (let at = file.indexOf(LINE_FEED); at >= 0; at = file.indexOf(LINE_FEED, at + 1)) count++
  return count
}

/** An address as hosts files have them: an interface behind it means nothing. */
export const parseHostAddress = (text: string): Ip | undefined => parseIp(text.split('%', 1)[0]!)

const reverseName = ({ text, bytes }: Ip): Name => name(reverseZones(`${text}/${bytes.length * 8}`)![0]!)
