// Who may ask what: the first line that fits, by type and network, and what is counted.

import t from 'tap'
import { aclWord } from '../../src/plugin/acl.ts'
import { answering } from '../support/answering.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import type { Query } from '../support/query.ts'
import { DROP } from '../support/reply.ts'
import { ServerBlock } from '../support/server-block.ts'
import { parseWord, record, reply } from '../support/words.ts'

const from = (address: string): Partial<Query> => ({
  client: { address, port: 40212, family: address.includes(':') ? 6 : 4 },
})

t.test('what becomes of a query', async t => {
  const cases: [text: string, question: string, client: string, answer: string][] = [
    ['acl {\nblock\n}', 'a.example. A', '10.0.0.7', 'REFUSED'],
    ['acl {\nfilter\n}', 'a.example. A', '10.0.0.7', 'NOERROR'],
    ['acl {\ndrop\n}', 'a.example. A', '10.0.0.7', 'drop'],
    ['acl {\nallow\n}', 'a.example. A', '10.0.0.7', 'next'],
    ['acl {\n}', 'a.example. A', '10.0.0.7', 'next'],
    ['acl', 'a.example. A', '10.0.0.7', 'next'],
    ['acl {\nblock type A\n}', 'a.example. A', '10.0.0.7', 'REFUSED'],
    ['acl {\nblock type A\n}', 'a.example. AAAA', '10.0.0.7', 'next'],
    ['acl {\nblock type AAAA MX\n}', 'a.example. MX', '10.0.0.7', 'REFUSED'],
    ['acl {\nblock type *\n}', 'a.example. MX', '10.0.0.7', 'REFUSED'],
    ['acl {\nblock type TYPE65280\n}', 'a.example. TYPE65280', '10.0.0.7', 'REFUSED'],
    ['acl {\nblock net 10.0.0.0/8\n}', 'a.example. A', '10.0.0.7', 'REFUSED'],
    ['acl {\nblock net 10.0.0.0/8\n}', 'a.example. A', '11.0.0.7', 'next'],
    ['acl {\nblock net 10.0.0.0/8\n}', 'a.example. A', 'fd00::1', 'next'],
    ['acl {\nblock net 10.0.0.7\n}', 'a.example. A', '10.0.0.7', 'REFUSED'],
    ['acl {\nblock net 10.0.0.7\n}', 'a.example. A', '10.0.0.6', 'next'],
    ['acl {\nblock net 10.0.0.9/31\n}', 'a.example. A', '10.0.0.8', 'REFUSED'],
    ['acl {\nblock net 192.0.2.0/24 fd00::/8\n}', 'a.example. A', 'fd12::1', 'REFUSED'],
    ['acl {\nblock net fe80::/10\n}', 'a.example. A', 'fe80::1%2', 'REFUSED'],
    ['acl {\nblock net ::1\n}', 'a.example. A', '::1', 'REFUSED'],
    ['acl {\nblock net *\n}', 'a.example. A', 'fd00::1', 'REFUSED'],
    ['acl {\nblock net 0.0.0.0/0\n}', 'a.example. A', 'fd00::1', 'next'],
    ['acl {\nallow net ::/0\nblock\n}', 'a.example. A', '10.0.0.7', 'REFUSED'],
    ['acl {\nallow net ::/0\nblock\n}', 'a.example. A', 'fd00::1', 'next'],
    ['acl {\nblock net ::/0\n}', 'a.example. A', '10.0.0.7', 'next'],
    ['acl {\nblock net ::/80\n}', 'a.example. A', '10.0.0.7', 'next'],
    ['acl {\nblock net 0.0.0.0/0\n}', 'a.example. A', '255.255.255.255', 'REFUSED'],
    ['acl {\nblock type A net 10.0.0.7\n}', 'a.example. A', '10.0.0.8', 'next'],
    ['acl {\nBlock TYPE a NET 10.0.0.7 type AAAA\n}', 'a.example. AAAA', '10.0.0.7', 'REFUSED'],
    ['acl {\nallow net 10.0.0.7\nblock\n}', 'a.example. A', '10.0.0.7', 'next'],
    ['acl {\nallow net 10.0.0.7\nblock\n}', 'a.example. A', '10.0.0.8', 'REFUSED'],
    ['acl example {\nblock\n}', 'a.example. A', '10.0.0.7', 'REFUSED'],
    ['acl example {\nblock\n}', 'A.EXAMPLE. A', '10.0.0.7', 'REFUSED'],
    ['acl example {\nblock\n}', 'aexample. A', '10.0.0.7', 'next'],
    ['acl example {\nallow\n}\nacl {\nblock\n}', 'a.example. A', '10.0.0.7', 'next'],
    ['acl example {\nallow\n}\nacl {\nblock\n}', 'b.test. A', '10.0.0.7', 'REFUSED'],
    ['acl example {\nblock type MX\n}\nacl {\nfilter\n}', 'a.example. A', '10.0.0.7', 'NOERROR'],
    ['acl 10.0.0.0/8 {\nblock\n}', '1.2.3.10.in-addr.arpa. PTR', '10.0.0.7', 'REFUSED'],
  ]
  for (const [text, question, client, answer] of cases) {
    t.equal(
      await answering(aclWord, text).ask(question, from(client)),
      answer,
      `${text}: ${question} ${client}`,
    )
  }
})

