// What is kept of a packet that waits: all that its way needs, and no more octets than a record has.

import fc from 'fast-check'
import t from 'tap'
import { type Origin, Packet, type PacketRoad, type Served } from '../../src/query/packet.ts'
import { sockaddr } from '../../src/query/sockaddr.ts'
import { RECORD_OCTETS, WAITING_MAX, WaitingRoom } from '../../src/query/waiting.ts'
import { type EdnsOption, MessageWriter } from '../../src/wire/message.ts'
import { formatName, type Name, name } from '../../src/wire/name.ts'
import { TYPE } from '../../src/wire/rrtype.ts'
import { encodeQuestion } from '../support/dns-question.ts'

const served: Served = { server: 'dns://:53', zoneText: '.', view: '', udpMaxOctets: 1232, words: [] }
const origin: Origin = {
  transport: 'udp',
  localOf: () => ({ address: '10.96.0.10', port: 53, family: 4 }),
  parked: () => undefined,
  reply: () => undefined,
}
const writer = new MessageWriter()

/** The octets of a query with EDNS and these options. */
const queryOf = (qname: Name, options: readonly EdnsOption[], id = 77): Uint8Array =>
  writer
    .write(
      {
        id,
        response: false,
        opcode: 0,
        authoritative: false,
        truncated: false,
        recursionDesired: true,
        recursionAvailable: false,
        authenticData: true,
        checkingDisabled: true,
        rcode: 0,
        question: { qname, qtype: TYPE.AAAA, qclass: 1 },
      },
      { answer: [], authority: [], additional: [] },
      { payloadSize: 1400, version: 0, dnssecOk: true, options },
      65535,
    )
    .slice()

/** A packet as a listener and the road fill it. */
function packetOf(octets: Uint8Array, address = '10.0.0.7', port = 40212): Packet {
  const packet = new Packet()
  const from = sockaddr(address, port)!
  Object.assign(packet, { octets, start: 0, end: octets.length, from, fromOctets: from.length, origin })
  Object.assign(packet, {
    slot: new Uint8Array(4096),
    slotOctets: 4096,
    family: address.includes(':') ? 6 : 4,
  })
  packet.begin(5)
  packet.scan.read(octets, 0, octets.length)
  packet.served = served
  packet.deadlineMs = 5005
  packet.limit = 1232
  packet.payloadSize = 1300
  packet.lookupsLeft = 9
  packet.at = 3
  packet.becomesSmaller = true
  packet.recursionDesired = true
  return packet
}

/** What handlers and the road can know of a packet. */
const facts = (packet: Packet): unknown => ({
  levels: Array.from({ length: packet.level + 1 }, (_, level) => {
    const { start, questionEnd, qtype, qclass, edns, dnssecOk, checkingDisabled } = packet.scanAt(level)
    const { recursionDesired, authenticData, payloadSize, id, optionBits } = packet.scanAt(level)
    const question = Buffer.from(packet.questionAt(level).subarray(start + 12, questionEnd)).toString('hex')
    return {
      ...{ question, qtype, qclass, edns, dnssecOk, checkingDisabled },
      ...{ recursionDesired, authenticData, payloadSize, id, optionBits },
    }
  }),
  client: packet.client,
  key: packet.clientKey,
  local: packet.local,
  options: [...packet.options.subarray(0, packet.optionsOctets)],
  stack: packet.stackAt.slice(0, packet.depth).map((at, i) => [at, packet.stackKept[i]]),
  codes: Array.from({ length: 100 }, (_, i) => packet.hasOption(i)),
  own: [3, 8, 10, 12, 65001].map(code => packet.hasOption(code)),
  numbers: [packet.at, packet.depth, packet.limit, packet.payloadSize, packet.lookupsLeft, packet.level],
  times: [packet.receivedAtMs, packet.deadlineMs, packet.requestOctets, packet.slotOctets],
  flags: [packet.recursionDesired, packet.authenticData, packet.family, packet.becomesSmaller],
})

const anyName = fc
  .array(fc.integer({ min: 1, max: 63 }), { minLength: 1, maxLength: 3 })
  .map(lengths => name(lengths.map((length, i) => 'aBcD'[i]!.repeat(length)).join('.')))
const anyOptions = fc.array(
  fc.record({
    code: fc.constantFrom(3, 8, 10, 12, 40, 99, 65001),
    data: fc.uint8Array({ maxLength: 40 }),
  }),
  { maxLength: 20 },
)

