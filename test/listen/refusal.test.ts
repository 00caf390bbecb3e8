import t from 'tap'
import { refusal } from '../../src/listen/refusal.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion, type Question } from '../support/dns-question.ts'

const refuse = (question: Question) => {
  const reply = refusal(encodeQuestion(question, 77))
  return reply && decodeMessage(reply)
}

t.test('REFUSED with the question and, where asked with one, an OPT record', async t => {
  const plain = refuse({ name: 'A.Example.', type: 'MX', cd: true })
  t.match(plain, { id: 77, rcode: 'REFUSED', flags: { qr: true, aa: false, rd: true, ra: false, cd: true } })
  t.equal(plain?.edns, undefined)
  t.same(plain?.answer, [])
  const edns = refuse({ name: 'a.example.', edns: { udpSize: 4096, dnssecOk: true } })
  t.match(edns, { rcode: 'REFUSED', edns: { version: 0 } })
})

t.test('nothing for what is no query; a header alone where the question is broken', async t => {
  const query = encodeQuestion({ name: 'a.example.' }, 1)
  const response = Uint8Array.from(query)
  response[2]! |= 0x80
  t.equal(refusal(response), undefined)
  t.equal(refusal(query.subarray(0, 11)), undefined)
  t.equal(refusal(query.subarray(0, 20))?.length, 12)
})
