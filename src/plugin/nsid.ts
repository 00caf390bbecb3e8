// `nsid [DATA…]`: tells clients that ask for it which of several servers answered (CoreDNS plugin/nsid; RFC 5001): an EDNS
// option in every reply of the server block, the words as they stand or the host's name.
//
//   $ dig +nsid web.shop.svc.cluster.local
//   ; NSID: 6e 6f 64 65 2d 31 ("node-1")

import { hostname } from 'node:os'
import { once, readLine } from '../corefile/arguments.ts'
import { NEXT } from '../query/packet.ts'
import type { Word } from './plugin.ts'

/** The configuration of `nsid`. */
export interface NsidConfig {
  readonly data: string
}

/** So that it fits into a reply of 512 octets beside any question. */
const DATA_MAX_OCTETS = 200

/** `nsid`, once in a server block. */
export const nsidWord: Word<NsidConfig> = {
  word: 'nsid',
  doc: {
    usage: 'nsid [DATA…]',
    meaning:
      'tells clients that ask for it by EDNS (RFC 5001) which server answers: the words, one space between them',
    default: "the host's name, of a Pod the Pod's",
    range: `${DATA_MAX_OCTETS} octets`,
    options: [],
    example: `
      . {
          nsid rack 7
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    let data = hostname()
    readLine(directive, problems, line => {
      const words = line.rest()
      if (words.length === 0) return
      data = words.map(({ text }) => text).join(' ')
      if (Buffer.byteLength(data) > DATA_MAX_OCTETS)
        line.error(words[0]!, `the data of nsid is longer than ${DATA_MAX_OCTETS} octets`)
    })
    return { data }
  },
  // The road adds it, to what the fast path answers, too.
  effect: ({ data }) => ({ transparent: true, nsid: Uint8Array.from(Buffer.from(data)) }),
  create: () => ({ handle: () => NEXT }),
}
