// What `hosts` answers, hands on and fails.

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hostsWord } from '../../../src/plugin/hosts/hosts.ts'
import { answering } from '../../support/answering.ts'

const NAMES =
  '10.0.0.1 node-1 a.example.org\nfd00::1 a.example.org\n10.0.0.2 *.apps.example.org b.example.net\n'

/** `hosts` over a file of the test's own, with lines for its block. */
function hosts(t: Test, block: string, zones = '', text = NAMES) {
  const file = join(t.testdir({ names: text }), 'names')
  const at = answering(hostsWord, `hosts ${file} ${zones} {\n${block}\n}`)
  t.teardown(() => at.stop())
  return { file, at }
}

t.test('questions', async t => {
  const { at } = hosts(t, 'ttl 60\nfallthrough')
  const cases: [question: string, answer: string][] = [
    ['Node-1. A', 'NOERROR aa Node-1. 60 A'],
    ['node-1. AAAA', 'NOERROR aa'],
    ['node-1. TXT', 'NOERROR aa'],
    ['node-1. ANY', 'NOERROR aa'],
    ['a.example.org. AAAA', 'NOERROR aa a.example.org. 60 AAAA'],
    ['x.apps.example.org. A', 'NOERROR aa x.apps.example.org. 60 A'],
    ['x.apps.example.org. AAAA', 'NOERROR aa'],
    ['1.0.0.10.in-addr.arpa. PTR', 'NOERROR aa 1.0.0.10.in-addr.arpa. 60 PTR, 1.0.0.10.in-addr.arpa. 60 PTR'],
    ['1.0.0.10.in-addr.arpa. A', 'next'],
    ['9.0.0.10.in-addr.arpa. PTR', 'next'],
    ['node-1. PTR', 'next'],
    ['node-2. A', 'next'],
    ['node-2. TXT', 'next'],
    ['. NS', 'next'],
  ]
  for (const [question, answer] of cases) t.equal(await at.ask(question), answer, question)
})

t.test('zones and fallthrough', async t => {
  const cases: [block: string, zones: string, question: string, answer: string][] = [
    ['', 'example.org', 'a.example.org. A', 'NOERROR aa a.example.org. 3600 A'],
    ['', 'example.org', 'b.example.org. A', 'SERVFAIL'],
    ['', 'example.org', 'b.example.org. PTR', 'next'],
    ['', 'example.org', 'b.example.net. A', 'next'],
    ['', 'example.org', '1.0.0.10.in-addr.arpa. PTR', 'NOERROR aa 1.0.0.10.in-addr.arpa. 3600 PTR'],
    ['', 'example.org', '2.0.0.10.in-addr.arpa. PTR', 'next'],
    ['no_reverse', '', '1.0.0.10.in-addr.arpa. PTR', 'next'],
    ['', '', 'b.example.org. TXT', 'SERVFAIL'],
    ['fallthrough example.net', '', 'b.example.org. A', 'SERVFAIL'],
    ['fallthrough example.net', '', 'c.example.net. A', 'next'],
    ['fallthrough', '', 'a.example.org. MX', 'NOERROR aa'],
    ['fallthrough\nfallthrough_unsupported', '', 'a.example.org. MX', 'next'],
    ['fallthrough\nfallthrough_unsupported', '', 'node-1. AAAA', 'NOERROR aa'],
    ['fallthrough example.net\nfallthrough_unsupported', '', 'a.example.org. MX', 'NOERROR aa'],
    ['10.1.1.1 node-1\n10.0.0.1 node-1', '', 'node-1. A', 'NOERROR aa node-1. 3600 A, node-1. 3600 A'],
  ]
  for (const [block, zones, question, answer] of cases) {
    const { at } = hosts(t, block, zones)
    t.equal(await at.ask(question), answer, `${block} ${zones}: ${question}`)
  }
})

t.test('a refusal by SERVFAIL says why', async t => {
  const { at } = hosts(t, '')
  t.match(await at.outcome('other.example. A'), { plugin: '', extendedError: { text: /no fallthrough/ } })
})
