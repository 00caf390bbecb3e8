// `ipv4 off|cluster-only|on [ZONE…]`: no A records for clusters without IPv4. Seamark's own word; see address-family.ts.

import { TYPE } from '../wire/rrtype.ts'
import { familyWord } from './address-family.ts'

export const ipv4Word = familyWord(
  { word: 'ipv4', type: TYPE.A, otherType: TYPE.AAAA, hintKey: 4 },
  {
    usage: 'ipv4 off|cluster-only|on [ZONE…]',
    meaning:
      'denies A records of names in the zones at once (NODATA), as ipv6 does AAAA records: for clusters with IPv6 only (Seamark only)',
    default: "on; the server block's zones",
    options: [],
    notes: [
      'What `dns64` asks for by itself is not denied: with `ipv4 off` clients get the addresses behind its prefix, and no others.',
      'What ipv6 says of HTTPS, ANY, additional records and names that do not exist holds here, too.',
    ],
    example: `
      . {
          ipv4 cluster-only
          dns64 {
              allow_ipv4
          }
          kubernetes cluster.local
          forward . /etc/resolv.conf
      }`,
  },
)
