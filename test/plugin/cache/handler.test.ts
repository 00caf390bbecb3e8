// What clients see of the cache (docs/coredns.md 3.4), rule by rule: asked, moved on in time, asked again.

import t from 'tap'
import { defaultConfig } from '../../../src/plugin/cache/config.ts'
import { formatName, name } from '../../../src/wire/name.ts'
import { RCODE } from '../../../src/wire/rcode.ts'
import { rr } from '../../../src/wire/record.ts'
import { TYPE } from '../../../src/wire/rrtype.ts'
import type { Query } from '../../support/query.ts'
import { DROP, failure, type Reply } from '../../support/reply.ts'
import {
  a,
  alias,
  Bench,
  lineOf,
  nodata,
  nxdomain,
  positive,
  question,
  reply,
  servfail,
  soa,
} from './cache-bench.ts'

const config = defaultConfig(['.'])
const WWW = 'www.example.org'

t.test('one TTL on every record, of what passes and of what is kept', async t => {
  const cases: [string, Partial<typeof config>, Reply, string][] = [
    ['the smallest counts', {}, reply({ answer: [a(WWW, 300), a(WWW, 20, 2)], additional: [a('x.org', 60)] }),
      'NOERROR ra | www.example.org. 20 A .1, www.example.org. 20 A .2 |  | x.org. 20 A .1'],
    ['raised to five seconds', {}, reply({ answer: [a(WWW, 1)] }), 'NOERROR ra | www.example.org. 5 A .1 |  |'],
    ['zero too', {}, reply({ answer: [a(WWW, 0)] }), 'NOERROR ra | www.example.org. 5 A .1 |  |'],
    ['2^31 - 1 is lowered to an hour', {}, reply({ answer: [a(WWW, 0x7fffffff)] }), 'NOERROR ra | www.example.org. 3600 A .1 |  |'],
    ['a denial to half an hour', {}, nxdomain(86400)(), 'NXDOMAIN ra |  | example.org. 1800 SOA |'],
    ['a denial by its record, not by the minimum field', {}, reply({ authority: [soa(900, 10)] }), 'NOERROR ra |  | example.org. 900 SOA |'],
    ['a refusal is not kept, but five seconds', {}, reply({ rcode: RCODE.REFUSED, authority: [soa(900)] }), 'REFUSED ra |  | example.org. 5 SOA |'],
    ['a failure as long as failures are kept', { failureMs: 7000 }, servfail({ authority: [soa(900)] })(), 'SERVFAIL ra |  | example.org. 7 SOA |'],
    ['a cut reply', {}, reply({ truncated: true, answer: [a(WWW, 3)] }), 'NOERROR ra tc | www.example.org. 5 A .1 |  |'],
    ['the cluster\'s own', { success: { ...config.success, ttlMaxSeconds: 10 } }, reply({ plugin: 'kubernetes', authoritative: true, answer: [a(WWW, 30)] }), 'NOERROR aa ra | www.example.org. 10 A .1 |  |'],
    ['a maximum below the minimum wins', { success: { ...config.success, ttlMaxSeconds: 3 } }, reply({ answer: [a(WWW, 1)] }), 'NOERROR ra | www.example.org. 3 A .1 |  |'],
    ['a minimum of zero leaves zero', { success: { ...config.success, ttlMinSeconds: 0 } }, reply({ answer: [a(WWW, 0)] }), 'NOERROR ra | www.example.org. 0 A .1 |  |'],
    ['disabled for the zone', { success: { ...config.success, exceptZones: ['.'] } }, reply({ answer: [a(WWW, 1)] }), 'NOERROR ra | www.example.org. 5 A .1 |  |'],
  ] // biome-ignore format: a table
  for (const [title, options, upstream, expected] of cases) {
    const bench = new Bench(options)
    bench.upstream = () => upstream
    t.equal(await bench.line(WWW), expected, title)
  }
})