t.test('a packet that is woken is the packet that was parked', async t => {
  const room = new WaitingRoom(() => undefined)
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.record({
          asked: anyName,
          changed: fc.array(anyName, { maxLength: 3 }),
          options: anyOptions,
          kept: fc.array(fc.tuple(fc.nat(127), fc.oneof(fc.nat(), fc.string())), { maxLength: 5 }),
          reply: fc.uint8Array({ maxLength: 30 }),
          address: fc.constantFrom('10.0.0.7', '2001:db8::7'),
        }),
        ({ asked, changed, options, kept, reply, address }) => {
          const octets = queryOf(asked, options)
          const packet = packetOf(octets, address)
          // The scan refuses a subnet or a cookie of the wrong form.
          if (packet.scan.read(octets, 0, octets.length) !== 'ok') return true
          for (const qname of changed) packet.ask(qname, 0, qname.length, TYPE.A)
          kept.forEach(([at, value], i) => {
            packet.stackAt[i] = at
            packet.stackKept[i] = value
          })
          packet.depth = kept.length
          packet.addOption(10, reply)
          const before = JSON.stringify(facts(packet))
          const waiting = room.take(packet)!
          // The packet is another one's meanwhile.
          Object.assign(packet, { octets: encodeQuestion({ name: 'other.test' }) })
          packet.begin(9)
          const woken = new Packet()
          room.wake(waiting, woken)
          woken.road = undefined as unknown as PacketRoad
          room.leave(woken)
          return JSON.stringify(facts(woken)) === before
        },
      ),
      { numRuns: 500 },
    ),
  )
  t.equal(room.waiting, 0)
})

t.test('a reply that was there is there again', async t => {
  const room = new WaitingRoom(() => undefined)
  const packet = packetOf(queryOf(name('a.test.'), []))
  packet.fail(2, 22, 'nobody answers', 'plugin/x: a failure')
  const woken = new Packet()
  room.wake(room.take(packet)!, woken)
  t.match(woken, { rcode: 2, plugin: 0, error: 'plugin/x: a failure', reasonCode: 22 })
  t.equal(Buffer.from(woken.reason.subarray(0, woken.reasonOctets)).toString(), 'nobody answers')
  t.same(
    woken.out.subarray(woken.outAt, woken.outAt + woken.length),
    packet.out.subarray(packet.outAt, packet.outAt + packet.length),
  )
})

t.test('places', async t => {
  let refused = 0
  const room = new WaitingRoom(() => refused++, 100)
  const park = (address: string) => room.take(packetOf(queryOf(name('a.test.'), []), address))
  const noisy = Array.from({ length: 100 }, () => park('10.0.0.7')).filter(waiting => waiting !== undefined)
  t.equal(noisy.length, 50, 'one client has half of them at most')
  t.equal(refused, 50, 'and the rest is told')
  t.ok(park('10.0.0.8'), 'another one finds a place')
  const woken = new Packet()
  room.wake(noisy[0]!, woken)
  t.equal(room.waiting, 51, 'a packet on its way keeps its place')
  t.ok(room.take(woken), 'and needs no other one to wait again')
  t.equal(room.waiting, 51)
  room.wake(noisy[1]!, woken)
  room.leave(woken)
  t.equal(room.waiting, 50)
})

t.test('10,000 packets with 4 KB of padding, or with 32 options, leave a record each', async t => {
  for (const options of [
    [{ code: 12, data: new Uint8Array(4000) }],
    Array.from({ length: 32 }, (_, i) => ({ code: 65001 + i, data: new Uint8Array(100) })),
  ]) {
    const room = new WaitingRoom(() => undefined, 2 * WAITING_MAX)
    const park = (i: number) => {
      const qname = name(`query-${i}.a-namespace.svc.cluster.local.`)
      return room.take(packetOf(queryOf(qname, options), `10.${i >> 8}.${i & 255}.1`))
    }
    const before = process.memoryUsage()
    const waiting = Array.from({ length: 10_000 }, (_, i) => park(i))
    globalThis.gc?.()
    const after = process.memoryUsage()
    t.ok(waiting.every(each => each !== undefined))
    t.equal(Math.ceil(room.octets / RECORD_OCTETS / 128), Math.ceil(10_000 / 128), 'one record each')
    const grown = after.arrayBuffers - before.arrayBuffers
    if (globalThis.gc) t.ok(grown < 1.1 * room.octets, `${grown} octets`)
    const woken = new Packet()
    room.wake(waiting[4711]!, woken)
    t.equal(formatName(woken.qname), 'query-4711.a-namespace.svc.cluster.local.')
  }
})
