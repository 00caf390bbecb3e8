// The codec of the slow path: messages as upstreams send them.

import { decodeMessage, MessageWriter } from '../../../src/wire/message.ts'
import { name } from '../../../src/wire/name.ts'
import { record } from '../../support/words.ts'
import type { MicroCase } from './case.ts'

const LIMIT = 1232

export function codecCases(): MicroCase[] {
  const answer = [
    record('www.example.org. 300 CNAME web.example.org.'),
    ...Array.from({ length: 4 }, (_, i) => record(`web.example.org. 60 A 192.0.2.${i}`)),
  ]
  const head = {
    id: 4711,
    response: true,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
    question: { qname: name('www.example.org'), qtype: 1, qclass: 1 },
  }
  const edns = { payloadSize: LIMIT, version: 0, dnssecOk: false, options: [] }
  const writer = new MessageWriter()
  const encode = (): Uint8Array => writer.write(head, { answer, authority: [], additional: [] }, edns, LIMIT)
  const octets = Uint8Array.from(encode())
  if (decodeMessage(octets)?.answer.length !== answer.length) throw new TypeError('the codec lost a record')
  return [
    { title: 'codec: decode CNAME and 4 A', run: () => decodeMessage(octets) },
    { title: 'codec: encode CNAME and 4 A', run: encode },
  ]
}
