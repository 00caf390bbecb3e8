import { type Answer, encode } from 'dns-packet'
import t from 'tap'
import { formatName, name } from '../../../src/wire/name.ts'
import { parseRecord, type RecordDefaults } from '../../../src/wire/presentation/record.ts'
import type { Rr } from '../../../src/wire/record.ts'
import { className, typeName } from '../../../src/wire/rrtype.ts'
import fc from '../../support/properties.ts'

const ORIGIN = name('example.org.')

function read(text: string, defaults: RecordDefaults = { origin: ORIGIN, ttlSeconds: 3600 }): Rr {
  const record = parseRecord(text, defaults)
  if ('reason' in record) throw new Error(`${text}: ${record.reason}`)
  return record
}

const dataOf = (type: string, data: string): string =>
  Buffer.from(read(`a ${type} ${data}`).rdata).toString('hex')

/** dns-packet's data of a record: behind a header, the root, type, class, TTL and length. */
const oracle = (answer: object): string =>
  encode({ type: 'response', answers: [{ name: '.', ttl: 0, ...answer } as Answer] })
    .subarray(23)
    .toString('hex')

t.test('owner, TTL, class and type', async t => {
  const cases: [text: string, head: string][] = [
    ['www.example.net. 60 IN A 192.0.2.1', 'www.example.net. 60 IN A'],
    ['www 60 IN A 192.0.2.1', 'www.example.org. 60 IN A'],
    ['www IN 60 A 192.0.2.1', 'www.example.org. 60 IN A'],
    ['www IN A 192.0.2.1', 'www.example.org. 3600 IN A'],
    ['www A 192.0.2.1', 'www.example.org. 3600 IN A'],
    ['@ 1h30m a 192.0.2.1', 'example.org. 5400 IN A'],
    ['www 2W CH TXT x', 'www.example.org. 1209600 CH TXT'],
    ['WwW 1d class3 type1 \\# 4 01020304', 'WwW.example.org. 86400 CH A'],
    ['a 60 IN', ''],
    ['a 0 IN A 1.1.1.1', 'a.example.org. 0 IN A'],
    ['a 1h30 IN A 1.1.1.1', 'a.example.org. 3630 IN A'],
    ['60 60 IN A 1.1.1.1', '60.example.org. 60 IN A'],
    ['A A 1.1.1.1', 'A.example.org. 3600 IN A'],
    ['IN IN 5 IN', ''],
    ['a\\.b.c\\046d A 1.1.1.1', 'a\\.b.c\\.d.example.org. 3600 IN A'],
    ['a\\. A 1.1.1.1', 'a\\..example.org. 3600 IN A'],
    ['a\\\\. A 1.1.1.1', 'a\\\\. 3600 IN A'],
    ['*.x A 1.1.1.1', '*.x.example.org. 3600 IN A'],
    ['. NS a.', '. 3600 IN NS'],
  ]
  for (const [text, expected] of cases) {
    const record = parseRecord(text, { origin: ORIGIN, ttlSeconds: 3600 })
    const head =
      'reason' in record
        ? ''
        : `${formatName(record.owner)} ${record.ttlSeconds} ${className(record.class)} ${typeName(record.type)}`
    t.equal(head, expected, text)
  }
})

t.test('what a record leaves out', async t => {
  t.same(read(' A 1.1.1.1', { owner: ORIGIN, ttlSeconds: 5 }).owner, ORIGIN)
  t.equal(read('a. A 1.1.1.1', { ttlSeconds: 5 }).ttlSeconds, 5)
  t.same(read('a. 1 A 1.1.1.1\nb. nonsense (').owner, name('a.'), 'only the first record is read')
  t.same(read('\n; a comment\na. 1 A 1.1.1.1').owner, name('a.'))
})

