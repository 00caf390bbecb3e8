// `log [NAMES…] [FORMAT] { class CLASSES… }`: a line for each query (CoreDNS plugin/log). Of several directives and
// names the first that covers the question decides. Lines are held to a rate and never wait (../../observe/log.ts).
//
//   log                                      every query in the common format
//   log example.org "{proto} {name} {type}"  its own format
//   log . { class denial error }             what did not succeed

import type { Word } from '../plugin.ts'
import type { LogConfig } from './config.ts'
import { logDoc } from './doc.ts'
import { LogHandler } from './handler.ts'
import { parseLog } from './parse.ts'

/** `log`, as often as wanted. */
export const logWord = {
  word: 'log',
  doc: logDoc,
  parse: parseLog,
  create: (config, context) => new LogHandler(config, context),
} satisfies Word<LogConfig>
