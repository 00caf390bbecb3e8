// `k8s_records ZONES… { … }`: names that objects ask for. Seamark's own word. What it does: handler.ts.

import type { Word } from '../plugin.ts'
import type { RecordsConfig } from './config.ts'
import { recordsDoc } from './doc.ts'
import { RecordsHandler } from './handler.ts'
import { parseRecords } from './parse.ts'

/** `k8s_records`, once in a server block. */
export const k8sRecordsWord = {
  word: 'k8s_records',
  doc: recordsDoc,
  parse: parseRecords,
  create: (config, context) => new RecordsHandler(config, context),
} satisfies Word<RecordsConfig>
