// `loop`: finds queries that this server forwards to itself (CoreDNS plugin/loop). Each thread asks its own block, through
// the chain, for a name of 128 random bits; if that question comes back from the network, what was forwarded returns.
// CoreDNS ends its process then; here the loop is broken and reported: while it lasts, questions that would be forwarded are
// answered SERVFAIL, and another probe is asked until none comes back. A name is good for one probe: whoever learns it from
// a log or from an upstream can do nothing with it later (CVE-2026-26018).

import { once, readLine } from '../corefile/arguments.ts'
import { NEXT, type Packet, type Step, type Waiting } from '../query/packet.ts'
import type { Timer } from '../shared/clock.ts'
import { lazy } from '../shared/lazy.ts'
import { EDE } from '../wire/extended-error.ts'
import { countLabels, formatName, type Name, name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import { zoneInScan } from '../wire/scan.ts'
import type { Handler, ServingContext, Word } from './plugin.ts'

export type LoopConfig = Record<string, never>

/** When the first probe goes out, and how long a thread waits for the next while a loop lasts. */
const FIRST_PROBE_MS = 500
const AGAIN_MS = 10_000
/** A probe is heard for this long, also where it was answered sooner. */
const LISTEN_MS = 2000
/**
 * The question may come this often: only when it is sent. CoreDNS waits for the third, but `forward` here asks the same
 * question upstream only once at a time, so that a probe that is under way goes round once.
 */
const SEEN_MAX = 1
const LOOP = 'a forwarding loop: this server is its own upstream'

export const loopWord: Word<LoopConfig> = {
  word: 'loop',
  doc: {
    usage: 'loop',
    meaning: 'finds queries that this server forwards to itself',
    options: [],
    notes: [
      'A loop that is found stops forwarding until it is gone and says so in the log; CoreDNS ends its process.',
    ],
    example: `
      . {
          loop
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    readLine(directive, problems, () => {})
    return {}
  },
  effect: () => ({ transparent: true }),
  create: (_config, context) => new LoopHandler(context),
}

export class LoopHandler implements Handler {
  readonly #context: ServingContext
  #timer: Timer | undefined
  /** What the next probe is made of: the first packet that would be forwarded lends it its listener. */
  #lent: Waiting | undefined
  #hasBegun = false
  /** The name of the probe that is heard; none between two. */
  #probe: Name | undefined
  #probeLabels = 0
  #seen = 0
  #looping = false

  constructor(context: ServingContext) {
    this.#context = context
  }

  handle(packet: Packet): Step {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      this.#lent = packet.behindLater()
      this.#timer = this.#context.clock.after(FIRST_PROBE_MS, () => this.#ask())
    }
    const { scan } = packet
    const isProbe =
      this.#probe !== undefined &&
      scan.qtype === TYPE.HINFO &&
      zoneInScan(scan, this.#probe, this.#probeLabels) === 0
    if (!isProbe)
      return this.#looping ? packet.fail(RCODE.SERVFAIL, EDE.OTHER, LOOP, 'forwarding loop') : NEXT
    if (++this.#seen <= SEEN_MAX) return NEXT
    this.#found(this.#probe!)
    return packet.fail(RCODE.SERVFAIL, EDE.OTHER, LOOP)
  }

  stop(): void {
    this.#timer?.cancel()
    if (this.#lent === undefined) return
    this.#lent.isAbandoned = true
    this.#lent.wake()
    this.#lent = undefined
  }

  /** Sends a probe down behind this handler; what comes back by itself is nobody's. */
  #ask(): void {
    const packet = this.#lent?.wake()
    if (packet === undefined) return
    this.#lent = packet.behindLater()
    const { clock } = this.#context
    const probe = this.#randomName()
    this.#probe = probe
    this.#probeLabels = countLabels(probe)
    this.#seen = 1
    this.#timer = clock.after(LISTEN_MS, () => this.#conclude())
    packet.askFirst(probe, 0, probe.length, TYPE.HINFO, CLASS.IN)
    packet.receivedAtMs = clock.nowMs()
    packet.deadlineMs = packet.receivedAtMs + LISTEN_MS
    packet.goOn(NEXT)
  }

  /** The probe is heard no more; while there is a loop another one follows. */
  #conclude(): void {
    const { clock, log } = this.#context
    this.#probe = undefined
    if (!this.#looping) return
    this.#looping = this.#seen > SEEN_MAX
    if (this.#looping) this.#timer = clock.after(AGAIN_MS, () => this.#ask())
    else log.write('INFO', 'plugin/loop', 'the forwarding loop is gone; queries are forwarded again')
  }

  #randomName(): Name {
    const labels = lazy.crypto.randomBytes(16).toString('hex')
    const zone = this.#context.zones.find(text => text !== '.') ?? ''
    return name(`${labels.slice(0, 16)}.${labels.slice(16)}.${zone}`)
  }

  #found(probe: Name): void {
    if (this.#looping) return
    this.#looping = true
    const zone = this.#context.zones[0] ?? '.'
    this.#context.tellOperator({
      reason: 'ForwardingLoop',
      text: `a query of zone ${zone} came back from an upstream: forwarding is stopped until it does not (an upstream, often one of /etc/resolv.conf, leads back here)`,
    })
    this.#context.log.write(
      'ERROR',
      'plugin/loop',
      `Loop detected for zone ${zone}: the query "HINFO ${formatName(probe)}" came back from an upstream; ` +
        'forwarding is stopped until it does not (an upstream, often one of /etc/resolv.conf, leads back here)',
    )
  }
}
