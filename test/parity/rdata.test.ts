// The octets of the scripted upstreams' records: as dnspython writes them, and compressed so that the strict decoder reads them.

import t from 'tap'
import { decodeMessage } from '../support/dns-message.ts'
import { dataPieces, MessageWriter, parseRecord } from './rdata.ts'

t.test('record data', async t => {
  // biome-ignore format: a table
  const cases: [type: string, text: string, hex: string][] = [
    ['TXT', String.raw`"a b" c "d\"e"`, '03612062016303642265'],
    ['HINFO', '"x" "y"', '01780179'],
    ['AAAA', '2001:db8::1:0:10', '20010db8000000000000000100000010'],
    ['SOA', 'ns.a. hm.b. 7 7200 3600 1209600 60', '026e7301610002686d0162000000000700001c2000000e10001275000000003c'],
    ['SRV', '1 2 3 a.test.', '0001000200030161047465737400'],
    ['NAPTR', '1 2 "u" "E2U+sip" "!^.*$!sip:x@example.org!" .', '000100020175074532552b73697018215e2e2a24217369703a78406578616d706c652e6f72672100'],
    ['CAA', '0 issue "ca.example.net"', '0005697373756563612e6578616d706c652e6e6574'],
    ['SSHFP', '1 1 0123456789abcdef', '01010123456789abcdef'],
    ['DS', '1 8 2 0123456789abcdef', '000108020123456789abcdef'],
    ['DNSKEY', '257 3 8 AwEAAag=', '0101030803010001a8'],
    ['RRSIG', 'A 8 1 60 20330101000000 20230101000000 1 test. c2ln', '000108010000003c7680c48063b0cd000001047465737400736967'],
    ['NSEC', 'z.test. A RRSIG NSEC', '017a0474657374000006400000000003'],
    ['NSEC3', '1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG', '0101000c04aabbccdd14174eb2409fe28bcb4887a1836f957f0a8425e27b0006400000000002'],
    ['NSEC3', '1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr', '010000000014174eb2409fe28bcb4887a1836f957f0a8425e27b'],
    ['HTTPS', '1 . alpn=h2,h3', '00010000010006026832026833'],
    ['TYPE65300', String.raw`\# 3 010203`, '010203'],
  ]
  for (const [type, text, hex] of cases) {
    const owner = parseRecord(`. 0 IN ${type} ${text}`)
    const octets = new MessageWriter().record(owner).octets()
    t.equal(octets.toString('hex', 11), hex, `${type} ${text}`)
  }
})

t.test('names are compressed where they may be, and spelled as they were', async t => {
  const message = new MessageWriter().u16(1, 0x8180, 1, 4, 0, 0).name('www.Example.org.').u16(1, 1)
  const lines = [
    'www.Example.org. 5 IN CNAME a.Example.org.',
    'a.Example.org. 5 IN MX 10 mail.example.org.',
    'mail.example.org. 5 IN SRV 1 2 3 mail.example.org.',
    '. 5 IN NS a.Example.org.',
  ]
  for (const line of lines) message.record(parseRecord(line))
  const octets = message.octets()
  const { question, records } = decodeMessage(octets)
  t.strictSame(question, ['www.Example.org. IN A'])
  t.strictSame(
    records.answer.map(({ text }) => text),
    lines,
  )
  t.equal(octets.toString('latin1').match(/Example/g)?.length, 1)
  t.equal(octets.toString('latin1').match(/mail/g)?.length, 2, 'no pointer in an SRV')
})

t.test('what is no record', async t => {
  for (const line of [
    'a.test. IN A 192.0.2.1',
    'a.test. 5 XX A 192.0.2.1',
    'a.test. 5 IN LOC 1 2 3',
    'a.test. 5 IN A',
  ])
    t.throws(() => parseRecord(line), TypeError, line)
  t.throws(() => dataPieces('MX', '10 a.test. b.test.'), TypeError)
})
