// What sockets throw at a process of Node: clients that are gone before their answer (ECONNREFUSED, ECONNRESET), and no
// descriptor left for a question to an upstream (EMFILE). Each is an event that somebody hears, and the next client is served.

import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { RCODE } from '../../src/wire/rcode.ts'
import { encodeQuestion, query } from '../support/dns-client.ts'
import { shortOrLong } from '../support/long.ts'
import { until } from '../support/until.ts'
import { answerAll, nameOf, UpstreamStub } from '../support/upstream-stub.ts'
import { floodFrom, type ServeOptions, serve, unharmed } from './one-block.ts'

const GONE = shortOrLong(2000, 10_000)
const ROUND = 100

/** An upstream that holds names below `held.test` until it is told. */
async function holding() {
  const held: (() => void)[] = []
  const stub = await UpstreamStub.start((asked, back) => {
    if (nameOf(asked).endsWith('.held.test.')) held.push(() => answerAll(asked, back))
    else answerAll(asked, back)
  })
  const release = (): void => {
    for (const answer of held.splice(0)) answer()
  }
  return { stub, held, release }
}

const permission = [
  '--permission',
  '--allow-fs-read=*',
  '--allow-worker',
  '--disable-warning=SecurityWarning',
]
const forms: readonly (readonly [title: string, wrap: ServeOptions['wrap'] & object])[] = [
  ['in batches', command => command],
  [
    'over node:dgram, where no add-on may be loaded',
    // What the test runner adds to every Node is not allowed there.
    ([node = '', ...words]) => ['env', '-u', 'NODE_OPTIONS', node, ...permission, ...words],
  ],
]

for (const [title, wrap] of forms) {
  t.test(`${GONE} clients over UDP that are gone before the answer, ${title}`, async t => {
    const { stub, held, release } = await holding()
    t.teardown(() => stub.pause())
    const served = await serve(t, `cache\nforward . ${stub.to}`, { wrap })
    for (let round = 0; round < GONE / ROUND; round++) {
      const packet = encodeQuestion({ name: `n${round}.held.test` }, round)
      for (let i = 0; i < ROUND; i++) {
        const socket = createSocket('udp4')
        socket.connect(served.port, '127.0.0.1')
        await once(socket, 'connect')
        socket.send(packet, () => socket.close())
      }
      const before = (round + 1) * ROUND
      await until('the query', async () => held.length > 0)
      await until('all of them', async () => (await served.counted('coredns_cache_misses_total')) >= before)
      release()
    }
    t.equal((await query(served.port, { name: 'www.test' })).rcode, 'NOERROR')
    t.equal((await query(served.port, { name: 'n0.held.test' })).rcode, 'NOERROR', 'cached for others')
    await unharmed(t, served)
  })
}

t.test('a thousand connections that are reset before the answer', async t => {
  const { stub, held, release } = await holding()
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to}`)
  for (let round = 0; round < 10; round++) {
    const packet = encodeQuestion({ name: `n${round}.held.test` }, round)
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect(served.port, '127.0.0.1')
        await once(socket, 'connect')
        socket.write(Uint8Array.of(0, packet.length, ...packet))
        return socket
      }),
    )
    await until(
      'all of them',
      async () => (await served.counted('coredns_cache_misses_total')) >= 100 * (round + 1),
    )
    for (const socket of sockets) socket.resetAndDestroy()
    await until('the query', async () => held.length > 0)
    release()
  }
  t.equal((await query(served.port, { name: 'www.test', tcp: true })).rcode, 'NOERROR')
  await unharmed(t, served)
})

const prlimit = spawnSync('prlimit', ['--nofile=64:64', 'true']).status === 0
t.test(
  'with few descriptors, questions at once need none of their own',
  { skip: prlimit ? false : 'prlimit does not work here' },
  async t => {
    const { stub, held, release } = await holding()
    t.teardown(() => stub.pause())
    const served = await serve(t, `errors\ncache\nforward . ${stub.to}`, {
      wrap: command => ['prlimit', '--nofile=64:64', ...command],
    })
    const client = await floodFrom(t, served, '127.0.0.2')
    for (let i = 0; i < 300; i++) client.send(`n${i}.held.test`)
    await until('the questions', async () => held.length >= 300)
    release()
    await until('the answers', async () => {
      // What was asked again meanwhile is held, too.
      release()
      return client.replies(RCODE.SERVFAIL) + client.replies(RCODE.NOERROR) >= 300
    })
    t.equal(client.replies(RCODE.NOERROR), 300, 'all are answered')
    t.equal(
      (await query(served.port, { name: 'www.test', tcp: true })).rcode,
      'NOERROR',
      'and so is the next one',
    )
    await unharmed(t, served)
  },
)
