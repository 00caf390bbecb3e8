import t from 'tap'
import { COMBINED_FORMAT, COMMON_FORMAT } from '../../../src/plugin/log/format.ts'
import { logWord } from '../../../src/plugin/log/log.ts'
import { DROP, type Outcome } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { parseWord, query, record, reply, testThread } from '../../support/words.ts'

const success = reply({ answer: [record('a.example.org. 5 A 10.0.0.1')] })
const denial = reply({ rcode: 3, authority: [record('example.org. 5 SOA ns. hm.')] })
const error = reply({ rcode: 2 })

t.test('the directive', async t => {
  const cases: [directive: string, rules: [name: string, format: string, classes: string[]][]][] = [
    ['log', [['.', COMMON_FORMAT, ['all']]]],
    ['log example.org', [['example.org', COMMON_FORMAT, ['all']]]],
    ['log example.org {combined}', [['example.org', COMBINED_FORMAT, ['all']]]],
    ['log . "{common} {/a}"', [['.', `${COMMON_FORMAT} {/a}`, ['all']]]],
    [
      'log a.org b.org {type} {\nclass denial\nclass error\n}',
      [
        ['a.org', '{type}', ['denial', 'error']],
        ['b.org', '{type}', ['denial', 'error']],
      ],
    ],
    [
      'log a.org {\nclass success error\n}\nlog',
      [
        ['a.org', COMMON_FORMAT, ['success', 'error']],
        ['.', COMMON_FORMAT, ['all']],
      ],
    ],
    ['log {\nclass all\n}', [['.', COMMON_FORMAT, ['all']]]],
  ]
  for (const [directive, rules] of cases) {
    const { config, complaints } = parseWord(logWord, directive)
    t.same(
      config!.rules.map(({ name, format, classes }) => [name, format, classes]),
      rules,
      directive,
    )
    t.same(complaints, [], `${directive}: no complaints`)
  }
})

t.test('what is wrong with a directive', async t => {
  const cases: [directive: string, complaint: RegExp][] = [
    ['log "{type}"', /2:5: warning: CoreDNS takes a format without a name/],
    ['log a..b', /2:5: error: this is no domain name/],
    ['log {\nclass\n}', /3:1: error: class needs a class .*allowed: all, success, denial, error/],
    ['log {\nclass denied\n}', /3:7: error: this is not a class .*did you mean "denial"/],
    ['log {\nclasses all\n}', /3:1: error: unknown property of log .*did you mean "class"/],
  ]
  for (const [directive, complaint] of cases) {
    const { complaints } = parseWord(logWord, directive)
    t.match(complaints[0], complaint, directive)
    t.equal(complaints.length, 1, `${directive}: one complaint`)
  }
})

t.test('which queries are logged', async t => {
  const denied = 'log . {name} {\nclass denial\n}'
  const cases: [what: string, directive: string, question: string, outcome: Outcome, lines: string[]][] = [
    ['everything', 'log . {name}', 'a. A', error, ['[INFO] a.']],
    ['silence too', 'log . "{name} {rcode}"', 'a. A', DROP, ['[INFO] a. -']],
    ['below the name', 'log example.org {name}', 'A.Example.Org. A', success, ['[INFO] a.example.org.']],
    ['not beside the name', 'log example.org {name}', 'aexample.org. A', success, []],
    ['a class', denied, 'a. A', denial, ['[INFO] a.']],
    ['not another class', denied, 'a. A', success, []],
    ['the error class', 'log . {name} {\nclass error\n}', 'a. A', error, ['[INFO] a.']],
    ['the first rule decides', 'log a.org {name} {\nclass error\n}\nlog . {type}', 'a.org. A', success, []],
    [
      'a later rule for others',
      'log a.org {name} {\nclass error\n}\nlog . {type}',
      'b.org. A',
      success,
      ['[INFO] A'],
    ],
    ['type and class', 'log . "{/log/type} {/log/class}"', 'a. A', denial, ['[INFO] NXDOMAIN denial']],
  ]
  for (const [what, directive, question, outcome, lines] of cases) {
    const thread = testThread()
    const handler = logWord.create!(parseWord(logWord, directive).config!, thread.context)
    await askHandler(handler, query(question), async () => outcome)
    t.same(thread.lines, lines, `${what}: of a reply that comes later`)
    await askHandler(handler, query(question), () => outcome)
    t.same(thread.lines, [...lines, ...lines], what)
  }
})

t.test('a reply goes through as it is', async t => {
  const { context } = testThread()
  const handler = logWord.create!(parseWord(logWord, 'log').config!, context)
  const outcomes: Outcome[] = [success, denial, error, DROP]
  for (const outcome of outcomes) {
    const passed = await askHandler(handler, query('a. A'), () => outcome)
    if (outcome === DROP) t.equal(passed, DROP)
    else t.match(passed, outcome)
  }
})

t.test('the duration is the time since the query came', async t => {
  const thread = testThread()
  const handler = logWord.create!(parseWord(logWord, 'log . {duration}').config!, thread.context)
  askHandler(handler, query('a. A', { receivedAtMs: thread.clock.nowMs() }), () => {
    thread.clock.advance(37.990251)
    return success
  })
  t.same(thread.lines, ['[INFO] 0.037990251s'])
})
