// `bind ADDRESS|INTERFACE… { except ADDRESS|INTERFACE… }`: where a server block listens (CoreDNS plugin/bind). Names of
// interfaces are resolved when the Corefile is read.

import { readLine } from '../corefile/arguments.ts'
import type { Token } from '../corefile/token.ts'
import { bindAddresses } from '../listen/addresses.ts'
import type { Word } from './plugin.ts'

/** The configuration of `bind`: IP addresses, or [''] for all. */
export interface BindConfig {
  readonly addresses: readonly string[]
}

const WHAT = 'an address or an interface'

/** `bind`; several in a block add up. */
export const bindWord: Word<BindConfig> = {
  word: 'bind',
  doc: {
    usage: 'bind ADDRESS|INTERFACE…',
    meaning: 'listens there instead of everywhere',
    default: 'all addresses',
    options: [{ usage: 'except ADDRESS|INTERFACE…', meaning: 'leaves these out' }],
    example: `
      . {
          bind 169.254.20.10 eth0 {
              except 10.0.0.1
          }
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const words: Token[] = []
    const except: Token[] = []
    for (const directive of directives) {
      readLine(directive, problems, line => {
        words.push(...line.some(WHAT))
        line.options({ except: option => void except.push(...option.some(WHAT)) })
      })
    }
    const { addresses, unknown } = bindAddresses(words.map(textOf), except.map(textOf))
    for (const token of [...words, ...except]) {
      if (unknown.includes(token.text)) {
        problems.error(token, 'neither an IP address nor an interface with addresses', { found: token.text })
      }
    }
    const [first] = directives
    if (first && addresses.length === 0 && unknown.length === 0) {
      problems.error(first.word, 'nothing is left to listen on', { found: words.map(textOf).join(' ') })
    }
    return { addresses }
  },
}

const textOf = ({ text }: Token): string => text
