// `timeouts { read DURATION; write DURATION; idle DURATION; maxtcpqueries N }`: how long connections may take, and how many
// queries (CoreDNS plugin/timeouts). What is not said keeps its default (../listen/stream-limits.ts).

import { type DurationBounds, readLine } from '../corefile/arguments.ts'
import { STREAM_LIMITS, type StreamLimits } from '../listen/stream-limits.ts'
import { formatDuration } from '../shared/duration.ts'
import type { Word } from './plugin.ts'

/** What `timeouts` may set. */
export type TimeoutsConfig = Partial<
  Pick<StreamLimits, 'firstReadTimeoutMs' | 'writeTimeoutMs' | 'idleTimeoutMs' | 'queriesPerConnectionMax'>
>

const BOUNDS: DurationBounds = { minMs: 1000, maxMs: 86_400_000, bareSeconds: true }
/** More queries than a connection lives to see. */
const QUERIES_MAX = 2 ** 31 - 1

const timed = (usage: string, meaning: string, defaultMs: number) => ({
  usage,
  meaning,
  default: formatDuration(defaultMs),
  range: '1s to 24h; a bare number is seconds',
})

/** `timeouts`; of several in a block the last one that says something counts, as in CoreDNS. */
export const timeoutsWord: Word<TimeoutsConfig> = {
  word: 'timeouts',
  doc: {
    usage: 'timeouts',
    meaning: 'how long connections of TCP, TLS and HTTPS may take',
    options: [
      timed(
        'read DURATION',
        'from the beginning of a connection to its first whole query, and of a request over HTTP to its end',
        STREAM_LIMITS.firstReadTimeoutMs,
      ),
      timed(
        'write DURATION',
        'how long a client may take nothing of what waits for it',
        STREAM_LIMITS.writeTimeoutMs,
      ),
      timed(
        'idle DURATION',
        'how long a connection may be without a query; a tenth of it is left when all connections are taken',
        STREAM_LIMITS.idleTimeoutMs,
      ),
      {
        usage: 'maxtcpqueries N',
        meaning: 'queries after which a connection over TCP or TLS is closed; -1 is no such number',
        default: `${STREAM_LIMITS.queriesPerConnectionMax}`,
        range: '-1, or from 1',
      },
    ],
    notes: [
      'Clients that ask for it (RFC 7828) are told the idle time.',
      'Blocks of one listener share these: what only one of them sets holds for all, two different values are an error.',
    ],
    example: `
      tls://. {
          tls tls.crt tls.key
          timeouts {
              idle 30s
              maxtcpqueries 1000
          }
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    let config: TimeoutsConfig = {}
    const set = (name: keyof TimeoutsConfig, value: number | undefined): void => {
      if (value !== undefined) config = { ...config, [name]: value }
    }
    for (const directive of directives) {
      readLine(directive, problems, line => {
        if (!directive.block?.length) line.error(line.word, 'timeouts needs at least one of its options')
        line.options({
          read: option => set('firstReadTimeoutMs', option.duration('the time', BOUNDS)),
          write: option => set('writeTimeoutMs', option.duration('the time', BOUNDS)),
          idle: option => set('idleTimeoutMs', option.duration('the time', BOUNDS)),
          maxtcpqueries: option => {
            const found = option.peek ?? ''
            const queries = option.integer('the number of queries', -1, QUERIES_MAX)
            if (queries === 0) option.error(option.word, 'no connection could ask anything', { found })
            set('queriesPerConnectionMax', queries)
          },
        })
      })
    }
    return config
  },
}
