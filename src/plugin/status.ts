// `status [ADDRESS]`: a page that shows the server at work to whoever can reach the address: only this machine unless another is
// written. What it shows is in ../observe/status/.

import { once, readLine } from '../corefile/arguments.ts'
import type { ListenAddress } from '../corefile/values.ts'
import type { Word } from './plugin.ts'

/** The configuration of `status`. */
export interface StatusConfig {
  readonly address: ListenAddress
}

const STATUS_ADDRESS: ListenAddress = { host: 'localhost', port: 9154 }

/** `status`, once in a server block; several blocks may name one address. */
export const statusWord: Word<StatusConfig> = {
  word: 'status',
  doc: {
    usage: 'status [HOST:PORT]',
    meaning:
      'counts the queries of the block, and shows at /status of that address what the server does: queries, upstreams, watches, threads, who asks most, what fails; and why a name resolves or not',
    default: 'localhost:9154',
    options: [],
    notes: [
      'CoreDNS has no such directive. The page changes nothing and loads nothing from elsewhere; it shows names that are asked and addresses that ask, so that the address is this machine’s unless another one is written.',
      'At an address of the loopback it answers only who came by that name or an address: no web page of somebody else’s can read it.',
    ],
    example: `
      . {
          status localhost:9154
          kubernetes cluster.local
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    let address = STATUS_ADDRESS
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    readLine(directive, problems, line => {
      if (line.has) address = line.listenAddress('an address') ?? address
    })
    return { address }
  },
  effect: () => ({ transparent: true, counted: true }),
}
