import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadbalanceWord } from '../../../src/plugin/loadbalance/loadbalance.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { DROP, type Outcome, type Reply } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { until } from '../../support/until.ts'
import { parseWord, query, record, reply, shortForm, testThread } from '../../support/words.ts'

const of = (...texts: string[]) => texts.map(text => record(`www.example.com. 5 ${text}`))
const two = of('A 10.0.0.1', 'A 10.0.0.2')

t.test('the directive', async t => {
  const directory = t.testdir({ w: 'a.org\n10.0.0.1 3\n', bad: 'a.org\n10.0.0.1 300\n' })
  const file = join(directory, 'w')
  const text = 'a.org\n10.0.0.1 3\n'
  const cases: [directive: string, config: unknown, complaint?: RegExp][] = [
    ['loadbalance', { weights: undefined, prefer: [] }],
    ['loadbalance round_robin', { weights: undefined, prefer: [] }],
    [
      'loadbalance {\nprefer 10.0.0.0/8 fd00::/8\nprefer 192.168.0.0/16\n}',
      { weights: undefined, prefer: ['10.0.0.0/8', 'fd00::/8', '192.168.0.0/16'] },
    ],
    ['loadbalance weighted w', { weights: { file, reloadMs: 30_000, text }, prefer: [] }],
    [
      `loadbalance weighted ${file} {\nreload 10s\nprefer 10.0.0.0/8\n}`,
      { weights: { file, reloadMs: 10_000, text }, prefer: ['10.0.0.0/8'] },
    ],
    ['loadbalance weighted w {\nreload 0s\n}', { weights: { file, reloadMs: 0, text }, prefer: [] }],
    ['loadbalance weighted w\nloadbalance', { weights: undefined, prefer: [] }],
    [
      'loadbalance weighted none',
      { weights: { file: join(directory, 'none'), reloadMs: 30_000, text: undefined }, prefer: [] },
      /2:22: warning: reading the weight file: .*tried again every 30s/,
    ],
    ['loadbalance weighted none {\nreload 0s\n}', undefined, /2:22: error: reading the weight file: ENOENT/],
    ['loadbalance weighted bad', undefined, /2:22: error: the weight file: line 2: the weight 300/],
    ['loadbalance fleeb', undefined, /2:13: error: this is not a policy .*allowed: round_robin, weighted/],
    ['loadbalance round_robin a', undefined, /2:25: error: too many arguments/],
    ['loadbalance weighted', undefined, /2:1: error: loadbalance needs a weight file/],
    ['loadbalance weighted w b', undefined, /2:24: error: too many arguments/],
    [
      'loadbalance weighted w {\nsusu\n}',
      undefined,
      /3:1: error: unknown property .*allowed: prefer, reload/,
    ],
    ['loadbalance weighted w {\nreload a\n}', undefined, /3:8: error: .*must be a duration/],
    ['loadbalance {\nreload 5s\n}', undefined, /3:1: error: reload is for the policy weighted/],
    ['loadbalance {\nprefer 10.0.0.0\n}', undefined, /3:8: error: this is not a network/],
  ]
  for (const [directive, config, complaint] of cases) {
    const parsed = parseWord(loadbalanceWord, directive, { directory })
    if (config !== undefined) t.same(parsed.config, config, directive)
    if (complaint !== undefined) t.match(parsed.complaints[0], complaint, directive)
    t.equal(parsed.complaints.length, complaint === undefined ? 0 : 1, directive)
  }
})

