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
    ['WKS', '\\# 1 00', '00'],
    ['TXT', `"${'x'.repeat(300)}"`, `ff${'78'.repeat(255)}2d${'78'.repeat(45)}`],
  ]
  for (const [type, data, hex] of cases) {
    t.equal(dataOf(type, data), hex.replaceAll(' ', ''), `${type} ${data.slice(0, 60)}`)
  }
})

t.test('data that both CoreDNS and BIND write so', async t => {
  const cases: [type: string, data: string, hex: string][] = [
    ['LOC', '52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m', '00001613 8b3cf018 810cbce0 009895b8'],
    ['LOC', '42 21 54 N 71 06 18 W -24m 30m', '00331613 89172dd0 70be15f0 00988d20'],
    ['LOC', '90 S 180 W 0', '00121613 6cb02700 59604e00 00989680'],
    ['LOC', '32 7 19 s 116 2 25 e 10M', '00121613 791b7d28 98e64868 00989a68'],
    ['CERT', 'PKIX 12345 RSASHA256 AQID BAU=', '0001 3039 08 0102030405'],
    ['CERT', 'IPIX 0 0 AQID', '0004 0000 00 010203'],
    ['CERT', 'OID 1 13 AQID', '00fe 0001 0d 010203'],
    ['APL', '1:192.168.32.0/21 !1:192.168.38.0/28', '0001 15 03 c0a820 0001 1c 83 c0a826'],
    ['APL', '1:224.0.0.0/4 2:FF00:0:0:0:0:0:0:0/8', '0001 04 01 e0 0002 08 01 ff'],
    ['APL', '1:0.0.0.0/0 2:2001:db8::/32', '0001 00 00 0002 20 04 20010db8'],
    ['IPSECKEY', '10 1 2 192.0.2.38 AQNR U3k=', '0a 01 02 c0000226 0103515379'],
    ['IPSECKEY', '10 0 2 . AQID', '0a 00 02 010203'],
    ['IPSECKEY', '10 2 2 2001:db8::1 AQID', '0a 02 02 20010db8000000000000000000000001 010203'],
    ['IPSECKEY', '10 3 0 g', '0a 03 00 0167076578616d706c65036f726700'],
    ['AMTRELAY', '10 0 1 203.0.113.15', '0a 01 cb00710f'],
    ['AMTRELAY', '0 0 0 .', '00 00'],
    ['HIP', '2 2001 AwEAAQ== a b.', '02 02 0004 2001 03010001 0161076578616d706c65036f726700 016200'],
    ['NSAP-PTR', 'b.', '016200'],
    ['ISDN', '150862028003217 "004"', '0f313530383632303238303033323137 03303034'],
    ['TALINK', 'a. b.', '016100 016200'],
    ['RKEY', '0 3 13 AQID', '0000 03 0d 010203'],
    ['EID', '0a0b 0c', '0a0b0c'],
    ['NIMLOC', '0a', '0a'],
    ['NINFO', '"a b" c', '03612062 0163'],
    ['RESINFO', 'qnamemin exterr=15-17', '08716e616d656d696e 0c6578746572723d31352d3137'],
    ['NID', '10 0014:4fff:ff20:EE64', '000a 00144fffff20ee64'],
    ['L32', '10 10.1.2.0', '000a 0a010200'],
    ['L64', '10 2001:0DB8:1140:1000', '000a 20010db811401000'],
    ['LP', '10 b.', '000a 016200'],
    ['UID', '7', '00000007'],
    ['GID', '4294967295', 'ffffffff'],
    ['UINFO', '"a b"', '03612062'],
    ['SIG', 'A 13 2 3600 20300131235959 1700000000 12345 b. AQI=', '0001 0d 02 00000e10 7104b6ff 6553f100 3039 016200 0102'],
  ] // biome-ignore format: a table
  for (const [type, data, hex] of cases)
    t.equal(dataOf(type, data), hex.replaceAll(' ', ''), `${type} ${data}`)
})

