// The tests' DNS client against replies made by dns-packet, the independent oracle.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import * as packet from 'dns-packet'
import t, { type Test } from 'tap'
import {
  decodeMessage,
  encodeQuestion,
  exchangeUdp,
  MalformedMessage,
  NoAnswer,
  nameOctets,
  query,
  TcpClient,
  transfer,
} from './dns-client.ts'

const reply = (id: number, name: string): Buffer =>
  packet.encode({
    type: 'response',
    id,
    flags: packet.AUTHORITATIVE_ANSWER | packet.RECURSION_DESIRED,
    questions: [{ name, type: 'SRV' }],
    answers: [
      { name, type: 'SRV', ttl: 5, data: { priority: 0, weight: 50, port: 80, target: 'b.example' } },
      { name, type: 'SRV', ttl: 5, data: { priority: 0, weight: 50, port: 80, target: 'a.example' } },
    ],
    additionals: [
      { name: 'a.example', type: 'AAAA', ttl: 5, data: 'fd00::1' },
      {
        name: '.',
        type: 'OPT',
        udpPayloadSize: 1232,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  })

/** Answers with `make` on a free port until the test ends. */
async function serve(test: Test, make: (asked: Buffer) => Uint8Array[]): Promise<number> {
  const tcp = createServer(socket => {
    socket.on('data', data => {
      for (const octets of make(data.subarray(2))) {
        const length = Buffer.alloc(2)
        length.writeUInt16BE(octets.length)
        socket.write(length.subarray(0, 1))
        socket.write(Buffer.concat([length.subarray(1), octets]))
      }
      socket.end()
    })
  })
  await once(tcp.listen(0, '127.0.0.1'), 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  udp.on('message', (asked, from) => {
    for (const octets of make(asked)) udp.send(octets, from.port, from.address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  test.teardown(() => {
    tcp.close()
    udp.close()
  })
  return port
}

t.test('asks over UDP and TCP, sections come sorted and without OPT', async t => {
  const port = await serve(t, asked =>
    [reply(asked.readUInt16BE(0) ^ 1, 'other'), reply(asked.readUInt16BE(0), 'web')].slice(
      asked.length > 30 ? 1 : 0,
    ),
  )
  for (const tcp of [false, true]) {
    const got = await query(port, {
      name: 'web',
      type: 'SRV',
      tcp,
      edns: { options: [{ code: 10, data: Buffer.alloc(8) }] },
    })
    t.equal(got.rcode, 'NOERROR')
    t.equal(got.flags.aa, true)
    t.same(got.question, ['web. IN SRV'])
    t.same(got.answer, ['web. 5 IN SRV 0 50 80 a.example.', 'web. 5 IN SRV 0 50 80 b.example.'])
    t.equal(got.records.answer[0]?.data, '0 50 80 b.example.')
    t.same(got.additional, ['a.example. 5 IN AAAA fd00::1'])
    t.equal(got.edns?.udpSize, 1232)
  }
  t.equal(
    (await query(port, { name: 'web', type: 'SRV' })).answer.length,
    2,
    'a datagram with another id is passed over',
  )
})

t.test('no answer is an error', async t => {
  const silent = await serve(t, () => [])
  await t.rejects(
    query(silent, { name: 'a', timeoutMs: 20 }),
    new NoAnswer('timeout', `127.0.0.1 port ${silent} over UDP`),
  )
  await t.rejects(query(silent, { name: 'a', tcp: true }), { code: 'closed' })
  const client = await TcpClient.connect(silent)
  client.sendRaw(Buffer.from([0, 1, 0]))
  await client.closed()
  client.destroy()
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const free = socket.address().port
  socket.close()
  await once(socket, 'close')
  await t.rejects(query(free, { name: 'a', tcp: true }), { code: 'refused' })
  await t.rejects(exchangeUdp(free, Buffer.from('hello')), { code: 'refused' })
})

t.test('a question is what dns-packet reads', t => {
  const octets = encodeQuestion({
    name: 'Web.demo',
    type: 'AAAA',
    id: 7,
    cd: true,
    edns: { udpSize: 4096, dnssecOk: true },
  })
  const read = packet.decode(Buffer.from(octets))
  t.match(read, {
    id: 7,
    questions: [{ name: 'Web.demo', type: 'AAAA', class: 'IN' }],
    flag_cd: true,
    flag_rd: true,
  })
  t.match(read.additionals, [{ type: 'OPT', udpPayloadSize: 4096, flag_do: true }])
  t.end()
})

t.test('names are binary-safe', t => {
  for (const [text, hex, shown] of [
    ['.', '00', '.'],
    ['a\\.b.c', '03612e62016300', 'a\\.b.c.'],
    ['\\000\\255\\032', '0300ff2000', '\\000\\255\\032.'],
    ['A"b', '03412262' + '00', 'A\\"b.'],
    ['é', '01e900', '\\233.'],
  ] as const) {
    t.equal(Buffer.from(nameOctets(text)).toString('hex'), hex)
    t.same(decodeMessage(encodeQuestion({ name: text, type: 'TYPE65280', class: 'CLASS9' })).question, [
      `${shown} CLASS9 TYPE65280`,
    ])
  }
  t.throws(() => encodeQuestion({ name: 'a', type: 'NOPE' }), TypeError)
  t.end()
})

t.test('what breaks RFC 1035 is refused', t => {
  const good = encodeQuestion({ name: 'a.b' })
  const changed = (at: number, ...octets: number[]): Uint8Array => {
    const copy = Uint8Array.from(good)
    copy.set(octets, at)
    return copy
  }
  for (const [what, octets] of [
    ['cut', good.subarray(0, good.length - 1)],
    ['longer', Buffer.concat([good, Buffer.alloc(1)])],
    ['count', changed(6, 0, 1)],
    ['loop', changed(12, 0xc0, 12)],
    ['forward pointer', changed(12, 0xc0, 16)],
    ['label type', changed(12, 0x41)],
  ] as const)
    t.throws(() => decodeMessage(octets), MalformedMessage, what)
  t.end()
})

t.test('record data in presentation form', t => {
  const records: packet.Answer[] = [
    { name: 'a', type: 'A', ttl: 1, data: '192.0.2.1' },
    { name: 'a', type: 'TXT', ttl: 2, data: ['1.1.0', 'q"\\'] },
    { name: 'a', type: 'MX', ttl: 3, data: { preference: 10, exchange: 'mx.a' } },
    { name: 'a', type: 'CAA', ttl: 4, data: { flags: 0, tag: 'issue', value: 'ca' } },
    {
      name: 'a',
      type: 'SOA',
      ttl: 5,
      data: { mname: 'ns.a', rname: 'h.a', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
    },
    {
      name: 'a',
      type: 'TLSA',
      ttl: 6,
      data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from([1]) },
    },
    {
      name: 'a',
      type: 'NAPTR',
      ttl: 7,
      data: { order: 1, preference: 2, flags: 'u', services: 's', regexp: '!', replacement: 'r' },
    },
  ]
  t.same(
    decodeMessage(packet.encode({ type: 'response', answers: records })).records.answer.map(
      ({ text }) => text,
    ),
    [
      'a. 1 IN A 192.0.2.1',
      'a. 2 IN TXT "1.1.0" "q\\"\\\\"',
      'a. 3 IN MX 10 mx.a.',
      'a. 4 IN CAA 0 issue "ca"',
      'a. 5 IN SOA ns.a. h.a. 1 2 3 4 5',
      'a. 6 IN TLSA \\# 4 03010101',
      'a. 7 IN NAPTR 1 2 "u" "s" "!" r.',
    ],
  )
  t.end()
})

t.test('a transfer of several messages', async t => {
  const soa: packet.Answer = {
    name: 'a',
    type: 'SOA',
    ttl: 5,
    data: { mname: 'ns.a', rname: 'h.a', serial: 1 },
  }
  const message = (...answers: packet.Answer[]): Buffer => packet.encode({ type: 'response', id: 1, answers })
  const port = await serve(t, () => [
    message(soa, { name: 'b.a', type: 'A', ttl: 5, data: '192.0.2.1' }),
    message(soa),
  ])
  const got = await transfer(port, { name: 'a' })
  t.equal(got.rcode, 'NOERROR')
  t.equal(got.messages, 2)
  t.equal(got.answer[1], 'b.a. 5 IN A 192.0.2.1')
  t.equal(got.answer.length, 3)
})

t.test('an incremental transfer says what the client has', async t => {
  const octets = encodeQuestion({ name: 'cluster.local.', type: 'IXFR', serial: 17 })
  const question = decodeMessage(octets)
  t.strictSame(question.question, ['cluster.local. IN IXFR'])
  t.equal(question.records.authority[0]?.data, '. . 17 0 0 0 0')
})
