// Cache key confusion (test/hostile/README.md): for every pair of clients with different DO, CD and AD, in every order, the
// second one is told what an empty cache would have told it, AA aside.

import t from 'tap'
import { RCODE } from '../../../src/wire/rcode.ts'
import { rr } from '../../../src/wire/record.ts'
import { TYPE } from '../../../src/wire/rrtype.ts'
import type { Query } from '../../support/query.ts'
import type { Outcome, Reply } from '../../support/reply.ts'
import { type Asked, Bench, lineOf, question, reply, soa } from './cache-bench.ts'

const bits = [undefined, false, true]
const clients: Asked[] = bits.flatMap(dnssecOk =>
  [false, true].flatMap(checkingDisabled =>
    [false, true].map(authenticData => ({
      checkingDisabled,
      authenticData,
      ...(dnssecOk === undefined ? {} : { dnssecOk }),
    })),
  ),
)

/** A validating upstream: AD where it is asked for and nothing is disabled, signatures with DO, a bogus name without CD. */
function validating({ question: { qname }, edns, authenticData, checkingDisabled }: Query): Reply {
  const dnssecOk = edns?.dnssecOk ?? false
  const bogus = qname[1] === 'b'.charCodeAt(0)
  if (bogus && !checkingDisabled) return reply({ rcode: RCODE.SERVFAIL })
  const records = [rr(qname, TYPE.A, 30, Uint8Array.of(192, 0, 2, bogus ? 66 : 1))]
  if (dnssecOk) records.push(rr(qname, TYPE.RRSIG, 30, Uint8Array.of(0, 1, 2)))
  return reply({
    answer: qname[1] === 'n'.charCodeAt(0) ? [] : records,
    authority: [soa(30)],
    authenticData: (authenticData || dnssecOk) && !checkingDisabled,
  })
}

const seen = (outcome: Outcome): string => lineOf(outcome).replace(/ aa| ede13/g, '')

for (const owner of ['good.example.org', 'bogus.example.org', 'nodata.example.org']) {
  t.test(owner, async t => {
    for (const first of clients) {
      for (const second of clients) {
        const title = `${JSON.stringify(first)}, then ${JSON.stringify(second)}`
        const empty = new Bench()
        empty.upstream = validating
        const expected = seen(await empty.ask(question(owner, second)))
        const bench = new Bench()
        bench.upstream = validating
        await bench.ask(question(owner, first))
        t.equal(seen(await bench.ask(question(owner, second))), expected, title)
        t.equal(seen(await bench.ask(question(owner, second))), expected, `${title}, twice`)
      }
    }
  })
}