t.test('data that CoreDNS refuses, or writes as no client can read it', async t => {
  const cases: [type: string, data: string, hex: string][] = [
    ['APL', '', ''],
    ['AMTRELAY', '128 1 3 b.', '80 83 016200'],
    ['AMTRELAY', '10 1 2 2001:db8::15', '0a 82 20010db8000000000000000000000015'],
    // RFC 2535 5.2.
    ['NXT', 'b. A MX SIG NXT', '016200 40010082'],
    ['CERT', 'IPKIX 0 0 AQID', '0004 0000 00 010203'],
    ['ISDN', '1', '0131'],
  ] // biome-ignore format: a table
  for (const [type, data, hex] of cases)
    t.equal(dataOf(type, data), hex.replaceAll(' ', ''), `${type} ${data}`)
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
    ['a WKS 192.0.2.1 tcp smtp', /WKS can be written as/],
    ['a TYPE65280 x', /TYPE65280 can be written as/],
    ['a TYPE65280 \\# 2 00', /1 octets of data, not 2/],
    ['a TYPE65280 \\# x 00', /this is not a length/],
    ['a TYPE65280 \\#', /the length of the data is missing/],
    ['a A \\# 3 000000', /this is not the data of a A record/],
    ['a MX \\# 4 000a 0161', /this is not the data of a MX record/],
    ['a NS \\# 2 c00c', /this is not the data of a NS record/],
    ['a NS \\# 2 0000', /this is not the data of a NS record/],
    ['a SOA \\# 2 0000', /this is not the data of a SOA record/],
    ['a LOC 52 22 23.000 N', /a longitude is missing/],
    ['a LOC', /a latitude is missing/],
    ['a LOC 91 N 1 E 0', /1:7 this is not a latitude/],
    ['a LOC 90 1 N 1 E 0', /this is not a latitude/],
    ['a LOC 1 60 N 1 E 0', /this is not a latitude/],
    ['a LOC 1 1 60 N 1 E 0', /this is not a latitude/],
    ['a LOC 1 1 1 1 N 1 E 0', /this is not a latitude/],
    ['a LOC N 1 E 0', /this is not a latitude/],
    ['a LOC 1 E 1 E 0', /this is not a latitude/],
    ['a LOC 1 1 1', /the end of a latitude is missing/],
    ['a LOC 1 N 181 E 0', /this is not a longitude/],
    ['a LOC 1 N 1 E', /an altitude is missing/],
    ['a LOC 1 N 1 E -100000.01', /this is not an altitude/],
    ['a LOC 1 N 1 E 42849673', /this is not an altitude/],
    ['a LOC 1 N 1 E 1k', /this is not an altitude/],
    ['a LOC 1 N 1 E 0 90000000.01m', /this is not a size/],
    ['a LOC 1 N 1 E 0 1.234', /this is not a size/],
    ['a LOC 1 N 1 E 0 -1', /this is not a size/],
    ['a LOC 1 N 1 E 0 .', /this is not a size/],
    ['a LOC 1 N 1 E 0 1 1 1 1', /more than a record of type LOC has/],
    ['a CERT NONE 1 1 AA==', /this is not a number from 0 to 65535/],
    ['a APL 3:1.2.3.4/8', /this is not a network/],
    ['a APL 1:192.0.2.1/24', /this is not a network/],
    ['a APL 1:192.0.2.0', /this is not a network/],
    ['a APL 1:2001:db8::/32', /this is not a network/],
    ['a APL 2:10.0.0.0/8', /this is not a network/],
    ['a IPSECKEY 10 0 2 x AQID', /no gateway is written as a dot/],
    ['a IPSECKEY 10 4 2 x AQID', /this is not a kind of gateway/],
    ['a IPSECKEY 10 1 2 ::1 AQID', /this is not an IPv4 address/],
    ['a IPSECKEY 10 1 2', /an IPv4 address is missing/],
    ['a IPSECKEY 10 0 2 . !', /this is not Base64 data/],
    ['a AMTRELAY 10 2 0 .', /this is neither 0 nor 1/],
    ['a AMTRELAY 10 0 4 .', /this is not a kind of gateway/],
    ['a AMTRELAY 10 0 0', /a dot for no gateway is missing/],
    ['a HIP 2 2001', /Base64 data is missing/],
    [`a HIP 2 ${'00'.repeat(256)} AQID`, /a tag of more than 255 octets/],
    ['a HIP 2 2001 AQID a..b', /this is not a domain name/],
    ['a NID 10 14:4fff:ff20:ee64', /this is not such an identifier/],
    ['a NXT b TYPE128', /this is not a type below 128/],
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
