// The directive's text: where a block listens, and what is no place to listen at. Which addresses an interface stands for is
// judged in test/listen.

import { networkInterfaces } from 'node:os'
import t from 'tap'
import { bindWord } from '../../src/plugin/bind.ts'
import { parseWord } from '../support/words.ts'

const [loopback = ''] = Object.entries(networkInterfaces())
  .filter(([, infos]) => infos?.some(({ address }) => address === '127.0.0.1'))
  .map(([name]) => name)

t.test('where to listen', t => {
  const cases: [text: string, addresses: string[]][] = [
    ['', ['']],
    ['bind 10.0.0.1', ['10.0.0.1']],
    ['bind 10.0.0.1 FD00::1', ['10.0.0.1', 'fd00::1']],
    ['bind 10.0.0.1 10.0.0.1', ['10.0.0.1']],
    ['bind 10.0.0.1\nbind 10.0.0.2', ['10.0.0.1', '10.0.0.2']],
    ['bind 0.0.0.0', ['']],
    ['bind ::', ['']],
    ['bind 10.0.0.1 10.0.0.2 {\n except 10.0.0.1\n}', ['10.0.0.2']],
    ['bind 10.0.0.1 {\n except 10.0.0.2\n}', ['10.0.0.1']],
  ]
  for (const [text, addresses] of cases) {
    const { config, complaints } = parseWord(bindWord, text)
    t.same(complaints, [], text)
    t.same(config, { addresses }, text)
  }
  t.end()
})

t.test('the name of an interface stands for its addresses', t => {
  const { config, complaints } = parseWord(bindWord, `bind ${loopback}`)
  t.same(complaints, [])
  t.ok(config?.addresses.includes('127.0.0.1'))
  const without = parseWord(bindWord, `bind ${loopback} 10.0.0.1 {\n except 127.0.0.1 ::1\n}`)
  t.same(without.complaints, [])
  t.notOk(without.config?.addresses.includes('127.0.0.1'))
  t.ok(without.config?.addresses.includes('10.0.0.1'))
  t.end()
})

t.test('no place to listen at', t => {
  const unknown = 'neither an IP address nor an interface with addresses'
  const cases: [text: string, complaints: string[]][] = [
    ['bind', ['2:1: error: bind needs an address or an interface']],
    ['bind nope0', [`2:6: error: ${unknown} (found "nope0")`]],
    ['bind 10.0.0.1\nbind 10.0.0.2 10.0.0', [`3:15: error: ${unknown} (found "10.0.0")`]],
    ['bind 10.0.0.1 {\n except nope0\n}', [`3:9: error: ${unknown} (found "nope0")`]],
    ['bind 10.0.0.1 {\n except\n}', ['3:2: error: except needs an address or an interface']],
    ['bind 10.0.0.1 {\n excpt 10.0.0.2\n}', ['3:2: error: unknown property of bind (found "excpt"; allowed: except; did you mean "except"?)']],
    ['bind 10.0.0.1 {\n except 10.0.0.1\n}', ['2:1: error: nothing is left to listen on (found "10.0.0.1")']],
  ] // biome-ignore format: a table
  for (const [text, complaints] of cases) t.same(parseWord(bindWord, text).complaints, complaints, text)
  t.end()
})
