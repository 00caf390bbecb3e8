// How long a reply may be kept by an HTTP cache, by what is in it.

import t from 'tap'
import { freshnessSeconds } from '../../src/wire/freshness.ts'
import { MessageWriter, type Sections } from '../../src/wire/message.ts'
import { name } from '../../src/wire/name.ts'
import { RCODE } from '../../src/wire/rcode.ts'
import { CLASS, TYPE } from '../../src/wire/rrtype.ts'
import { record } from '../support/words.ts'

function replyOf(
  rcode: number,
  sections: Partial<Record<keyof Sections, string[]>>,
  edns = false,
): Uint8Array {
  const records = (texts: string[] = []) => texts.map(record)
  const { answer, authority, additional } = sections
  return new MessageWriter().write(
    {
      id: 0,
      response: true,
      opcode: 0,
      authoritative: true,
      truncated: false,
      recursionDesired: true,
      recursionAvailable: false,
      authenticData: false,
      checkingDisabled: false,
      rcode,
      question: { qname: name('www.example.org'), qtype: TYPE.A, qclass: CLASS.IN },
    },
    { answer: records(answer), authority: records(authority), additional: records(additional) },
    edns ? { payloadSize: 1232, version: 0, dnssecOk: true, options: [] } : undefined,
    65535,
  )
}

const A = (ttl: number): string => `www.example.org ${ttl} A 192.0.2.1`
const SOA = (ttl: number): string => `example.org ${ttl} SOA ns.example.org hostmaster.example.org`
const NS = (ttl: number): string => `example.org ${ttl} NS ns.example.org`

const cases: [title: string, reply: Uint8Array, seconds: number][] = [
  ['one record', replyOf(RCODE.NOERROR, { answer: [A(30)] }), 30],
  ['the least of all sections', replyOf(RCODE.NOERROR, { answer: [A(30), A(20)], authority: [NS(10)], additional: [A(7)] }), 7],
  ['the OPT record is none of them', replyOf(RCODE.NOERROR, { answer: [A(30)] }, true), 30],
  ['zero', replyOf(RCODE.NOERROR, { answer: [A(0)] }), 0],
  ['an hour at most', replyOf(RCODE.NOERROR, { answer: [A(86_400)] }), 3600],
  ['no data', replyOf(RCODE.NOERROR, { authority: [SOA(15)] }), 15],
  ['no such name', replyOf(RCODE.NXDOMAIN, { authority: [SOA(15)] }), 15],
  ['no such name behind a CNAME', replyOf(RCODE.NXDOMAIN, { answer: ['www.example.org 30 CNAME a.org'], authority: [SOA(15)] }), 5],
  ['a referral', replyOf(RCODE.NOERROR, { authority: [NS(900)] }), 5],
  ['no records', replyOf(RCODE.NOERROR, {}), 5],
  ['an OPT record alone', replyOf(RCODE.NOERROR, {}, true), 5],
  ['a failure', replyOf(RCODE.SERVFAIL, { authority: [SOA(900)] }), 5],
  ['a refusal', replyOf(RCODE.REFUSED, {}), 5],
] // biome-ignore format: a table

for (const [title, reply, seconds] of cases) t.equal(freshnessSeconds(reply), seconds, title)
