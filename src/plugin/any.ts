// `any`: a short answer for those who ask for everything (CoreDNS plugin/any; RFC 8482 section 4.2):
//
//   example.org.  8482 IN HINFO "ANY obsoleted" "See RFC 8482"

import { readLine } from '../corefile/arguments.ts'
import { pluginIndex } from '../observe/query-meters.ts'
import { NEXT } from '../query/packet.ts'
import { RCODE } from '../wire/rcode.ts'
import { txtRdata } from '../wire/record.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import { SECTION } from '../wire/walk.ts'
import type { Word } from './plugin.ts'

const PLUGIN = pluginIndex('any')
const TTL_SECONDS = 8482
const HINFO = txtRdata('ANY obsoleted', 'See RFC 8482')

/** `any`, without arguments. */
export const anyWord: Word<Record<string, never>> = {
  word: 'any',
  doc: {
    usage: 'any',
    meaning: 'answers questions of type ANY with one HINFO record (RFC 8482) instead of all there is',
    options: [],
    example: `
      . {
          any
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    for (const directive of directives) readLine(directive, problems, () => {})
    return {}
  },
  create: () => ({
    handle(packet) {
      const { qtype, qclass } = packet.scan
      if (qtype !== TYPE.ANY || qclass !== CLASS.IN) return NEXT
      const { ANSWER } = SECTION
      const { question, qnameAt } = packet
      packet
        .compose()
        .record(ANSWER, question, qnameAt, TYPE.HINFO, CLASS.IN, TTL_SECONDS, HINFO, 0, HINFO.length)
      return packet.composed(RCODE.NOERROR, PLUGIN)
    },
  }),
}
