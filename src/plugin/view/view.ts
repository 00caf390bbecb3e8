// `view NAME { expr EXPRESSION… }`: a server block for some queries only (CoreDNS plugin/view). Blocks with the same zone
// and port are tried in the order of the file; a query goes to the first whose expressions are all true, or that has no view.
//
//   . {
//     view office {
//       expr incidr(client_ip(), '10.1.0.0/16')
//     }
//     forward . 10.1.0.53
//   }
//   . {
//     forward . 9.9.9.9
//   }

import type { Word } from '../plugin.ts'
import type { ViewConfig } from './config.ts'
import { viewDoc } from './doc.ts'
import { ViewHandler } from './handler.ts'
import { parseView } from './parse.ts'

/** `view`, once in a server block. */
export const viewWord = {
  word: 'view',
  doc: viewDoc,
  parse: parseView,
  // The road asks it before the block has the packet.
  effect: () => ({ transparent: true }),
  create: config => new ViewHandler(config),
} satisfies Word<ViewConfig>
