// Birthday attacks (CVE-2023-30464, RebirthDay CVE-2025-5994): many clients make a server ask the same question many times
// at once, so that one of many forged replies fits one of many queries. A serving thread asks it once, whoever asks; what goes out
// again for want of an answer is the same datagram, with nothing more to be guessed.

import { createSocket } from 'node:dgram'
import t, { type Test } from 'tap'
import { decodeMessage, encodeQuestion } from '../support/dns-client.ts'
import type { Served } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { a, answerAll, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { serve, unharmed } from './one-block.ts'

const CLIENTS = 500
const NAME = 'www.example.org'

/** An upstream that answers about the name when told to, and a server in front of it. */
async function sleeping(t: Test, threads: number, options = '') {
  const held: (() => void)[] = []
  const queries = new Set<string>()
  const stub = await UpstreamStub.start((asked, back) => {
    // Health checks are for another name.
    if (nameOf(asked) !== `${NAME}.`) answerAll(asked, back)
    else {
      queries.add(`${asked.id} ${asked.port}`)
      held.push(() => back.send(replyTo(asked, { answer: [a(NAME, 30)] })))
    }
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to} {\n${options}\n}`, { threads })
  return { held, queries, served, stub }
}

/** Asks as so many clients, each with an address, a port and a subnet of its own (RFC 7871); counts the answers. */
function askAsMany(t: Test, { port }: Served): { readonly answered: () => number } {
  let answered = 0
  for (let i = 0; i < CLIENTS; i++) {
    const subnet = { code: 8, data: Uint8Array.of(0, 1, 32, 0, 198, 51, i >> 8, i & 255) }
    const packet = encodeQuestion({ name: NAME, edns: { options: [subnet] } }, i)
    const socket = createSocket('udp4')
    t.teardown(() => socket.close())
    socket.on('message', octets => {
      const { id, answer } = decodeMessage(octets)
      if (id === i && answer[0]?.endsWith(' IN A 192.0.2.1')) answered++
    })
    socket.bind(0, `127.0.${i >> 8}.${1 + (i % 250)}`, () => socket.send(packet, port, '127.0.0.1'))
  }
  return { answered: () => answered }
}

t.test('500 clients ask one new name of one thread while the upstream sleeps: one query', async t => {
  const { stub, held, queries, served } = await sleeping(t, 1)
  const clients = askAsMany(t, served)
  await until('500 questions', async () => (await served.counted('coredns_cache_misses_total')) === CLIENTS)
  t.equal(queries.size, 1)
  t.strictSame(stub.asked[0]!.edns?.options, [], 'no subnet goes on')
  held[0]!()
  await until('500 answers', () => clients.answered() === CLIENTS)
  t.equal(queries.size, 1)
  await unharmed(t, served)
})

t.test('of two threads: a query each at most', async t => {
  const { held, queries, served } = await sleeping(t, 2)
  const clients = askAsMany(t, served)
  await until('500 questions', async () => (await served.counted('coredns_cache_misses_total')) === CLIENTS)
  t.ok(queries.size <= 2, `${queries.size} queries`)
  for (const wake of held) wake()
  await until('500 answers', () => clients.answered() === CLIENTS)
  t.ok(queries.size <= 2, `${queries.size} queries`)
})

t.test('an upstream that loses the query: one more, for all of them', async t => {
  const { held, queries, served } = await sleeping(t, 1, 'read_timeout 1s')
  const clients = askAsMany(t, served)
  await until('the second query', () => queries.size === 2)
  held.at(-1)!()
  await until('500 answers', () => clients.answered() === CLIENTS)
  t.equal(queries.size, 2)
})
