// The fast path gives the message that the handler's reply becomes when the server writes it, or leaves the query to it.

import t from 'tap'
import type { CacheConfig } from '../../../src/plugin/cache/config.ts'
import { type FastOptions, MISS } from '../../../src/plugin/cache/fast.ts'
import { decodeMessage, type Message } from '../../../src/wire/message.ts'
import { type Name, name } from '../../../src/wire/name.ts'
import { RCODE } from '../../../src/wire/rcode.ts'
import { type Rr, rr, srvRdata } from '../../../src/wire/record.ts'
import { TYPE } from '../../../src/wire/rrtype.ts'
import { Scan } from '../../../src/wire/scan.ts'
import { decodeMessage as decodeReply } from '../../support/dns-message.ts'
import { extendedError } from '../../support/extended-error.ts'
import fc, { runs } from '../../support/properties.ts'
import type { Query } from '../../support/query.ts'
import { seededRandom } from '../../support/random.ts'
import { DROP, type Reply } from '../../support/reply.ts'
import { writeReply } from '../../support/write-reply.ts'
import {
  a,
  alias,
  Bench,
  encodeQuery,
  nxdomain,
  positive,
  question,
  reply,
  servfail,
  soa,
} from './cache-bench.ts'

const WWW = 'www.example.org'
const plain: FastOptions = { shuffle: false, reasons: true, random: seededRandom(1) }
const scan = new Scan()
const OUT_AT = 100
const UNTOUCHED = new Uint8Array(0x11000).fill(0xaa)

/** What the fast path gives for a query, or undefined for a miss. Octets around the reply must stay as they are. */
function fast(
  bench: Bench,
  query: Query,
  options = plain,
  limit = query.replyMaxOctets,
): Uint8Array | undefined {
  const path = bench.cache.fastPath('dns://:53', '', options)
  const before = 7
  const packet = Buffer.concat([Buffer.alloc(before, 0xee), encodeQuery(query)])
  const out = new Uint8Array(OUT_AT + limit + OUT_AT).fill(0xaa)
  if (scan.read(packet, before, packet.length) !== 'ok') throw new Error('the scan refuses the query')
  const length = path.answer(scan, packet, out, OUT_AT, limit, bench.clock.nowMs())
  if (length === MISS) return undefined
  const isUntouched = (octets: Uint8Array): boolean =>
    Buffer.compare(octets, UNTOUCHED.subarray(0, octets.length)) === 0
  const outside = [out.subarray(0, OUT_AT), out.subarray(OUT_AT + length)]
  if (length > limit || !outside.every(isUntouched)) throw new Error('written outside its place')
  return out.slice(OUT_AT, OUT_AT + length)
}

/** What the handler's reply gives. */
async function slow(bench: Bench, query: Query): Promise<Uint8Array> {
  const outcome = await bench.ask(query)
  if (outcome === DROP) throw new Error('silence')
  return writeReply(query, outcome)
}

const labels = fc.array(fc.constantFrom('www', 'WWW', 'a', 'mail', '_tcp', 'x-1', 'é', '\0'), {
  maxLength: 3,
})
const names = labels.map(parts => {
  const octets = parts.flatMap(label => [label.length, ...Buffer.from(label, 'latin1')])
  return Uint8Array.from([...octets, ...name('Example.org')]) as Name
})
const octets = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const rdata = fc.oneof(
  octets(4).map(data => [TYPE.A, data] as const),
  octets(16).map(data => [TYPE.AAAA, data] as const),
  names.map(target => [TYPE.CNAME, target] as const),
  names.map(target => [TYPE.NS, target] as const),
  names.map(target => [TYPE.SRV, srvRdata(1, 2, 3, target)] as const),
  names.map(target => [TYPE.MX, Uint8Array.of(0, 10, ...target)] as const),
  names.map(owner => [TYPE.SOA, Uint8Array.of(...owner, ...owner, ...new Uint8Array(20))] as const),
  fc.uint8Array({ maxLength: 300 }).map(data => [TYPE.TXT, data] as const),
  fc.uint8Array({ maxLength: 20 }).map(data => [65280, data] as const),
)
const records = fc.array(
  fc
    .tuple(names, rdata, fc.integer({ min: 0, max: 0x7fffffff }))
    .map(([owner, [type, data], ttlSeconds]): Rr => rr(owner, type, ttlSeconds, data)),
  { maxLength: 6 },
)
const replies: fc.Arbitrary<Reply> = fc
  .record({
    rcode: fc.constantFrom(RCODE.NOERROR, RCODE.NOERROR, RCODE.NXDOMAIN, RCODE.SERVFAIL, RCODE.NOTIMP),
    authoritative: fc.boolean(),
    recursionAvailable: fc.boolean(),
    authenticData: fc.boolean(),
    answer: records,
    authority: records,
    additional: records,
    ends: fc.boolean(),
  })
  .map(({ ends, ...parts }) =>
    reply({
      ...parts,
      answer: parts.rcode === RCODE.NXDOMAIN ? [] : parts.answer,
      authority: ends ? [soa(30), ...parts.authority] : parts.authority,
    }),
  )
