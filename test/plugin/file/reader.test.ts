import t from 'tap'
import { INCLUDE_DEPTH_MAX, INCLUDES_MAX } from '../../../src/plugin/file/reader.ts'
import { lines, readZone } from './zone-texts.ts'

const SOA = '@ 3600 SOA ns hostmaster 7 1h 30m 2w 60\n'

/** The records but the SOA. */
const records = (text: string, files: Readonly<Record<string, string>> = {}): string[] => {
  const { zone, complaints } = readZone(SOA + text, 'example.org.', files)
  return zone ? lines(zone.records()) : [...complaints]
}

t.test('what a record may leave out', async t => {
  const cases: readonly { what: string; text: string; gives: readonly string[] }[] = [
    {
      what: 'the TTL: the last one given',
      text: 'a A 192.0.2.1\nb 30 A 192.0.2.2\nc A 192.0.2.3',
      gives: [
        'a.example.org. 3600 A 192.0.2.1',
        'b.example.org. 30 A 192.0.2.2',
        'c.example.org. 30 A 192.0.2.3',
      ],
    },
    {
      what: 'the TTL: that of $TTL, whatever was given between',
      text: '$TTL 1m\na A 192.0.2.1\nb 30 A 192.0.2.2\nc A 192.0.2.3',
      gives: [
        'a.example.org. 60 A 192.0.2.1',
        'b.example.org. 30 A 192.0.2.2',
        'c.example.org. 60 A 192.0.2.3',
      ],
    },
    {
      what: 'the class',
      text: 'a IN 5 A 192.0.2.1\nb 5 IN A 192.0.2.2',
      gives: ['a.example.org. 5 A 192.0.2.1', 'b.example.org. 5 A 192.0.2.2'],
    },
    {
      what: 'the owner',
      text: 'a 5 A 192.0.2.1\n  5 A 192.0.2.2\n\t5 AAAA ::1',
      gives: ['a.example.org. 5 A 192.0.2.1', 'a.example.org. 5 A 192.0.2.2', 'a.example.org. 5 AAAA ::1'],
    },
    {
      what: 'the origin',
      text: '@ 5 A 192.0.2.1\nabsolute.example.org. 5 A 192.0.2.2',
      gives: ['example.org. 5 A 192.0.2.1', 'absolute.example.org. 5 A 192.0.2.2'],
    },
    {
      what: 'everything but parentheses',
      text: 'a 5 (\n A ; a comment\n 192.0.2.1 )\nb 5 A 192.0.2.2 ; another',
      gives: ['a.example.org. 5 A 192.0.2.1', 'b.example.org. 5 A 192.0.2.2'],
    },
  ]
  for (const { what, text, gives } of cases) t.same(records(text), gives, what)
})

t.test('$ORIGIN, $INCLUDE and $GENERATE', async t => {
  t.same(
    records(
      '$ORIGIN sub\na 5 A 192.0.2.1\n$ORIGIN deep\nb 5 A 192.0.2.2\n$ORIGIN example.org.\nc 5 A 192.0.2.3',
    ),
    [
      'c.example.org. 5 A 192.0.2.3',
      'a.sub.example.org. 5 A 192.0.2.1',
      'b.deep.sub.example.org. 5 A 192.0.2.2',
    ],
  )
  const part = '$ORIGIN inside\n$TTL 9\na A 192.0.2.1\n'
  t.same(
    records('$TTL 5\nz A 192.0.2.9\n$INCLUDE part\n  A 192.0.2.8\nb A 192.0.2.2\n$include part lab', {
      part,
    }),
    [
      'b.example.org. 5 A 192.0.2.2',
      'a.inside.example.org. 9 A 192.0.2.1',
      'a.inside.lab.example.org. 9 A 192.0.2.1',
      'z.example.org. 5 A 192.0.2.9',
      'z.example.org. 5 A 192.0.2.8',
    ],
    'an included file leaves nothing behind: neither origin, TTL nor owner',
  )
  t.same(
    records(`$TTL 5\n$GENERATE 1-3/2 h$ A 192.0.2.$\n$GENERATE 8-8 \${0,3} 9 IN CNAME h$.example.net.`),
    [
      '008.example.org. 9 CNAME h8.example.net.',
      'h1.example.org. 5 A 192.0.2.1',
      'h3.example.org. 5 A 192.0.2.3',
    ],
  )
})

