// Overload: more slow queries than can be held. What is in flight is bounded, and the noisy client loses first: whoever asks
// little is answered beside one that asks for thousands of names which no upstream answers.

import t from 'tap'
import { FLIGHTS_MAX } from '../../src/plugin/forward/flights.ts'
import { WAITING_MAX } from '../../src/query/waiting.ts'
import { RCODE } from '../../src/wire/rcode.ts'
import { query } from '../support/dns-client.ts'
import type { Served } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { answerAll, nameOf, UpstreamStub } from '../support/upstream-stub.ts'
import { floodFrom, serve, unharmed } from './one-block.ts'

const NOISY = '127.0.0.2'
const QUIET = '127.0.0.3'
/**
 * Sent before their fate is waited for: fewer than any socket holds, and so many that all room is taken long before the first one
 * has waited for as long as a client does.
 */
const PACE = 100

/** Queries that have passed the cache and have no answer yet; where nothing is cached. */
async function inFlight({ counted }: Served): Promise<number> {
  const begun = await counted('coredns_cache_misses_total')
  return begun - (await counted('coredns_dns_responses_total'))
}

const rules: readonly (readonly [title: string, options: string, mostInFlight: number])[] = [
  ['what a rule has under way, which one client took whole', '', FLIGHTS_MAX],
  ['max_concurrent, which one client took whole', 'max_concurrent 1000', 1000],
]

for (const [title, options, mostInFlight] of rules) {
  t.test(title, async t => {
    const silent = new Set<string>()
    const stub = await UpstreamStub.start((asked, back) => {
      if (nameOf(asked).endsWith('.silent.test.')) silent.add(nameOf(asked))
      else answerAll(asked, back)
    })
    t.teardown(() => stub.pause())
    const served = await serve(t, `cache\nforward . ${stub.to} {\n${options}\n}`)
    const noisy = await floodFrom(t, served, NOISY)
    let sent = 0
    // No faster than server and upstream take it: a query that is lost on its way proves nothing.
    const flood = async (): Promise<void> => {
      for (let i = 0; i < PACE; i++) noisy.send(`n${sent++}.silent.test`)
      await until('the flood', async () => silent.size + noisy.replies(RCODE.REFUSED) >= sent)
    }
    // What is in flight when the first one is refused: later on the first ones have waited long enough.
    while (noisy.replies(RCODE.REFUSED) === 0) await flood()
    const held = await inFlight(served)
    t.ok(held > mostInFlight / 2, `${held} in flight: one client may have most of the room`)
    t.ok(held < mostInFlight, `${held} in flight: and never all of it`)
    for (let i = 0; i < 50; i++) {
      await flood()
      const { rcode } = await query(served.port, { name: `q${i}.example.org`, localAddress: QUIET })
      t.equal(rcode, 'NOERROR', `the quiet client's query ${i}`)
    }
    while (noisy.replies(RCODE.REFUSED) < 1000) await flood()
    t.ok((await served.counted('coredns_forward_max_concurrent_rejects_total')) >= 1000, 'counted')
    await unharmed(t, served)
  })
}

t.test('slow queries of a thread: one client gets half of them, whatever it asks', async t => {
  const held: (() => void)[] = []
  const stub = await UpstreamStub.start((asked, back) => {
    if (nameOf(asked) === 'held.test.') held.push(() => answerAll(asked, back))
    else answerAll(asked, back)
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to}`)
  const noisy = await floodFrom(t, served, NOISY)
  // Before the first of them has waited too long. What is asked last is answered when the others have been read.
  for (let round = 1; noisy.replies(RCODE.REFUSED) === 0; round++) {
    for (let i = 0; i < 2 * PACE; i++) noisy.send('held.test')
    noisy.send('www.test')
    await until('them', () => noisy.replies(RCODE.NOERROR) >= round || noisy.replies(RCODE.REFUSED) > 0)
  }
  t.ok((await served.counted('seamark_listen_events_total', { event: 'slow-refused' })) > 0, 'counted')
  const taken = await inFlight(served)
  t.ok(taken <= WAITING_MAX / 2, `${taken} in flight`)
  t.equal((await query(served.port, { name: 'www.test', localAddress: QUIET })).rcode, 'NOERROR')
  for (const answer of held) answer()
  await until('places are free again', async () => {
    const { rcode } = await query(served.port, { name: 'x.test', localAddress: NOISY })
    return rcode === 'NOERROR'
  })
  await unharmed(t, served)
})
