// `trace` at work: one query in so many gets a recorder on its way down, whose spans are sent once it has its reply (CoreDNS
// plugin/trace/trace.go).

import { BACK, DONE, DROP, type Kept, NEXT, type Packet, type Step } from '../../query/packet.ts'
import type { Clock } from '../../shared/clock.ts'
import { formatName } from '../../wire/name.ts'
import { rcodeName } from '../../wire/rcode.ts'
import { typeName } from '../../wire/rrtype.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import type { TraceConfig } from './config.ts'
import { type Parent, parentOf } from './parent.ts'
import { Recorder } from './recorder.ts'
import { SpanSender } from './sender.ts'

const SPAN = 'servedns'
const TRACE_ID = 'trace/traceid'

export class TraceHandler implements Handler {
  readonly seesDrops = true
  readonly #config: TraceConfig
  readonly #every: number
  readonly #clock: Clock
  readonly #sender: SpanSender
  /** Queries until the next one that is traced. */
  #left: number

  constructor(config: TraceConfig, context: ServingContext) {
    const { clock, log, meters, thread, threads } = context
    this.#config = config
    this.#every = config.every === 0 ? Number.POSITIVE_INFINITY : config.every
    this.#left = this.#every
    this.#clock = clock
    this.#sender = new SpanSender({ config, clock, log, meters, threads, tells: thread === 0 })
  }

  /** HOT. */
  handle(packet: Packet): Step {
    if (packet.isLookUp || packet.isForNobody || --this.#left > 0) return NEXT
    this.#left = this.#every
    // Somebody explains it.
    if (packet.trace !== undefined) return NEXT
    const parent = packet.transport === 'https' ? this.#parentOf(packet) : undefined
    // As its client wants it.
    if (parent?.isSampled === false) return NEXT
    const recorder = new Recorder(this.#clock, packet.receivedAtMs, parent, this.#config.clientServer)
    packet.trace = recorder
    packet.setLabel(TRACE_ID, recorder.traceId)
    packet.keep(recorder)
    return BACK
  }

  back(packet: Packet, kept: Kept): Step {
    packet.trace = undefined
    const { asked, isDropped } = packet
    const tags: [string, string][] = [
      ['coredns.io/name', formatName(asked.folded.slice(0, asked.foldedLength))],
      ['coredns.io/type', typeName(asked.qtype)],
      ['coredns.io/proto', packet.transport === 'udp' ? 'udp' : 'tcp'],
      ['coredns.io/remote', packet.client.address],
    ]
    // CoreDNS says NOERROR there.
    if (!isDropped) tags.push(['coredns.io/rcode', rcodeName(packet.rcode)])
    this.#sender.send((kept as Recorder).end(SPAN, tags, packet.error))
    return isDropped ? DROP : DONE
  }

  #parentOf({ origin }: Packet): Parent | undefined {
    return parentOf(this.#config.type, name => origin.header?.(name))
  }

  stop(): Promise<void> {
    return this.#sender.stop()
  }
}