t.test('data, as dns-packet writes it', async t => {
  const soa = {
    mname: 'ns.example.org',
    rname: 'host.example.org',
    serial: 2_026_010_101,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: 60,
  }
  const hex = (text: string): Buffer => Buffer.from(text, 'hex')
  const cases: [type: string, data: string, answer: object][] = [
    ['A', '192.0.2.1', { data: '192.0.2.1' }],
    ['AAAA', '2001:DB8::1', { data: '2001:db8::1' }],
    ['AAAA', '::ffff:192.0.2.1', { data: '::ffff:192.0.2.1' }],
    ['NS', 'ns', { data: 'ns.example.org' }],
    ['CNAME', '@', { data: 'example.org' }],
    ['DNAME', 'x.', { data: 'x' }],
    ['PTR', 'a.b.', { data: 'a.b' }],
    ['MX', '10 mail', { data: { preference: 10, exchange: 'mail.example.org' } }],
    ['TXT', '"a b" c', { data: ['a b', 'c'] }],
    ['TXT', '"a\\"b" c\\;d \\065\\010 ""', { data: ['a"b', 'c;d', 'A\n', ''] }],
    ['TXT', 'é', { data: ['é'] }],
    ['HINFO', 'CPU "an os"', { data: { cpu: 'CPU', os: 'an os' } }],
    ['SRV', '1 2 5060 sip', { data: { priority: 1, weight: 2, port: 5060, target: 'sip.example.org' } }],
    ['SOA', 'ns host 2026010101 2h 30M 1d 1m', { data: soa }],
    ['SOA', 'ns host ( 2026010101 7200\n1800 ; retry\n86400 60 )', { data: soa }],
    [
      'CAA',
      '128 issue "ca.example.net; a=b"',
      { data: { flags: 128, tag: 'issue', value: 'ca.example.net; a=b' } },
    ],
    [
      'NAPTR',
      '100 50 "s" "SIP+D2U" "" _sip._udp',
      {
        data: {
          order: 100,
          preference: 50,
          flags: 's',
          services: 'SIP+D2U',
          regexp: '',
          replacement: '_sip._udp.example.org',
        },
      },
    ],
    ['RP', 'a b.', { data: { mbox: 'a.example.org', txt: 'b' } }],
    [
      'SSHFP',
      `4 1 0A0b ${'0c'.repeat(18)}`,
      { data: { algorithm: 4, hash: 1, fingerprint: `0a0b${'0c'.repeat(18)}` } },
    ],
    ['TLSA', '3 1 1 0a 0b', { data: { usage: 3, selector: 1, matchingType: 1, certificate: hex('0a0b') } }],
    [
      'DS',
      '60485 RSASHA1 1 2BB1 83AF',
      { data: { keyTag: 60_485, algorithm: 5, digestType: 1, digest: hex('2bb183af') } },
    ],
    ['DNSKEY', '257 3 13 AQID BAU=', { data: { flags: 257, algorithm: 13, key: hex('0102030405') } }],
    [
      'RRSIG',
      'A 13 2 1h 20300131235959 1700000000 12345 example.org. AQI=',
      {
        data: {
          typeCovered: 'A',
          algorithm: 13,
          labels: 2,
          originalTTL: 3600,
          expiration: Date.UTC(2030, 0, 31, 23, 59, 59) / 1000,
          inception: 1_700_000_000,
          keyTag: 12_345,
          signersName: 'example.org',
          signature: hex('0102'),
        },
      },
    ],
    [
      'NSEC',
      'b A MX TYPE1234',
      { data: { nextDomain: 'b.example.org', rrtypes: ['A', 'MX', 'UNKNOWN_1234'] } },
    ],
    [
      'NSEC3',
      '1 0 10 AABB 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG',
      {
        data: {
          algorithm: 1,
          flags: 0,
          iterations: 10,
          salt: hex('aabb'),
          nextDomain: hex('174eb2409fe28bcb4887a1836f957f0a8425e27b'),
          rrtypes: ['A', 'RRSIG'],
        },
      },
    ],
  ]
  for (const [type, data, answer] of cases)
    t.equal(dataOf(type, data), oracle({ type, ...answer }), `${type} ${data}`)
})

