// Replies as octets: the ones a packet gets before any plugin sees it, and those that plugins made. Every reply has QR set,
// the client's id and opcode, RD and CD as asked, Z clear, an OPT of our own where the query had one and only there
// (RFC 6891 6.1.1, 7), and the question octet for octet where it could be read.

import type { Query } from '../query/query.ts'
import type { ExtendedError, Reply } from '../query/reply.ts'
import {
  FLAG_CD,
  FLAG_QR,
  FLAG_RD,
  HEADER_OCTETS,
  MESSAGE_MAX,
  PAYLOAD_DEFAULT,
  PAYLOAD_MIN,
  readU16,
  writeU16,
} from '../wire/header.ts'
import { type Edns, type EdnsOption, MessageWriter } from '../wire/message.ts'
import { addExtendedError, EDE_OCTETS, OPT_OCTETS, writeOpt } from '../wire/opt.ts'
import { OPCODE } from '../wire/rcode.ts'
import { OPTION, type Scan } from '../wire/scan.ts'

/** The longest reason in words that a reply carries. */
const REASON_MAX_OCTETS = 200

/** An extended error with its text encoded once, for replies that never see a plugin. */
export interface FailureReason {
  readonly code: number
  readonly text: Uint8Array
}

/** A reason for `writeFailure`. */
export const failureReason = (code: number, text: string): FailureReason => ({
  code,
  text: Uint8Array.from(Buffer.from(text)),
})

/**
 * HOT: writes a reply of nothing but its code, and of the reason where the query had EDNS; returns its octets. A code
 * above 15 needs EDNS.
 */
export function writeFailure(
  scan: Scan,
  packet: Uint8Array,
  out: Uint8Array,
  outAt: number,
  rcode: number,
  reason?: FailureReason,
): number {
  const withQuestion = scan.questionEnd > 0 && scan.opcode === OPCODE.QUERY
  let at = outAt + HEADER_OCTETS
  if (withQuestion) for (let i = scan.start + HEADER_OCTETS; i < scan.questionEnd; i++) out[at++] = packet[i]!
  writeU16(out, outAt, scan.id)
  out[outAt + 2] = FLAG_QR | (scan.opcode << 3) | (scan.recursionDesired ? FLAG_RD : 0)
  out[outAt + 3] = (scan.checkingDisabled ? FLAG_CD : 0) | (rcode & 15)
  for (let i = 4; i < HEADER_OCTETS; i++) out[outAt + i] = 0
  if (withQuestion) out[outAt + 5] = 1
  if (scan.edns) {
    out[outAt + 11] = 1
    const optAt = at
    at = writeOpt(out, optAt, rcode, scan.dnssecOk)
    if (reason) {
      out.set(reason.text, at + EDE_OCTETS)
      at = addExtendedError(out, optAt, at, reason.code, reason.text.length)
    }
  }
  return at - outAt
}

/** How much a reply may hold: the client's payload over UDP, but no more than `udpMaxOctets` (RFC 6891 6.2.5, RFC 9715). */
export function replyLimit(transport: Query['transport'], payloadSize: number, udpMaxOctets: number): number {
  return transport === 'udp' ? Math.min(payloadSize, udpMaxOctets) : MESSAGE_MAX
}

const writer = new MessageWriter()

/** The octets of a plugin's reply: a copy. */
export function writeReply(query: Query, reply: Reply): Uint8Array {
  const edns: Edns | undefined = query.edns && {
    payloadSize: PAYLOAD_DEFAULT,
    version: 0,
    dnssecOk: query.edns.dnssecOk,
    options: optionsOf(query, reply),
  }
  const octets = writer.write(
    {
      id: query.id,
      response: true,
      opcode: OPCODE.QUERY,
      authoritative: reply.authoritative,
      truncated: reply.truncated,
      recursionDesired: reply.recursionDesired ?? query.recursionDesired,
      recursionAvailable: reply.recursionAvailable,
      authenticData: reply.authenticData,
      checkingDisabled: query.checkingDisabled,
      rcode: reply.rcode,
      question: query.question,
    },
    reply,
    edns,
    query.replyMaxOctets,
  )
  return octets.slice()
}

/** The octets of the reply to a query that has a cookie and no question (RFC 7873 5.4). */
export function writeCookieReply(scan: Scan, rcode: number, cookie: EdnsOption): Uint8Array {
  const octets = writer.write(
    {
      id: scan.id,
      response: true,
      opcode: OPCODE.QUERY,
      authoritative: false,
      truncated: false,
      recursionDesired: scan.recursionDesired,
      recursionAvailable: false,
      authenticData: false,
      checkingDisabled: scan.checkingDisabled,
      rcode,
      question: undefined,
    },
    { answer: [], authority: [], additional: [] },
    { payloadSize: PAYLOAD_DEFAULT, version: 0, dnssecOk: scan.dnssecOk, options: [cookie] },
    PAYLOAD_MIN,
  )
  return octets.slice()
}

/** The reply's options, as far as the whole question and they fit into the reply together. */
function optionsOf(
  { question, replyMaxOctets, replyOptions = [] }: Query,
  { options = [], extendedError }: Reply,
): EdnsOption[] {
  const all = [...replyOptions, ...(extendedError ? [extendedErrorOption(extendedError)] : []), ...options]
  let room = replyMaxOctets - HEADER_OCTETS - question.qname.length - 4 - OPT_OCTETS
  return all.filter(({ data }) => {
    const fits = 4 + data.length <= room
    if (fits) room -= 4 + data.length
    return fits
  })
}

/** The extended error among the options of a reply, if there is one. */
export function readExtendedError(options: readonly EdnsOption[]): ExtendedError | undefined {
  const data = options.find(({ code }) => code === OPTION.EDE)?.data
  if (data === undefined || data.length < 2) return undefined
  return { code: readU16(data, 0), text: Buffer.from(data.subarray(2)).toString('utf8') }
}

/** RFC 8914 section 2. */
function extendedErrorOption({ code, text }: ExtendedError): EdnsOption {
  const words = Buffer.from(text, 'utf8').subarray(0, REASON_MAX_OCTETS)
  const data = new Uint8Array(2 + words.length)
  writeU16(data, 0, code)
  data.set(words, 2)
  return { code: OPTION.EDE, data }
}

/** How long a connection may be idle (RFC 7828 3.1), in units of 100 ms. */
export function keepaliveOption(idleMs: number): EdnsOption {
  const data = new Uint8Array(2)
  writeU16(data, 0, Math.min(0xffff, Math.floor(idleMs / 100)))
  return { code: OPTION.KEEPALIVE, data }
}
