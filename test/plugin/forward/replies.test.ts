// What an upstream sends, and what the client gets of it: each fault of the stub over UDP, TCP and both.

import t from 'tap'
import type { Query } from '../../support/query.ts'
import {
  type Asked,
  a,
  answerAll,
  type Back,
  named,
  nameOf,
  question,
  replyTo,
  type Script,
  soa,
} from '../../support/upstream-stub.ts'
import { benchTo, WAYS } from './forward-bench.ts'

const A1 = 'www.example.org. 30 A c0000201'
const good = (asked: Asked): Uint8Array => replyTo(asked, { answer: [a(nameOf(asked), 30)] })
const evil = (asked: Asked, parts: Parameters<typeof replyTo>[1]): Uint8Array =>
  replyTo(asked, { answer: [a(nameOf(asked), 30, '203.0.113.66')], ...parts })

/** Over UDP that, over TCP the good answer. */
const overUdp =
  (script: (asked: Asked, back: Back) => void): Script =>
  (asked, back) =>
    asked.transport === 'udp' ? script(asked, back) : back.send(good(asked))

/** A record of the asked name, or of another one beside the good answer, whose data is not of the length that its type has. */
const inexact = (type: string, hex: string): Case => ({
  name: `a record ${type} ${hex}`,
  script: overUdp((asked, back) => {
    const odd = { owner: nameOf(asked), type, ttlSeconds: 30, rdata: Buffer.from(hex, 'hex') }
    back.send(replyTo(asked, { answer: [a(nameOf(asked), 30), odd] }))
  }),
  line: `NOERROR ra | ${A1}`,
  log: [UDP, TCP],
})

interface Case {
  readonly name: string
  readonly script: Script
  readonly ask?: string
  readonly rest?: Partial<Query>
  readonly options?: string
  readonly line: string
  /** What the stub was asked; any order of transports is written as it must be. */
  readonly log?: readonly string[]
}

const UDP = 'udp www.example.org. IN A'
const TCP = 'tcp www.example.org. IN A'
const tcpClient = { transport: 'tcp', replyMaxOctets: 65535 } as const
const big = Array.from({ length: 40 }, (_, i) => a('www.example.org', 30, `192.0.2.${i}`))

