import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import {
  acknowledgeLines,
  BatchedLog,
  LINES_UNDER_WAY_MAX,
  lineCountMemory,
} from '../../src/observe/batched-log.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { recordingMeters } from '../support/words.ts'

function make(quiet = false) {
  const clock = new VirtualClock()
  const memory = lineCountMemory()
  const counted = new Map<string, number>()
  const sent: string[][] = []
  const log = new BatchedLog({
    memory,
    send: (octets, lines) => {
      const texts = Buffer.from(octets).toString().split('\n')
      // Each line has its line feed.
      t.equal(texts.pop(), '')
      t.equal(texts.length, lines)
      sent.push(texts)
    },
    clock,
    meters: recordingMeters(counted),
    quiet,
  })
  const dropped = (reason: string) => counted.get(`seamark_log_dropped_lines_total{reason=${reason}}`) ?? 0
  return { log, clock, memory, sent, dropped }
}

t.test('the lines of a turn are one message', async t => {
  const { log, sent } = make()
  log.write('ERROR', 'plugin/errors', '2 a. A: x')
  log.write('INFO', '', 'query\nline')
  t.same(sent, [], 'not at once')
  await turn()
  t.same(sent, [['[ERROR] plugin/errors: 2 a. A: x', '[INFO] query\\nline']])
  log.write('INFO', '', 'later')
  log.flush()
  t.same(sent[1], ['[INFO] later'], 'the end of a thread waits for no turn')
  await turn()
  t.equal(sent.length, 2)
})

t.test('a line of a query goes out piece by piece, in the order of all lines', async t => {
  const { log, sent } = make()
  log.write('INFO', 'plugin/x', 'first')
  const line = log.line()!
  line.text(Buffer.from('q '))
  line.number(7)
  log.endLine()
  log.write('INFO', 'plugin/x', 'last')
  await turn()
  t.same(sent, [['[INFO] plugin/x: first', '[INFO] q 7', '[INFO] plugin/x: last']])
  const quiet = make(true)
  t.equal(quiet.log.line(), undefined, 'not with -quiet')
})

t.test('lines of queries have a rate and a bound, too', async t => {
  const { log, clock, sent, dropped } = make()
  const ask = (): void => {
    if (log.line()) log.endLine()
  }
  for (let i = 0; i < 30_000; i++) ask()
  await turn()
  t.equal(sent.flat().length, LINES_UNDER_WAY_MAX)
  t.equal(dropped('thread') + dropped('rate') + LINES_UNDER_WAY_MAX, 30_000)
  t.equal(dropped('rate'), 10_000, 'beyond 20,000 at once')
  clock.advance(10_000)
})

t.test('more than a message holds is sent at once', async t => {
  const { log, sent } = make()
  for (let i = 0; i < 100; i++) log.write('INFO', '', `${i}${'x'.repeat(4000)}`)
  t.ok(sent.length >= 5, `${sent.length} messages`)
  log.flush()
  t.same(
    sent.flat().map(line => Number(/\d+/.exec(line)![0])),
    Array.from({ length: 100 }, (_, i) => i),
  )
})

t.test('levels', async t => {
  const { log, sent } = make(true)
  log.write('DEBUG', 'plugin/x', 'a')
  log.write('INFO', 'plugin/x', 'b')
  log.write('WARNING', 'plugin/x', 'c')
  await turn()
  t.same(sent, [['[WARNING] plugin/x: c']])
})

t.test('a flood becomes no messages', async t => {
  const { log, clock, sent, dropped } = make()
  for (let i = 0; i < 100_000; i++) {
    if (i % 10 === 0) clock.advance(1)
    log.write('ERROR', 'plugin/errors', 'x')
  }
  await turn()
  const lines = sent.flat()
  t.ok(lines.length < 200, `${lines.length} lines`)
  t.equal(lines.length + dropped('rate'), 100_000)
  clock.advance(10_000)
  await turn()
  t.match(sent.at(-1), [/^\[WARNING\] \d+ lines of plugin\/errors were not logged in the last 10s/])
})

t.test('a control thread that does not follow gets no more than it can hold', async t => {
  const { log, clock, memory, sent, dropped } = make()
  for (let i = 0; i < LINES_UNDER_WAY_MAX + 100; i++) log.write('INFO', '', 'query')
  await turn()
  t.equal(sent.flat().length, LINES_UNDER_WAY_MAX)
  t.equal(dropped('thread'), 100)
  log.write('INFO', '', 'query')
  await turn()
  t.equal(sent.flat().length, LINES_UNDER_WAY_MAX, 'still none')
  acknowledgeLines(memory, LINES_UNDER_WAY_MAX)
  clock.advance(10_000)
  log.write('INFO', '', 'query')
  await turn()
  t.same(sent.at(-1), [
    '[WARNING] 101 lines of a serving thread were not logged (control thread busy)',
    '[INFO] query',
  ])
})
