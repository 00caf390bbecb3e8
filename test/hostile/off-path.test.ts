// Poisoning from aside of the path (Kaminsky; CVE-2019-19794, CVE-2025-40780: IDs that could be foretold): whoever sees none
// of the queries has to guess the source port and the ID of each, and one says nothing about the next. Ports are used again for a
// while, and what comes in one turn leaves from one (plugin/forward/udp.ts says why): which one is random, too.

import t from 'tap'
import { SOCKETS } from '../../src/plugin/forward/udp.ts'
import { RCODE } from '../../src/wire/rcode.ts'
import { until } from '../support/until.ts'
import { nameOf, UpstreamStub } from '../support/upstream-stub.ts'
import { floodFrom, serve } from './one-block.ts'

const QUERIES = 5000
const PACE = 50
/** Draws that are independent stray from what is expected by more than so many standard deviations once in 500 million. */
const DEVIATIONS = 6

/** Pearson's coefficient; of independent numbers it is 0 with a standard deviation of 1 / √n. */
function correlation(xs: readonly number[], ys: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length
  const [xMean, yMean] = [mean(xs), mean(ys)]
  const product = (
    one: readonly number[],
    oneMean: number,
    other: readonly number[],
    otherMean: number,
  ): number => one.reduce((sum, x, i) => sum + (x - oneMean) * (other[i]! - otherMean), 0)
  return (
    product(xs, xMean, ys, yMean) / Math.sqrt(product(xs, xMean, xs, xMean) * product(ys, yMean, ys, yMean))
  )
}

t.test('5,000 queries of the running server', async t => {
  const stub = await UpstreamStub.start()
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to}`)
  const client = await floodFrom(t, served, '127.0.0.2')
  for (let sent = 0; sent < QUERIES; sent += PACE) {
    for (let i = 0; i < PACE; i++) client.send(`n${sent + i}.example.org`)
    await until('their answers', async () => client.replies(RCODE.NOERROR) >= sent + PACE)
  }
  // Each name once, in the order of asking: what is late goes out again as it was. What comes in one turn leaves from one port.
  const asked = [...Map.groupBy(stub.asked, nameOf).values()]
    .map(same => same[0]!)
    .toSorted(
      (one, other) => Number.parseInt(nameOf(one).slice(1), 10) - Number.parseInt(nameOf(other).slice(1), 10),
    )
  const ids = asked.map(({ id }) => id)
  const ports = asked.map(({ port }) => port)
  t.equal(asked.length, QUERIES)
  const sent = new Set(stub.asked.map(one => `${nameOf(one)} ${one.id} ${one.port}`))
  t.equal(sent.size, QUERIES, 'nothing is asked with two IDs or from two ports')
  t.ok(new Set(ports).size >= SOCKETS, `${new Set(ports).size} ports`)
  // Of 16 ports times 65,536 IDs 5,000 draws meet 12 twice.
  const pairs = new Set(ids.map((id, i) => `${id} ${ports[i]}`)).size
  t.ok(pairs >= QUERIES - 12 - DEVIATIONS * Math.sqrt(12), `${pairs} pairs of ID and port`)
  // One degree of freedom for each bit: n (2p - 1)² is chi-square.
  for (let bit = 0; bit < 16; bit++) {
    const set = ids.filter(id => (id >> bit) & 1).length
    const chiSquare = (2 * set - QUERIES) ** 2 / QUERIES
    t.ok(chiSquare < DEVIATIONS ** 2, `bit ${bit} of the ID: chi-square ${chiSquare.toFixed(1)}`)
  }
  const related: readonly (readonly [title: string, xs: readonly number[], ys: readonly number[]])[] = [
    ['an ID and the next one', ids.slice(1), ids.slice(0, -1)],
    ['the ID and the port of a query', ids, ports],
    ['a port and the next ID', ids.slice(1), ports.slice(0, -1)],
  ]
  for (const [title, xs, ys] of related) {
    const coefficient = correlation(xs, ys)
    t.ok(Math.abs(coefficient) < DEVIATIONS / Math.sqrt(QUERIES), `${title}: ${coefficient.toFixed(3)}`)
  }
})
