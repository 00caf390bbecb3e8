// `transfer [ZONE…] { to …; source ADDRESS }`: hands out zones of `file`, `kubernetes` and `k8s_external` as a whole (AXFR,
// RFC 5936; IXFR, RFC 1995, which gives everything or, to a client that has it, the SOA alone) as CoreDNS plugin/transfer
// does. Those who are to hear of changes are told by the control thread (../../control/notify.ts).

import type { Word } from '../plugin.ts'
import type { TransferConfig } from './config.ts'
import { transferDoc } from './doc.ts'
import { TransferHandler } from './handler.ts'
import { parseTransfer } from './parse.ts'

/** `transfer`, as often as wanted. */
export const transferWord = {
  word: 'transfer',
  doc: transferDoc,
  parse: parseTransfer,
  effect: () => ({ transparent: true, transfers: true }),
  create: (config, context) => new TransferHandler(config, context),
} satisfies Word<TransferConfig>
