import { isIP } from 'node:net'
import t from 'tap'
import { parseNetwork, parseZone, parseZones, reverseZones } from '../../src/corefile/zone.ts'
import fc from '../support/properties.ts'

t.test('zone names are checked, lower case and fully qualified', async t => {
  const cases: [text: string, zone: string][] = [
    ['.', '.'],
    ['example.org', 'example.org.'],
    ['Example.ORG.', 'example.org.'],
    ['cluster.local', 'cluster.local.'],
    ['_tcp.example', '_tcp.example.'],
    ['0/25.2.0.192.in-addr.arpa', '0/25.2.0.192.in-addr.arpa.'],
    ['*.example', '*.example.'],
    ['a\\.b.example', 'a\\.b.example.'],
    ['a\\046b', 'a\\046b.'],
    ['10.0.0.0', '10.0.0.0.'],
    [`${'a'.repeat(63)}.b`, `${'a'.repeat(63)}.b.`],
    [`${'a.'.repeat(127)}`, 'a.'.repeat(127)],
  ]
  for (const [text, zone] of cases) t.same(parseZone(text), { value: zone }, text)
})

t.test('what is no zone name says why', async t => {
  const cases: [text: string, reason: string][] = [
    ['', 'empty zone name'],
    ['..', 'a zone name holds no empty label'],
    ['.a', 'a zone name holds no empty label'],
    ['a..b', 'a zone name holds no empty label'],
    ['a..', 'a zone name holds no empty label'],
    ['a b', 'a zone name holds no blanks'],
    ['a\u00a0b', 'a zone name holds no blanks'],
    ['bücher.example', 'a zone name is ASCII; write an internationalised name in its xn-- form'],
    ['a:b', 'a zone name holds no :'],
    ['a{b', 'a zone name holds no {'],
    ['(a)', 'a zone name holds no ('],
    ['a\\', 'a backslash in a zone name stands before a character or three digits'],
    ['a\\04.b', 'a backslash in a zone name stands before a character or three digits'],
    [`${'a'.repeat(64)}`, 'a label of 64 octets; the longest has 63'],
    [`${'a.'.repeat(128)}`, 'a name of 257 octets; the longest has 255'],
  ]
  for (const [text, reason] of cases) t.same(parseZone(text), { reason }, JSON.stringify(text))
})

t.test('networks become the reverse zones that cover them', async t => {
  const to = (from: number, last: number, tail: string): string[] =>
    Array.from({ length: last - from + 1 }, (_, i) => `${from + i}.${tail}`)
  const cases: [cidr: string, zones: string[]][] = [
    ['10.0.0.0/8', ['10.in-addr.arpa.']],
    ['10.0.0.0/12', to(0, 15, '10.in-addr.arpa.')],
    ['10.0.0.0/15', ['0.10.in-addr.arpa.', '1.10.in-addr.arpa.']],
    ['192.168.1.1/23', ['0.168.192.in-addr.arpa.', '1.168.192.in-addr.arpa.']],
    ['10.129.60.0/22', to(60, 63, '129.10.in-addr.arpa.')],
    ['10.9.3.0/18', to(0, 63, '9.10.in-addr.arpa.')],
    ['10.0.0.0/27', to(0, 31, '0.0.10.in-addr.arpa.')],
    ['10.1.2.3/32', ['3.2.1.10.in-addr.arpa.']],
    ['0.0.0.0/0', ['in-addr.arpa.']],
    ['128.0.0.0/1', to(128, 255, 'in-addr.arpa.')],
    ['2001:db8::/32', ['8.b.d.0.1.0.0.2.ip6.arpa.']],
    ['2001:db8::/31', ['8.b.d.0.1.0.0.2.ip6.arpa.', '9.b.d.0.1.0.0.2.ip6.arpa.']],
    ['2001:db8::/29', [...'89abcdef'].map(nibble => `${nibble}.b.d.0.1.0.0.2.ip6.arpa.`)],
    ['2001:db8::/30', [...'89ab'].map(nibble => `${nibble}.b.d.0.1.0.0.2.ip6.arpa.`)],
    ['2001:db8::/115', [0, 1].map(n => `${n}.${'0.'.repeat(20)}8.b.d.0.1.0.0.2.ip6.arpa.`)],
    ['fd00:10:96::/112', [`${'0.'.repeat(16)}6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa.`]],
    ['::/0', ['ip6.arpa.']],
    ['::1/128', [`1.${'0.'.repeat(31)}ip6.arpa.`]],
    ['::ffff:10.1.2.3/128', [`3.0.2.0.1.0.a.0.f.f.f.f.${'0.'.repeat(20)}ip6.arpa.`]],
  ]
  for (const [cidr, zones] of cases) t.same(reverseZones(cidr), zones, cidr)
  for (const [cidr, zones] of cases) t.same(parseZones(cidr), { value: zones }, cidr)
})

t.test('what looks like a network and is none is an error, not a zone', async t => {
  const reason = 'not a network: an address without holes, a slash and a prefix length are needed'
  for (const text of [
    '10.0.0.0/33',
    '10.0/8',
    '10/8',
    '10.0.0.0/',
    '10.0.0.0/x',
    '2001:db8::/129',
    '1:2/3',
    '::/',
  ]) {
    t.same(parseZones(text), { reason }, text)
    t.equal(reverseZones(text), undefined, text)
  }
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/8/9',
    '1.2.3/8',
    'a/8',
    '1::2::3/8',
    '10.0.0.0/-1',
    '010.0.0.0/8',
    'fe80::1%eth0/64',
    '',
  ]) {
    t.equal(parseNetwork(text), undefined, text)
  }
})

t.test('an IPv4 address inside IPv6 is one of IPv6', async t => {
  t.same(parseNetwork('::ffff:1.2.3.4/128')?.octets, [...Array(10).fill(0), 255, 255, 1, 2, 3, 4])
  t.equal(parseNetwork('::ffff:1.2.3.4/128')?.family, 6)
})

t.test('every split network is covered by zones of its own size', async t => {
  const network = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
    fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })),
  )
  const covers = fc.property(network, ([address, length]) => {
    const zones = reverseZones(`${address}/${length}`)!
    const perLabel = isIP(address) === 4 ? 8 : 4
    const labels = Math.ceil(length / perLabel)
    return (
      zones.length === 2 ** (labels * perLabel - length) &&
      new Set(zones).size === zones.length &&
      zones.every(zone => zone.split('.').length === labels + 3)
    )
  })
  t.doesNotThrow(() => fc.assert(covers))
})