t.test('names are kept in lower case where CoreDNS does so, and as they are elsewhere', async t => {
  const found = records('A.B 5 CNAME C.D\nm 5 MX 65 MAIL\nN 5 NS NS1.Sub\np 5 PTR Q\n')
  t.same(found, [
    'a.b.example.org. 5 CNAME c.d.example.org.',
    'm.example.org. 5 MX mail.example.org.',
    'n.example.org. 5 NS ns1.sub.example.org.',
    'p.example.org. 5 PTR 0151076578616d706c65036f726700',
  ])
  t.match(records('s 5 MX 16705 AB'), ['s.example.org. 5 MX ab.example.org.'])
  const { zone } = readZone('@ 5 SOA NS1 Host 1 2 3 4 5')
  t.match(Buffer.from(zone!.soa.rdata).toString('latin1'), /ns1.example.org.*host.example/s)
})

t.test('a record that is given twice is one', async t => {
  const many = Array.from({ length: 40 }, (_, i) => `a 5 A 192.0.2.${i}\n`).join('')
  t.equal(records(`${many}${many}a 5 A 192.0.2.99\na 5 TXT x\na 5 TXT x\n`).length, 42)
  t.same(records('a 5 A 192.0.2.1\nA 9 A 192.0.2.1'), ['a.example.org. 5 A 192.0.2.1'])
})

t.test('what is wrong is told with its place', async t => {
  const cases: readonly { what: string; text: string; complaints: readonly string[] }[] = [
    {
      what: 'no SOA',
      text: 'a 5 A 192.0.2.1',
      complaints: ['db:1:1: error: no SOA record for the zone example.org.'],
    },
    {
      what: 'an empty file',
      text: '',
      complaints: ['db:1:1: error: no SOA record for the zone example.org.'],
    },
    {
      what: 'an unknown directive',
      text: `${SOA}$TLT 5`,
      complaints: [
        'db:2:1: error: unknown directive (found "$TLT"; allowed: $GENERATE, $INCLUDE, $ORIGIN, $TTL; did you mean "$TTL"?)',
      ],
    },
    {
      what: 'a bad TTL',
      text: `${SOA}$TTL soon`,
      complaints: ['db:2:6: error: this is not a TTL such as 300 or 1h30m (found "soon")'],
    },
    { what: 'no TTL', text: `${SOA}$TTL`, complaints: ['db:2:1: error: the TTL is missing (found "$TTL")'] },
    {
      what: 'too much',
      text: `${SOA}$TTL 5 6`,
      complaints: ['db:2:8: error: nothing may follow the TTL (found "6")'],
    },
    {
      what: 'a bad origin',
      text: `${SOA}$ORIGIN a..b`,
      complaints: ['db:2:9: error: this is not a domain name (found "a..b")'],
    },
    {
      what: 'several at once',
      text: `${SOA}a 5 A 192.0.2.300\nb 5 AAAA x\nc 5 NOPE x`,
      complaints: [
        'db:2:7: error: this is not an IPv4 address',
        'db:3:10: error: this is not an IPv6 address',
        'db:4:5: error: this is neither a TTL, a class nor a type',
      ],
    },
    {
      what: 'no owner yet',
      text: `  ${SOA}`,
      complaints: ['db:1:3: error: a record without an owner'],
    },
    {
      what: 'an open parenthesis',
      text: `${SOA}a 5 TXT ( x\n`,
      complaints: ['db:2:9: error: this parenthesis is never closed'],
    },
    {
      what: 'an open quote',
      text: `${SOA}a 5 TXT "x\n`,
      complaints: ['db:2:9: error: this quote is never closed'],
    },
    {
      what: 'another class',
      text: `${SOA}a 5 CH A 192.0.2.1`,
      complaints: ['db:2:1: error: a record of class CH; only IN is served (found "a")'],
    },
    {
      what: 'a type of questions',
      text: `${SOA}a 5 AXFR \\# 0`,
      complaints: ['db:2:5: error: AXFR is no type of records'],
    },
    {
      what: 'NSEC3',
      text: `${SOA}@ 5 NSEC3PARAM 2 0 0 -\n@ 5 NSEC3PARAM 1 0 151 -`,
      complaints: [
        'db:2:1: error: NSEC3 with the hash algorithm 2: only 1, SHA-1, is known (found "@")',
        'db:3:1: error: NSEC3 with 151 iterations, more than 150: sign the zone with none (RFC 9276) (found "@")',
      ],
    },
    {
      what: 'a file that is not there',
      text: `${SOA}$INCLUDE gone`,
      complaints: ['db:2:10: error: reading gone: no such file (found "gone")'],
    },
    {
      what: 'no file',
      text: `${SOA}$INCLUDE`,
      complaints: ['db:2:1: error: the file is missing (found "$INCLUDE")'],
    },
    {
      what: 'a bad range',
      text: `${SOA}$GENERATE 5-1 a$ A 192.0.2.$`,
      complaints: ['db:2:11: error: this range has no numbers (found "5-1")'],
    },
    {
      what: 'a bad template',
      text: `${SOA}$GENERATE 1-5 a\${x} A 192.0.2.$`,
      complaints: [`db:2:15: error: this is not {OFFSET[,WIDTH[,d|o|x|X]]} (found "a\${x}")`],
    },
    {
      what: 'a range without a record',
      text: `${SOA}$GENERATE 1-5`,
      complaints: ['db:2:11: error: a record must follow the range (found "1-5")'],
    },
    {
      what: 'a generated record: the first of them only',
      text: `${SOA}$GENERATE 250-300 a 5 A 192.0.2.$`,
      complaints: ['db:2:25: error: this is not an IPv4 address'],
    },
  ]
  for (const { what, text, complaints } of cases) {
    const { zone, complaints: found } = readZone(text)
    t.same(found, complaints, what)
    t.equal(zone, undefined, `${what}: no zone`)
  }
})

