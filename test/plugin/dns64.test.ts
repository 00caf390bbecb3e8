import t from 'tap'
import { dns64Word, embed } from '../../src/plugin/dns64.ts'
import { ipFromBytes, parseIp } from '../../src/shared/ip.ts'
import { formatName, type Name, name } from '../../src/wire/name.ts'
import { CLASS, TYPE, typeName } from '../../src/wire/rrtype.ts'
import { read } from '../corefile/read-corefile.ts'
import { answering } from '../support/answering.ts'
import type { Query } from '../support/query.ts'
import { DROP, type Outcome, type Reply, servfail } from '../support/reply.ts'
import { askHandler } from '../support/road.ts'
import { parseWord, query, record, reply, shortForm, testThread } from '../support/words.ts'

const SIX: Partial<Query> = { client: { address: 'fd00::7', port: 1, family: 6 } }
const records = (...texts: string[]) => texts.map(record)
const upstream = (parts: Partial<Reply>): Reply =>
  reply({ plugin: 'forward', recursionAvailable: true, ...parts })
const NODATA = upstream({ authority: records('org. 77 SOA a. b.') })

/** Asks a handler; `aaaa` is what the chain says, `a` what the server says about A. */
async function ask(
  directive: string,
  question: string,
  {
    aaaa = NODATA as Outcome,
    a = upstream({}),
    rest = SIX,
  }: { aaaa?: Outcome; a?: Reply; rest?: Partial<Query> } = {},
): Promise<{ outcome: Outcome; asked: string | undefined }> {
  const { context, counted } = testThread()
  const { config, complaints } = parseWord(dns64Word, directive)
  t.same(complaints, [], directive)
  const handler = dns64Word.create!(config!, context)
  const lookups: string[] = []
  const lookup = (qname: Name, qtype: number): Promise<Reply> => {
    lookups.push(`${formatName(qname)} ${typeName(qtype)}`)
    return Promise.resolve(a)
  }
  const outcome = await askHandler(handler, query(question, { lookup, ...rest }), () => aaaa)
  const late = await askHandler(handler, query(question, { lookup, ...rest }), async () => aaaa)
  t.same(late, outcome, 'a reply that comes later is treated alike')
  const count = counted.get('coredns_dns64_requests_translated_total{server=dns://:53}') ?? 0
  t.equal(lookups.length, count, 'every look-up is counted')
  return { outcome, asked: lookups[0] }
}

t.test('addresses behind prefixes, as in RFC 6052 2.4', async t => {
  const cases: [prefix: string, octets: number, address: string][] = [
    ['2001:db8::', 4, '2001:db8:c000:221::'],
    ['2001:db8:100::', 5, '2001:db8:1c0:2:21::'],
    ['2001:db8:122::', 6, '2001:db8:122:c000:2:2100::'],
    ['2001:db8:122:300::', 7, '2001:db8:122:3c0:0:221::'],
    ['2001:db8:122:344::', 8, '2001:db8:122:344:c0:2:2100:0'],
    ['2001:db8:122:344::', 9, '2001:db8:122:344:c0:2:2100:0'],
    ['2001:db8:122:344::', 12, '2001:db8:122:344::c000:221'],
    ['64:ff9b::', 12, '64:ff9b::c000:221'],
  ]
  for (const [prefix, octets, address] of cases) {
    const made = new Uint8Array(16)
    made.set(parseIp(prefix)!.bytes.subarray(0, octets))
    embed(made, octets, Uint8Array.of(0, 192, 0, 2, 33), 1)
    t.equal(ipFromBytes(made).text, parseIp(address)!.text, `${prefix}/${octets * 8}`)
  }
})

t.test('what is translated', async t => {
  const four = upstream({ answer: records('four.org. 60 A 192.0.2.33', 'four.org. 600 A 192.0.2.34') })
  const { outcome, asked } = await ask('dns64', 'Four.org. AAAA', { a: four })
  if (outcome === DROP) throw new Error('silence')
  t.equal(asked, 'Four.org. A')
  t.match(outcome, { rcode: 0, plugin: 'dns64', authoritative: false, recursionAvailable: false })
  t.same(shortForm(outcome.answer), ['AAAA 64:ff9b::c000:221', 'AAAA 64:ff9b::c000:222'])
  t.same(
    outcome.answer.map(({ owner, ttlSeconds }) => [formatName(owner), ttlSeconds]),
    [
      ['four.org.', 60],
      ['four.org.', 77],
    ],
    'no TTL above that of the SOA record',
  )
})

