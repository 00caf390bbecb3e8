// `ipv6 off|cluster-only|on [ZONE…]`: no AAAA records for clusters without IPv6. Seamark's own word; see address-family.ts.

import { TYPE } from '../wire/rrtype.ts'
import { familyWord } from './address-family.ts'

export const ipv6Word = familyWord(
  { word: 'ipv6', type: TYPE.AAAA, otherType: TYPE.A, hintKey: 6 },
  {
    usage: 'ipv6 off|cluster-only|on [ZONE…]',
    meaning:
      'denies AAAA records of names in the zones at once (NODATA), without asking an upstream, and takes IPv6 addresses out of other replies, too; cluster-only leaves the names of kubernetes alone (Seamark only)',
    default: "on; the server block's zones",
    options: [],
    notes: [
      'The longest zone counts: `ipv6 off` and `ipv6 on v6.example.org` in one block.',
      'ipv6hint is taken out of HTTPS and SVCB records, AAAA out of answers to ANY, of aliases that lead into the zones, and of the additional records of SRV, MX and NS. Signatures over what was changed no longer fit: a client that validates by itself fails them.',
      'A name outside the cluster that does not exist is denied as one without AAAA records: whether it exists is nobody asked. A, and names of the cluster, are answered as ever, so that search paths go on.',
    ],
    example: `
      . {
          ipv6 cluster-only
          kubernetes cluster.local
          forward . /etc/resolv.conf
      }`,
  },
)