t.test('names that only the answer has', async t => {
  const answer = [record('a.example. 30 CNAME b.secret.'), record('b.secret. 30 A 192.0.2.1')]
  const cases: [text: string, outcome: object][] = [
    ['acl secret {\nblock\n}', { rcode: 5, answer: [], extendedError: { code: 15 } }],
    ['acl secret {\nfilter\n}', { rcode: 0, answer: [], extendedError: { code: 17 } }],
    ['acl secret {\nblock net 192.0.2.0/24\n}', { rcode: 0, answer }],
    ['acl secret {\nblock type AAAA\n}', { rcode: 0, answer }],
    ['acl ecret {\nblock\n}', { rcode: 0, answer }],
    ['acl b.secret {\nallow\n}\nacl secret {\nblock\n}', { rcode: 0, answer }],
    ['acl secret {\nblock\nasked_only\n}', { rcode: 0, answer }],
    ['acl {\nallow\n}', { rcode: 0, answer }],
  ]
  for (const [text, outcome] of cases) {
    const at = answering(aclWord, text, reply({ plugin: 'next', answer }))
    t.match(await at.outcome('a.example. A', from('10.0.0.7')), outcome, text)
  }
  const dropping = answering(aclWord, 'acl secret {\ndrop\n}', reply({ answer }))
  t.equal(await dropping.outcome('a.example. A'), DROP)
  t.same(
    dropping.thread.counted.get('coredns_acl_dropped_requests_total{server=dns://:53,view=,zone=secret.}'),
    1,
  )
})

t.test('additional records of such names are left out', async t => {
  const answer = [record('a.example. 30 MX 10 mx.secret.')]
  const additional = [record('mx.secret. 30 A 192.0.2.1')]
  const at = answering(aclWord, 'acl secret {\nblock\n}', reply({ answer, additional }))
  t.match(await at.outcome('a.example. MX'), { rcode: 0, answer, additional: [] })
})

t.test('extended errors, and who wrote the reply', async t => {
  const ask = (action: string) => answering(aclWord, `acl {\n${action}\n}`).outcome('a.example. A')
  t.match(await ask('block'), { rcode: 5, plugin: 'acl', extendedError: { code: 15 }, authoritative: false })
  t.match(await ask('filter'), { rcode: 0, plugin: 'acl', extendedError: { code: 17 }, authoritative: false })
  t.equal(await ask('drop'), DROP)
})