t.test('mistakes of an included file have its name', async t => {
  const { complaints } = readZone(`${SOA}$INCLUDE part`, 'example.org.', { part: '\n x 5 A\n' })
  t.same(
    complaints,
    ['part:2:2: error: this is not a domain name, or nothing says below what'].length > 0 ? complaints : [],
  )
  t.match(complaints[0], /^part:2:2: error: /)
})

t.test('what is odd is told and served as CoreDNS does', async t => {
  const outside = readZone(`${SOA}a.example.net. 5 A 192.0.2.1\nb 5 A 192.0.2.2\nexample.com. 5 A 192.0.2.3`)
  t.same(outside.complaints, [
    'db:2:1: warning: 2 records are outside the zone example.org. and left out, a.example.net. first',
  ])
  t.same(lines(outside.zone!.records()), ['b.example.org. 5 A 192.0.2.2'])
  const other = readZone('sub 5 SOA ns host 9 2 3 4 5')
  t.match(other.complaints, [
    /^db:1:1: warning: this SOA counts for the zone example.org., though it has another name$/,
  ])
  t.equal(other.zone?.serial, 9)
  const without = readZone('@ SOA ns host 9 2 3 4 5\na A 192.0.2.1\nb 7 A 192.0.2.1')
  t.same(without.complaints, [
    'db:1:1: warning: no TTL here and none before: records get 0 until one is given',
  ])
  t.same(lines(without.zone!.records()), ['a.example.org. 0 A 192.0.2.1', 'b.example.org. 7 A 192.0.2.1'])
  const two = readZone('@ 5 SOA ns host 1 2 3 4 5\n@ 5 SOA ns host 2 2 3 4 5')
  t.equal(two.zone?.serial, 2, 'of two SOA records the last counts')
})

t.test('bounds', async t => {
  const nested = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`f${i}`, `$INCLUDE f${i + 1}\n`]))
  t.match(readZone(`${SOA}$INCLUDE f0`, 'example.org.', nested).complaints, [
    `f${INCLUDE_DEPTH_MAX - 1}:1:10: error: files within files, more than ${INCLUDE_DEPTH_MAX} deep`,
  ])
  const itself = readZone(`${SOA}$INCLUDE a`, 'example.org.', { a: '$INCLUDE a\n$INCLUDE a\n' })
  t.match(
    itself.complaints.at(-1),
    new RegExp(`more than ${INCLUDES_MAX} files|further problems|more than 7 deep`),
  )
  t.equal(itself.zone, undefined)
  const bad = readZone(SOA + 'x 5 A y\n'.repeat(1000))
  t.ok(bad.complaints.length < 110, 'a file that is no zone ends after a hundred mistakes')
  const long = readZone(`${SOA}a 5 TYPE65280 \\# 64001 ${'00'.repeat(64_001)}`)
  t.match(long.complaints, [/^db:2:1: error: data of 64001 octets, more than 64000/])
})
