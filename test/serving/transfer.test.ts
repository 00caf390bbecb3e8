import t from 'tap'
import type { RecordStream } from '../../src/query/zone-copy.ts'
import { TRANSFER_MESSAGE_OCTETS, TransferMessages } from '../../src/serving/transfer.ts'
import { MessageWriter } from '../../src/wire/message.ts'
import { name } from '../../src/wire/name.ts'
import { type Rr, rr } from '../../src/wire/record.ts'
import { CLASS, TYPE } from '../../src/wire/rrtype.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { record } from '../support/words.ts'

const SOA = record('example.org. 60 SOA ns.example.org. host.example.org.')

/** A stream of these records that tells what becomes of it. */
class Stream implements RecordStream {
  ended = 0
  readonly #records: Iterator<Rr>
  readonly complete: boolean

  constructor(records: Iterable<Rr>, complete = true) {
    this.#records = records[Symbol.iterator]()
    this.complete = complete
  }

  next(): Rr | undefined {
    const step = this.#records.next()
    return step.done ? undefined : step.value
  }

  end(): void {
    this.ended++
  }
}

const head = new MessageWriter()
  .write(
    {
      id: 77,
      response: true,
      opcode: 0,
      authoritative: true,
      truncated: false,
      recursionDesired: true,
      recursionAvailable: false,
      authenticData: false,
      checkingDisabled: false,
      rcode: 0,
      question: { qname: name('example.org.'), qtype: TYPE.AXFR, qclass: CLASS.IN },
    },
    { answer: [], authority: [], additional: [] },
    undefined,
    512,
  )
  .slice()

function messagesOf(stream: Stream, failed: (error: unknown) => void = () => {}) {
  return new TransferMessages(head, stream, failed)
}

t.test('records fill messages, each a reply of its own', async t => {
  const addresses = Array.from({ length: 3000 }, (_, i) => record(`h${i}.example.org. 5 A 10.0.0.1`))
  const stream = new Stream([SOA, ...addresses, SOA])
  const messages = messagesOf(stream)
  const texts: string[] = []
  let count = 0
  for (;;) {
    const message = messages.next()
    if (!(message instanceof Uint8Array)) {
      t.equal(message, 'complete')
      break
    }
    count++
    t.ok(message.length <= TRANSFER_MESSAGE_OCTETS, `${message.length} octets`)
    const reply = decodeMessage(message)
    t.equal(reply.id, 77)
    t.ok(reply.flags.aa && reply.flags.qr && !reply.flags.tc)
    t.same(reply.question, ['example.org. IN AXFR'])
    texts.push(...reply.records.answer.map(({ text }) => text))
  }
  t.equal(texts.length, 3002)
  t.equal(texts[0], texts.at(-1))
  t.equal(new Set(texts).size, 3001)
  t.ok(count > 5 && count < 12, `${count} messages`)
  messages.end()
  messages.end()
  t.equal(stream.ended, 1)
  t.equal(messages.next(), 'cut', 'nothing is drawn behind the end')
})

t.test('a record that is larger than a message should be has one of its own', async t => {
  const large = rr(name('large.example.org.'), TYPE.TXT, 5, new Uint8Array(64_000))
  const messages = messagesOf(new Stream([SOA, large, SOA]))
  const counts = [0, 1, 2].map(() => {
    const message = messages.next()
    return message instanceof Uint8Array ? [decodeMessage(message).answer.length, message.length] : message
  })
  t.same(
    counts.map(each => (Array.isArray(each) ? each[0] : each)),
    [1, 1, 1],
  )
  t.equal(messages.next(), 'complete')
})

t.test('a stream that stops before its end', async t => {
  const messages = messagesOf(new Stream([SOA], false))
  t.ok(messages.next() instanceof Uint8Array)
  t.equal(messages.next(), 'cut')
})

t.test('a plugin with a bug', async t => {
  const errors: unknown[] = []
  const failing = (function* (): Generator<Rr> {
    yield SOA
    throw new RangeError('a bug')
  })()
  const messages = messagesOf(new Stream(failing), error => errors.push(error))
  t.equal(messages.next(), 'cut', 'what was drawn before is not sent')
  t.match(errors, [/a bug/])
})