t.test('data of types that dns-packet does not write', async t => {
  const cases: [type: string, data: string, hex: string][] = [
    ['SVCB', '0 foo.', '000003666f6f00'],
    // RFC 9460 appendix D.2.
    ['SVCB', '1 .', '000100'],
    ['SVCB', '16 foo. port=53', '001003666f6f00 0003 0002 0035'],
    ['SVCB', '1 foo. key667=hello', '000103666f6f00 029b 0005 68656c6c6f'],
    ['SVCB', '1 foo. key667="hello\\210qoo"', '000103666f6f00 029b 0009 68656c6c6fd2716f6f'],
    [
      'SVCB',
      '1 foo. ipv6hint="2001:db8::1,2001:db8::53:1"',
      '000103666f6f00 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001',
    ],
    [
      'HTTPS',
      '1 foo. ipv6hint="2001:db8:122:344::192.0.2.33"',
      '000103666f6f00 0006 0010 20010db8012203440000 0000c0000221',
    ],
    [
      'SVCB',
      '16 foo. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1',
      '001003666f6f00 0000 0004 0001 0004 0001 0009 02 6832 05 68332d3139 0004 0004 c0000201',
    ],
    ['SVCB', '16 foo. alpn="f\\\\\\\\oo\\\\,bar,h2"', '001003666f6f00 0001 000c 08 665c6f6f2c626172 02 6832'],
    ['SVCB', '1 foo. no-default-alpn alpn=h2', '000103666f6f00 0001 0003 026832 0002 0000'],
    ['SVCB', '1 foo. ech=AQI= dohpath=/q{?dns}', '000103666f6f00 0005 0002 0102 0007 0008 2f717b3f646e737d'],
    ['SVCB', '1 foo. key65000', '000103666f6f00 fde8 0000'],
    ['URI', '10 1 "ftp://a.b/"', '000a 0001 6674703a2f2f612e622f'],
    ['CDNSKEY', '0 3 0 AA==', '0000 03 00 00'],
    ['NSEC3PARAM', '1 0 0 -', '01 00 0000 00'],
    ['CSYNC', '66 3 A NS AAAA', '00000042 0003 0004 60000008'],
    ['EUI48', '00-00-5e-00-53-2A', '00005e00532a'],
    ['ZONEMD', '1 1 1 0a', '00000001 01 01 0a'],
    ['SPF', '"a b" c', '03 612062 01 63'],
    ['OPENPGPKEY', 'AQID', '010203'],
    ['TYPE65280', '\\# 3 0a0b 0C', '0a0b0c'],
    ['TYPE731', '\\# 0', ''],
    ['A', '\\# 4 0A000001', '0a000001'],
    ['MX', '\\# 5 000a 0161 00', '000a016100'],
    ['LOC', '\\# 1 00', '00'],
    ['TXT', `"${'x'.repeat(300)}"`, `ff${'78'.repeat(255)}2d${'78'.repeat(45)}`],
  ]
  for (const [type, data, hex] of cases) {
    t.equal(dataOf(type, data), hex.replaceAll(' ', ''), `${type} ${data.slice(0, 60)}`)
  }
})

