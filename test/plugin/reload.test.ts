// The directive's text: how often the Corefile is looked at.

import t from 'tap'
import { type ReloadConfig, reloadWord } from '../../src/plugin/reload.ts'
import { parseWord } from '../support/words.ts'

t.test('what it means', t => {
  const cases: [text: string, config: ReloadConfig | undefined][] = [
    ['', undefined],
    ['reload', { intervalMs: 30_000, jitterMs: 15_000 }],
    ['reload 2s', { intervalMs: 2000, jitterMs: 1000 }],
    ['reload 10s', { intervalMs: 10_000, jitterMs: 5000 }],
    ['reload 1m', { intervalMs: 60_000, jitterMs: 15_000 }],
    ['reload 1m 20s', { intervalMs: 60_000, jitterMs: 20_000 }],
    ['reload 1m 45s', { intervalMs: 60_000, jitterMs: 30_000 }],
    ['reload 10s 0s', { intervalMs: 10_000, jitterMs: 0 }],
    ['reload 10s 25h', { intervalMs: 10_000, jitterMs: 5000 }],
    ['reload 24h', { intervalMs: 86_400_000, jitterMs: 15_000 }],
    ['reload 10s\nreload 10s', { intervalMs: 10_000, jitterMs: 5000 }],
  ]
  for (const [text, config] of cases) {
    const parsed = parseWord(reloadWord, text)
    t.same(parsed.complaints, [], text)
    t.strictSame(parsed.config, config, text)
  }
  t.end()
})

t.test('what it cannot mean', t => {
  const cases: [text: string, complaint: string][] = [
    ['reload 1999ms', '2:8: error: the interval must be at least 2s (found "1999ms")'],
    ['reload 30', '2:8: error: the interval must be a duration such as 5s or 1m30s (found "30")'],
    ['reload 30s 999ms', '2:12: error: the jitter must be 0s or at least 1s (found "999ms")'],
    ['reload 30s -5s', '2:12: error: the jitter must be 0s or at least 1s (found "-5s")'],
    ['reload 30s 5', '2:12: error: the jitter must be a duration such as 5s (found "5")'],
    ['reload 30s 5s 5s', '2:15: error: too many arguments for reload (found "5s")'],
    ['reload {\n off\n}', '2:1: error: reload takes no block'],
  ]
  for (const [text, complaint] of cases) t.same(parseWord(reloadWord, text).complaints, [complaint], text)
  t.end()
})

t.test('what surprises', async t => {
  const cases: [text: string, config: ReloadConfig, complaint: RegExp][] = [
    ['reload 10s\nreload 20s', { intervalMs: 10_000, jitterMs: 5000 }, /^3:1: warning: only the first reload/],
    ['reload 48h', { intervalMs: 86_400_000, jitterMs: 15_000 }, /^2:1: warning: the Corefile is looked at once a day/],
  ] // biome-ignore format: a table
  for (const [text, config, complaint] of cases) {
    const parsed = parseWord(reloadWord, text)
    t.match(parsed.complaints, [complaint], text)
    t.strictSame(parsed.config, config, text)
  }
})
