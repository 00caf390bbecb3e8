// HOT: the formats of the query log (CoreDNS plugin/log and plugin/pkg/replacer): text with placeholders, compiled once into
// writers of octets.
//
//   {remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}
//   [::1]:50759 - 29008 "A IN example.org. udp 41 false 4096" NOERROR qr,rd,ra,ad 68 0.037990251s
//
// `{/LABEL}` is a metadata label, or `-` where nobody set it. What is no placeholder is text, braces and all.

import { escapeControls, type LineWriter } from '../../observe/log-line.ts'
import type { Packet } from '../../query/packet.ts'
import { 
  FLAG_AA, FLAG_AD, FLAG_RA, FLAG_TC, HEADER_OCTETS,MESSAGE_MAX, PAYLOAD_MIN, readU16,
} from '../../wire/header.ts' // biome-ignore format: one import
import { RCODE } from '../../wire/rcode.ts'
import { CLASS, className, TYPE, typeName } from '../../wire/rrtype.ts'
import { uncompressedOctets } from '../../wire/ttls.ts'
import { classOf, type ReplyType } from './classify.ts'
import { writeAddress, writeName, writeSeconds } from './fields.ts'

/** CoreDNS's default format. */
export const COMMON_FORMAT =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}'
/** The common format with the operation code. */
export const COMBINED_FORMAT = `${COMMON_FORMAT} "{>opcode}"`

const encoder = new TextEncoder()
const octetsOf = (text: string): Uint8Array => encoder.encode(text)
/** Names by their numbers, as octets. */
const textsOf = (numbers: Readonly<Record<string, number>>): ReadonlyMap<number, Uint8Array> =>
  new Map(Object.entries(numbers).map(([name, number]) => [number, octetsOf(name)]))

const TYPES = textsOf(TYPE)
const CLASSES = textsOf(CLASS)
const RCODES = textsOf(RCODE)
/** What is nothing. */
const EMPTY = octetsOf('-')
const UDP = octetsOf('udp')
const TCP = octetsOf('tcp')
const TRUE = octetsOf('true')
const FALSE = octetsOf('false')
const ZERO = octetsOf('0')
const QR = octetsOf('qr')
const AA = octetsOf(',aa')
const TC = octetsOf(',tc')
const RD = octetsOf(',rd')
const RA = octetsOf(',ra')
const AD = octetsOf(',ad')
const CD = octetsOf(',cd')

/** A query with what became of it, and how long that took; `type` only where a format `needsType`. */
type Part = (line: LineWriter, packet: Packet, durationMs: number, type: ReplyType | undefined) => void

/** A compiled format. */
export interface LogFormat {
  readonly write: Part
  /** Whether it shows what kind of reply it is. */
  readonly needsType: boolean
}

/** Every placeholder but metadata. The server answers no operation but QUERY, which is 0. */
const PLACEHOLDERS: Readonly<Record<string, Part>> = {
  '{type}': (line, { scan }) => writeKnown(line, TYPES.get(scan.qtype), scan.qtype, typeName),
  '{name}': (line, { scan }) => writeName(line, scan.folded),
  '{class}': (line, { scan }) => writeKnown(line, CLASSES.get(scan.qclass), scan.qclass, className),
  '{proto}': (line, { transport }) => line.text(transport === 'udp' ? UDP : TCP),
  '{size}': (line, { requestOctets }) => line.number(requestOctets),
  '{remote}': (line, { from, fromAt }) => writeAddress(line, from, fromAt),
  '{port}': (line, { from, fromAt }) => line.number(readU16(from, fromAt + 2)),
  '{local}': (line, { local }) => line.string(bracketed(local.address)),
  '{>id}': (line, { scan }) => line.number(scan.id),
  '{>opcode}': line => line.text(ZERO),
  '{>do}': (line, { scan }) => line.text(scan.dnssecOk ? TRUE : FALSE),
  '{>bufsize}': (line, packet) => line.number(bufferSize(packet)),
  '{rcode}': (line, { isDropped, rcode }) => {
    const name = isDropped ? EMPTY : RCODES.get(rcode)
    if (name === undefined) line.number(rcode)
    else line.text(name)
  },
  '{rsize}': (line, packet) => line.number(packet.isDropped ? 0 : replyOctets(packet)),
  '{duration}': (line, _packet, durationMs) => writeSeconds(line, durationMs),
  '{>rflags}': (line, packet) => (packet.isDropped ? line.text(EMPTY) : writeFlags(line, packet)),
}

