// How `cache` is written (coredns plugin/cache/setup.go), with the defaults and bounds of config.ts.

import type { WordDoc } from '../../corefile/doc.ts'
import {
  DENIAL_TTL_MAX_SECONDS, ENTRIES_DEFAULT, ENTRIES_MAX, FAILURE_DEFAULT_MS, FAILURE_MAX_MS, PREFETCH_PERCENT_DEFAULT,
  PREFETCH_WINDOW_DEFAULT_MS, RECHECK_MAX_MS, STALE_DEFAULT_MS, SUCCESS_TTL_MAX_SECONDS, TTL_MIN_SECONDS,
} from './config.ts' // biome-ignore format: one import

const side = (word: string, what: string, ttlMaxSeconds: number) => ({
  usage: `${word} CAPACITY [TTL] [MINTTL]`,
  meaning: `the ${what} kept at most, and the bounds of their TTLs in seconds`,
  default: `${ENTRIES_DEFAULT}, ${ttlMaxSeconds} (or the directive's TTL), ${TTL_MIN_SECONDS}`,
  range: `CAPACITY to ${ENTRIES_MAX}`,
})

export const cacheDoc: WordDoc = {
  usage: 'cache [TTL] [ZONE…]',
  meaning: 'keeps replies of the rest of the chain for as long as they allow, TTL seconds at most',
  default: `${SUCCESS_TTL_MAX_SECONDS} for answers, ${DENIAL_TTL_MAX_SECONDS} for denials; the block's zones`,
  options: [
    side('success', 'answers', SUCCESS_TTL_MAX_SECONDS),
    side('denial', 'denials and failures', DENIAL_TTL_MAX_SECONDS),
    {
      usage: 'prefetch HITS [WINDOW] [PERCENT%]',
      meaning:
        'refreshes what was asked HITS times without a gap of WINDOW when no more than PERCENT of its TTL is left',
      default: `off; ${PREFETCH_WINDOW_DEFAULT_MS / 60_000}m, ${PREFETCH_PERCENT_DEFAULT}%`,
      range: 'PERCENT 10% to 90%',
    },
    {
      usage: 'serve_stale [MAX] [immediate [TTL [RECHECK]] | verify [TIMEOUT [TTL [RECHECK]]]]',
      meaning:
        'serves what has expired up to MAX ago: at once and refreshed behind, or after a refresh failed within TIMEOUT',
      default: `off; ${STALE_DEFAULT_MS / 3_600_000}h, immediate, TTL 0s`,
      range: `TTL in whole seconds, RECHECK to ${RECHECK_MAX_MS / 60_000}m`,
    },
    {
      usage: 'serve_stale_policy prefer_positive',
      meaning: 'the last good answer outlives what denies it, as long as serve_stale lasts',
      default: 'off',
    },
    {
      usage: 'servfail DURATION',
      meaning: 'how long failures are kept; 0s is not at all',
      default: `${FAILURE_DEFAULT_MS / 1000}s`,
      range: `to ${FAILURE_MAX_MS / 60_000}m`,
    },
    {
      usage: 'disable success|denial [ZONE…]',
      meaning: 'stores no such replies of these zones',
      default: 'nothing is left out; all zones where none is named',
    },
    {
      usage: 'keepttl',
      meaning: 'shows TTLs as they were stored instead of counting them down',
      default: 'off',
    },
  ],
  notes: [
    "Replies made from the cluster's own table, those of `k8s_records` among them, are never stored: the table is as fast and never stale.",
  ],
  example: `
    . {
        cache 30 {
            success 20000
            denial 5000 5
            prefetch 10 1m 20%
            serve_stale 1h verify 500ms
        }
        forward . /etc/resolv.conf
    }`,
}