t.test('what is kept, and for how long', async t => {
  const cases: [string, Partial<typeof config>, Reply, number][] = [
    ['an answer', {}, reply({ answer: [a(WWW, 30)] }), 30],
    ['an answer of TTL 0', {}, reply({ answer: [a(WWW, 0)] }), 5],
    ['an answer of TTL 0 without a minimum', { success: { ...config.success, ttlMinSeconds: 0 } }, reply({ answer: [a(WWW, 0)] }), 0],
    ['an answer of TTL 2^31 - 1', {}, reply({ answer: [a(WWW, 0x7fffffff)] }), 3600],
    ['an answer beside an SOA', {}, reply({ answer: [a(WWW, 30)], authority: [soa(60)] }), 30],
    ['an answer in the additional section (whoami)', {}, reply({ additional: [a(WWW, 30)] }), 30],
    ['nothing at all', {}, reply(), 5],
    ['a chain to the type', {}, reply({ answer: [alias(WWW, 30, 'x.org'), a('x.org', 60)] }), 30],
    ['a chain that ends short, without an SOA', {}, reply({ answer: [alias(WWW, 30, 'x.org')] }), 0],
    ['a chain that ends short, with an SOA', {}, reply({ answer: [alias(WWW, 30, 'x.org')], authority: [soa(60)] }), 30],
    ['an answer to another question', {}, reply({ answer: [a('victim.org', 30)] }), 0],
    ['NXDOMAIN', {}, nxdomain(60)(), 60],
    ['NXDOMAIN without an SOA', {}, reply({ rcode: RCODE.NXDOMAIN }), 0],
    ['NXDOMAIN with an answer', {}, reply({ rcode: RCODE.NXDOMAIN, answer: [a(WWW, 30)], authority: [soa(60)] }), 0],
    ['NODATA', {}, nodata(60)(), 60],
    ['a delegation', {}, reply({ authority: [rr(name('example.org'), TYPE.NS, 60, name('ns.x.org'))] }), 5],
    ['SERVFAIL of an upstream', {}, servfail()(), 5],
    ['SERVFAIL, servfail 0', { failureMs: 0 }, servfail()(), 0],
    ['SERVFAIL, servfail 5m', { failureMs: 300_000 }, servfail()(), 300],
    ['SERVFAIL that nobody wrote', {}, failure(RCODE.SERVFAIL, undefined, 'no upstream'), 0],
    ['NOTIMP', {}, reply({ rcode: RCODE.NOTIMP }), 5],
    ['REFUSED', {}, reply({ rcode: RCODE.REFUSED }), 0],
    ['FORMERR', {}, reply({ rcode: RCODE.FORMERR }), 0],
    ['cut', {}, reply({ truncated: true, answer: [a(WWW, 30)] }), 0],
    ['answers of the cluster\'s table', {}, reply({ plugin: 'kubernetes', answer: [a(WWW, 30)] }), 0],
    ['denials of the cluster\'s table', {}, nxdomain(60, { plugin: 'kubernetes' })(), 0],
    ['the un-synced cluster\'s SERVFAIL', {}, servfail({ plugin: 'kubernetes', authority: [soa(5)] })(), 0],
    ['and that of its external names', {}, servfail({ plugin: 'k8s_external', authority: [soa(5)] })(), 0],
    ['disable success', { success: { ...config.success, exceptZones: ['org.'] } }, reply({ answer: [a(WWW, 30)] }), 0],
    ['disable success, of a denial', { success: { ...config.success, exceptZones: ['org.'] } }, nxdomain(60)(), 60],
    ['disable denial', { denial: { ...config.denial, exceptZones: ['example.org.'] } }, nodata(60)(), 0],
    ['disable denial of another zone', { denial: { ...config.denial, exceptZones: ['ample.org.'] } }, nodata(60)(), 60],
  ] // biome-ignore format: a table
  for (const [title, options, upstream, keptSeconds] of cases) {
    const bench = new Bench(options)
    bench.upstream = () => upstream
    await bench.ask(WWW)
    await bench.ask(WWW)
    t.equal(bench.asked.length, keptSeconds > 0 ? 1 : 2, `${title}: ${keptSeconds > 0 ? 'kept' : 'not kept'}`)
    if (keptSeconds === 0) continue
    bench.clock.advance(keptSeconds * 1000 - 1)
    await bench.ask(WWW)
    t.equal(bench.asked.length, 1, `${title}: until its last millisecond`)
    bench.clock.advance(1)
    await bench.ask(WWW)
    t.equal(bench.asked.length, 2, `${title}: no longer`)
  }
})

