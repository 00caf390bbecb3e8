// Overload: more slow queries than can be held. What is in flight is bounded, and the noisy client loses first: whoever asks
// little is answered beside one that asks for thousands of names which no upstream answers.

import t from 'tap'
import { RCODE } from '../../src/wire/rcode.ts'
import { query } from '../support/dns-client.ts'
import { answerAll, nameOf, UpstreamStub } from '../support/upstream-stub.ts'
import { floodFrom, serve, unharmed, untilSo } from './support.ts'

const NOISY = '127.0.0.2'
const QUIET = '127.0.0.3'
/** Of different names that one rule has under way on a thread (SECURITY.md). */
const FLIGHTS_MAX = 4096

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
      for (let i = 0; i < 50; i++) noisy.send(`n${sent++}.silent.test`)
      await untilSo('the flood', async () => silent.size + noisy.replies(RCODE.REFUSED) >= sent)
    }
    while (noisy.replies(RCODE.REFUSED) < 1000) await flood()
    const inFlight = silent.size - noisy.replies(RCODE.SERVFAIL)
    t.ok(inFlight > mostInFlight / 2, `${inFlight} in flight: one client may have most of the room`)
    t.ok(inFlight < mostInFlight, `${inFlight} in flight: and never all of it`)
    for (let i = 0; i < 50; i++) {
      await flood()
      const { rcode } = await query(served.port, { name: `q${i}.example.org`, localAddress: QUIET })
      t.equal(rcode, 'NOERROR', `the quiet client's query ${i}`)
    }
    t.ok((await served.counted('coredns_forward_max_concurrent_rejects_total')) >= 1000, 'counted')
    await unharmed(t, served)
  })
}
