import t from 'tap'
import { errorsWord } from '../../src/plugin/errors.ts'
import { DROP, type Outcome, servfail } from '../support/reply.ts'
import { askHandler } from '../support/road.ts'
import { parseWord, query, reply, testThread } from '../support/words.ts'

const timeout = (text = 'read udp 10.0.0.1:53: i/o timeout'): Outcome => servfail(undefined, text)

t.test('the line for one error is as CoreDNS writes it', async t => {
  const cases: [what: string, question: string, outcome: Outcome, lines: string[]][] = [
    [
      'a reply with an error',
      'Example.ORG. A',
      timeout(),
      ['[ERROR] plugin/errors: 2 example.org. A: read udp 10.0.0.1:53: i/o timeout'],
    ],
    ['a type without a name', 'a. TYPE65280', timeout('x'), ['[ERROR] plugin/errors: 2 a. TYPE65280: x']],
    [
      'an error that a plugin answered nevertheless',
      '. NS',
      reply({ error: 'stale' }),
      ['[ERROR] plugin/errors: 0 . NS: stale'],
    ],
    ['a plain NXDOMAIN', 'a. A', reply({ rcode: 3 }), []],
    ['a plain SERVFAIL', 'a. A', servfail(), []],
    ['silence', 'a. A', DROP, []],
  ]
  for (const [what, question, outcome, lines] of cases) {
    const thread = testThread()
    const { config } = parseWord(errorsWord, 'errors')
    const handler = errorsWord.create!(config!, thread.context)
    for (const next of [() => outcome, async () => outcome]) {
      const passed = await askHandler(handler, query(question), next)
      if (outcome === DROP) t.equal(passed, DROP)
      else t.match(passed, outcome, `${what}: the reply goes through`)
    }
    t.same(thread.lines, [...lines, ...lines], what)
  }
})

t.test('a long error is cut', async t => {
  const thread = testThread()
  const handler = errorsWord.create!({ consolidations: [], stacktrace: false }, thread.context)
  askHandler(handler, query('a. A'), () => timeout('x'.repeat(100_000)))
  t.ok(thread.lines[0]!.length < 1100)
})

t.test('consolidate', async t => {
  const cases: [what: string, directive: string, errors: number, lines: string[]][] = [
    [
      'nothing but the summary',
      'consolidate 30s "i/o timeout$"',
      2,
      ["[ERROR] plugin/errors: 2 errors like 'i/o timeout$' occurred in last 30s"],
    ],
    [
      'one error',
      'consolidate 5m timeout',
      1,
      ["[ERROR] plugin/errors: 1 errors like 'timeout' occurred in last 5m0s"],
    ],
    [
      'a level',
      'consolidate 1s timeout warning',
      3,
      ["[WARNING] plugin/errors: 3 errors like 'timeout' occurred in last 1s"],
    ],
    [
      'show_first, several errors',
      'consolidate 30s timeout warning show_first',
      3,
      [
        '[WARNING] plugin/errors: 2 example.org. A: read udp 10.0.0.1:53: i/o timeout',
        "[WARNING] plugin/errors: 3 errors like 'timeout' occurred in last 30s",
      ],
    ],
    [
      'show_first, one error',
      'consolidate 30s timeout show_first',
      1,
      ['[ERROR] plugin/errors: 2 example.org. A: read udp 10.0.0.1:53: i/o timeout'],
    ],
    [
      'a pattern that does not match',
      'consolidate 30s "^Failed to "',
      1,
      ['[ERROR] plugin/errors: 2 example.org. A: read udp 10.0.0.1:53: i/o timeout'],
    ],
  ]
  for (const [what, directive, errors, lines] of cases) {
    const thread = testThread()
    const { config, complaints } = parseWord(errorsWord, `errors {\n${directive}\n}`)
    t.same(complaints, [], what)
    const handler = errorsWord.create!(config!, thread.context)
    for (let i = 0; i < errors; i++) askHandler(handler, query('example.org. A'), () => timeout())
    thread.clock.advance(3_600_000)
    t.same(thread.lines, lines, what)
  }
})

t.test('the first of several patterns takes the error, each period begins anew', async t => {
  const thread = testThread()
  const { config } = parseWord(errorsWord, 'errors {\nconsolidate 10s ^a info\nconsolidate 10s . warning\n}')
  const handler = errorsWord.create!(config!, thread.context)
  const fail = (text: string): unknown => askHandler(handler, query('q. A'), () => timeout(text))
  fail('ab')
  fail('b')
  thread.clock.advance(10_000)
  fail('ac')
  thread.clock.advance(9_999)
  fail('ad')
  thread.clock.advance(1)
  t.same(thread.lines, [
    "[INFO] plugin/errors: 1 errors like '^a' occurred in last 10s",
    "[WARNING] plugin/errors: 1 errors like '.' occurred in last 10s",
    "[INFO] plugin/errors: 2 errors like '^a' occurred in last 10s",
  ])
})

t.test('stop tells what was counted so far', async t => {
  const thread = testThread()
  const { config } = parseWord(errorsWord, 'errors {\nconsolidate 1h timeout\n}')
  const handler = errorsWord.create!(config!, thread.context)
  askHandler(handler, query('q. A'), () => timeout())
  await handler.stop!()
  thread.clock.advance(7_200_000)
  t.same(thread.lines, ["[ERROR] plugin/errors: 1 errors like 'timeout' occurred in last 1h0m0s"])
})

t.test('the directive', async t => {
  t.same(parseWord(errorsWord, 'errors stdout {\nstacktrace\nconsolidate 5m ".* x$" debug show_first\n}'), {
    config: {
      consolidations: [{ periodMs: 300_000, regex: '.* x$', level: 'DEBUG', showFirst: true }],
      stacktrace: true,
    },
    complaints: [],
  })
  const wrong: [directive: string, complaint: RegExp][] = [
    ['errors /var/log/errors', /2:8: error: this is not a place to log to .*allowed: stdout/],
    ['errors stdout stdout', /2:15: error: too many arguments/],
    ['errors\nerrors', /3:1: error: errors is given twice/],
    ['errors {\nconsolidat 5m x\n}', /3:1: error: unknown property.*did you mean "consolidate"/],
    ['errors {\nconsolidate 5m\n}', /3:1: error: consolidate needs a regular expression/],
    ['errors {\nconsolidate never x\n}', /3:13: error: the period must be a duration/],
    ['errors {\nconsolidate 0s x\n}', /3:13: error: the period must be at least/],
    ['errors {\nconsolidate 5m (\n}', /3:16: error: this is not a regular expression of RE2/],
    ['errors {\nconsolidate 5m a(?=b)\n}', /3:16: error: this is not a regular expression of RE2/],
    [`errors {\nconsolidate 5m ${'x'.repeat(10_001)}\n}`, /3:16: error: a regular expression may have 10000/],
    [
      'errors {\nconsolidate 5m x loud\n}',
      /3:18: error: this is not an option .*allowed: warning, error, info/,
    ],
    ['errors {\nconsolidate 5m x info error\n}', /3:23: error: consolidate takes one level/],
    ['errors {\nconsolidate 5m x show_first error\n}', /3:29: error: the level must come before show_first/],
  ]
  for (const [directive, complaint] of wrong) {
    const { complaints } = parseWord(errorsWord, directive)
    t.match(complaints[0], complaint, directive.slice(0, 60))
    t.equal(complaints.length, 1, `${directive.slice(0, 60)}: one complaint`)
  }
})