t.test('what is no record', async t => {
  const long = `${'a'.repeat(63)}.`.repeat(4)
  const cases: [text: string, reason: RegExp][] = [
    ['', /^1:1 this holds no record/],
    ['; nothing', /^1:1 this holds no record/],
    ['a', /1:1 the type is missing/],
    ['a 5 IN', /1:5 the type is missing/],
    ['a 5 IN 5 A 1.1.1.1', /1:8 this is neither a TTL, a class nor a type/],
    ['a 5 IN B 1.1.1.1', /1:8 this is neither/],
    ['a 4294967296 IN A 1.1.1.1', /1:3 this is neither/],
    ['a 1h-5 IN A 1.1.1.1', /1:3 this is neither/],
    [' A 1.1.1.1', /1:2 a record without an owner/],
    ['a..b A 1.1.1.1', /1:1 this is not a domain name/],
    [`${long} A 1.1.1.1`, /1:1 this is not a domain name/],
    ['a AXFR x', /AXFR is no type of records/],
    ['. OPT x', /OPT is no type of records/],
    ['a TYPE250 \\# 0', /TSIG is no type of records/],
    ['a A', /1:3 an IPv4 address is missing/],
    ['a A 1.1.1', /1:5 this is not an IPv4 address/],
    ['a A 01.1.1.1', /this is not an IPv4 address/],
    ['a A ::1', /this is not an IPv4 address/],
    ['a AAAA 1.1.1.1', /this is not an IPv6 address/],
    ['a AAAA fe80::1%eth0', /this is not an IPv6 address/],
    ['a A 1.1.1.1 2.2.2.2', /1:13 more than a record of type A has/],
    ['a MX x mail', /1:6 this is not a number from 0 to 65535/],
    ['a MX 65536 mail', /this is not a number/],
    ['a MX 10', /a name is missing/],
    ['a NS b..c', /1:6 this is not a domain name/],
    ['a SOA b c 1 2 3 4', /a number of seconds is missing/],
    ['a SOA b c 1 2 3 4 x', /this is not a number of seconds/],
    ['a TXT', /a string is missing/],
    ['a TXT \\256', /a backslash stands before/],
    ['a TXT x\\', /a backslash stands before/],
    [`a HINFO a ${'x'.repeat(256)}`, /more than 255 octets/],
    ['a DS 1 x 1 00', /this is not a number from 0 to 255/],
    ['a DS 1 8 1 0', /this is not hexadecimal data/],
    ['a DS 1 8 1', /hexadecimal data is missing/],
    ['a DNSKEY 257 3 8 A', /this is not Base64 data/],
    ['a NSEC b NONSENSE', /this is not a type/],
    ['a NSEC3 1 0 1 ab! 00 A', /this is not a salt/],
    ['a NSEC3 1 0 1 - zz A', /this is not a hashed name/],
    ['a RRSIG A 8 2 1 x 1 1 b AA==', /this is not a moment/],
    ['a EUI48 00-00', /this is not such an address/],
    ['a LOC 52 22 23.000 N', /LOC can be written as/],
    ['a TYPE65280 x', /TYPE65280 can be written as/],
    ['a TYPE65280 \\# 2 00', /1 octets of data, not 2/],
    ['a TYPE65280 \\# x 00', /this is not a length/],
    ['a TYPE65280 \\#', /the length of the data is missing/],
    ['a A \\# 3 000000', /this is not the data of a A record/],
    ['a MX \\# 4 000a 0161', /this is not the data of a MX record/],
    ['a NS \\# 2 c00c', /this is not the data of a NS record/],
    ['a NS \\# 2 0000', /this is not the data of a NS record/],
    ['a SOA \\# 2 0000', /this is not the data of a SOA record/],
    ['a HTTPS 1 . alpn', /this is not a value of alpn/],
    ['a HTTPS 1 . alpn=h2,', /this is not a value of alpn/],
    ['a HTTPS 1 . port=65536', /this is not a value of port/],
    ['a HTTPS 1 . port=1 port=2', /this key is given twice/],
    ['a HTTPS 1 . no-default-alpn=x', /this is not a value of no-default-alpn/],
    ['a HTTPS 1 . mandatory=alpn', /a mandatory key is missing/],
    ['a HTTPS 1 . mandatory=port,port port=1', /this is not a value of mandatory/],
    ['a HTTPS 1 . ipv4hint=::1', /this is not a value of ipv4hint/],
    ['a HTTPS 1 . ech=!', /this is not a value of ech/],
    ['a HTTPS 1 . key65535=x', /this is not a key/],
    ['a HTTPS 1 . nonsense=x', /this is not a key/],
    ['a A ( 1.1.1.1', /1:5 this parenthesis is never closed/],
    ['a TXT "x', /1:7 this quote is never closed/],
  ]
  for (const [text, reason] of cases) {
    const fault = parseRecord(text, { origin: ORIGIN, ttlSeconds: 60 })
    t.match('reason' in fault && `${fault.line}:${fault.column} ${fault.reason}`, reason, text.slice(0, 60))
  }
  t.equal(read('a MX 10 b').rdata.buffer.byteLength, 17, 'data has memory of its own')
  t.match(parseRecord('a A 1.1.1.1', { ttlSeconds: 1 }), { reason: /nothing says below what/ })
  t.match(parseRecord('a. NS b', { ttlSeconds: 1 }), { reason: /a relative name, and no origin/ })
  t.match(parseRecord('a. A 1.1.1.1'), { reason: /a record without a TTL/, column: 4 })
})

t.test('a long text is read in linear time', async t => {
  const started = process.cpuUsage().user
  parseRecord(`a TXT ${'"x" '.repeat(20_000)}`, { origin: ORIGIN, ttlSeconds: 1 })
  parseRecord(`a TXT ${'\\'.repeat(100_000)}`, { origin: ORIGIN, ttlSeconds: 1 })
  parseRecord(`a ${'1'.repeat(100_000)} A 1.1.1.1`, { origin: ORIGIN, ttlSeconds: 1 })
  t.ok(process.cpuUsage().user - started < 1_000_000)
})

t.test('any text is a record or a fault', async t => {
  const word = fc.constantFrom(
    'a',
    'IN',
    '5',
    'TXT',
    'A',
    'HTTPS',
    'NSEC3',
    '1',
    '.',
    '\\#',
    '"',
    '(',
    ')',
    ';',
    '\n',
    '\\',
    '1.1.1.1',
    '=',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 12 }).map(words => words.join(' ')),
  )
  fc.assert(
    fc.property(text, text => {
      const read = parseRecord(text, { origin: ORIGIN, ttlSeconds: 1 })
      return 'reason' in read
        ? read.reason !== '' && read.line > 0 && read.column > 0
        : read.rdata.length <= 0xffff
    }),
  )
  t.pass()
})
