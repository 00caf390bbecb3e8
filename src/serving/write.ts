// Replies as octets: the ones a packet gets before any plugin sees it, and those that plugins made. Every reply has QR set,
// the client's id and opcode, RD and CD as asked, Z clear, an OPT of our own where the query had one and only there
// (RFC 6891 6.1.1, 7), and the question octet for octet where it could be read.

import type { Query } from '../query/query.ts'
import type { Reply } from '../query/reply.ts'
import { extendedErrorOption } from '../wire/extended-error.ts'
import { HEADER_OCTETS, MESSAGE_MAX, PAYLOAD_DEFAULT, PAYLOAD_MIN, writeU16 } from '../wire/header.ts'
import { type Edns, type EdnsOption, MessageWriter } from '../wire/message.ts'
import { OPT_OCTETS } from '../wire/opt.ts'
import { OPCODE } from '../wire/rcode.ts'
import { OPTION, type Scan } from '../wire/scan.ts'

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

/** How long a connection may be idle (RFC 7828 3.1), in units of 100 ms. */
export function keepaliveOption(idleMs: number): EdnsOption {
  const data = new Uint8Array(2)
  writeU16(data, 0, Math.min(0xffff, Math.floor(idleMs / 100)))
  return { code: OPTION.KEEPALIVE, data }
}
