// The directive's text (coredns plugin/cache/setup.go): what it means, and what is said about what it cannot mean.

import t from 'tap'
import { parseCorefileText } from '../../../src/corefile/parser.ts'
import { formatProblem, Problems } from '../../../src/corefile/problem.ts'
import { cacheWord } from '../../../src/plugin/cache/cache.ts'
import { type CacheConfig, defaultConfig, ENTRIES_DEFAULT } from '../../../src/plugin/cache/config.ts'

const config = defaultConfig(['.'])
const stale = { maxSeconds: 3600, verify: false, verifyTimeoutMs: 0, ttlSeconds: 0, recheckMs: 0 }
const success = (parts: object) => ({ success: { ...config.success, ...parts } })
const denial = (parts: object) => ({ denial: { ...config.denial, ...parts } })

/** All but the memory, which nothing was written to. */
function withoutMemory({ memory: _, ...config }: CacheConfig): CacheConfig {
  return config
}

function parse(text: string): { readonly config: CacheConfig | undefined; readonly problems: string[] } {
  const { blocks, problems: language } = parseCorefileText(`.:53 {\n${text}\n}\n`, 'Corefile')
  const problems = new Problems()
  const block = { zones: ['.'], words: new Set(['cache']), directives: new Map(), directory: '', env: {} }
  const parsed = cacheWord.parse(blocks[0]!.directives, problems, block)
  const config = parsed && withoutMemory(parsed)
  return { config, problems: [...language, ...problems.list].map(formatProblem) }
}

t.test('what it means', t => {
  const cases: [string, Partial<CacheConfig>][] = [
    ['cache', {}],
    ['cache 30', { ...success({ ttlMaxSeconds: 30 }), ...denial({ ttlMaxSeconds: 30 }) }],
    ['cache 30 Example.ORG 10.0.0.0/8', { ...success({ ttlMaxSeconds: 30 }), ...denial({ ttlMaxSeconds: 30 }), zones: ['example.org.', '10.in-addr.arpa.'] }],
    ['cache example.org', { zones: ['example.org.'] }],
    ['success 5000', success({ entriesMax: 5000, octetsMax: 5000 * 1024 })],
    ['success 10', success({ entriesMax: 10, octetsMax: 256 * 1024 })],
    ['success 5000 60', success({ entriesMax: 5000, octetsMax: 5000 * 1024, ttlMaxSeconds: 60 })],
    ['denial 9984 5', denial({ entriesMax: 9984, ttlMaxSeconds: 5 })],
    ['denial 9984 60 0', denial({ entriesMax: 9984, ttlMaxSeconds: 60, ttlMinSeconds: 0 })],
    ['prefetch 0', {}],
    ['prefetch 3', { prefetch: { hits: 3, windowMs: 60_000, percent: 10 } }],
    ['prefetch 3 10m', { prefetch: { hits: 3, windowMs: 600_000, percent: 10 } }],
    ['prefetch 3 10m 90%', { prefetch: { hits: 3, windowMs: 600_000, percent: 90 } }],
    ['serve_stale', { stale }],
    ['serve_stale 0', {}],
    ['serve_stale 1h30m', { stale: { ...stale, maxSeconds: 5400 } }],
    ['serve_stale 1h IMMEDIATE', { stale }],
    ['serve_stale 1h immediate 30s', { stale: { ...stale, ttlSeconds: 30 } }],
    ['serve_stale 1h immediate 30s 5m', { stale: { ...stale, ttlSeconds: 30, recheckMs: 300_000 } }],
    ['serve_stale 1h verify', { stale: { ...stale, verify: true } }],
    ['serve_stale 1h verify 500ms', { stale: { ...stale, verify: true, verifyTimeoutMs: 500 } }],
    ['serve_stale 1h verify 500ms 30s 10s', { stale: { maxSeconds: 3600, verify: true, verifyTimeoutMs: 500, ttlSeconds: 30, recheckMs: 10_000 } }],
    ['serve_stale\n serve_stale_policy prefer_positive', { stale, preferPositive: true }],
    ['serve_stale_policy prefer_positive\n serve_stale', { stale, preferPositive: true }],
    ['servfail 0', { failureMs: 0 }],
    ['servfail 5m', { failureMs: 300_000 }],
    ['disable success', success({ exceptZones: ['.'] })],
    ['disable success cluster.local\n disable denial cluster.local', { ...success({ exceptZones: ['cluster.local.'] }), ...denial({ exceptZones: ['cluster.local.'] }) }],
    ['disable denial a.org B.org', denial({ exceptZones: ['a.org.', 'b.org.'] })],
    ['keepttl', { keepTtl: true }],
  ] // biome-ignore format: a table
  for (const [text, expected] of cases) {
    const parsed = parse(text.startsWith('cache') ? text : `cache {\n ${text}\n}`)
    t.same(parsed.problems, [], text)
    t.strictSame(parsed.config, { ...config, ...expected }, text)
    t.strictSame(structuredClone(parsed.config), parsed.config, `${text}: as data`)
  }
  t.end()
})

