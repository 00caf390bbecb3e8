import t from 'tap'
import { cancelWord } from '../../src/plugin/cancel.ts'
import { answering } from '../support/answering.ts'
import { parseWord } from '../support/words.ts'

t.test('a query goes on with less time, never with more', async t => {
  const cases: [text: string, deadlineMs: number][] = [
    ['cancel 1s', 1100],
    ['cancel', 5000],
    ['cancel 1h', 5000],
    ['cancel 1ms', 101],
    ['cancel 1s\ncancel 2s', 2100],
    ['cancel 1s\ncancel', 5000],
  ]
  for (const [text, deadlineMs] of cases) {
    const at = answering(cancelWord, text)
    await at.ask('a.example. A', { receivedAtMs: 100, deadlineMs: 5000 })
    t.equal(at.passed[0]?.deadlineMs, deadlineMs, text)
  }
})

t.test('mistakes', async t => {
  const cases: [text: string, complaint: RegExp][] = [
    ['cancel 0s', /^2:8: error: the time must be at least 1ms/],
    ['cancel -1s', /^2:8: error: the time must be at least/],
    ['cancel 5', /^2:8: error: the time must be a duration/],
    ['cancel 1s 2s', /^2:11: error: too many arguments/],
    [
      'cancel\ncancel 1s',
      /^2:1: warning: only the last cancel of a server block counts, as in CoreDNS: that at Corefile:3:1/,
    ],
    ['cancel 5\ncancel 1s', /^2:8: error: the time must be a duration/],
  ]
  for (const [text, complaint] of cases) t.match(parseWord(cancelWord, text).complaints[0], complaint, text)
})
