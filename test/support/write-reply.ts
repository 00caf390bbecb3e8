// Replies as octets: the ones a packet gets before any plugin sees it, and those that plugins made. Every reply has QR set,
// the client's id and opcode, RD and CD as asked, Z clear, an OPT of our own where the query had one and only there
// (RFC 6891 6.1.1, 7), and the question octet for octet where it could be read.

import { type ExtendedError, REASON_MAX_OCTETS } from '../../src/wire/extended-error.ts'
import { HEADER_OCTETS, PAYLOAD_DEFAULT, writeU16 } from '../../src/wire/header.ts'
import { type Edns, type EdnsOption, MessageWriter } from '../../src/wire/message.ts'
import { OPT_OCTETS } from '../../src/wire/opt.ts'
import { OPCODE } from '../../src/wire/rcode.ts'
import { OPTION } from '../../src/wire/scan.ts'
import type { Query } from './query.ts'
import type { Reply } from './reply.ts'

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

/** The reply's options, as far as the whole question and they fit into the reply together. */
function optionsOf(
  { question, replyMaxOctets }: Query,
  { options = [], extendedError }: Reply,
): EdnsOption[] {
  const all = [...(extendedError ? [extendedErrorOption(extendedError)] : []), ...options]
  let room = replyMaxOctets - HEADER_OCTETS - question.qname.length - 4 - OPT_OCTETS
  return all.filter(({ data }) => {
    const fits = 4 + data.length <= room
    if (fits) room -= 4 + data.length
    return fits
  })
}

/** RFC 8914 section 2. */
function extendedErrorOption({ code, text }: ExtendedError): EdnsOption {
  const words = Buffer.from(text, 'utf8').subarray(0, REASON_MAX_OCTETS)
  const data = new Uint8Array(2 + words.length)
  writeU16(data, 0, code)
  data.set(words, 2)
  return { code: OPTION.EDE, data }
}