t.test('the rest of the reply about A goes with it', async t => {
  const a = upstream({
    answer: records('x.org. 5 CNAME four.org.', 'four.org. 3600 A 192.0.2.33'),
    authority: records('org. 5 NS ns.org.'),
    additional: records('ns.org. 5 A 10.0.0.1'),
    truncated: true,
  })
  const { outcome } = await ask('dns64', 'x.org. AAAA', { aaaa: upstream({}), a })
  if (outcome === DROP) throw new Error('silence')
  t.same(shortForm(outcome.answer), ['CNAME four.org.', 'AAAA 64:ff9b::c000:221'])
  t.equal(outcome.answer[1]?.ttlSeconds, 600, 'ten minutes where no SOA record says how long')
  t.same([shortForm(outcome.authority), shortForm(outcome.additional)], [['NS ns.org.'], ['A 10.0.0.1']])
  t.ok(outcome.truncated)
})

t.test('what is looked up, and what stays as it is', async t => {
  const a = upstream({ answer: records('x. 60 A 192.0.2.33') })
  const has = upstream({ answer: records('x. 60 AAAA fd00::1') })
  const alias = upstream({ answer: records('x. 60 CNAME y.') })
  const aliasToNothing = upstream({ answer: records('x. 60 CNAME y.'), rcode: 3 })
  type Options = NonNullable<Parameters<typeof ask>[2]>
  const cases: [
    what: string,
    directive: string,
    question: string,
    options: Options,
    lookedUp: boolean,
    changed: boolean,
  ][] = [
    ['NODATA', 'dns64', 'x. AAAA', { a }, true, true],
    ['an alias without AAAA', 'dns64', 'x. AAAA', { aaaa: alias, a }, true, true],
    ["the upstream's failure", 'dns64', 'x. AAAA', { aaaa: upstream({ rcode: 2 }), a }, true, true],
    ["the upstream's refusal", 'dns64', 'x. AAAA', { aaaa: upstream({ rcode: 5 }), a }, true, true],
    ['no A record either', 'dns64', 'x. AAAA', {}, true, false],
    ['a failure about A', 'dns64', 'x. AAAA', { a: servfail() }, true, false],
    [
      'a failure about both',
      'dns64',
      'x. AAAA',
      { aaaa: upstream({ rcode: 2 }), a: servfail() },
      true,
      false,
    ],
    ['NXDOMAIN', 'dns64', 'x. AAAA', { aaaa: upstream({ rcode: 3 }), a }, false, false],
    ['an alias of a name that does not exist', 'dns64', 'x. AAAA', { aaaa: aliasToNothing, a }, false, false],
    ['AAAA records', 'dns64', 'x. AAAA', { aaaa: has, a }, false, false],
    ['what no plugin answered', 'dns64', 'x. AAAA', { aaaa: servfail(), a }, false, false],
    ['silence', 'dns64', 'x. AAAA', { aaaa: DROP, a }, false, false],
    ['another type', 'dns64', 'x. A', { a }, false, false],
    ['ANY', 'dns64', 'x. ANY', { a }, false, false],
    [
      'another class',
      'dns64',
      'x. AAAA',
      { a, rest: { ...SIX, question: { qname: name('x.'), qtype: TYPE.AAAA, qclass: CLASS.CH } } },
      false,
      false,
    ],
    ['a client over IPv4', 'dns64', 'x. AAAA', { a, rest: {} }, false, false],
    ['a client over IPv4 that is allowed', 'dns64 {\nallow_ipv4\n}', 'x. AAAA', { a, rest: {} }, true, true],
    ['AAAA records, translating all', 'dns64 {\ntranslate_all\n}', 'x. AAAA', { aaaa: has, a }, true, true],
    [
      'a host with IPv6 only, translating all',
      'dns64 {\ntranslate_all\n}',
      'x. AAAA',
      { aaaa: has },
      true,
      false,
    ],
    [
      'NXDOMAIN, translating all',
      'dns64 {\ntranslate_all\n}',
      'x. AAAA',
      { aaaa: upstream({ rcode: 3 }), a },
      false,
      false,
    ],
  ]
  for (const [what, directive, question, options, lookedUp, changed] of cases) {
    const { outcome, asked } = await ask(directive, question, options)
    t.equal(asked !== undefined, lookedUp, `${what}: looked up`)
    t.equal(outcome !== DROP && outcome.plugin === 'dns64', changed, `${what}: changed`)
    if (!changed && outcome !== DROP) {
      const { rcode, answer, plugin } = (options.aaaa ?? NODATA) as Reply
      t.match(
        { ...outcome, answer: shortForm(outcome.answer) },
        { rcode, answer: shortForm(answer), plugin },
        what,
      )
    }
    if (changed && outcome !== DROP) t.same(shortForm(outcome.answer), ['AAAA 64:ff9b::c000:221'], what)
  }
})