t.test('which replies are touched', async t => {
  const cases: [what: string, directive: string, question: string, outcome: Outcome, touched: boolean][] = [
    ['an answer', 'loadbalance', 'www.example.com. A', reply({ answer: two }), true],
    ['glue', 'loadbalance', 'www.example.com. SRV', reply({ additional: two }), true],
    ['authority', 'loadbalance', 'www.example.com. A', reply({ authority: two }), true],
    ['NXDOMAIN', 'loadbalance', 'www.example.com. A', reply({ rcode: 3, answer: two }), false],
    ['a transfer', 'loadbalance', 'www.example.com. AXFR', reply({ answer: two }), false],
    ['an incremental transfer', 'loadbalance', 'www.example.com. IXFR', reply({ answer: two }), false],
    ['silence', 'loadbalance', 'www.example.com. A', DROP, false],
    ['weighted: SRV', 'loadbalance weighted none', 'www.example.com. SRV', reply({ additional: two }), true],
    ['weighted: MX', 'loadbalance weighted none', 'www.example.com. MX', reply({ additional: two }), false],
    [
      'weighted: authority',
      'loadbalance weighted none',
      'www.example.com. A',
      reply({ authority: two }),
      false,
    ],
  ]
  for (const [what, directive, question, outcome, touched] of cases) {
    // The smallest number moves a shuffle's last record, the largest one a weighted choice's.
    const thread = testThread(() => (directive.includes('weighted') ? 0.99 : 0))
    const { config } = parseWord(loadbalanceWord, directive)
    const handler = loadbalanceWord.create!(config!, thread.context)
    const later = await askHandler(handler, query(question), async () => outcome)
    const atOnce = await askHandler(handler, query(question), () => outcome)
    const order = (given: Outcome): unknown =>
      given === DROP ? 'silence' : [given.answer, given.authority, given.additional].map(shortForm)
    t.same(order(later), order(atOnce), `${what}: the same later`)
    t.equal(JSON.stringify(order(atOnce)) !== JSON.stringify(order(outcome)), touched, what)
    await handler.stop!()
  }
})

t.test('prefer comes after the policy', async t => {
  const thread = testThread(() => 0)
  const { config } = parseWord(loadbalanceWord, 'loadbalance {\nprefer 10.0.0.1/32\n}')
  const handler = loadbalanceWord.create!(config!, thread.context)
  const outcome = (await askHandler(handler, query('www.example.com. A'), () =>
    reply({ answer: two, authority: two }),
  )) as Reply
  t.same(shortForm(outcome.answer), ['A 10.0.0.1', 'A 10.0.0.2'])
  t.same(shortForm(outcome.authority), ['A 10.0.0.2', 'A 10.0.0.1'], 'but not in authority')
})

t.test('a weight file is read again while serving', async t => {
  const directory = t.testdir({ w: 'www.example.com\n10.0.0.2 255\n' })
  const file = join(directory, 'w')
  const thread = testThread(() => 0.5)
  const { config } = parseWord(loadbalanceWord, 'loadbalance weighted w {\nreload 10s\n}', { directory })
  const handler = loadbalanceWord.create!(config!, thread.context)
  const first = async (): Promise<string> => {
    const outcome = (await askHandler(handler, query('WWW.example.com. A'), () =>
      reply({ answer: two }),
    )) as Reply
    return shortForm(outcome.answer)[0]!
  }
  const reloaded = async (lines: number): Promise<void> => {
    thread.clock.advance(10_000)
    await until('the file was read', () => thread.lines.length === lines)
    await new Promise(resolve => setImmediate(resolve))
  }
  t.equal(await first(), 'A 10.0.0.2')
  writeFileSync(file, 'www.example.com\n10.0.0.1 255\n')
  await reloaded(1)
  t.equal(await first(), 'A 10.0.0.1')
  writeFileSync(file, 'nonsense at all\n')
  await reloaded(2)
  t.equal(await first(), 'A 10.0.0.1', 'a bad file changes nothing')
  rmSync(file)
  await reloaded(3)
  t.equal(await first(), 'A 10.0.0.1', 'a missing one neither')
  for (let looks = 0; looks < 3; looks++) {
    thread.clock.advance(10_000)
    await until('it was looked for again', () => thread.clock.pending === 1)
  }
  writeFileSync(file, 'www.example.com\n10.0.0.1 255\n')
  await reloaded(4)
  await handler.stop!()
  t.match(
    thread.lines,
    [
      `[INFO] plugin/loadbalance: Successfully reloaded weight file ${file}`,
      /^\[ERROR\] plugin\/loadbalance: the weight file: line 1: neither/,
      /^\[ERROR\] plugin\/loadbalance: reading the weight file: ENOENT/,
      `[INFO] plugin/loadbalance: the weight file ${file} is there again`,
    ],
    'each trouble is told once, however often it is looked for',
  )
})

t.test('a transfer that is refused is refused, whatever the memory of replies had in it', async t => {
  const block = new ServerBlock('loadbalance prefer 10.0.0.0/8\nkubernetes cluster.local')
  t.teardown(() => block.stop())
  const { id, rcode } = decodeMessage(block.ask(encodeQuestion({ name: 'cluster.local', type: 'AXFR' }, 77))!)
  t.same([id, rcode], [77, 'REFUSED'])
})
