// How `transfer` is written, with the bounds of outgoing.ts.

import type { WordDoc } from '../../corefile/doc.ts'
import { TRANSFER_MAX_MS, TRANSFERS_MAX } from './outgoing.ts'

export const transferDoc: WordDoc = {
  usage: 'transfer [ZONE…]',
  meaning:
    'hands out zones of file, kubernetes and k8s_external as a whole (AXFR, IXFR over TCP) and tells of changes of the first two (NOTIFY)',
  default: 'the zones of the server block',
  options: [
    {
      usage: 'to *|ADDRESS…',
      meaning: 'who may have them: * is anybody; an address with or without a port is told of changes too',
      default: 'none: it must be given',
    },
    {
      usage: 'source ADDRESS',
      meaning: 'the local address of the notifications',
      default: "the system's choice",
    },
  ],
  notes: [
    `At most ${TRANSFERS_MAX} transfers at once, each for ${TRANSFER_MAX_MS / 60_000} minutes.`,
    'Changes of the cluster are told of too, which CoreDNS does not do; reverse zones of kubernetes are not handed out.',
  ],
  example: `
    example.org {
        transfer {
            to 192.0.2.53 192.0.2.54:5353
        }
        file db.example.org
    }`,
}
