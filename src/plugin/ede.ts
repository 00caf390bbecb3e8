// `ede on|off`: whether clients that ask with EDNS are told in words why they get nothing (RFC 8914). Seamark's own word: CoreDNS
// has none, because it never tells.

import { once, readLine } from '../corefile/arguments.ts'
import type { Word } from './plugin.ts'

/** The configuration of `ede`. */
export interface EdeConfig {
  readonly on: boolean
}

/** `ede`, once in a server block; a block without it tells. */
export const edeWord: Word<EdeConfig> = {
  word: 'ede',
  doc: {
    usage: 'ede on|off',
    meaning: 'tells clients that ask with EDNS why they get nothing, as an extended error (Seamark only)',
    default: 'on',
    options: [],
    example: `
      . {
          ede off
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    let on = true
    readLine(directive, problems, line => {
      on = (line.choice('on or off', ['on', 'off']) ?? 'on') === 'on'
    })
    return { on }
  },
  effect: ({ on }) => ({ reasons: on }),
}
