// `debug`: writes the DEBUG lines of the log (CoreDNS plugin/debug). It is about the whole process, whichever block has it.

import { readLine } from '../corefile/arguments.ts'
import type { Word } from './plugin.ts'

export type DebugConfig = Record<string, never>

/** `debug`, without arguments; the threads' logs heed it (../serving/thread.ts, ../control/server.ts). */
export const debugWord: Word<DebugConfig> = {
  word: 'debug',
  doc: {
    usage: 'debug',
    meaning: 'logs what is for finding faults: lines of the level DEBUG',
    options: [],
    notes: [
      "It holds for all server blocks. In CoreDNS a plugin's bug also ends the process then; here never.",
    ],
    example: `
      . {
          debug
          errors
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    for (const directive of directives) readLine(directive, problems, () => {})
    return {}
  },
}
