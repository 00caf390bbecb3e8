// `health [ADDRESS] { lameduck DURATION }`: where /health answers and how long the process goes on serving after it was
// told to end (CoreDNS plugin/health). What it serves is in ../observe/health.ts.

import { readLine } from '../corefile/arguments.ts'
import type { ListenAddress } from '../corefile/values.ts'
import type { Word } from './plugin.ts'

/** The configuration of `health`. */
export interface HealthConfig {
  readonly address: ListenAddress
  /** 0 unless given. */
  readonly lameduckMs: number
}

/** CoreDNS's default, every address. */
const HEALTH_ADDRESS: ListenAddress = { host: '', port: 8080 }
/** Beyond a day a lame duck is a mistake. */
const LAMEDUCK_MAX_MS = 86_400_000

/** `health`; of several in a block the last one that says something counts, as in CoreDNS. */
export const healthWord: Word<HealthConfig> = {
  word: 'health',
  doc: {
    usage: 'health [HOST:PORT]',
    meaning: 'answers 200 at /health while the process lives',
    default: ':8080',
    options: [
      {
        usage: 'lameduck DURATION',
        meaning: 'goes on answering that long after SIGTERM, while /ready says no',
        default: '0s',
        range: 'to 24h',
      },
    ],
    example: `
      . {
          health :8080 {
              lameduck 5s
          }
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    let address = HEALTH_ADDRESS
    let lameduckMs = 0
    for (const directive of directives) {
      readLine(directive, problems, line => {
        if (line.has) address = line.listenAddress('an address') ?? address
        line.options({
          lameduck: option => {
            lameduckMs = option.duration('the lameduck time', { maxMs: LAMEDUCK_MAX_MS }) ?? lameduckMs
          },
        })
      })
    }
    return { address, lameduckMs }
  },
}
