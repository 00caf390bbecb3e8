// What a forwarded question costs beside the road: written for an upstream, parked and woken, its reply judged and written down
// for all who asked.

import { writeAsked } from '../../../src/plugin/forward/asked.ts'
import { FITS, type Sent, UpstreamReply } from '../../../src/plugin/forward/reply.ts'
import { type Origin, Packet, type PacketRoad, type Served } from '../../../src/query/packet.ts'
import { sockaddr } from '../../../src/query/sockaddr.ts'
import { WaitingRoom } from '../../../src/query/waiting.ts'
import { MessageWriter } from '../../../src/wire/message.ts'
import { name } from '../../../src/wire/name.ts'
import { encodeQuestion } from '../../support/dns-client.ts'
import { record } from '../../support/words.ts'
import type { MicroCase } from './case.ts'

const WWW = 'www.example.org'
const ID = 4711
const PAYLOAD_SIZE = 1232
const QUESTION_MAX_OCTETS = 300
const REPLY_MAX_OCTETS = 4096
const DEADLINE_MS = 5000
const FLAGS = { recursionDesired: true, checkingDisabled: false, dnssecOk: false }

function questionCase(): MicroCase {
  const out = new Uint8Array(QUESTION_MAX_OCTETS)
  const qname = name(WWW)
  return {
    title: 'forward: question written',
    run: () => writeAsked(out, qname, qname.length, 1, 1, FLAGS, PAYLOAD_SIZE, undefined),
    timesMax: 0.5,
  }
}

/** An alias and two addresses, as an upstream sends them. */
function replyCase(): MicroCase {
  const qname = name(WWW)
  const head = {
    id: ID,
    response: true,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
    question: { qname, qtype: 1, qclass: 1 },
  }
  const answer = [
    record('www.example.org. 300 CNAME web.example.org.'),
    record('web.example.org. 60 A 192.0.2.1'),
    record('web.example.org. 60 A 192.0.2.2'),
  ]
  const sections = { answer, authority: [], additional: [] }
  const edns = { payloadSize: PAYLOAD_SIZE, version: 0, dnssecOk: false, options: [] }
  const octets = new MessageWriter().write(head, sections, edns, PAYLOAD_SIZE).slice()
  const question = new Uint8Array(QUESTION_MAX_OCTETS)
  const questionEnd = writeAsked(question, qname, qname.length, 1, 1, FLAGS, PAYLOAD_SIZE, undefined) % 65536
  const sent: Sent = {
    question,
    questionEnd,
    qtype: 1,
    qclass: 1,
    payloadSize: PAYLOAD_SIZE,
    addedOptions: undefined,
    bounds: undefined,
    dnssecOk: false,
  }
  const reply = new UpstreamReply()
  const run = (): number => reply.judge(octets, 0, octets.length, sent, ID, true, 'udp')
  if (run() !== FITS) throw new TypeError('the reply does not fit its question')
  return { title: 'forward: reply judged and written down, CNAME and 2 A', run, timesMax: 3 }
}

/** A record of the packet is made, and the packet out of it again. */
function waitingCase(): MicroCase {
  const room = new WaitingRoom(() => undefined)
  const woken = new Packet()
  const packet = new Packet()
  const octets = Uint8Array.from(encodeQuestion({ name: WWW }, ID))
  const from = sockaddr('10.0.0.7', 40212)!
  const origin: Origin = {
    transport: 'udp',
    localOf: () => ({ address: '10.96.0.10', port: 53, family: 4 }),
    parked: () => undefined,
    reply: () => undefined,
  }
  const served: Served = {
    server: 'dns://:53',
    zoneText: '.',
    view: '',
    udpMaxOctets: PAYLOAD_SIZE,
    words: [],
  }
  const slot = new Uint8Array(REPLY_MAX_OCTETS)
  Object.assign(packet, { octets, end: octets.length, from, fromOctets: from.length, origin, served })
  Object.assign(packet, { slot, slotOctets: slot.length, road: {} as PacketRoad, deadlineMs: DEADLINE_MS })
  packet.begin(0)
  packet.scan.read(octets, 0, octets.length)
  const run = (): boolean => {
    const waiting = room.take(packet)
    if (waiting === undefined) return false
    room.wake(waiting, woken)
    room.leave(woken)
    packet.hasPlace = false
    return true
  }
  if (!run()) throw new TypeError('there is no place to wait at')
  return { title: 'forward: packet parked and woken', run, timesMax: 2 }
}

export const forwardCases = (): MicroCase[] => [questionCase(), replyCase(), waitingCase()]
