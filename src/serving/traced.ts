// A question that a person wants to know everything about: sent down the road of a listener as if a client had asked it, with
// a trace. What comes back is plain data, so that a serving thread can hand it to the control thread.

import { PARKED, type Responder } from '../listen/responder.ts'
import { pluginName } from '../observe/query-meters.ts'
import { type NoteFacts, type Origin, Packet, type Trace } from '../query/packet.ts'
import { type Endpoint, sockaddr, type Transport } from '../query/sockaddr.ts'
import { readExtendedError } from '../wire/extended-error.ts'
import { MESSAGE_MAX } from '../wire/header.ts'
import { decodeMessage, queryMessage } from '../wire/message.ts'
import { formatName, type Name } from '../wire/name.ts'
import { rcodeName } from '../wire/rcode.ts'
import { rdataText } from '../wire/record-text.ts'
import { CLASS, typeName } from '../wire/rrtype.ts'

/** What is asked, by whom. */
export interface TracedQuestion {
  readonly qname: Name
  readonly qtype: number
  /** The client's address; `port` is what a view may look at. */
  readonly client: Endpoint
  readonly local: Endpoint
  readonly transport: Transport
}

/** What a plugin did (query/packet.ts Trace). */
export interface TracedNote {
  readonly word: string
  readonly text: string
  readonly facts?: NoteFacts
}

export interface TracedRecord {
  readonly name: string
  readonly ttlSeconds: number
  readonly type: string
  readonly data: string
}

/** What became of the question. */
export interface Transcript {
  readonly name: string
  readonly type: string
  readonly notes: readonly TracedNote[]
  /** `reply`, `silence` (nobody gets a reply) or `transfer` (a zone, over TCP). */
  readonly outcome: 'reply' | 'silence' | 'transfer'
  /** NOERROR and so on. */
  readonly rcode: string
  readonly truncated: boolean
  readonly answer: readonly TracedRecord[]
  /** Why there is nothing, as a client with EDNS is told (RFC 8914). */
  readonly reason: string
  readonly reasonCode: number | undefined
  /** The plugin that wrote the reply; '' is the server itself. */
  readonly plugin: string
  readonly tookMs: number
}

/** A question makes no more of them: a chain that goes on is cut there. */
const NOTES_MAX = 200
/** What dig and others announce. */
const PAYLOAD_OCTETS = 1232

/** Asks on the road of a listener. Never rejects: a bug on the way becomes SERVFAIL, as for any client. */
export function askTraced(responder: Responder, question: TracedQuestion): Promise<Transcript> {
  const { client, local, transport } = question
  const { promise, resolve } = Promise.withResolvers<Transcript>()
  const notes: TracedNote[] = []
  const trace: Trace = {
    said: () => undefined,
    note(word, text, facts) {
      if (notes.length < NOTES_MAX) notes.push({ word, text, ...(facts && { facts }) })
    },
  }
  const startedMs = performance.now()
  const settle = (packet: Packet, octets: number): void =>
    resolve(transcriptOf(question, packet, octets, notes, performance.now() - startedMs))
  const origin: Origin = { transport, localOf: () => local, parked: () => undefined, reply: settle }
  const packet = new Packet()
  packet.octets = queryMessage(0, { ...question, qclass: CLASS.IN }, PAYLOAD_OCTETS)
  packet.end = packet.octets.length
  packet.from = sockaddr(client.address, client.port) ?? new Uint8Array(0)
  packet.fromOctets = packet.from.length
  packet.family = client.family
  packet.origin = origin
  packet.trace = trace
  packet.slot = new Uint8Array(MESSAGE_MAX)
  packet.slotOctets = MESSAGE_MAX
  responder.enter()
  const length = responder.answer(packet)
  responder.leave()
  if (length !== PARKED) settle(packet, length)
  return promise
}

function transcriptOf(
  { qname, qtype }: TracedQuestion,
  packet: Packet,
  octets: number,
  notes: readonly TracedNote[],
  tookMs: number,
): Transcript {
  packet.messages?.end()
  const { slot, slotAt } = packet
  const message = octets > 0 ? decodeMessage(slot.slice(slotAt, slotAt + octets)) : undefined
  const reason = readExtendedError(message?.edns?.options ?? [])
  return {
    name: formatName(qname),
    type: typeName(qtype),
    notes,
    outcome: message ? 'reply' : packet.messages ? 'transfer' : 'silence',
    rcode: rcodeName(message?.rcode ?? packet.rcode),
    truncated: message?.truncated ?? false,
    answer: (message?.answer ?? []).map(record => ({
      name: formatName(record.owner),
      ttlSeconds: record.ttlSeconds,
      type: typeName(record.type),
      data: rdataText(record),
    })),
    reason: reason?.text ?? '',
    reasonCode: reason?.code,
    plugin: pluginName(packet.plugin),
    tookMs: Math.round(tookMs * 10) / 10,
  }
}
