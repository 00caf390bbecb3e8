// `any`: a short answer for those who ask for everything (CoreDNS plugin/any; RFC 8482 section 4.2):
//
//   example.org.  8482 IN HINFO "ANY obsoleted" "See RFC 8482"

import { readLine } from '../corefile/arguments.ts'
import { answer } from '../query/reply.ts'
import { rr, txtRdata } from '../wire/record.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import type { Word } from './plugin.ts'

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
    concerns: scan => scan.qtype === TYPE.ANY,
    handle(query, next) {
      const { qname, qtype, qclass } = query.question
      if (qtype !== TYPE.ANY || qclass !== CLASS.IN) return next(query)
      return { ...answer('any', [rr(qname, TYPE.HINFO, TTL_SECONDS, HINFO)]), authoritative: false }
    },
  }),
}
