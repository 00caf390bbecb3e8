import t from 'tap'
import { anyWord } from '../../src/plugin/any.ts'
import { name } from '../../src/wire/name.ts'
import { CLASS, TYPE } from '../../src/wire/rrtype.ts'
import { answering } from '../support/answering.ts'
import { parseWord } from '../support/words.ts'

t.test('ANY gets one HINFO record, all else goes on', async t => {
  const at = answering(anyWord, 'any')
  t.equal(await at.ask('Example.org. ANY'), 'NOERROR Example.org. 8482 HINFO')
  for (const type of ['A', 'AAAA', 'HINFO', 'TYPE65280'])
    t.equal(await at.ask(`example.org. ${type}`), 'next', type)
  const question = { qname: name('example.org.'), qtype: TYPE.ANY, qclass: CLASS.CH }
  t.equal(await at.ask('example.org. ANY', { question }), 'next', 'of another class')
  const outcome = await at.outcome('example.org. ANY')
  t.ok(typeof outcome === 'object')
  if (typeof outcome === 'object')
    t.equal(Buffer.from(outcome.answer[0]!.rdata).toString('latin1'), '\x0dANY obsoleted\x0cSee RFC 8482')
})

t.test('mistakes', async t => {
  t.match(parseWord(anyWord, 'any thing').complaints[0], /^2:5: error: any takes no arguments/)
  t.match(parseWord(anyWord, 'any {\nx\n}').complaints[0], /^2:1: error: any takes no block/)
})