t.test('the directive', async t => {
  const octets = (text: string, length: number) => parseIp(text)!.bytes.slice(0, length)
  const good: [text: string, prefix: Uint8Array, translateAll: boolean, allowIpv4: boolean][] = [
    ['dns64', octets('64:ff9b::', 12), false, false],
    ['dns64 64:1337::/96', octets('64:1337::', 12), false, false],
    ['dns64 {\nprefix 2001:db8::/32\n}', octets('2001:db8::', 4), false, false],
    ['dns64 2001:db8:1::1/40 {\nallow_ipv4\n}', octets('2001:db8::', 5), false, true],
    ['dns64 64:1::/96\ndns64 64:2::/96 {\ntranslate_all\n}', octets('64:2::', 12), true, false],
  ]
  for (const [text, prefix, translateAll, allowIpv4] of good) {
    t.same(
      parseWord(dns64Word, text),
      { config: { prefix, translateAll, allowIpv4, except: [] }, complaints: [] },
      text,
    )
  }
  const wrong: [text: string, complaint: RegExp][] = [
    [
      'dns64 64:ff9b::',
      /^2:7: error: the prefix is a network of IPv6 of 32 to 96 bits, in whole octets \(found/,
    ],
    ['dns64 64:ff9b::/97', /^2:7: error: the prefix is a network/],
    ['dns64 64:ff9b::/24', /^2:7: error: the prefix is a network/],
    ['dns64 64:ff9b::/44', /^2:7: error: the prefix is a network/],
    ['dns64 10.0.0.0/32', /^2:7: error: the prefix is a network/],
    ['dns64 64:1::/96 64:2::/96', /^2:17: error: too many arguments for dns64/],
    ['dns64 {\nprefix\n}', /^3:1: error: prefix needs a prefix/],
    ['dns64 {\nallow_ipv4 yes\n}', /^3:12: error: allow_ipv4 takes no arguments/],
    ['dns64 {\nallow_ipv6\n}', /^3:1: error: unknown property of dns64 .*did you mean "allow_ipv4"/],
  ]
  for (const [text, complaint] of wrong) {
    const { complaints } = parseWord(dns64Word, text)
    t.match(complaints[0], complaint, text)
    t.equal(complaints.length, 1, text)
  }
})

t.test('zones that are left alone', async t => {
  const cases: [option: string, except: readonly string[], complaint: string][] = [
    ['except example.org a.example', ['example.org.', 'a.example.'], ''],
    ['except', ['cluster.local.', '10.in-addr.arpa.'], ''],
    ['except\nexcept example.org', ['cluster.local.', '10.in-addr.arpa.', 'example.org.'], ''],
  ]
  const { directives } = read('. {\nkubernetes cluster.local 10.0.0.0/8\n}').blocks[0]!
  for (const [option, except, complaint] of cases) {
    const { config, complaints } = parseWord(dns64Word, `dns64 {\n${option}\n}`, {
      directives: new Map([['kubernetes', directives]]),
    })
    t.same(config?.except, except, option)
    t.equal(complaints[0] ?? '', complaint, option)
  }
  t.match(
    parseWord(dns64Word, 'dns64 {\nexcept\n}').complaints[0],
    /^3:1: error: except needs a zone where no kubernetes/,
  )
  const at = answering(dns64Word, 'dns64 {\nallow_ipv4\nexcept example.org\n}', reply({ plugin: 'next' }))
  t.equal(await at.ask('www.example.org. AAAA'), 'next')
})