const askers = fc.record({
  qname: names,
  edns: fc.boolean(),
  dnssecOk: fc.boolean(),
  checkingDisabled: fc.boolean(),
  authenticData: fc.boolean(),
  recursionDesired: fc.boolean(),
  id: fc.nat(65535),
})
type Asker = typeof askers extends fc.Arbitrary<infer T> ? T : never

const queryOf = ({ qname, edns, dnssecOk, id, recursionDesired, ...flags }: Asker, qtype = 'A'): Query => {
  const query = question(`. ${qtype}`, edns ? { ...flags, dnssecOk } : flags)
  return { ...query, id, recursionDesired, question: { ...query.question, qname } }
}

/** The same name in other letters. */
const respell = (qname: Name, seed: number): Name =>
  qname.map((octet, i) =>
    /[a-z]/i.test(String.fromCharCode(octet)) && octet > 63 && (seed >> (i % 30)) & 1 ? octet ^ 0x20 : octet,
  )

const isEmpty = ({ rcode, answer, authority, additional }: Reply): boolean =>
  rcode !== RCODE.NOERROR ||
  (answer.length === 0 && (additional.length === 0 || authority[0]?.type === TYPE.NS))

t.test('random replies, random clients: the same message', async t => {
  let hits = 0
  await fc.assert(
    fc.asyncProperty(
      replies,
      askers,
      fc.nat(),
      fc.nat(6000),
      fc.boolean(),
      async (upstream, first, seed, ageMs, keepTtl) => {
        const bench = new Bench({ keepTtl })
        bench.upstream = () => upstream
        await bench.ask(queryOf(first))
        bench.clock.advance(ageMs)
        const query = queryOf({
          ...first,
          qname: respell(first.qname, seed),
          id: seed % 65536,
          authenticData: seed % 3 === 0,
        })
        bench.asked.length = 0
        const quick = fast(bench, query)
        const careful = await slow(bench, query)
        if (bench.asked.length > 0) return quick === undefined
        // A reason that nobody has given is the road's to find.
        if (quick === undefined) return query.edns !== undefined && isEmpty(upstream)
        hits++
        const both: [Message | undefined, Message | undefined] = [
          decodeMessage(quick),
          decodeMessage(careful),
        ]
        t.strictSame(both[0], both[1])
        return both[0] !== undefined
      },
    ),
    { numRuns: runs(1500) },
  )
  t.ok(hits > 300, `${hits} hits`)
})

t.test(
  'shuffled: the same records, every order, only where the handler would keep the rest in its place',
  async t => {
    const addresses = [1, 2, 3].map(last => a('x.example.org', 30, last))
    const cases: [string, Reply, boolean][] = [
    ['addresses alone', reply({ answer: [1, 2, 3].map(last => a(WWW, 30, last)) }), true],
    ['behind a chain', reply({ answer: [alias(WWW, 30, 'x.example.org'), ...addresses] }), true],
    ['with another section', reply({ answer: [1, 2, 3].map(last => a(WWW, 30, last)), authority: [soa(30)] }), true],
    ['chain behind addresses', reply({ answer: [...addresses, alias(WWW, 30, 'x.example.org')] }), false],
    ['of several owners', reply({ answer: [alias(WWW, 30, 'x.example.org'), ...addresses, a('y.example.org', 30)] }), false],
    ['of both families', reply({ answer: [...[1, 2].map(last => a(WWW, 30, last)), rr(name(WWW), TYPE.AAAA, 30, new Uint8Array(16))] }), false],
    ['several in the additional section', reply({ answer: [a(WWW, 30)], additional: addresses }), false],
    ['an address of a wrong length', reply({ answer: [a(WWW, 30), rr(name(WWW), TYPE.A, 30, Uint8Array.of(1))] }), false],
  ] // biome-ignore format: a table
    for (const [title, upstream, shuffled] of cases) {
      const bench = new Bench()
      bench.upstream = () => upstream
      await bench.ask(WWW)
      const orders = new Map<string, number>()
      for (let i = 0; i < 600; i++) {
        const octets = fast(bench, question(WWW), { ...plain, shuffle: true })
        if (octets === undefined) break
        const { answer, authority } = decodeMessage(octets)!
        const last = answer.filter(({ type }) => type === TYPE.A).map(({ rdata }) => rdata[3]!)
        orders.set(last.join(), (orders.get(last.join()) ?? 0) + 1)
        if (answer.length !== upstream.answer.length || authority.length !== upstream.authority.length)
          t.fail(title)
        if (
          answer.some(
            ({ type, owner }, at) =>
              type !== upstream.answer[at]!.type || owner.length !== upstream.answer[at]!.owner.length,
          )
        )
          t.fail(title)
      }
      t.strictSame(
        [...orders.keys()].sort(),
        shuffled ? ['1,2,3', '1,3,2', '2,1,3', '2,3,1', '3,1,2', '3,2,1'] : [],
        title,
      )
      t.ok(
        [...orders.values()].every(count => count > 50),
        `${title}: evenly`,
      )
    }
    const bench = new Bench()
    bench.upstream = () => reply({ answer: [1, 2, 3].map(last => a(WWW, 30, last)) })
    await bench.ask(WWW)
    t.strictSame(fast(bench, question(WWW)), await slow(bench, question(WWW)), 'not without loadbalance')
  },
)

