// `trace [TYPE] [ENDPOINT] { … }`: what becomes of queries, as spans for a collector (CoreDNS plugin/trace). Nothing of it is there in
// a block without it.

import type { Word } from '../plugin.ts'
import type { TraceConfig } from './config.ts'
import { traceDoc } from './doc.ts'
import { TraceHandler } from './handler.ts'
import { parseTrace } from './parse.ts'

/** `trace`; of several the last one counts. */
export const traceWord = {
  word: 'trace',
  doc: traceDoc,
  parse: parseTrace,
  create: (config, context) => new TraceHandler(config, context),
} satisfies Word<TraceConfig>
