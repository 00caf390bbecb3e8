// `bufsize [OCTETS]`: how large a message over UDP may be (CoreDNS plugin/bufsize; RFC 6891 6.2.5, RFC 9715). Replies are
// cut there, whatever the client announces; `forward` announces it to upstreams. Every reply's OPT record announces 1232
// all the same: that is about what this server receives, which no directive changes.

import { first, readLine } from '../corefile/arguments.ts'
import { NEXT } from '../query/packet.ts'
import { PAYLOAD_DEFAULT, PAYLOAD_MIN } from '../wire/header.ts'
import type { Word } from './plugin.ts'

/** The configuration of `bufsize`. */
export interface BufsizeConfig {
  readonly udpMaxOctets: number
}

/** CoreDNS's bound. */
const OCTETS_MAX = 4096

/** `bufsize`; of several in a block the first one counts. Replies are cut by the server (../serving/road.ts), on the fast path too. */
export const bufsizeWord: Word<BufsizeConfig> = {
  word: 'bufsize',
  doc: {
    usage: 'bufsize [OCTETS]',
    meaning:
      'the largest message over UDP, towards clients that take as much and from upstreams; larger ones go over TCP',
    default: `${PAYLOAD_DEFAULT}, which also holds without the directive`,
    range: `${PAYLOAD_MIN} to ${OCTETS_MAX}`,
    options: [],
    notes: [
      `Replies announce ${PAYLOAD_DEFAULT} octets whatever it says: that is what this server receives; CoreDNS repeats the client's size.`,
    ],
    example: `
      . {
          bufsize 4096
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = first(directives, problems)
    if (directive === undefined) return undefined
    let udpMaxOctets = PAYLOAD_DEFAULT
    readLine(directive, problems, line => {
      if (line.has) udpMaxOctets = line.integer('the size in octets', PAYLOAD_MIN, OCTETS_MAX) ?? udpMaxOctets
    })
    return { udpMaxOctets }
  },
  effect: ({ udpMaxOctets }) => ({ transparent: true, udpMaxOctets }),
  // The query goes on as from a client that announced no more: so `log` shows it.
  create: ({ udpMaxOctets }) => ({
    handle(packet) {
      if (packet.payloadSize > udpMaxOctets) packet.payloadSize = udpMaxOctets
      return NEXT
    },
  }),
}
