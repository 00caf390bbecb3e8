// What somebody is told who wants to know what becomes of a query.

import t from 'tap'
import { encodeQuestion } from '../support/dns-question.ts'
import { freePort } from '../support/free-port.ts'
import { ServerBlock } from '../support/server-block.ts'
import { UpstreamStub } from '../support/upstream-stub.ts'

const BLOCK = 'server block . of dns://:53'
const KUBERNETES = 'kubernetes cluster.local'
const packet = (question: string): Uint8Array => {
  const [name = '', type = 'A'] = question.split(' ')
  return encodeQuestion({ name, type, edns: {} })
}

/** The notes on the way of each question, asked one after another; times are not the test's. */
async function notesOf(lines: string, ...questions: string[]): Promise<string[]> {
  const block = new ServerBlock(lines)
  const notes: string[] = []
  for (const question of questions) notes.push(...(await block.notes(packet(question))))
  await block.stop()
  return notes.map(note => note.replace(/in [0-9.]+ ms/, 'in N ms'))
}

t.test('what each plugin tells', async t => {
  const cases: [lines: string, question: string, notes: string[]][] = [
    [KUBERNETES, 'web.demo.svc.cluster.local', ['kubernetes: answers out of the table']],
    [KUBERNETES, 'nope.demo.svc.cluster.local', ['kubernetes: answers out of the table']],
    [
      'acl {\nallow net 10.1.0.0/16\nblock type A  net 10.0.0.0/8\n}',
      'www.example.org',
      ['acl: refuses the client 10.0.0.7: Corefile:4: block type A net 10.0.0.0/8'],
    ],
    [
      'acl {\nfilter\n}',
      'www.example.org',
      ['acl: gives the client no records 10.0.0.7: Corefile:3: filter'],
    ],
    ['acl {\nallow\n}', 'www.example.org', ['acl: lets the client ask 10.0.0.7: Corefile:3: allow']],
    ['acl {\nblock net 11.0.0.0/8\n}', 'www.example.org', []],
    [
      `rewrite name a.test web.demo.svc.cluster.local\n${KUBERNETES}`,
      'a.test',
      [
        'rewrite: Corefile:2: name a.test web.demo.svc.cluster.local: the question is now web.demo.svc.cluster.local. A',
      ],
    ],
    [`rewrite continue ttl a.test 5-9`, 'a.test', ['rewrite: Corefile:2: continue ttl a.test 5-9']],
    ['cache', 'www.example.org', ['cache: has no answer to it']],
    ['hosts {\n192.0.2.1 a.test\nfallthrough\n}', 'b.test', ['hosts: has no such host, and falls through']],
    [
      'template IN A test {\nanswer "{{ .Name }} 60 IN A 192.0.2.1"\n}',
      'a.test',
      ['template: a rule of zone test. takes a.test.'],
    ],
    [
      `kubernetes cluster.local {\nfallthrough\n}`,
      'nope.demo.svc.cluster.local',
      ['kubernetes: has no such name, and falls through'],
    ],
  ]
  for (const [lines, question, notes] of cases)
    t.same(await notesOf(lines, question), [BLOCK, ...notes], `${lines}: ${question}`)
})

t.test('upstreams are named with what they said, and later the age of what is cached', async t => {
  const upstream = await UpstreamStub.start()
  t.teardown(() => upstream.pause())
  const to = `127.0.0.1:${upstream.port}`
  t.same(await notesOf(`cache\nforward . ${to}`, 'www.example.org', 'www.example.org'), [
    BLOCK,
    'cache: has no answer to it',
    `forward: ${to} answered NOERROR over udp in N ms`,
    BLOCK,
    'cache: has an answer that is 0 s old; 30 s are left of it',
  ])
  const nobody = `127.0.0.1:${await freePort()}`
  const [, note] = await notesOf(`forward . ${nobody} {\nmax_connect_attempts 1\n}`, 'www.example.org')
  t.match(note, `forward: ${nobody} did not answer in N ms: `)
  t.match(note, 'connection refused')
})

t.test('while nobody asks nothing is made for it: a query leaves no garbage behind', t => {
  const ask = new ServerBlock(KUBERNETES).repeater()
  const octets = packet('web.demo.svc.cluster.local')
  const [runs, looksMax, octetsMax] = [1000, 300, 32]
  let least = Number.POSITIVE_INFINITY
  // Until the optimizing compiler is done; a look that a collection falls into says nothing.
  for (let look = 0; look < looksMax && least > octetsMax; look++) {
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < runs; i++) ask(octets)
    const left = (process.memoryUsage().heapUsed - before) / runs
    if (left >= 0) least = Math.min(least, left)
  }
  t.ok(least <= octetsMax, `${least} octets a query`)
  t.end()
})
