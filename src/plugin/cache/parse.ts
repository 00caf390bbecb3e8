// Reads the directive (doc.ts; coredns plugin/cache/setup.go).

import { type Line, once, readLine } from '../../corefile/arguments.ts'
import type { Directive } from '../../corefile/corefile.ts'
import type { Problems } from '../../corefile/problem.ts'
import type { Token } from '../../corefile/token.ts'
import { parseDuration } from '../../corefile/values.ts'
import { TTL_MAX_SECONDS } from '../../wire/record.ts'
import type { BlockContext } from '../plugin.ts'
import {
  type CacheConfig,
  defaultConfig,
  ENTRIES_DEFAULT,
  ENTRIES_MAX,
  FAILURE_MAX_MS,
  octetsMax,
  PREFETCH_PERCENT_DEFAULT,
  PREFETCH_WINDOW_DEFAULT_MS,
  type PrefetchConfig,
  RECHECK_MAX_MS,
  type Side,
  type SideConfig,
  STALE_DEFAULT_MS,
  type StaleConfig,
} from './config.ts'
import { cacheMemory } from './layout.ts'

type Draft = { -readonly [K in keyof CacheConfig]: CacheConfig[K] }

/** The configuration that the block's one `cache` directive means; what is wrong is reported and left at its default. */
export function parseCache(
  directives: readonly Directive[],
  problems: Problems,
  block: BlockContext,
): CacheConfig | undefined {
  const directive = once(directives, problems)
  if (directive === undefined) return undefined
  const draft: Draft = defaultConfig(block.zones)
  readLine(directive, problems, line => readCache(line, draft, block))
  return { ...draft, memory: cacheMemory(draft.success, draft.denial) }
}

function readCache(line: Line, draft: Draft, block: BlockContext): void {
  if (/^[-+]?\d+$/.test(line.peek ?? '')) {
    const ttlMaxSeconds = line.integer('the TTL in seconds', 1, TTL_MAX_SECONDS)
    if (ttlMaxSeconds !== undefined) {
      draft.success = { ...draft.success, ttlMaxSeconds }
      draft.denial = { ...draft.denial, ttlMaxSeconds }
    }
  }
  draft.zones = line.zones(block.zones)
  let staleGiven = false
  let policy: Token | undefined
  line.options({
    success: option => {
      draft.success = readSide(option, 'success', draft.success)
    },
    denial: option => {
      draft.denial = readSide(option, 'denial', draft.denial)
    },
    prefetch: option => {
      draft.prefetch = readPrefetch(option)
    },
    serve_stale: option => {
      draft.stale = readStale(option)
      staleGiven = true
    },
    serve_stale_policy: option => {
      option.once()
      policy = option.word
      draft.preferPositive = option.choice('a policy', ['prefer_positive']) !== undefined
    },
    servfail: option => {
      const failureMs = option.duration('how long failures are kept', { maxMs: FAILURE_MAX_MS })
      draft.failureMs = failureMs ?? draft.failureMs
    },
    disable: option => {
      const side = option.choice('a kind of reply', ['success', 'denial'])
      const exceptZones = option.zones(['.'])
      if (side === undefined) return
      if (draft[side].exceptZones.length > 0) {
        const message = `this replaces the zones of the earlier disable ${side}; give all zones in one line`
        option.problems.warning(option.word, message, { found: 'disable' })
      }
      draft[side] = { ...draft[side], exceptZones }
    },
    keepttl: () => {
      draft.keepTtl = true
    },
  })
  if (policy !== undefined && !staleGiven) {
    line.error(policy, 'serve_stale_policy needs serve_stale beside it', { found: policy.text })
  }
}