t.test('a hit', async t => {
  const bench = new Bench()
  bench.upstream = positive(30)
  t.equal(
    await bench.line(WWW),
    'NOERROR ra | www.example.org. 30 A .1 |  |',
    'first without AA, as the upstream',
  )
  t.equal(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 30 A .1 |  |', 'then with AA')
  bench.clock.advance(12_300)
  t.equal(
    await bench.line(WWW),
    'NOERROR aa ra | www.example.org. 18 A .1 |  |',
    'TTLs count down in whole seconds',
  )
  bench.clock.stepWall(86_400_000)
  t.equal(
    await bench.line(WWW),
    'NOERROR aa ra | www.example.org. 18 A .1 |  |',
    'the time of day moves nothing',
  )
  t.equal(
    await bench.line('WwW.eXample.org'),
    'NOERROR aa ra | WwW.eXample.org. 18 A .1 |  |',
    "the spelling is the client's",
  )
  t.equal(bench.asked.length, 1)
  bench.clock.advance(17_700)
  t.equal(
    await bench.line(WWW),
    'NOERROR ra | www.example.org. 30 A .1 |  |',
    'a hit never prolongs an entry',
  )
  t.equal(((await bench.ask(WWW)) as Reply).plugin, 'cache', 'the cache wrote it')
})

t.test('keepttl', async t => {
  const bench = new Bench({ keepTtl: true })
  bench.upstream = positive(30)
  await bench.ask(WWW)
  bench.clock.advance(29_999)
  t.equal(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 30 A .1 |  |')
  bench.clock.advance(1)
  await bench.ask(WWW)
  t.equal(bench.asked.length, 2, 'the entry expires all the same')
})

t.test('what may differ between questions is part of the key', async t => {
  const bench = new Bench()
  bench.upstream = positive(30)
  const questions: Query[] = [
    question(WWW),
    question(`${WWW} AAAA`),
    question(`${WWW} A CH`),
    question('ww.example.org'),
    question('www.example.org.org'),
    question('w.ww.example.org'),
    question(WWW, { dnssecOk: true }),
    question(WWW, { checkingDisabled: true }),
    question(WWW, { dnssecOk: true, checkingDisabled: true }),
  ]
  for (const query of questions) await bench.ask(query)
  t.equal(bench.asked.length, questions.length)
  await bench.ask(question('WWW.EXAMPLE.ORG'))
  await bench.ask(question(WWW, { edns: true }))
  await bench.ask(question(WWW, { authenticData: true }))
  t.equal(bench.asked.length, questions.length, 'case, EDNS and AD are not')
})

t.test('names outside its zones pass untouched', async t => {
  const bench = new Bench({ zones: ['example.org.', 'x.net.'] })
  bench.upstream = positive(1)
  const cases = [
    ['www.example.org', 'NOERROR ra | www.example.org. 5 A .1 |  |'],
    ['example.org', 'NOERROR ra | example.org. 5 A .1 |  |'],
    ['x.net', 'NOERROR ra | x.net. 5 A .1 |  |'],
    ['evilexample.org', 'NOERROR ra | evilexample.org. 1 A .1 |  |'],
    ['example.org.evil', 'NOERROR ra | example.org.evil. 1 A .1 |  |'],
    ['org', 'NOERROR ra | org. 1 A .1 |  |'],
  ]
  for (const [asked, expected] of cases) t.equal(await bench.line(asked!), expected!)
  t.equal(bench.count('requests_total'), 3, 'and are not counted')
})

t.test('a transfer keeps its TTLs and is not stored', async t => {
  const bench = new Bench()
  bench.upstream = () => reply({ answer: [soa(1), a(WWW, 2), soa(1)] })
  for (let i = 1; i <= 2; i++) {
    const expected = 'NOERROR ra | example.org. 1 SOA, www.example.org. 2 A .1, example.org. 1 SOA |  |'
    t.equal(await bench.line('example.org AXFR'), expected)
    t.equal(bench.asked.length, i)
  }
})

t.test('silence is passed on and not stored', async t => {
  const bench = new Bench()
  t.equal(await bench.ask(WWW), DROP)
  bench.upstream = positive(30)
  t.equal(await bench.line(WWW), 'NOERROR ra | www.example.org. 30 A .1 |  |')
})

t.test('a bug behind is told, gives SERVFAIL and is not kept', async t => {
  const bench = new Bench()
  bench.upstream = () => Promise.reject(new Error('a bug'))
  t.match(await bench.line(WWW), 'SERVFAIL ede0')
  t.same(bench.log, ['Error: a bug'])
  t.same(bench.cache.usage, { entries: 0, octets: 0 })
})

t.test('denials come before answers, but SERVFAIL yields', async t => {
  const bench = new Bench({ prefetch: { hits: 1, windowMs: 60_000, percent: 90 } })
  bench.upstream = positive(100)
  await bench.ask(WWW)
  bench.clock.advance(20_000)
  bench.upstream = servfail()
  t.equal(
    await bench.line(WWW),
    'NOERROR aa ra | www.example.org. 80 A .1 |  |',
    'refreshed behind this answer',
  )
  await new Promise(setImmediate)
  t.equal(bench.count('entries', 'denial'), 1, 'the failure is kept')
  t.equal(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 80 A .1 |  |', 'and yields')
  bench.upstream = nxdomain(60)
  await bench.ask(WWW)
  await new Promise(setImmediate)
  bench.upstream = positive(100, 2)
  t.equal(await bench.line(WWW), 'NXDOMAIN aa ra |  | example.org. 60 SOA |', 'a denial is newer knowledge')
  bench.clock.advance(60_000)
  t.equal(
    await bench.line(WWW),
    'NOERROR ra | www.example.org. 100 A .2 |  |',
    'the old answer does not come back',
  )
})

t.test('an extended error stays with its reply, and a kept failure says that it is one', async t => {
  const bench = new Bench()
  const blocked = { code: 15, text: 'malware' }
  bench.upstream = nxdomain(60, { extendedError: blocked })
  t.strictSame(((await bench.ask(WWW)) as Reply).extendedError, blocked)
  t.strictSame(((await bench.ask(WWW)) as Reply).extendedError, blocked)
  bench.upstream = servfail()
  t.equal(await bench.line('x.org'), 'SERVFAIL ra |  |  |')
  t.equal(await bench.line('x.org'), 'SERVFAIL aa ra ede13 |  |  |')
})

t.test('signatures that are no longer or not yet valid are not kept where DO was set', async t => {
  const bench = new Bench()
  const now = Math.floor(bench.clock.wallMs() / 1000)
  const signature = (from: number, to: number) => {
    const rdata = new Uint8Array(40)
    new DataView(rdata.buffer).setUint32(8, to)
    new DataView(rdata.buffer).setUint32(12, from)
    return rr(name(WWW), TYPE.RRSIG, 30, rdata)
  }
  const cases: [string, number, number, boolean, boolean][] = [
    ['valid', now - 10, now + 10, true, true],
    ['expired', now - 10, now - 1, true, false],
    ['not yet valid', now + 1, now + 10, true, false],
    ['expired, but nobody asked', now - 10, now - 1, false, true],
    ['valid across the wrap of 32 bits', now - 10, (now + 2 ** 31 - 20) % 2 ** 32, true, true],
  ]
  for (const [title, from, to, dnssecOk, kept] of cases) {
    const query = question(`${title.replace(/\W/g, '')}.org`, { dnssecOk })
    bench.upstream = ({ question: { qname } }) =>
      reply({ answer: [rr(qname, TYPE.A, 30, Uint8Array.of(1, 2, 3, 4)), signature(from, to)] })
    bench.asked.length = 0
    await bench.ask(query)
    await bench.ask(query)
    t.equal(bench.asked.length, kept ? 1 : 2, title)
  }
})

t.test('records of other names in a reply answer nobody', async t => {
  const bench = new Bench()
  bench.upstream = () =>
    reply({
      answer: [a(WWW, 30)],
      authority: [a('kubernetes.default.svc.cluster.local', 30)],
      additional: [a('victim.org', 30)],
    })
  await bench.ask(WWW)
  bench.upstream = nxdomain(60)
  for (const asked of ['kubernetes.default.svc.cluster.local', 'victim.org', 'example.org']) {
    t.match(await bench.line(asked), /^NXDOMAIN/, asked)
  }
})

t.test('counters', async t => {
  const bench = new Bench()
  bench.upstream = query =>
    formatName(query.question.qname) === 'no.org.' ? nxdomain(60)() : positive(30)(query)
  for (const asked of ['no.org', 'yes.org', 'no.org', 'yes.org', 'yes.org']) await bench.ask(asked)
  await bench.ask(question('yes.org', { server: 'tls://:853' }))
  const counted = [...bench.meters.values].filter(([, value]) => value > 0)
  t.strictSame(
    new Map(counted.map(([key, value]) => [key.replaceAll('\0', ' ').replace(/ +$/, ''), value])),
    new Map([
      ['coredns_cache_entries dns://:53 denial .', 1],
      ['coredns_cache_entries dns://:53 success .', 1],
      ['coredns_cache_requests_total dns://:53 .', 5],
      ['coredns_cache_misses_total dns://:53 .', 2],
      ['coredns_cache_hits_total dns://:53 denial .', 1],
      ['coredns_cache_hits_total dns://:53 success .', 2],
      ['coredns_cache_requests_total tls://:853 .', 1],
      ['coredns_cache_hits_total tls://:853 success .', 1],
      ['coredns_cache_entries tls://:853 denial .', 1],
      ['coredns_cache_entries tls://:853 success .', 1],
    ]),
    'by listener, half and zones',
  )
  t.same(bench.log, [])
})

t.test('nothing is kept after stop', async t => {
  const bench = new Bench()
  let answer = (_reply: Reply): void => undefined
  bench.upstream = () =>
    new Promise(resolve => {
      answer = resolve
    })
  const late = bench.ask(WWW)
  bench.cache.stop()
  answer(positive(30)(question(WWW)))
  t.equal(lineOf(await late), 'NOERROR ra | www.example.org. 30 A .1 |  |', 'who waits is answered')
  t.same(bench.cache.usage, { entries: 0, octets: 0 })
})
