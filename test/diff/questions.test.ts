// Which questions a log, a list and a file of dnstap come to.

import t from 'tap'
import { type Asked, questionsOf } from '../../src/diff/questions.ts'
import { tapText } from '../../src/explain/tap.ts'
import type { TapLine } from '../../src/observe/tap.ts'
import { encodeQuestion } from '../support/dns-client.ts'

const read = (text: string | Uint8Array): { asked: string[]; passedOver: number } => {
  const { questions, passedOver } = questionsOf(typeof text === 'string' ? Buffer.from(text) : text)
  return { asked: questions.map(({ name, type }: Asked) => `${name} ${type}`), passedOver }
}

t.test('a log as text, whatever stands before, each question once, the most frequent first', async t => {
  const line = (question: string): string =>
    `[pod/coredns-x] [INFO] 10.0.0.7:40212 - 29008 "${question} udp 41 false 4096" NOERROR qr,rd,ra 68 0.03s\n`
  const log = [
    '.:53\nCoreDNS-1.14.7\n',
    line('A IN Example.org.'),
    line('AAAA IN web.shop.svc.cluster.local.'),
    line('AAAA IN web.shop.svc.cluster.local.'),
    line('A IN example.org.'),
    line('AAAA IN web.shop.svc.cluster.local.'),
    line('TXT CH version.bind.'),
    '[ERROR] plugin/errors: 2 example.org. A: no answer from 10.0.0.1:53\n',
  ].join('')
  t.strictSame(read(log), {
    asked: ['web.shop.svc.cluster.local. AAAA', 'example.org. A'],
    // Two lines of the banner, a question of another class, an error.
    passedOver: 4,
  })
})

t.test('a log as JSON', async t => {
  const log = [
    { level: 'INFO', msg: 'x', qname: 'web.shop.svc.cluster.local.', qtype: 'A', qclass: 'IN' },
    { level: 'INFO', msg: 'x', qname: 'version.bind.', qtype: 'TXT', qclass: 'CH' },
    { level: 'INFO', msg: 'reloaded' },
  ]
  const text = log.map(line => `2026-11-30T10:00:00Z stdout F ${JSON.stringify(line)}\n`).join('')
  t.strictSame(read(`${text}{"cut`), { asked: ['web.shop.svc.cluster.local. A'], passedOver: 3 })
})

t.test('what `seamark tap` printed, as text and as JSON', async t => {
  const line = { time: '2026-11-30T10:00:00.000Z', client: '10.0.0.7', port: 40212, proto: 'udp', octets: 61 }
  const answered = { rcode: 'NOERROR', plugin: 'kubernetes', durationMs: 0.02 }
  const lines = [
    { ...line, ...answered, name: 'web.shop.svc.cluster.local.', type: 'AAAA' },
    { ...line, ...answered, name: 'web.shop.svc.cluster.local.', type: 'AAAA', pod: 'shop/curl' },
    {
      ...line,
      ...answered,
      client: 'fd00::7',
      name: 'example.org.',
      type: 'TYPE65',
      rcode: 'RCODE23',
      plugin: '',
    },
  ] as TapLine[]
  const wanted = { asked: ['web.shop.svc.cluster.local. AAAA', 'example.org. TYPE65'], passedOver: 0 }
  t.strictSame(read(lines.map(tapText).join('')), wanted)
  t.strictSame(read(lines.map(each => `${JSON.stringify(each)}\n`).join('')), wanted)
})

t.test('a list, as dnsperf reads it', async t => {
  t.strictSame(read('# queries\nweb.shop AAAA\r\n\nexample.org\nexample.org TYPE65\nx NOTYPE\na..b A\n'), {
    asked: ['web.shop. AAAA', 'example.org. A', 'example.org. TYPE65'],
    passedOver: 2,
  })
})

const u32 = (value: number): Buffer => {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return octets
}
const field = (number: number, octets: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2]), varint(octets.length), octets])
const varint = (value: number): Buffer =>
  value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >> 7)])
const frame = (octets: Uint8Array): Buffer => Buffer.concat([u32(octets.length), octets])
const control = (type: number): Buffer => Buffer.concat([u32(0), frame(u32(type))])
/** A message of dnstap: 5 is a client's query, 6 its reply, 3 one to an upstream. */
const tapped = (type: number, name: string, part = 10): Buffer => {
  const dns = encodeQuestion({ name, type: 'A', id: 1 })
  const message = Buffer.concat([
    Buffer.from([1 << 3, type, (8 << 3) | 0, 0x96, 0x01, (9 << 3) | 5, 1, 2, 3, 4]),
    field(part, dns),
  ])
  return frame(Buffer.concat([field(1, Buffer.from('server')), field(14, message)]))
}

t.test('a file of dnstap: what clients ask', async t => {
  const file = Buffer.concat([
    control(2),
    tapped(5, 'web.shop.svc.cluster.local'),
    tapped(3, 'upstream.example.org'),
    tapped(6, 'reply.example.org', 14),
    frame(Buffer.from([255, 255, 255])),
    tapped(5, `${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.example.org`),
    control(3),
  ])
  const expected = [
    'web.shop.svc.cluster.local. A',
    `${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.example.org. A`,
  ]
  t.strictSame(read(file), { asked: expected, passedOver: 0 })
  for (let length = 12; length < file.length; length++)
    t.ok(read(file.subarray(0, length)).asked.length <= 2, 'cut anywhere, what is whole is read')
})