function readSide(line: Line, side: Side, before: SideConfig): SideConfig {
  const entriesMax = readCapacity(line) ?? before.entriesMax
  const ttlMaxSeconds = line.has ? line.integer('the TTL in seconds', 1, TTL_MAX_SECONDS) : undefined
  const ttlMinSeconds = line.has ? line.integer('the minimum TTL in seconds', 0, TTL_MAX_SECONDS) : undefined
  return {
    ...before,
    entriesMax,
    octetsMax: octetsMax(side, entriesMax),
    ttlMaxSeconds: ttlMaxSeconds ?? before.ttlMaxSeconds,
    ttlMinSeconds: ttlMinSeconds ?? before.ttlMinSeconds,
  }
}

/** CoreDNS takes any integer and makes 1024 of what is too small; a capacity that is none is told, not refused. */
function readCapacity(line: Line): number | undefined {
  const found = line.peek
  const capacity = line.integer('the capacity', Number.MIN_SAFE_INTEGER)
  if (capacity === undefined || (capacity > 0 && capacity <= ENTRIES_MAX)) return capacity
  const taken = capacity > 0 ? ENTRIES_MAX : ENTRIES_DEFAULT
  const problem = capacity > 0 ? `a capacity above ${ENTRIES_MAX}` : 'a capacity of no entries'
  line.problems.warning(line.word, `${problem} is taken as ${taken}`, found === undefined ? {} : { found })
  return taken
}

function readPrefetch(line: Line): PrefetchConfig | undefined {
  const hits = line.integer('the number of hits')
  const windowMs = line.has ? line.duration('the window') : PREFETCH_WINDOW_DEFAULT_MS
  const percent = line.has ? readPercent(line) : PREFETCH_PERCENT_DEFAULT
  if (hits === undefined || windowMs === undefined || percent === undefined || hits === 0) return undefined
  return { hits, windowMs, percent }
}

function readPercent(line: Line): number | undefined {
  const token = line.token('a percentage')
  if (token === undefined) return undefined
  const percent = /^\d+%$/.test(token.text) ? Number.parseInt(token.text, 10) : Number.NaN
  if (percent >= 10 && percent <= 90) return percent
  return line.error(token, 'the percentage must be from 10% to 90%', { found: token.text })
}

function readStale(line: Line): StaleConfig | undefined {
  const maxMs = line.has ? line.duration('how long stale replies are served') : STALE_DEFAULT_MS
  const mode = line.has ? readMode(line) : 'immediate'
  const verify = mode === 'verify'
  const verifyTimeoutMs = verify && line.has ? line.duration('the time to verify in') : 0
  const ttlSeconds = line.has ? readStaleTtl(line) : 0
  const recheckMs = line.has ? line.duration('the time to the next refresh', { maxMs: RECHECK_MAX_MS }) : 0
  if (maxMs === undefined || mode === undefined) return undefined
  if (verifyTimeoutMs === undefined || ttlSeconds === undefined || recheckMs === undefined) return undefined
  const maxSeconds = Math.floor(maxMs / 1000)
  return maxSeconds === 0 ? undefined : { maxSeconds, verify, verifyTimeoutMs, ttlSeconds, recheckMs }
}

/** In any case, as CoreDNS takes it. */
function readMode(line: Line): 'immediate' | 'verify' | undefined {
  const token = line.token('a mode')
  if (token === undefined) return undefined
  const mode = token.text.toLowerCase()
  if (mode === 'immediate' || mode === 'verify') return mode
  return line.error(token, 'unknown mode of serve_stale', {
    found: token.text,
    allowed: ['immediate', 'verify'],
  })
}

function readStaleTtl(line: Line): number | undefined {
  const token = line.token('the TTL of stale replies')
  if (token === undefined) return undefined
  const durationMs = parseDuration(token.text) ?? Number.NaN
  const ttlSeconds = durationMs / 1000
  if (Number.isInteger(ttlSeconds) && ttlSeconds >= 0 && ttlSeconds <= TTL_MAX_SECONDS) return ttlSeconds
  return line.error(token, 'the TTL of stale replies must be a duration of whole seconds such as 30s', {
    found: token.text,
  })
}
