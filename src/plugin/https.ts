// `https { max_connections N }`: bounds of DNS over HTTPS (CoreDNS plugin/https). What is spoken is in ../listen/https.ts.

import { first, readLine } from '../corefile/arguments.ts'
import type { Word } from './plugin.ts'

/** The configuration of `https`. */
export interface HttpsConfig {
  /** Connections of one listener, all threads together; 0 for no bound but the one that TCP has. */
  readonly connectionsMax: number | undefined
}

/** CoreDNS's default. */
export const HTTPS_CONNECTIONS_MAX = 200
const COUNT_MAX = 2 ** 31 - 1

/** `https`; of several in a block the first one counts. */
export const httpsWord: Word<HttpsConfig> = {
  word: 'https',
  doc: {
    usage: 'https',
    meaning: 'bounds of the https:// keys',
    options: [
      {
        usage: 'max_connections N',
        meaning: 'connections of one listener; 0 is no bound but the one that TCP has',
        default: `${HTTPS_CONNECTIONS_MAX}`,
        range: 'from 0',
      },
    ],
    notes: [
      'Every thread has its share of them. Where all are taken, the one that has been idle for longest is closed for a new one; CoreDNS lets new ones wait.',
    ],
    example: `
      https://. {
          tls tls.crt tls.key
          https {
              max_connections 400
          }
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = first(directives, problems)
    if (directive === undefined) return undefined
    let connectionsMax: number | undefined
    readLine(directive, problems, line => {
      line.options({
        max_connections: option => {
          option.once()
          connectionsMax = option.integer('the number of connections', 0, COUNT_MAX)
        },
      })
    })
    return { connectionsMax }
  },
}
