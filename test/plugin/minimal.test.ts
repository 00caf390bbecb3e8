import t from 'tap'
import { minimalWord } from '../../src/plugin/minimal.ts'
import { answering } from '../support/answering.ts'
import { DROP, type Reply } from '../support/reply.ts'
import { parseWord, record, reply } from '../support/words.ts'

const A = record('a.example. 5 A 10.0.0.1')
const NS = record('example. 5 NS ns.example.')
const SOA = record('example. 5 SOA ns.example. h.example.')

t.test('which sections are left', async t => {
  const cases: [what: string, reply: Partial<Reply>, answer: string][] = [
    ['an answer', { answer: [A], authority: [NS], additional: [A] }, 'NOERROR a.example. 5 A'],
    ['an answer with an SOA', { answer: [A], authority: [SOA] }, 'NOERROR a.example. 5 A'],
    ['NODATA', { authority: [SOA], additional: [A] }, 'NOERROR  | example. 5 SOA | a.example. 5 A'],
    ['NXDOMAIN', { rcode: 3, authority: [SOA] }, 'NXDOMAIN  | example. 5 SOA'],
    ['a delegation', { authority: [NS], additional: [A] }, 'NOERROR  | example. 5 NS | a.example. 5 A'],
    ['SERVFAIL', { rcode: 2, additional: [A] }, 'SERVFAIL  |  | a.example. 5 A'],
    ['REFUSED', { rcode: 5, additional: [A] }, 'REFUSED  |  | a.example. 5 A'],
    ['nothing but additional records', { additional: [A] }, 'NOERROR'],
  ]
  for (const [what, parts, answer] of cases)
    t.equal(
      await answering(minimalWord, 'minimal', reply({ plugin: 'file', ...parts })).ask('a.example. A'),
      answer,
      what,
    )
  t.equal(await answering(minimalWord, 'minimal', DROP).outcome('a.example. A'), DROP)
  const transfer = reply({ plugin: 'file', answer: [A], additional: [A] })
  t.match(await answering(minimalWord, 'minimal', transfer).outcome('example. AXFR'), transfer, 'a transfer')
})

t.test('mistakes', async t => {
  t.match(parseWord(minimalWord, 'minimal x').complaints[0], /^2:9: error: minimal takes no arguments/)
})