/** Placeholders of the reply. */
const OF_REPLY: ReadonlySet<string> = new Set([
  '{rcode}', '{rsize}', '{duration}', '{>rflags}', '{/log/type}', '{/log/class}',
]) // biome-ignore format: a list
const writeEmpty: Part = line => line.text(EMPTY)

/** What this plugin knows by itself, whether or not the block has `metadata`. */
const OWN_LABELS: Readonly<Record<string, Part>> = {
  '{/log/type}': (line, _packet, _durationMs, type) => line.string(type!),
  '{/log/class}': (line, _packet, _durationMs, type) => line.string(classOf(type!)),
}

/** Compiles a format. Without the reply, what is of it is `-`, as where CoreDNS has none. */
export function compileFormat(format: string, hasReply = true): LogFormat {
  const parts: Part[] = []
  const text = (from: number, to: number): void => {
    const octets = octetsOf(escapeControls(format.slice(from, to)))
    if (octets.length > 0) parts.push(line => line.text(octets))
  }
  let at = 0
  let needsType = false
  for (const { 0: written, index } of format.matchAll(/\{[^{}]*\}/g)) {
    const part = hasReply || !OF_REPLY.has(written) ? partOf(written) : writeEmpty
    if (part === undefined) continue
    needsType ||= hasReply && Object.hasOwn(OWN_LABELS, written)
    text(at, index)
    parts.push(part)
    at = index + written.length
  }
  text(at, format.length)
  return {
    needsType,
    write: (line, packet, durationMs, type) => {
      for (let i = 0; i < parts.length; i++) parts[i]!(line, packet, durationMs, type)
    },
  }
}

/** Puts the named formats in the place of `{common}` and `{combined}`. */
export const expandFormat = (format: string): string =>
  format.replaceAll('{common}', COMMON_FORMAT).replaceAll('{combined}', COMBINED_FORMAT)

function partOf(written: string): Part | undefined {
  if (Object.hasOwn(PLACEHOLDERS, written)) return PLACEHOLDERS[written]
  if (Object.hasOwn(OWN_LABELS, written)) return OWN_LABELS[written]
  if (!written.startsWith('{/')) return undefined
  const label = written.slice(2, -1)
  return (line, packet) => {
    const value = packet.label(label)
    if (value === undefined) line.text(EMPTY)
    else line.string(value)
  }
}

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** What the client takes: over TCP any message, without EDNS 512 octets (CoreDNS plugin/pkg/edns). */
export const bufferSize = ({ transport, payloadSize }: Packet): number =>
  transport === 'udp' ? Math.max(PAYLOAD_MIN, payloadSize) : MESSAGE_MAX

function writeKnown(
  line: LineWriter,
  known: Uint8Array | undefined,
  number: number,
  name: (number: number) => string,
): void {
  if (known === undefined) line.string(name(number))
  else line.text(known)
}

/** Of the reply with the question as it is now, without compression: one that was asked for under another name has that in it yet. */
function replyOctets({ out, outAt, length, isQuestionStale, scan }: Packet): number {
  const octets = uncompressedOctets(out, outAt, outAt + length)
  if (!isQuestionStale) return octets
  let at = outAt + HEADER_OCTETS
  while (out[at] !== 0) at += out[at]! + 1
  return octets - (at + 5 - outAt) + (scan.questionEnd - scan.start)
}

/** The flags of the reply as the query log has them: qr,aa,rd. */
export function writeFlags(line: LineWriter, packet: Packet): void {
  const { out, outAt, scan, asked, replyRecursionDesired } = packet
  const high = out[outAt + 2]!
  const low = out[outAt + 3]!
  line.text(QR)
  if ((high & FLAG_AA) !== 0) line.text(AA)
  if ((high & FLAG_TC) !== 0) line.text(TC)
  if (replyRecursionDesired ?? asked.recursionDesired) line.text(RD)
  if ((low & FLAG_RA) !== 0) line.text(RA)
  if ((low & FLAG_AD) !== 0) line.text(AD)
  if (scan.checkingDisabled) line.text(CD)
}
