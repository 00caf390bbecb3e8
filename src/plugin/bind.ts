// `bind ADDRESS|INTERFACE… { except ADDRESS|INTERFACE… }`: where a server block listens (CoreDNS plugin/bind). Names of
// interfaces are resolved when the Corefile is read.

import { readLine } from '../corefile/arguments.ts'
import { bindAddresses } from '../listen/addresses.ts'
import type { Word } from './plugin.ts'

/** The configuration of `bind`: IP addresses, or [''] for all. */
export interface BindConfig {
  readonly addresses: readonly string[]
}

/** `bind`; several in a block add up. */
export const bindWord: Word<BindConfig> = {
  word: 'bind',
  parse(directives, problems) {
    const words: string[] = []
    const except: string[] = []
    for (const directive of directives) {
      readLine(directive, problems, line => {
        words.push(...line.some('an address or an interface').map(token => token.text))
        line.options({
          except: option => {
            except.push(...option.some('an address or an interface').map(token => token.text))
          },
        })
      })
    }
    const { addresses, unknown } = bindAddresses(words, except)
    for (const word of unknown) {
      const directive = directives.find(({ args }) => args.some(arg => arg.text === word)) ?? directives[0]
      if (directive) {
        const place = directive.args.find(arg => arg.text === word) ?? directive.word
        problems.error(place, 'neither an IP address nor an interface with addresses', { found: word })
      }
    }
    return { addresses }
  },
}
