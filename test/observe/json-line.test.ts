import t from 'tap'
import { formatJsonLine } from '../../src/observe/json-line.ts'
import { ProcessLog } from '../../src/observe/log.ts'
import { LINE_MAX_CHARACTERS, LINE_MAX_OCTETS } from '../../src/observe/log-line.ts'
import type { Level } from '../../src/observe/thread-log.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { recordingMeters } from '../support/words.ts'

const AT_MS = Date.UTC(2026, 10, 30, 10)
const time = '2026-11-30T10:00:00.000Z'

t.test('a line is one object', async t => {
  const cases: [level: Level, from: string, text: string, fields: object][] = [
    ['INFO', '', 'Reloading', { time, level: 'INFO', msg: 'Reloading' }],
    ['ERROR', 'plugin/errors', '2 a. A: "x"', { time, level: 'ERROR', msg: '2 a. A: "x"', plugin: 'errors' }],
    ['WARNING', '', 'a\nb\u2028', { time, level: 'WARNING', msg: 'a\\nb\\u2028' }],
    ['WARNING', '', '\ud800', { time, level: 'WARNING', msg: '\ufffd' }],
  ]
  for (const [level, from, text, fields] of cases) {
    const line = formatJsonLine(level, from, text, AT_MS)
    t.same(JSON.parse(line), fields)
    t.notMatch(line, /\n/)
  }
})

t.test('the longest line has its room', async t => {
  for (const text of ['\0', '"', '\\', '…', 'a']) {
    const line = formatJsonLine('WARNING', 'plugin/kubernetes', text.repeat(2 * LINE_MAX_CHARACTERS), AT_MS)
    t.ok(Buffer.byteLength(line) < LINE_MAX_OCTETS, JSON.stringify(text))
    t.match(JSON.parse(line).msg, /…$/)
  }
})

t.test('all of the process is objects: lines, banners and summaries', async t => {
  const clock = new VirtualClock()
  let written = ''
  const log = new ProcessLog(
    {
      write: text => {
        written += Buffer.from(text).toString()
        return true
      },
      flush: async () => true,
    },
    clock,
    recordingMeters(new Map()),
    { form: 'json', rateOf: () => ({ burst: 1, perSecond: 1 }) },
  )
  log.banner('.:53\n\nSeamark')
  log.write('INFO', 'plugin/reload', 'first')
  log.write('INFO', 'plugin/reload', 'too much')
  clock.advance(10_000)
  t.same(
    written
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).msg),
    [
      '.:53',
      'Seamark',
      'first',
      '1 lines of plugin/reload were not logged in the last 10s (at most 1 a second)',
    ],
  )
})
