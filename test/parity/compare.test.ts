// The comparison itself, judged by answers that it must take for equal and answers that it must not: one that takes
// everything would look like a server that answers everything.

import t from 'tap'
import { encodeQuestion } from '../support/dns-client.ts'
import { readCases } from './cases.ts'
import { type Compared, differences, knownReason } from './compare.ts'
import { judge } from './judge.ts'
import type { Outcome } from './kept.ts'
import { type Answer, answerOf, type Entry, maskText, type Reply } from './normalise.ts'

const QUESTION: Compared = { ordered: false, ttlSlackSeconds: 1, ignore: [], seen: [] }

const a = (name: string, ttl: number, data: string): Entry => [name, ttl, 'A', data]
const ONE = a('a.test.', 30, '192.0.2.1')
const TWO = a('a.test.', 30, '192.0.2.2')
const ALIAS: Entry = ['b.test.', 30, 'CNAME', 'a.test.']

const reply = (more: Partial<Reply> & { readonly seen?: readonly string[] } = {}): Answer & Reply => ({
  rcode: 'NOERROR',
  flags: 'RA RD',
  question: ['a.test. A IN'],
  answer: [ONE],
  authority: [],
  additional: [],
  ...more,
})
const edns = (more: Partial<NonNullable<Reply['edns']>> = {}): Pick<Reply, 'edns'> => ({
  edns: { do: false, version: 0, options: [], ...more },
})

t.test('what differs', async t => {
  // biome-ignore format: a table
  const cases: [what: string, want: Answer, got: Answer, found: string[], question?: Partial<Compared>][] = [
    ['nothing', reply(), reply(), []],
    ['rcode', reply(), reply({ rcode: 'NXDOMAIN' }), ['rcode']],
    ['flags', reply(), reply({ flags: 'AA RA RD' }), ['flags']],
    ['question', reply(), reply({ question: ['A.test. A IN'] }), ['question']],
    ['no question', reply(), reply({ question: [] }), ['question']],
    ['opcode', reply(), reply({ opcode: 4 }), ['opcode']],
    ['a record too few', reply({ answer: [ONE, TWO] }), reply(), ['answer']],
    ['a record too many', reply(), reply({ answer: [ONE, TWO] }), ['answer']],
    ['a record twice', reply(), reply({ answer: [ONE, ONE] }), ['answer']],
    ['another record', reply(), reply({ answer: [TWO] }), ['answer']],
    ['another type', reply(), reply({ answer: [['a.test.', 30, 'CH A', '192.0.2.1']] }), ['answer']],
    ['the order', reply({ answer: [ONE, TWO] }), reply({ answer: [TWO, ONE] }), []],
    ['the order where it counts', reply({ answer: [ONE, TWO] }), reply({ answer: [TWO, ONE] }), ['answer'], { ordered: true }],
    ['a second', reply(), reply({ answer: [a('a.test.', 29, '192.0.2.1')] }), []],
    ['two seconds', reply(), reply({ answer: [a('a.test.', 28, '192.0.2.1')] }), ['answer']],
    ['a second where none may be', reply(), reply({ answer: [a('a.test.', 29, '192.0.2.1')] }), ['answer'], { ttlSlackSeconds: 0 }],
    ['the case of a name', reply(), reply({ answer: [a('A.test.', 30, '192.0.2.1')] }), ['case']],
    ['an alias behind its target', reply({ answer: [ALIAS, ONE] }), reply({ answer: [ONE, ALIAS] }), ['cname-order']],
    ['authority', reply(), reply({ authority: [ONE] }), ['authority']],
    ['additional', reply({ additional: [ONE] }), reply(), ['additional']],
    ['no OPT', reply(edns()), reply(), ['edns']],
    ['an OPT', reply(), reply(edns()), ['edns']],
    ['DO', reply(edns({ do: true })), reply(edns()), ['edns.do']],
    ['version', reply(edns()), reply(edns({ version: 1 })), ['edns.version']],
    ['options', reply(edns({ options: ['3:61'] })), reply(edns()), ['edns.options']],
    ['an extended error more', reply(edns({ ede: ['15'] })), reply(edns({ ede: ['15', '17'] })), []],
    ['an extended error less', reply(edns({ ede: ['15'] })), reply(edns({ ede: [] })), ['edns.ede']],
    ['what does not count', reply(), reply({ flags: '', rcode: 'REFUSED' }), ['rcode'], { ignore: ['flags'] }],
    ['no answer', reply(), { outcome: 'timeout' }, ['outcome']],
    ['an answer', { outcome: 'timeout' }, reply(), ['outcome']],
    ['no answer on both sides', { outcome: 'timeout' }, { outcome: 'timeout' }, []],
    ['no answer for another reason', { outcome: 'timeout' }, { outcome: 'closed' }, ['outcome']],
    ['the upstream was asked', reply({ seen: [] }), reply({ seen: ['up1 q=a.test. A IN'] }), ['seen'], { seen: ['q'] }],
    ['the upstream was not asked', reply({ seen: ['up1 q=a.test. A IN'] }), reply({ seen: [] }), ['seen'], { seen: ['q'] }],
    ['the upstream, where it does not count', reply({ seen: [] }), reply({ seen: ['up1'] }), []],
  ]
  for (const [what, want, got, found, question] of cases)
    t.strictSame(differences(want, got, { ...QUESTION, ...question }), found, what)
})

