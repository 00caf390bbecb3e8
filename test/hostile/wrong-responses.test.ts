// Responses that do not fit (TuDoor, CVE-2023-28452): what somebody forges, or an upstream sends by mistake, is neither taken
// nor does it end the wait for the true one; from the first of them on the question is asked over TCP, too.

import t from 'tap'
import { query } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import {
  type Asked,
  a,
  answerAll,
  nameOf,
  question,
  type ReplyParts,
  replyTo,
  UpstreamStub,
} from '../support/upstream-stub.ts'
import { serve, unharmed } from './one-block.ts'

const EVIL = '203.0.113.66'
const GOOD = '192.0.2.1'

const evil = (asked: Asked, parts: ReplyParts): Uint8Array =>
  replyTo(asked, { answer: [a(nameOf(asked), 3600, EVIL)], ...parts })

/** What is wrong, and the nth datagram that has it. */
const flaws: Readonly<Record<string, (asked: Asked, n: number) => Uint8Array>> = {
  'another ID': (asked, n) => evil(asked, { id: asked.id ^ (n + 1) }),
  'another name': asked => evil(asked, { question: question('victim.example') }),
  'another type': asked => evil(asked, { question: question(nameOf(asked), 'AAAA') }),
  'another case': asked => evil(asked, { question: question(nameOf(asked).toUpperCase()) }),
  'no question': asked => evil(asked, { question: new Uint8Array(0) }),
  'a query': asked => evil(asked, { qr: false }),
  'another opcode': asked => evil(asked, { opcode: 5 }),
  'a truncated answer with another ID': (asked, n) => evil(asked, { id: asked.id ^ (n + 1), tc: true }),
  'FORMERR with another ID': (asked, n) => evil(asked, { id: asked.id ^ (n + 1), rcode: 1 }),
  'a record cut short': asked => evil(asked, {}).slice(0, -1),
  'a header alone': asked => evil(asked, {}).slice(0, 12),
  'three octets': asked => asked.octets.slice(0, 3),
  nothing: () => new Uint8Array(0),
}

/** What comes before the true answer, and over what that comes, by the name: `2.5.tcp.test` is five times the third flaw. */
function plan(asked: Asked): { readonly bad: readonly Uint8Array[]; readonly good: string } | undefined {
  const [, flaw, count, good] = /^(\d+|all)\.(\d+)\.(udp|tcp)\.test\.$/.exec(nameOf(asked)) ?? []
  if (flaw === undefined || good === undefined) return undefined
  const all = Object.values(flaws)
  const makers = flaw === 'all' ? all : [all[Number(flaw)]!]
  return {
    bad: makers.flatMap(make => Array.from({ length: Number(count) }, (_, n) => make(asked, n))),
    good,
  }
}

t.test('before the true answer', async t => {
  const stub = await UpstreamStub.start((asked, back) => {
    const { bad, good } = plan(asked) ?? {}
    if (bad === undefined) return answerAll(asked, back)
    if (asked.transport === 'udp') for (const octets of bad) back.send(octets)
    if (asked.transport === good) answerAll(asked, back)
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to}`)
  const kinds = [...Object.keys(flaws).map((title, i) => [title, String(i)]), ['all of them', 'all']] as const
  for (const [title, flaw] of kinds) {
    for (const count of flaw === 'all' ? [1, 2] : [1, 5, 30]) {
      for (const good of ['udp', 'tcp']) {
        const name = `${flaw}.${count}.${good}.test`
        const asked = await query(served.port, { name })
        const what = `${title}, ${count} times, the true one over ${good}`
        t.match(asked.answer, [new RegExp(`^${name}\\. \\d+ IN A ${GOOD}$`)], what)
        t.match((await query(served.port, { name })).answer, [/ 192\.0\.2\.1$/], `${what}: cached`)
        // The true answer over UDP may be there before the question over TCP is.
        await until('the question over TCP', () => stub.log.includes(`tcp ${name}. IN A`))
        t.pass(`${what}: asked over TCP`)
      }
    }
  }
  t.match((await query(served.port, { name: 'victim.example' })).answer, [/ 192\.0\.2\.1$/])
  await unharmed(t, served)
})

t.test('a flood of wrong IDs', async t => {
  const stub = await UpstreamStub.start((asked, back) => {
    if (!nameOf(asked).startsWith('flood')) return answerAll(asked, back)
    if (asked.transport === 'udp') {
      for (let i = 1; i < 3000; i++) back.send(evil(asked, { id: asked.id ^ i }))
    } else if (nameOf(asked).startsWith('flood-then-tcp')) answerAll(asked, back)
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to} {\nread_timeout 2s\nmax_fails 0\n}`)
  for (let i = 0; i < 3; i++) {
    const told = await query(served.port, { name: `flood-then-tcp-${i}.test`, timeoutMs: 10_000 })
    t.match(told.answer, [/ 192\.0\.2\.1$/], 'the true answer, over TCP')
  }
  const silent = await query(served.port, { name: 'flood.test', timeoutMs: 10_000 })
  t.match(
    silent,
    { rcode: 'SERVFAIL', answer: [] },
    'no answer where TCP is silent, and not that of the flood',
  )
  t.match(
    (await query(served.port, { name: 'www.test' })).answer,
    [/ 192\.0\.2\.1$/],
    'other questions go on',
  )
  const told = served.server.output().match(/does not fit/g)
  t.equal(told?.length, 1, 'one line')
  await unharmed(t, served)
})
