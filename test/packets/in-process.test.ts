// Any octets at all, in process: the scan, the codec and the road of a query take them without a throw, read and write within
// their bounds, and send nothing that nobody wrote. Buffers are filled with one canary and then with another: what differs
// came from memory that is not theirs. The packets are the fuzzer's.

import t from 'tap'
import { PARKED } from '../../src/listen/responder.ts'
import { decodeMessage, MessageWriter } from '../../src/wire/message.ts'
import { OPTION, Scan } from '../../src/wire/scan.ts'
import { Mix } from '../fuzz/mix.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import fc, { runs } from '../support/properties.ts'
import { ServerBlock } from '../support/server-block.ts'
import { checkReply } from '../support/universal-checks.ts'

const CANARIES = [0xaa, 0x55] as const
/** Octets around a packet or a reply that are not its own. */
const AROUND = 40
const RUNS = { numRuns: runs(4000) }
const SLOW_RUNS = { numRuns: runs(600) }

const mix = new Mix(1)
/** A packet by a number that shows in a failure's report. */
const packets = fc.nat(0xffffffff).map(seed => Uint8Array.from(new Mix(seed, mix.corpus).next().octets))

/** The packet with canaries around it. */
const surrounded = (packet: Uint8Array, canary: number): Uint8Array => {
  const memory = new Uint8Array(AROUND + packet.length + AROUND).fill(canary)
  memory.set(packet, AROUND)
  return memory
}

t.test('the scan depends on nothing but the packet, and changes nothing', async t => {
  const facts = (packet: Uint8Array, canary: number): unknown => {
    const memory = surrounded(packet, canary)
    const scan = new Scan()
    const verdict = scan.read(memory, AROUND, AROUND + packet.length)
    const at = scan.findOption(memory, OPTION.COOKIE)
    if (scan.questionEnd > AROUND + packet.length || scan.optionsEnd > AROUND + packet.length)
      throw new RangeError('beyond the packet')
    if (Buffer.compare(memory, surrounded(packet, canary)) !== 0) throw new Error('the packet was changed')
    const { folded, foldedLength, labelAt, labelCount, start: _start, end: _end, ...rest } = scan
    const options = [...Array(32).keys()].filter(code => scan.hasOption(code))
    return [
      verdict,
      at,
      [...folded.subarray(0, foldedLength)],
      [...labelAt.subarray(0, labelCount)],
      options,
      rest,
    ]
  }
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        packets,
        packet => JSON.stringify(facts(packet, 0xaa)) === JSON.stringify(facts(packet, 0x55)),
      ),
      RUNS,
    ),
  )
})

t.test('decode(encode(decode(x))) is decode(x)', async t => {
  const writer = new MessageWriter()
  let decoded = 0
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(packets, packet => {
        const message = decodeMessage(packet)
        if (!message || message.questions.length > 1) return true
        decoded++
        const written = writer.write(
          { ...message, question: message.questions[0] },
          message,
          message.edns,
          65535,
        )
        const again = decodeMessage(written.slice())
        return JSON.stringify(again) === JSON.stringify(message)
      }),
      RUNS,
    ),
  )
  t.ok(decoded > RUNS.numRuns / 10, `${decoded} messages`)
})

t.test('what the writer wrote before does not show', async t => {
  const used = new MessageWriter()
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(packets, packet => {
        const message = decodeMessage(packet)
        if (!message) return true
        const write = (writer: MessageWriter): string =>
          Buffer.from(
            writer.write({ ...message, question: message.questions[0] }, message, message.edns, 65535),
          ).toString('hex')
        return write(used) === write(new MessageWriter())
      }),
      SLOW_RUNS,
    ),
  )
})

const STOCK =
  'kubernetes cluster.local in-addr.arpa ip6.arpa {\npods insecure\nfallthrough in-addr.arpa ip6.arpa\n}\ncache 30\nloadbalance'

t.test('the fast path writes into its place and nothing that it did not make', async t => {
  const block = new ServerBlock(STOCK)
  t.teardown(() => block.stop())
  const limits = fc.constantFrom(512, 1232, 4096)
  let answered = 0
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(packets, limits, (packet, limit) => {
        const replies = CANARIES.map(canary => {
          const memory = surrounded(packet, canary)
          const out = new Uint8Array(AROUND + limit + AROUND).fill(canary)
          const length = block.answerInto(memory, AROUND, AROUND + packet.length, out, AROUND, limit)
          const outside = [...out.subarray(0, AROUND), ...out.subarray(AROUND + limit)]
          if (length > limit || outside.some(octet => octet !== canary))
            throw new RangeError('written outside')
          if (Buffer.compare(memory, surrounded(packet, canary)) !== 0)
            throw new Error('the packet was changed')
          return length === PARKED ? new Uint8Array(0) : out.slice(AROUND, AROUND + length)
        })
        const [first, second] = replies as [Uint8Array, Uint8Array]
        if (first.length > 0) {
          answered++
          checkReply(packet, first, 'udp')
        }
        return Buffer.compare(first, second) === 0
      }),
      RUNS,
    ),
  )
  t.ok(answered > RUNS.numRuns / 3, `${answered} answers`)
})

t.test('the slow path says the same whatever was asked before', async t => {
  const block = new ServerBlock(STOCK)
  t.teardown(() => block.stop())
  const large = encodeQuestion({ name: 'hl.demo.svc.cluster.local', type: 'SRV', edns: { udpSize: 4096 } })
  await t.resolves(
    fc.assert(
      fc.asyncProperty(packets, async packet => {
        const first = await block.slow(packet)
        await block.slow(large)
        const second = await block.slow(packet)
        if (first) checkReply(packet, first, 'udp')
        return Buffer.compare(first ?? new Uint8Array(0), second ?? new Uint8Array(0)) === 0
      }),
      SLOW_RUNS,
    ),
  )
})