t.test('differences that are right wherever they come up', async t => {
  const truncated = reply({ flags: 'RD TC' })
  const opt = { udpSize: 1232, version: 0, dnssecOk: false, options: [] }
  // biome-ignore format: a table
  const cases: [found: string[], want: Answer, got: Answer, isKnown: boolean, withEdns?: boolean][] = [
    [['case'], reply(), reply(), true],
    [['case', 'flags'], reply(), reply(), false],
    [['edns'], reply(edns()), reply(), true],
    [['edns'], reply(edns()), reply(), false, true],
    [['edns'], reply(), reply(edns()), false],
    [['edns.do'], reply(edns({ do: true })), reply(edns()), true, true],
    [['edns.do'], reply(edns()), reply(edns({ do: true })), false, true],
    [['answer', 'additional'], truncated, truncated, true],
    [['answer'], truncated, reply(), false],
    [['seen'], truncated, truncated, false],
    [['outcome'], reply(), { outcome: 'timeout' }, false],
  ]
  for (const [found, want, got, isKnown, withEdns] of cases)
    t.equal(
      knownReason(found, want, got, withEdns ? { edns: opt } : {}) !== undefined,
      isKnown,
      found.join(' '),
    )
})

t.test('masks', async t => {
  t.equal(
    maskText('port 1 and 10, $1', [
      ['\\b1\\b', 'N'],
      ['(\\d)0', '<\\1$>'],
    ]),
    'port N and <1$>, $N',
  )
  const octets = Buffer.from(encodeQuestion({ name: 'a.test', cd: true }, 1))
  octets[2]! |= 0x80
  const asked = {
    opcode: 0,
    ede: false,
    masks: [['"NOERROR", "flags": "CD ', '"NOERROR", "flags": "']] as const,
  }
  t.match(answerOf(octets, asked), { rcode: 'NOERROR', flags: 'RD' })
  t.strictSame(answerOf(octets.subarray(0, 15), asked), { outcome: 'unreadable' })
})

t.test('the judgement of a case', async t => {
  const [one] = readCases('words').filter(({ id }) => id === 'words-order')
  const kept: Outcome = {
    start: 'ok',
    answers: one!.questions.map(({ text }) => ({ q: text, answer: reply() })),
  }
  const ran = { ...kept, status: 0, output: '', skipped: new Map<number, string>() }
  const found = (more: Partial<typeof ran>, own: Outcome | undefined = kept): string[] =>
    judge(one!, { ...ran, ...more }, { coredns: own, own: undefined }, false).flatMap(check => check.found)
  t.strictSame(found({}), [])
  t.equal(judge(one!, ran, { coredns: kept, own: undefined }, false).length, one!.questions.length + 1)
  t.strictSame(found({ status: 1 }), ['status 1'])
  t.strictSame(found({ start: 'stopped with status 1', answers: [] }), ['start'])
  t.strictSame(found({}, { ...kept, start: 'stopped with status 1', answers: [] }), ['start'])
  const answers = kept.answers.with(2, { q: kept.answers[2]!.q, answer: { outcome: 'timeout' } })
  t.strictSame(found({ answers }), ['outcome'])
  t.strictSame(found({}, { ...kept, answers: kept.answers.slice(1) }), [
    'the kept answers are to other questions',
  ])
  const deviating = { ...one!, questions: one!.questions.map(each => ({ ...each, deviates: 'why' })) }
  t.strictSame(
    judge(deviating, { ...ran, answers }, { coredns: kept, own: kept }, false).flatMap(check => check.found),
    ['outcome'],
    'what is meant to differ is held against what was kept of it',
  )
  const logged = { ...one!, log: '.' }
  const lines = judge(
    logged,
    { ...ran, log: ['a', 'a', 'c'] },
    { coredns: { ...kept, log: ['a', 'b'] }, own: undefined },
    false,
  )
  t.strictSame(lines.find(({ what }) => what === 'log')?.detail, ['- b', '+ a', '+ c'])
})
