import t from 'tap'
import { formatLine, ProcessLog } from '../../src/observe/log.ts'
import { LINE_MAX_CHARACTERS } from '../../src/observe/log-line.ts'
import type { Level } from '../../src/observe/thread-log.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { recordingMeters } from '../support/words.ts'

/** A log into a list, with room for so many lines. */
function make(options: { room?: number; quiet?: boolean } = {}) {
  const clock = new VirtualClock()
  const counted = new Map<string, number>()
  const written: string[] = []
  const state = { room: options.room ?? Number.POSITIVE_INFINITY }
  const output = {
    write: (text: string | Uint8Array): boolean =>
      written.length < state.room &&
      written.push(typeof text === 'string' ? text : Buffer.from(text).toString()) > 0,
    flush: async (): Promise<boolean> => true,
  }
  const log = new ProcessLog(output, clock, recordingMeters(counted), { quiet: options.quiet ?? false })
  const dropped = (reason: string) => counted.get(`seamark_log_dropped_lines_total{reason=${reason}}`) ?? 0
  return { log, clock, written, state, dropped }
}

t.test('a line', async t => {
  const cases: [level: Level, from: string, text: string, line: string][] = [
    ['INFO', 'plugin/reload', 'Reloading', '[INFO] plugin/reload: Reloading'],
    ['ERROR', '', 'no plugin', '[ERROR] no plugin'],
    ['FATAL', 'plugin/loop', 'ü', '[FATAL] plugin/loop: ü'],
    [
      'INFO',
      '',
      'a\n[INFO] forged\r\tb\x1b[31m\u2028',
      '[INFO] a\\n[INFO] forged\\u000d\\u0009b\\u001b[31m\\u2028',
    ],
  ]
  for (const [level, from, text, line] of cases) t.equal(formatLine(level, from, text), line)
  const long = formatLine('INFO', 'plugin/x', 'y'.repeat(100_000))
  t.equal(long.length, LINE_MAX_CHARACTERS)
  t.ok(long.endsWith('y…'))
})

t.test('which levels are written', async t => {
  const levels: Level[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'FATAL']
  const cases: [what: string, quiet: boolean, debug: boolean, written: Level[]][] = [
    ['as usual', false, false, ['INFO', 'WARNING', 'ERROR', 'FATAL']],
    ['debug', false, true, levels],
    ['quiet', true, false, ['WARNING', 'ERROR', 'FATAL']],
    ['quiet debug', true, true, ['WARNING', 'ERROR', 'FATAL']],
  ]
  for (const [what, quiet, debug, expected] of cases) {
    const { log, written } = make({ quiet })
    log.debug = debug
    log.banner('.:53')
    for (const level of levels) log.write(level, 'plugin/x', 'text')
    const lines = expected.map(level => `[${level}] plugin/x: text\n`)
    t.same(written, quiet ? lines : ['.:53\n', ...lines], what)
  }
})

t.test('a million failures are at most a thousand lines (docs/costs.md L15)', async t => {
  const { log, clock, written, dropped } = make()
  // Ten thousand failures a second for a hundred seconds.
  for (let i = 0; i < 1_000_000; i++) {
    if (i % 10 === 0) clock.advance(1)
    log.write('ERROR', 'plugin/errors', `2 name${i}. A: timeout`)
  }
  t.ok(written.length <= 1000, `${written.length} lines`)
  const errors = written.filter(line => line.startsWith('[ERROR] plugin/errors: 2 name')).length
  t.equal(errors + dropped('rate'), 1_000_000, 'each is written or counted')
  clock.advance(10_000)
  const summaries = written.filter(line => line.startsWith('[WARNING]'))
  t.match(
    summaries[0],
    /^\[WARNING\] \d+ lines of plugin\/errors were not logged in the last 10s \(at most 5 a second\)\n$/,
  )
  const told = summaries.reduce((sum, line) => sum + Number(/(\d+) lines/.exec(line)![1]), 0)
  t.equal(told, dropped('rate'), 'and told')
})

t.test('one source does not use up the budget of another, FATAL needs none', async t => {
  const { log, written } = make()
  for (let i = 0; i < 1000; i++) log.write('ERROR', 'plugin/forward', 'x')
  written.length = 0
  log.write('INFO', 'plugin/reload', 'Reloading')
  log.write('FATAL', 'plugin/forward', 'the end')
  log.write('INFO', '', 'a query')
  t.same(written, [
    '[INFO] plugin/reload: Reloading\n',
    '[FATAL] plugin/forward: the end\n',
    '[INFO] a query\n',
  ])
})

t.test('thousands of sources share what is left', async t => {
  const { log, written } = make()
  for (let i = 0; i < 10_000; i++) log.write('ERROR', `plugin/${i}`, 'x')
  t.ok(written.length <= 200, `${written.length} lines`)
})

t.test('a slow reader loses lines that are counted and told later', async t => {
  const { log, clock, written, state, dropped } = make({ room: 2 })
  for (let i = 0; i < 5; i++) log.write('INFO', '', `line ${i}`)
  t.equal(dropped('reader'), 3)
  clock.advance(10_000)
  t.equal(written.length, 2, 'the summary has no room either')
  state.room = 10
  clock.advance(10_000)
  t.equal(written.at(-1), '[WARNING] 3 lines were not logged in the last 10s (slow reader)\n')
  clock.advance(100_000)
  t.equal(written.length, 3, 'it is told once')
})

t.test('lines of a serving thread have passed its rate', async t => {
  const { log, written, state, dropped } = make()
  const lines = Array.from({ length: 300 }, (_, i) => `[ERROR] plugin/errors: ${i}\n`).join('')
  log.writeLines(Buffer.from(lines), 300)
  t.same(written, [lines])
  state.room = 1
  log.writeLines(Buffer.from(lines), 300)
  t.equal(dropped('reader'), 300, 'each that has no room is counted')
})

t.test('the end tells what was dropped', async t => {
  const { log, written } = make()
  for (let i = 0; i < 101; i++) log.write('ERROR', 'plugin/errors', 'x')
  t.ok(await log.flush(1000))
  t.match(written.at(-1), /^\[WARNING\] 1 lines of plugin\/errors/)
})
