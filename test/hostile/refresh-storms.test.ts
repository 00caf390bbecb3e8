// Storms of refreshes: a hit of the cache may ask the upstream again (prefetch), and so may every stale answer (serve_stale).
// Whatever clients ask, and however silent the upstream is, one question for a name is under way, what all names have under way
// is bounded, and clients get what is kept.

import t from 'tap'
import { FLIGHTS_MAX } from '../../src/plugin/forward/flights.ts'
import { PATIENCE_MS } from '../../src/query/packet.ts'
import { RCODE } from '../../src/wire/rcode.ts'
import { query } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { type Asked, a, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { floodFrom, serve, unharmed } from './one-block.ts'

const NOISY = '127.0.0.2'
const QUIET = '127.0.0.3'
/** How often an upstream that does not answer is sent one question, over UDP and TCP, within a client's patience. */
const ATTEMPTS_MAX = 16
const HITS = 3000
const PACE = 100

t.test('prefetch of one name, from an upstream that has fallen silent', async t => {
  const stub = await UpstreamStub.start((asked, back) => {
    if (stub.asked.length === 1) back.send(replyTo(asked, { answer: [a(nameOf(asked), 40)] }))
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache {\nprefetch 1 1m 90%\n}\nforward . ${stub.to}`)
  const client = await floodFrom(t, served, NOISY)
  const startedMs = performance.now()
  let sent = 0
  const hit = async (): Promise<void> => {
    for (let i = 0; i < PACE; i++) client.send('www.test')
    sent += PACE
    await until('answers out of the cache', () => client.replies(RCODE.NOERROR) === sent)
  }
  // A tenth of the TTL is over.
  await until('a refresh', async () => {
    await query(served.port, { name: 'www.test' })
    return stub.asked.length > 1
  })
  while (sent < HITS) await hit()
  // The next refresh begins when the one before has been given up.
  const refreshes = 1 + Math.ceil((performance.now() - startedMs) / PATIENCE_MS)
  t.ok(stub.asked.length <= 1 + refreshes * ATTEMPTS_MAX, `${stub.asked.length} questions for ${HITS} hits`)
  await unharmed(t, served)
})

t.test('stale answers of more names than may be under way, while the upstream is silent', async t => {
  const names = FLIGHTS_MAX + 2000
  let isSilent = false
  const silent = new Set<string>()
  const stub = await UpstreamStub.start((asked: Asked, back) => {
    stub.asked = []
    const name = nameOf(asked)
    if (isSilent && !name.startsWith('fresh')) silent.add(name)
    else back.send(replyTo(asked, { answer: [a(name, name.startsWith('fresh') ? 60 : 1)] }))
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache {\nserve_stale 1h immediate\n}\nforward . ${stub.to}`)
  const client = await floodFrom(t, served, NOISY)
  let answered = 0
  const askAll = async (): Promise<void> => {
    for (let from = 0; from < names; from += PACE) {
      const count = Math.min(PACE, names - from)
      for (let i = 0; i < count; i++) client.send(`n${from + i}.test`)
      answered += count
      await until('answers', () => client.replies(RCODE.NOERROR) >= answered)
    }
  }
  await askAll()
  isSilent = true
  // The last one that was stored has expired when a question for it goes out.
  await until('stale', async () => {
    await query(served.port, { name: `n${names - 1}.test`, localAddress: QUIET })
    return silent.size > 0
  })
  await askAll()
  t.ok(silent.size <= FLIGHTS_MAX, `${silent.size} names under way for ${names} stale answers`)
  for (let i = 0; i < 20; i++) {
    const { rcode } = await query(served.port, { name: `fresh${i}.test`, localAddress: QUIET })
    t.equal(rcode, 'NOERROR', 'a name that nobody has asked for yet')
  }
  await unharmed(t, served)
})