t.test('the reason of an entry is told where it fits, and where reasons are', async t => {
  const bench = new Bench()
  bench.upstream = nxdomain(60, { extendedError: { code: 0, text: '10.0.0.1:53 says NXDOMAIN, café' } })
  await bench.ask(question(WWW))
  const told = (options: FastOptions, limit = 1232): string => {
    const octets = fast(bench, question(WWW, { edns: true }), options, limit)
    return octets === undefined ? 'miss' : extendedError(decodeReply(octets).edns)
  }
  t.equal(told(plain), '0 10.0.0.1:53 says NXDOMAIN, café')
  t.equal(told({ ...plain, reasons: false }), '')
  const seen = new Set<string>()
  for (let limit = 60; limit < 260; limit++) seen.add(told(plain, limit))
  t.strictSame([...seen], ['miss', '', '0 10.0.0.1:53 says NXDOMAIN, café'])
})

t.test('what is left to the handler', async t => {
  const many = reply({ answer: Array.from({ length: 40 }, (_, i) => a(WWW, 30, i)) })
  const stale = { maxSeconds: 3600, verify: false, verifyTimeoutMs: 0, ttlSeconds: 0, recheckMs: 0 }
  const cases: [string, Partial<CacheConfig>, Reply, Query, number, boolean][] = [
    ['an expired entry', {}, many, question(WWW), 30_000, false],
    ['a stale entry', { stale }, many, question(WWW), 30_000, false],
    ['another type', {}, many, question(`${WWW} AAAA`), 0, false],
    ['another class', {}, many, question(`${WWW} A CH`), 0, false],
    ['another DO', {}, many, question(WWW, { dnssecOk: true }), 0, false],
    ['another CD', {}, many, question(WWW, { checkingDisabled: true }), 0, false],
    ['too large for the client', {}, many, question(WWW, { replyMaxOctets: 512 }), 0, false],
    ['just small enough', {}, many, question(WWW, { replyMaxOctets: 12 + 21 + 40 * 16 }), 0, true],
    ['too large with OPT', {}, many, question(WWW, { replyMaxOctets: 12 + 21 + 40 * 16, edns: true }), 0, false],
    ['just small enough with OPT', {}, many, question(WWW, { replyMaxOctets: 12 + 21 + 40 * 16 + 11, edns: true }), 0, true],
    ['due for prefetching', { prefetch: { hits: 1, windowMs: 1000, percent: 50 } }, many, question(WWW), 15_000, false],
    ['not yet due', { prefetch: { hits: 1, windowMs: 1000, percent: 50 } }, many, question(WWW), 14_000, true],
    ['an extended error to tell', {}, nxdomain(60, { extendedError: { code: 15, text: '' } })(), question(WWW, { edns: true }), 0, true],
    ['nothing, and no reason yet', {}, nxdomain(60)(), question(WWW, { edns: true }), 0, false],
    ['an extended error, but no EDNS', {}, nxdomain(60, { extendedError: { code: 15, text: '' } })(), question(WWW), 0, true],
    ['a failure', {}, servfail()(), question(WWW), 0, true],
  ] // biome-ignore format: a table
  for (const [title, config, upstream, query, ageMs, hit] of cases) {
    const bench = new Bench(config)
    bench.upstream = () => upstream
    await bench.ask(question(WWW))
    bench.clock.advance(ageMs)
    const requests = bench.count('requests_total')
    t.equal(fast(bench, query) !== undefined, hit, title)
    t.equal(bench.count('requests_total') - requests, hit ? 1 : 0, `${title}: counted once, by who answers`)
    t.equal(bench.count('hits_total'), hit ? 1 : 0, `${title}: a hit`)
  }
})

t.test('hits on the fast path make an entry popular, and keep it in the cache', async t => {
  const bench = new Bench({ prefetch: { hits: 3, windowMs: 60_000, percent: 10 } })
  bench.upstream = positive(30)
  await bench.ask(WWW)
  bench.clock.advance(20_000)
  t.ok(fast(bench, question(WWW)) && fast(bench, question(WWW)))
  bench.clock.advance(7_000)
  t.equal(fast(bench, question(WWW)), undefined, "the third hit is the handler's")
  await bench.ask(WWW)
  t.equal(bench.count('prefetch_total'), 1)

  const small = new Bench({ success: { ...bench.config.success, entriesMax: 10 } })
  small.upstream = positive(30)
  await small.ask(WWW)
  for (let i = 0; i < 100; i++) {
    await small.ask(`n${i}.example.org`)
    fast(small, question(WWW))
  }
  t.ok(fast(small, question(WWW)), 'what is asked for stays')
})

t.test('a query answered elsewhere counts as a request and a miss', t => {
  const bench = new Bench()
  bench.cache.fastPath('dns://:53', '', plain).countPassed()
  t.equal(bench.count('requests_total'), 1)
  t.equal(bench.count('misses_total'), 1)
  t.end()
})
