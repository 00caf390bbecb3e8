// The directive's text; what the times do is judged in test/listen.

import t from 'tap'
import { type TimeoutsConfig, timeoutsWord } from '../../src/plugin/timeouts.ts'
import { parseWord } from '../support/words.ts'

t.test('times and numbers', async t => {
  const cases: [text: string, config: TimeoutsConfig][] = [
    ['read 10s', { firstReadTimeoutMs: 10_000 }],
    ['write 1m30s', { writeTimeoutMs: 90_000 }],
    ['idle 60', { idleTimeoutMs: 60_000 }],
    ['idle 1s\nread 24h', { idleTimeoutMs: 1000, firstReadTimeoutMs: 86_400_000 }],
    ['maxtcpqueries 128', { queriesPerConnectionMax: 128 }],
    ['maxtcpqueries -1', { queriesPerConnectionMax: -1 }],
    ['idle 5s\nidle 7s', { idleTimeoutMs: 7000 }],
  ]
  for (const [text, config] of cases) {
    t.strictSame(parseWord(timeoutsWord, `timeouts {\n${text}\n}`), { config, complaints: [] }, text)
  }
  const twice = 'timeouts {\nidle 5s\nread 2s\n}\ntimeouts {\nidle 7s\n}'
  t.strictSame(parseWord(timeoutsWord, twice).config, { idleTimeoutMs: 7000, firstReadTimeoutMs: 2000 })
})

t.test('mistakes', async t => {
  const cases: [text: string, complaints: string[]][] = [
    ['timeouts', ['2:1: error: timeouts needs at least one of its options']],
    ['timeouts {\n}', ['2:1: error: timeouts needs at least one of its options']],
    ['timeouts 5s {\nidle 5s\n}', ['2:10: error: timeouts takes no arguments (found "5s")']],
    ['timeouts {\nidle\n}', ['3:1: error: idle needs the time']],
    ['timeouts {\nidle 5s 6s\n}', ['3:9: error: too many arguments for idle (found "6s")']],
    ['timeouts {\nidle 999ms\n}', ['3:6: error: the time must be at least 1s (found "999ms")']],
    ['timeouts {\nidle 25h\n}', ['3:6: error: the time must be at most 86400s (found "25h")']],
    ['timeouts {\nidle x\n}', ['3:6: error: the time must be a duration such as 5s or 1m30s, or seconds (found "x")']],
    ['timeouts {\nmaxtcpqueries 0\n}', ['3:1: error: no connection could ask anything (found "0")']],
    ['timeouts {\nmaxtcpqueries -2\n}', ['3:15: error: the number of queries must be an integer from -1 to 2147483647 (found "-2")']],
    ['timeouts {\nidel 5s\n}', ['3:1: error: unknown property of timeouts (found "idel"; allowed: idle, maxtcpqueries, read, write; did you mean "idle"?)']],
  ] // biome-ignore format: a table
  for (const [text, complaints] of cases) t.same(parseWord(timeoutsWord, text).complaints, complaints, text)
})
