// Queries and replies of tests as packets of the road, and packets as queries and replies.

import { pluginIndex, pluginName } from '../../src/observe/query-meters.ts'
import type { Handler } from '../../src/plugin/plugin.ts'
import { readIxfrSerial } from '../../src/plugin/transfer/serial.ts'
import { DONE, DROP as DROPPED, type Packet, type Step, WAIT } from '../../src/query/packet.ts'
import { sockaddr } from '../../src/query/sockaddr.ts'
import { MESSAGE_MAX, PAYLOAD_DEFAULT } from '../../src/wire/header.ts'
import { decodeMessage, decodeOptions, encodeOptions, MessageWriter } from '../../src/wire/message.ts'
import { ROOT } from '../../src/wire/name.ts'
import { OPCODE } from '../../src/wire/rcode.ts'
import { type Rr, rr, soaRdata } from '../../src/wire/record.ts'
import { TYPE } from '../../src/wire/rrtype.ts'
import type { Query } from './query.ts'
import { readOptions } from './query-read.ts'
import { DROP, type Next, type Outcome } from './reply.ts'

const writer = new MessageWriter()

/** The question of a packet as it is now. */
export function queryOf(packet: Packet): Query {
  const { scan, asked, served, labels = new Map(), addedOptions } = packet
  return {
    id: asked.id,
    question: { qname: packet.qname, qtype: scan.qtype, qclass: scan.qclass },
    recursionDesired: asked.recursionDesired,
    asksRecursion: packet.recursionDesired,
    authenticData: packet.authenticData,
    checkingDisabled: asked.checkingDisabled,
    edns: asked.edns
      ? {
          payloadSize: packet.payloadSize,
          dnssecOk: asked.dnssecOk,
          options: readOptions(asked, packet.octets),
        }
      : undefined,
    ixfrSerial:
      scan.qtype === TYPE.IXFR ? readIxfrSerial(packet.octets.subarray(packet.start, packet.end)) : undefined,
    addedOptions: addedOptions && decodeOptions(addedOptions, 0, addedOptions.length),
    transport: packet.transport,
    client: packet.client,
    local: packet.local,
    server: served.server,
    zone: served.zoneText,
    view: served.view,
    requestOctets: packet.requestOctets,
    replyMaxOctets: packet.becomesSmaller ? MESSAGE_MAX : packet.limit,
    receivedAtMs: packet.receivedAtMs,
    deadlineMs: packet.deadlineMs,
    budget: { lookupsLeft: packet.lookupsLeft },
    metadata: labels,
    trace: packet.trace,
    lookup: () => Promise.reject(new Error('nothing is looked up for what was handed on')),
  }
}

/** The handler behind all others: what `next` says, now or later, is the reply. */
export const endOf = (next: Next): Handler => ({
  handle(packet) {
    const outcome = next(queryOf(packet))
    if (!(outcome instanceof Promise)) return encode(packet, outcome)
    const waiting = packet.park()
    // The reply says that there is no place; what comes of it is for nobody.
    if (waiting === undefined) return DONE
    const { road } = packet
    outcome.then(
      late => {
        const woken = waiting.wake()
        woken?.goOn(encode(woken, late))
      },
      (error: unknown) => {
        const woken = waiting.wake()
        if (woken) road.broken(woken, error)
      },
    )
    return WAIT
  },
})

/** A reply becomes that of the packet. */
export function encode(packet: Packet, outcome: Outcome): Step {
  if (outcome === DROP) return DROPPED
  const { qtype, qclass } = packet.scan
  const question = { qname: packet.qname, qtype, qclass }
  const head = { ...outcome, id: 0, response: true, opcode: OPCODE.QUERY, question }
  const flags = { recursionDesired: false, checkingDisabled: false }
  const octets = writer.write({ ...head, ...flags }, outcome, undefined, MESSAGE_MAX)
  packet.clear()
  packet.enlarge()
  packet.out.set(octets, packet.outAt)
  packet.length = octets.length
  packet.rcode = outcome.rcode
  packet.plugin = pluginIndex(outcome.plugin)
  packet.error = outcome.error
  packet.setReason(outcome.extendedError?.code ?? -1, outcome.extendedError?.text)
  packet.replyRecursionDesired = outcome.recursionDesired
  packet.transfer = outcome.transfer
  for (const { code, data } of outcome.options ?? []) packet.addOption(code, data)
  return DONE
}

/** The reply of a packet. */
export function decode(packet: Packet): Outcome {
  if (packet.isDropped) return DROP
  const { out, outAt, length, reasonCode, options, optionsOctets } = packet
  const message = decodeMessage(Uint8Array.prototype.slice.call(out, outAt, outAt + length))
  if (!message) throw new Error('a reply of the road cannot be read')
  const { answer, authority, additional, authoritative, truncated } = message
  const reason = Buffer.from(packet.reason.subarray(0, packet.reasonOctets)).toString('utf8')
  return {
    rcode: packet.rcode,
    authoritative,
    truncated,
    recursionAvailable: message.recursionAvailable,
    authenticData: message.authenticData,
    recursionDesired: packet.replyRecursionDesired,
    answer,
    authority,
    additional,
    transfer: packet.transfer,
    extendedError: reasonCode < 0 ? undefined : { code: reasonCode, text: reason },
    options: decodeOptions(options, 0, optionsOctets) ?? [],
    plugin: pluginName(packet.plugin),
    error: packet.error,
  }
}

/** A packet as the client of the query sends it. */
export function fill(packet: Packet, query: Query): void {
  const { edns, question } = query
  const head = {
    id: query.id,
    response: false,
    opcode: OPCODE.QUERY,
    authoritative: false,
    truncated: false,
    recursionDesired: query.recursionDesired,
    recursionAvailable: false,
    authenticData: query.authenticData,
    checkingDisabled: query.checkingDisabled,
    rcode: 0,
    question,
  }
  const sections = { answer: [], authority: ixfrSoa(query), additional: [] }
  const opt = edns && { ...edns, version: 0, payloadSize: edns.payloadSize || PAYLOAD_DEFAULT }
  packet.octets = writer.write(head, sections, opt, MESSAGE_MAX).slice()
  packet.start = 0
  packet.end = packet.octets.length
  packet.enlarge()
  packet.slot = packet.out
  packet.slotAt = 0
  packet.slotOctets = MESSAGE_MAX
  packet.from = sockaddr(query.client.address, query.client.port)!
  packet.fromAt = 0
  packet.fromOctets = packet.from.length
  packet.family = query.client.family
}

/** What of the query is not in its octets. */
export function adjust(packet: Packet, query: Query): void {
  packet.receivedAtMs = query.receivedAtMs
  packet.deadlineMs = query.deadlineMs
  packet.requestOctets = query.requestOctets
  packet.limit = query.replyMaxOctets
  packet.lookupsLeft = query.budget.lookupsLeft
  packet.authenticData = query.authenticData
  packet.payloadSize = query.edns?.payloadSize ?? 512
  packet.trace = query.trace
  packet.optionsOctets = 0
  packet.takeLabels(query.metadata, true)
  packet.addedOptions =
    query.addedOptions && query.addedOptions.length > 0 ? encodeOptions(query.addedOptions) : undefined
}

/** The SOA that the client of an IXFR has (RFC 1995 section 3). */
function ixfrSoa({ ixfrSerial, question: { qname } }: Query): Rr[] {
  return ixfrSerial === undefined
    ? []
    : [rr(qname, TYPE.SOA, 0, soaRdata(ROOT, ROOT, [ixfrSerial, 0, 0, 0, 0]))]
}
