// `ready [ADDRESS] { monitor until-ready | continuously }`: where /ready answers and whether a plugin that was ready
// once stays so (CoreDNS plugin/ready). What it serves is in ../observe/ready.ts.

import { once, readLine } from '../corefile/arguments.ts'
import type { ListenAddress } from '../corefile/values.ts'
import type { MonitorMode } from '../observe/ready.ts'
import type { Word } from './plugin.ts'

/** The configuration of `ready`. */
export interface ReadyConfig {
  readonly address: ListenAddress
  readonly monitor: MonitorMode
}

/** CoreDNS's default, every address. */
const READY_ADDRESS: ListenAddress = { host: '', port: 8181 }

/** `ready`, once in a server block. */
export const readyWord: Word<ReadyConfig> = {
  word: 'ready',
  doc: {
    usage: 'ready [HOST:PORT]',
    meaning:
      'answers 200 at /ready when everything is there to be served; /ready?verbose says what is waited for',
    default: ':8181',
    options: [
      {
        usage: 'monitor until-ready|continuously',
        meaning: 'whether what was ready once may become unready again',
        default: 'until-ready',
      },
    ],
    example: `
      . {
          ready :8181 {
              monitor continuously
          }
          kubernetes cluster.local
      }`,
  },
  parse(directives, problems) {
    let address = READY_ADDRESS
    let monitor: MonitorMode = 'until-ready'
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    readLine(directive, problems, line => {
      if (line.has) address = line.listenAddress('an address') ?? address
      line.options({
        monitor: option => {
          monitor = option.choice<MonitorMode>('a way to monitor', ['until-ready', 'continuously']) ?? monitor
        },
      })
    })
    return { address, monitor }
  },
}