t.test('what is said', t => {
  const cases: [string, string[]][] = [
    ['cache\ncache 30', ['3:1: error: cache is given twice, first at Corefile:2:1 (found "cache")']],
    ['cache 0', ['2:7: error: the TTL in seconds must be an integer from 1 to 2147483647 (found "0")']],
    ['cache -1', ['2:7: error: the TTL in seconds must be an integer from 1 to 2147483647 (found "-1")']],
    ['cache {\nsucces 10\n}', ['3:1: error: unknown property of cache (found "succes"; allowed: denial, disable, keepttl, prefetch, serve_stale, serve_stale_policy, servfail, success; did you mean "success"?)']],
    ['cache {\nsuccess\n}', ['3:1: error: success needs the capacity']],
    ['cache {\nsuccess 0\n}', ['3:1: warning: a capacity of no entries is taken as 9984 (found "0")']],
    ['cache {\nsuccess 2000000\n}', ['3:1: warning: a capacity above 1000000 is taken as 1000000 (found "2000000")']],
    ['cache {\nsuccess 10 0\n}', ['3:12: error: the TTL in seconds must be an integer from 1 to 2147483647 (found "0")']],
    ['cache {\ndenial 10 5 -1\n}', ['3:13: error: the minimum TTL in seconds must be an integer from 0 to 2147483647 (found "-1")']],
    ['cache {\nprefetch\n}', ['3:1: error: prefetch needs the number of hits']],
    ['cache {\nprefetch 1 2 3 4\n}', ['3:12: error: the window must be a duration such as 5s or 1m30s (found "2")', '3:14: error: the percentage must be from 10% to 90% (found "3")']],
    ['cache {\nprefetch 1 1m 9%\n}', ['3:15: error: the percentage must be from 10% to 90% (found "9%")']],
    ['cache {\nprefetch 1 1m 50% 1\n}', ['3:19: error: too many arguments for prefetch (found "1")']],
    ['cache {\nserve_stale -1s\n}', ['3:13: error: how long stale replies are served must be at least 0ms (found "-1s")']],
    ['cache {\nserve_stale 1h sometimes\n}', ['3:16: error: unknown mode of serve_stale (found "sometimes"; allowed: immediate, verify)']],
    ['cache {\nserve_stale 1h immediate 1500ms\n}', ['3:26: error: the TTL of stale replies must be a duration of whole seconds such as 30s (found "1500ms")']],
    ['cache {\nserve_stale 1h immediate 1s 6m\n}', ['3:29: error: the time to the next refresh must be at most 300s (found "6m")']],
    ['cache {\nserve_stale_policy prefer_positive\n}', ['3:1: error: serve_stale_policy needs serve_stale beside it (found "serve_stale_policy")']],
    ['cache {\nserve_stale\nserve_stale_policy newest\n}', ['4:20: error: this is not a policy (found "newest"; allowed: prefer_positive)']],
    ['cache {\nservfail 6m\n}', ['3:10: error: how long failures are kept must be at most 300s (found "6m")']],
    ['cache {\nservfail 5\n}', ['3:10: error: how long failures are kept must be a duration such as 5s or 1m30s (found "5")']],
    ['cache {\ndisable all\n}', ['3:9: error: this is not a kind of reply (found "all"; allowed: success, denial)']],
    ['cache {\ndisable success a.org\ndisable success b.org\n}', ['4:1: warning: this replaces the zones of the earlier disable success; give all zones in one line (found "disable")']],
    ['cache {\nkeepttl yes\n}', ['3:9: error: keepttl takes no arguments (found "yes")']],
  ] // biome-ignore format: a table
  for (const [text, expected] of cases) {
    t.same(
      parse(text).problems,
      expected.map(problem => `Corefile:${problem}`),
      text.replaceAll('\n', ' '),
    )
  }
  t.end()
})

t.test('a faulty option leaves the others as they are', t => {
  const parsed = parse('cache 30 {\nsuccess x\ndenial 100 5\nkeepttl\n}')
  t.equal(parsed.problems.length, 1)
  t.equal(parsed.config?.success.entriesMax, ENTRIES_DEFAULT)
  t.match(parsed.config, { keepTtl: true, denial: { entriesMax: 100, ttlMaxSeconds: 5 } })
  t.end()
})
