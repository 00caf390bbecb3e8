// How `log` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { REPLY_CLASSES } from './classify.ts'

export const logDoc: WordDoc = {
  usage: 'log [NAME…] [FORMAT]',
  meaning: 'logs a line for each query below the names; the first directive that covers a name decides',
  default: 'all names, the common format `{common}`',
  options: [
    {
      usage: 'class CLASS…',
      meaning: 'logs only replies of these classes',
      default: 'all',
      range: REPLY_CLASSES.join(', '),
    },
  ],
  example: `
    . {
        log cluster.local {
            class denial error
        }
        kubernetes cluster.local
    }`,
}
