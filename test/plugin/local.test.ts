import t from 'tap'
import { localWord } from '../../src/plugin/local.ts'
import { formatName, name } from '../../src/wire/name.ts'
import { CLASS, TYPE } from '../../src/wire/rrtype.ts'
import { answering } from '../support/answering.ts'
import { parseWord } from '../support/words.ts'

const SOA = (owner: string): string => `| ${owner} 604800 SOA`

t.test('what never leaves the host', async t => {
  const cases: [question: string, answer: string][] = [
    ['localhost. A', 'NOERROR localhost. 604800 A'],
    ['LocalHost. AAAA', 'NOERROR LocalHost. 604800 AAAA'],
    ['localhost. SOA', 'NOERROR localhost. 604800 SOA'],
    ['localhost. NS', 'NOERROR localhost. 604800 NS'],
    ['localhost. TXT', `NOERROR  ${SOA('localhost.')}`],
    ['a.localhost. A', 'NOERROR a.localhost. 604800 A'],
    ['a.B.LOCALHOST. AAAA', 'NOERROR a.B.LOCALHOST. 604800 AAAA'],
    ['a.localhost. SOA', `NOERROR  ${SOA('a.localhost.')}`],
    ['localhost.example.org. A', 'NOERROR localhost.example.org. 604800 A'],
    ['LOCALHOST.example.org. MX', `NOERROR  ${SOA('LOCALHOST.example.org.')}`],
    ['alocalhost. A', 'next'],
    ['localhosts.example.org. A', 'next'],
    ['a.localhost.example.org. A', 'next'],
    ['example.org. A', 'next'],
    ['. NS', 'next'],
    ['127.in-addr.arpa. SOA', 'NOERROR 127.in-addr.arpa. 604800 SOA'],
    ['0.in-addr.arpa. NS', 'NOERROR 0.in-addr.arpa. 604800 NS'],
    ['255.in-addr.arpa. A', `NOERROR  ${SOA('255.in-addr.arpa.')}`],
    ['1.0.0.127.in-addr.arpa. PTR', 'NOERROR 1.0.0.127.in-addr.arpa. 604800 PTR'],
    ['1.0.0.127.IN-ADDR.arpa. A', `NOERROR  ${SOA('127.IN-ADDR.arpa.')}`],
    ['2.0.0.127.in-addr.arpa. PTR', `NXDOMAIN  ${SOA('127.in-addr.arpa.')}`],
    ['0.0.127.in-addr.arpa. SOA', `NXDOMAIN  ${SOA('127.in-addr.arpa.')}`],
    ['1.2.3.0.in-addr.arpa. PTR', `NXDOMAIN  ${SOA('0.in-addr.arpa.')}`],
    ['255.255.255.255.in-addr.arpa. PTR', `NXDOMAIN  ${SOA('255.in-addr.arpa.')}`],
    ['4.3.2.1.in-addr.arpa. PTR', 'next'],
    ['in-addr.arpa. SOA', 'next'],
  ]
  const at = answering(localWord, 'local')
  for (const [question, answer] of cases) t.equal(await at.ask(question), answer, question)
  const question = { qname: name('localhost.'), qtype: TYPE.A, qclass: CLASS.CH }
  t.equal(await at.ask('localhost. A', { question }), 'next', 'of another class')
})

t.test('without the prefix', async t => {
  const at = answering(localWord, 'local {\nlocalhost_prefix off\n}')
  t.equal(await at.ask('localhost.example.org. A'), 'next')
  t.equal(await at.ask('localhost. A'), 'NOERROR localhost. 604800 A')
  t.equal(await at.ask('a.localhost. A'), 'NOERROR a.localhost. 604800 A')
})

t.test('the data, what is counted and logged', async t => {
  const at = answering(localWord, 'local')
  const outcome = await at.outcome('x.localhost. A')
  t.same(typeof outcome === 'object' && outcome.answer[0]?.rdata, Uint8Array.of(127, 0, 0, 1))
  const ns = await at.outcome('127.in-addr.arpa. NS')
  t.equal(typeof ns === 'object' && formatName(ns.answer[0]!.rdata), 'localhost.')
  await at.outcome('localhost. A')
  t.same(
    [...at.thread.counted],
    [['coredns_local_localhost_requests_total', 1]],
    'the zones themselves are not counted',
  )
  t.same(at.thread.lines, [
    '[DEBUG] plugin/local: Intercepting localhost query for "x.localhost." A, from 10.0.0.7',
  ])
})

t.test('the directive', async t => {
  t.strictSame(parseWord(localWord, 'local {\nlocalhost_prefix on\n}').config, { prefix: true })
  const twice = parseWord(localWord, 'local {\nlocalhost_prefix off\n}\nlocal')
  t.strictSame(twice, { config: { prefix: false }, complaints: [] }, 'several add up')
  const cases: [text: string, complaint: RegExp][] = [
    ['local host', /^2:7: error: local takes no arguments/],
    ['local {\nlocalhost_prefix\n}', /^3:1: error: localhost_prefix needs on or off/],
    [
      'local {\nlocalhost_prefix yes\n}',
      /^3:18: error: this is not on or off \(found "yes"; allowed: on, off/,
    ],
    ['local {\nprefix on\n}', /^3:1: error: unknown property of local/],
  ]
  for (const [text, complaint] of cases) t.match(parseWord(localWord, text).complaints[0], complaint, text)
})
