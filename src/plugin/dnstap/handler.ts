// `dnstap` at work: each query on its way down the chain, each reply on its way up, as the plugins behind made it (CoreDNS
// plugin/dnstap/handler.go); and what `forward` asks and hears.

import { LINE_MAX_OCTETS, LineWriter } from '../../observe/log-line.ts'
import { BACK, DONE, type Packet, type Step } from '../../query/packet.ts'
import { ipv4At, sockaddr } from '../../query/sockaddr.ts'
import type { Clock } from '../../shared/clock.ts'
import { FLAG_CD, FLAG_QR, FLAG_RD, MESSAGE_MAX, readU16, writeU16 } from '../../wire/header.ts'
import { OPT_OCTETS, writeOpt } from '../../wire/opt.ts'
import { compileFormat, type LogFormat } from '../log/format.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import {
  type DnstapConfig,
  MESSAGE_TYPES,
  type MessageType,
  QUEUE_MESSAGES,
  QUEUE_OCTETS,
  type TapConfig,
} from './config.ts'
import { type End, type Tapped, TapWriter } from './message.ts'
import { FrameSender } from './sender.ts'

interface Tap {
  readonly config: TapConfig
  readonly types: ReadonlySet<MessageType>
  readonly sender: FrameSender
  readonly writer: TapWriter
  /** Absent without `extra`. */
  readonly extra: LogFormat | undefined
}

/** Upstreams whose addresses are kept as octets; more are read anew. */
const UPSTREAMS_MAX = 256

export class DnstapHandler implements Handler {
  readonly #clock: Clock
  readonly #taps: readonly Tap[]
  readonly #line = new LineWriter()
  readonly #lineOctets = new Uint8Array(LINE_MAX_OCTETS)
  readonly #reply = new Uint8Array(MESSAGE_MAX + OPT_OCTETS)
  readonly #upstreams = new Map<string, End | undefined>()

  constructor({ taps }: DnstapConfig, context: ServingContext) {
    const { clock, log, meters, thread, threads } = context
    this.#clock = clock
    this.#taps = taps.map(config => ({
      config,
      types: new Set(config.types),
      sender: new FrameSender({
        endpoint: config.endpoint,
        text: config.text,
        skipVerify: config.skipVerify,
        framesMax: Math.ceil((config.queue * QUEUE_MESSAGES) / threads),
        octetsMax: Math.ceil((config.queue * QUEUE_OCTETS) / threads),
        clock,
        log,
        meters,
        tells: thread === 0,
      }),
      writer: new TapWriter(config.identity, config.version),
      extra: config.extra === '' ? undefined : compileFormat(config.extra, false),
    }))
  }

  handle(packet: Packet): Step {
    const { octets, start, end } = packet
    this.#tell(packet, 'CLIENT_QUERY', () => octets.subarray(start, end))
    return BACK
  }

  back(packet: Packet): Step {
    this.#tell(packet, 'CLIENT_RESPONSE', () => this.#replyOf(packet))
    return DONE
  }

  /**
   * `forward` has asked an upstream (its `to`) over a protocol since so many ms, with that message, and has heard this one, or
   * nothing.
   */
  forwarded(
    to: string,
    protocol: 'udp' | 'tcp',
    forMs: number,
    query: Uint8Array,
    reply: Uint8Array | undefined,
  ): void {
    const nowMs = this.#clock.wallMs()
    const base = { protocol, asked: this.#upstream(to), queriedAtMs: nowMs - forMs }
    for (const tap of this.#taps) {
      const { full, extra } = tap.config
      // As CoreDNS: of the query that is forwarded nothing is told beside it but the text as it is.
      const text = extra === '' ? undefined : Buffer.from(extra)
      const send = (type: MessageType, tapped: Omit<Tapped, 'type'>): void => {
        if (tap.types.has(type))
          tap.sender.send(tap.writer.frame({ ...tapped, type: MESSAGE_TYPES[type] }, text))
      }
      send('FORWARDER_QUERY', { ...base, octets: full ? query : undefined })
      if (reply !== undefined)
        send('FORWARDER_RESPONSE', { ...base, repliedAtMs: nowMs, octets: full ? reply : undefined })
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#taps.map(({ sender }) => sender.stop()))
  }

  #tell(packet: Packet, type: 'CLIENT_QUERY' | 'CLIENT_RESPONSE', octetsOf: () => Uint8Array): void {
    let octets: Uint8Array | undefined
    const isReply = type === 'CLIENT_RESPONSE'
    const wallMs = this.#clock.wallMs()
    const forMs = this.#clock.nowMs() - packet.receivedAtMs
    for (const { config, types, sender, writer, extra } of this.#taps) {
      if (!types.has(type)) continue
      if (config.full) octets ??= octetsOf()
      const tapped = {
        type: MESSAGE_TYPES[type],
        protocol: packet.transport === 'udp' ? 'udp' : 'tcp',
        asker: askerOf(packet),
        queriedAtMs: wallMs - forMs,
        ...(isReply && { repliedAtMs: wallMs }),
        octets: config.full ? octets : undefined,
      } as const
      sender.send(writer.frame(tapped, extra && this.#extra(extra, packet, forMs)))
    }
  }

  #extra(format: LogFormat, packet: Packet, durationMs: number): Uint8Array {
    this.#line.begin(this.#lineOctets, 0)
    format.write(this.#line, packet, durationMs, undefined)
    return this.#lineOctets.subarray(0, this.#line.at)
  }

  /** The reply as a message: with the client's id and flags, and an OPT record where it sent one. */
  #replyOf(packet: Packet): Uint8Array {
    const { out, outAt, length, asked, rcode } = packet
    const reply = this.#reply
    for (let i = 0; i < length; i++) reply[i] = out[outAt + i]!
    writeU16(reply, 0, asked.id)
    const recursionDesired = packet.replyRecursionDesired ?? asked.recursionDesired
    reply[2] = (reply[2]! & ~FLAG_RD) | FLAG_QR | (recursionDesired ? FLAG_RD : 0)
    reply[3] = (reply[3]! & ~FLAG_CD) | (asked.checkingDisabled ? FLAG_CD : 0)
    if (!asked.edns || length + OPT_OCTETS > MESSAGE_MAX) return reply.subarray(0, length)
    const end = writeOpt(reply, length, rcode, asked.dnssecOk)
    writeU16(reply, 10, readU16(reply, 10) + 1)
    return reply.subarray(0, end)
  }

  #upstream(to: string): End | undefined {
    const known = this.#upstreams.get(to)
    if (known !== undefined) return known
    const [, address = '', port = ''] = /(\[?[\d.:a-f%\w]+\]?):(\d+)$/i.exec(to) ?? []
    const octets = sockaddr(address.replace(/^\[|\]$/g, ''), 0)
    const end = octets && { octets: addressIn(octets, 0), port: Number(port) }
    if (this.#upstreams.size < UPSTREAMS_MAX) this.#upstreams.set(to, end)
    return end
  }
}

const askerOf = ({ from, fromAt }: Packet): End => ({
  octets: addressIn(from, fromAt),
  port: readU16(from, fromAt + 2),
})

/** The address in a socket address; a mapped one is IPv4. */
function addressIn(octets: Uint8Array, at: number): Uint8Array {
  const v4At = ipv4At(octets, at)
  return v4At >= 0 ? octets.subarray(v4At, v4At + 4) : octets.subarray(at + 8, at + 24)
}