const cases: readonly Case[] = [
  { name: 'a plain answer', script: answerAll, line: `NOERROR ra | ${A1}`, log: [UDP] },
  {
    name: 'AA and RA are the upstream’s',
    script: (asked, back) =>
      back.send(replyTo(asked, { aa: true, ra: false, answer: [a(nameOf(asked), 30)] })),
    line: `NOERROR aa | ${A1}`,
  },
  {
    name: 'the client’s case comes back',
    script: (asked, back) =>
      back.send(
        nameOf(asked) === 'www.example.org.'
          ? replyTo(asked, {
              answer: [named('www.example.org', 'CNAME', 9, 'b.org'), a('b.org', 30)],
            })
          : replyTo(asked, { rcode: 5 }),
      ),
    ask: 'wWw.EXAMPLE.org A',
    line: 'NOERROR ra | wWw.EXAMPLE.org. 9 CNAME 0162036f726700, b.org. 30 A c0000201',
  },
  {
    name: 'NXDOMAIN with its SOA',
    script: (asked, back) => back.send(replyTo(asked, { rcode: 3, authority: [soa('example.org', 60)] })),
    line: 'NXDOMAIN ra |  | example.org. 60 SOA 026e73076578616d706c6503',
  },
  {
    name: 'SERVFAIL is a reply, not a failure',
    script: (asked, back) => back.send(replyTo(asked, { rcode: 2 })),
    line: 'SERVFAIL ra',
    log: [UDP],
  },
  {
    name: 'a TTL with its highest bit set is the largest',
    script: (asked, back) => back.send(replyTo(asked, { answer: [a(nameOf(asked), 0x80000001)] })),
    line: 'NOERROR ra | www.example.org. 2147483647 A c0000201',
  },
  {
    name: 'the largest TTL stays',
    script: (asked, back) => back.send(replyTo(asked, { answer: [a(nameOf(asked), 0x7fffffff)] })),
    line: 'NOERROR ra | www.example.org. 2147483647 A c0000201',
  },
  {
    name: 'an unknown type, octet for octet',
    script: (asked, back) => {
      const rdata = Uint8Array.of(0xc0, 0x0c, 0xff, 0, 1, 2)
      back.send(
        replyTo(asked, { answer: [{ owner: nameOf(asked), type: 'TYPE65280', ttlSeconds: 7, rdata }] }),
      )
    },
    ask: 'www.example.org TYPE65280',
    line: 'NOERROR ra | www.example.org. 7 TYPE65280 c00cff000102',
  },
  {
    name: 'AD only for those who asked',
    script: (asked, back) => back.send(replyTo(asked, { ad: true, answer: [a(nameOf(asked), 30)] })),
    line: `NOERROR ra | ${A1}`,
  },
  {
    name: 'AD for the AD bit',
    script: (asked, back) => back.send(replyTo(asked, { ad: true, answer: [a(nameOf(asked), 30)] })),
    rest: { authenticData: true },
    line: `NOERROR ra ad | ${A1}`,
  },
  {
    name: 'AD for DO',
    script: (asked, back) => back.send(replyTo(asked, { ad: true, answer: [a(nameOf(asked), 30)] })),
    rest: { edns: { payloadSize: 1232, dnssecOk: true, options: [] } },
    line: `NOERROR ra ad | ${A1}`,
  },
  {
    name: 'the upstream’s extended error',
    script: (asked, back) =>
      back.send(replyTo(asked, { rcode: 3, opt: Uint8Array.of(0, 15, 0, 4, 0, 15, 0x6e, 0x6f) })),
    line: 'NXDOMAIN ra ede15',
  },
  {
    name: 'wrong ID: ignored, TCP asked',
    script: overUdp((asked, back) => back.send(evil(asked, { id: asked.id ^ 1 }))),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'wrong question name',
    script: overUdp((asked, back) => back.send(evil(asked, { question: question('victim.example.org') }))),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'wrong question type',
    script: overUdp((asked, back) =>
      back.send(evil(asked, { question: question('www.example.org', 'AAAA') })),
    ),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'the question in another case than asked',
    script: overUdp((asked, back) => back.send(evil(asked, { question: question('www.EXAMPLE.org') }))),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'a query instead of a response',
    script: overUdp((asked, back) => back.send(evil(asked, { qr: false }))),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'another opcode',
    script: overUdp((asked, back) => back.send(evil(asked, { opcode: 4 }))),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'no octet at all',
    script: overUdp((_, back) => back.send(new Uint8Array(0))),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'cut in the middle of a record without TC',
    script: overUdp((asked, back) => back.send(good(asked).slice(0, -3))),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  inexact('A', 'c00002'),
  inexact('A', 'c000020100'),
  inexact('A', ''),
  inexact('AAAA', 'c0000201'),
  inexact('CNAME', '0162036f72670000'),
  inexact('MX', '000a0162036f72670000'),
  inexact('SOA', `0000${'00'.repeat(19)}`),
  inexact('SOA', `0000${'00'.repeat(21)}`),
  {
    name: 'no question and REFUSED',
    script: overUdp((asked, back) => back.send(replyTo(asked, { rcode: 5, question: new Uint8Array(0) }))),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'no question and REFUSED, over TCP too',
    script: (asked, back) => back.send(replyTo(asked, { rcode: 5, question: new Uint8Array(0) })),
    line: 'REFUSED ra',
    log: [UDP, TCP],
  },
  {
    name: 'each flaw, then the good one over UDP while TCP is silent',
    script: (asked, back) => {
      if (asked.transport === 'tcp') return
      back.send(evil(asked, { id: asked.id ^ 0x8000 }))
      back.send(evil(asked, { question: question('victim.example.org') }))
      back.send(evil(asked, { qr: false }))
      back.send(new Uint8Array(0))
      back.send(Uint8Array.of(1, 2, 3))
      back.send(evil(asked, { rcode: 1, id: asked.id ^ 7 }))
      back.send(good(asked))
    },
    line: `NOERROR ra | ${A1}`,
  },
  {
    name: 'more wrong replies than are looked at, then TCP',
    script: (asked, back) => {
      if (asked.transport === 'tcp') back.send(good(asked))
      else for (let i = 1; i <= 40; i++) back.send(evil(asked, { id: asked.id ^ i }))
    },
    line: `NOERROR ra | ${A1}`,
  },
  {
    name: 'TC: TCP has it whole',
    script: overUdp((asked, back) => back.send(replyTo(asked, { tc: true }))),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'TC and cut in the middle of a record',
    script: overUdp((asked, back) =>
      back.send(replyTo(asked, { tc: true, answer: [a(nameOf(asked), 30)] }).slice(0, -3)),
    ),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'TC goes to a client of 512 octets',
    script: overUdp((asked, back) => back.send(replyTo(asked, { tc: true, answer: [a(nameOf(asked), 30)] }))),
    rest: { replyMaxOctets: 512 },
    line: `NOERROR ra tc | ${A1}`,
    log: [UDP],
  },
  {
    name: 'TC stays where TCP fails',
    script: (asked, back) =>
      asked.transport === 'udp' ? back.send(replyTo(asked, { tc: true })) : back.reset(),
    line: 'NOERROR ra tc',
  },
  {
    name: 'larger than announced: as if TC',
    script: overUdp((asked, back) =>
      back.send(
        replyTo(asked, { answer: Array.from({ length: 60 }, () => a(nameOf(asked), 30, '203.0.113.66')) }),
      ),
    ),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  {
    name: 'larger than announced, to a client of 512 octets',
    script: overUdp((asked, back) =>
      back.send(replyTo(asked, { answer: Array.from({ length: 60 }, () => a(nameOf(asked), 30)) })),
    ),
    rest: { replyMaxOctets: 512 },
    line: 'NOERROR ra tc',
    log: [UDP],
  },
  {
    name: 'TCP for a TCP client',
    script: answerAll,
    rest: tcpClient,
    line: `NOERROR ra | ${A1}`,
    log: [TCP],
  },
  {
    name: 'prefer_udp: UDP for a TCP client',
    script: answerAll,
    rest: tcpClient,
    options: 'prefer_udp',
    line: `NOERROR ra | ${A1}`,
    log: [UDP],
  },
  {
    name: 'prefer_udp: TC is followed',
    script: overUdp((asked, back) => back.send(replyTo(asked, { tc: true }))),
    rest: tcpClient,
    options: 'prefer_udp',
    line: `NOERROR ra | ${A1}`,
    log: [UDP, TCP],
  },
  { name: 'force_tcp', script: answerAll, options: 'force_tcp', line: `NOERROR ra | ${A1}`, log: [TCP] },
  {
    name: 'force_tcp wins over prefer_udp',
    script: answerAll,
    options: 'force_tcp\nprefer_udp',
    line: `NOERROR ra | ${A1}`,
    log: [TCP],
  },
  {
    name: 'FORMERR without OPT: asked again without EDNS',
    script: (asked, back) => back.send(asked.edns ? replyTo(asked, { rcode: 1 }) : good(asked)),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, UDP],
  },
  {
    name: 'FORMERR of nothing but a header',
    script: (asked, back) =>
      back.send(asked.edns ? replyTo(asked, { rcode: 1, question: new Uint8Array(0) }) : good(asked)),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, UDP],
  },
  {
    name: 'BADVERS',
    script: (asked, back) =>
      back.send(asked.edns ? replyTo(asked, { rcode: 16, opt: new Uint8Array(0) }) : good(asked)),
    line: `NOERROR ra | ${A1}`,
    log: [UDP, UDP],
  },
  {
    name: 'FORMERR with and without EDNS is the answer',
    script: (asked, back) => back.send(replyTo(asked, { rcode: 1 })),
    line: 'FORMERR ra',
    log: [UDP, UDP],
  },
  {
    name: 'FORMERR with an OPT is the answer',
    script: (asked, back) => back.send(replyTo(asked, { rcode: 1, opt: new Uint8Array(0) })),
    line: 'FORMERR ra',
    log: [UDP],
  },
  {
    name: 'another question over TCP is a failure',
    script: (asked, back) => back.send(evil(asked, { question: question('x.org') })),
    rest: tcpClient,
    options: 'max_connect_attempts 1',
    line: 'SERVFAIL ede23',
    log: [TCP],
  },
  {
    name: 'a reply in single octets over TCP',
    script: (asked, back) => {
      const octets = good(asked)
      back.raw(Uint8Array.of(octets.length >> 8))
      back.raw(Uint8Array.of(octets.length & 255))
      for (const octet of octets) back.raw(Uint8Array.of(octet))
    },
    rest: tcpClient,
    line: `NOERROR ra | ${A1}`,
  },
  {
    name: 'a large reply over TCP',
    script: (asked, back) => back.send(replyTo(asked, { answer: big })),
    rest: tcpClient,
    line: `NOERROR ra | ${big.map((_, i) => `www.example.org. 30 A c00002${i.toString(16).padStart(2, '0')}`).join(', ')}`,
  },
  {
    name: 'AXFR is not forwarded',
    script: answerAll,
    ask: 'example.org AXFR',
    rest: tcpClient,
    line: 'REFUSED ede21',
    log: [],
  },
]

for (const [way, open] of WAYS) {
  for (const { name, script, ask = 'www.example.org A', rest, options, line, log } of cases) {
    t.test(`${way}: ${name}`, async t => {
      const { stub, bench } = await benchTo(t, script, options, open)
      t.equal(await bench.line(ask, rest), line)
      if (log) t.strictSame(stub.log, log)
    })
  }
}