t.test('what is counted', async t => {
  const at = answering(
    aclWord,
    'acl example deep.example {\nblock type A\nfilter type AAAA\ndrop type MX\nallow type TXT\n}',
  )
  for (const type of ['A', 'A', 'AAAA', 'MX', 'TXT', 'NS']) await at.ask(`a.deep.example. ${type}`)
  await at.ask('b.example. A', { server: 'dns://:54', view: 'v' })
  await at.ask('b.test. A')
  t.strictSame(
    [...at.thread.counted],
    [
      ['coredns_acl_blocked_requests_total{server=dns://:53,view=,zone=deep.example.}', 2],
      ['coredns_acl_filtered_requests_total{server=dns://:53,view=,zone=deep.example.}', 1],
      ['coredns_acl_dropped_requests_total{server=dns://:53,view=,zone=deep.example.}', 1],
      ['coredns_acl_allowed_requests_total{server=dns://:53,view=}', 3],
      ['coredns_acl_blocked_requests_total{server=dns://:54,view=v,zone=example.}', 1],
    ],
  )
})

t.test('the configuration', async t => {
  const { config, complaints } = parseWord(
    aclWord,
    'acl a.org {\nblock type A TYPE28 net 10.1.2.3/8 FD00::1\n}\nacl',
  )
  t.same(complaints, [])
  t.strictSame(config, {
    rules: [
      {
        zones: ['a.org.'],
        policies: [
          {
            action: 'block',
            types: [1, 28],
            networks: ['10.0.0.0/8', 'fd00::1/128'],
            written: 'Corefile:3: block type A TYPE28 net 10.1.2.3/8 FD00::1',
          },
        ],
        askedOnly: false,
      },
      { zones: ['.'], policies: [], askedOnly: false },
    ],
  })
  t.strictSame(structuredClone(config), config, 'plain data')
})

t.test('mistakes', async t => {
  const cases: [text: string, complaint: RegExp][] = [
    [
      'acl {\nreject\n}',
      /^3:1: error: unknown property of acl \(found "reject"; allowed: allow, asked_only, block, drop, filter/,
    ],
    ['acl {\nblock A\n}', /^3:7: error: this is neither type nor net \(found "A"; allowed: type, net/],
    ['acl {\nblock type\n}', /^3:1: error: type needs at least one word behind it/],
    ['acl {\nblock net type A\n}', /^3:1: error: net needs at least one word/],
    ['acl {\nblock type NOPE\n}', /^3:12: error: this is no record type \(found "NOPE"/],
    ['acl {\nblock net 10.0.0.0/33\n}', /^3:11: error: this is neither a network nor an address/],
    ['acl {\nblock net eth0\n}', /^3:11: error: this is neither a network nor an address/],
    ['acl {\nblock type A {\nx\n}\n}', /^3:1: error: block takes no block/],
    ['acl a..b {\nblock\n}', /^2:5: error: /],
  ]
  for (const [text, complaint] of cases) {
    const { complaints } = parseWord(aclWord, text)
    t.equal(complaints.length, 1, `${text}: ${complaints.join(' / ')}`)
    t.match(complaints[0], complaint, text)
  }
})

t.test('a list of networks that no one writes by hand is refused', async t => {
  const line = `block net${' 10.0.0.1'.repeat(100_001)}`
  t.match(parseWord(aclWord, `acl {\n${line}\n}`).complaints[0], /^2:1: error: more than 100000 networks/)
})

t.test(
  'what an alias of another block leads to is judged for each client, whatever the cache there has',
  async t => {
    const alias =
      'template IN A {\nmatch ^www.corp.example.$\nanswer "{{ .Name }} 60 IN CNAME db.secret.test."\n}'
    const secret = 'acl secret.test {\nblock net 10.1.0.0/16\n}\nhosts {\n192.0.2.5 db.secret.test\n}'
    const block = new ServerBlock(secret, undefined, `whoami\n}\ncorp.example {\n${alias}\ncache`)
    t.teardown(() => block.stop())
    t.same(block.problems.list, [])
    const question = encodeQuestion({ name: 'www.corp.example' })
    for (const [address, addresses] of [
      ['10.0.0.7', 1],
      ['10.1.0.5', 0],
      ['10.0.0.7', 1],
    ] as const) {
      const { rcode, records } = decodeMessage((await block.late(question, from(address)))!)
      t.equal(records.answer.filter(({ type }) => type === 'A').length, addresses, `${address} ${rcode}`)
    }
  },
)
