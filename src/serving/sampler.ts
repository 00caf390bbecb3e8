// HOT: which queries of a thread are looked at. Of few queries each is; of many one in so many, by chance, so that what comes in
// turns (A and AAAA) is seen alike. Samples go to the control thread once a second (observe/traffic.ts). A query that is
// not looked at costs one subtraction.

import type { Counter, Meters } from '../observe/meters.ts'
import { SAMPLE_MAX_OCTETS, SILENT, writeSample } from '../observe/samples.ts'
import type { Packet } from '../query/packet.ts'
import { ipv4At } from '../query/sockaddr.ts'
import type { Clock } from '../shared/clock.ts'
import type { Tap } from './tap.ts'

const PERIOD_MS = 1000
/** Samples in a period after which every second one is left out from then on; again after as many more. */
const MANY = 256
/** Samples in a period below which more are taken in the next one. */
const FEW = 128
const WEIGHT_MAX = 0x7fff
/** Octets of samples that are sent together. */
const CHUNK_OCTETS = 32 * 1024
/** Messages that the control thread has not taken yet; beyond it samples are dropped, and counted. */
const UNDER_WAY_MAX = 8

export interface SamplerOptions {
  readonly clock: Clock
  readonly meters: Meters
  /** 0 ≤ n < 1 */
  readonly random: () => number
  /** Hands the samples of so many ms to the control thread. */
  readonly send: (octets: Uint8Array, periodMs: number) => void
}

export class Sampler {
  /** Queries until `see` wants the next one. */
  countdown = 1
  readonly #options: SamplerOptions
  readonly #dropped: Counter
  readonly #chunk = new Uint8Array(CHUNK_OCTETS)
  #tap: Tap | undefined
  /** While somebody follows every query: those until the next sample. */
  #untilSample = 1
  #octets = 0
  /** A sample stands for so many queries. */
  #interval = 1
  #taken = 0
  #fromMs = 0
  #underWay = 0
  #isWaiting = false

  constructor(options: SamplerOptions) {
    this.#options = options
    this.#dropped = options.meters.counter('seamark_samples_dropped_total')
  }

  /** A query has its reply, of that code, or SILENT: none. To be called where the countdown, one lower for each query, is 0. */
  see(packet: Packet, rcode: number): void {
    if (this.#tap !== undefined) {
      this.#tap.see(packet, rcode)
      this.countdown = 1
      if (--this.#untilSample > 0) return
    }
    if (this.#underWay >= UNDER_WAY_MAX) this.#dropped.add()
    else this.#write(packet, rcode)
    if (++this.#taken % MANY === 0 && this.#interval < WEIGHT_MAX) this.#interval *= 2
    const { random } = this.#options
    this.#untilSample = this.#interval === 1 ? 1 : 1 + Math.floor(random() * (2 * this.#interval - 1))
    if (this.#tap === undefined) this.countdown = this.#untilSample
  }

  /** From now on that one sees every query; undefined: nobody does. */
  follow(tap: Tap | undefined): void {
    if (this.#tap === undefined) this.#untilSample = this.countdown
    this.#tap = tap
    this.countdown = tap === undefined ? this.#untilSample : 1
  }

  /** The control thread has taken what was sent. */
  acknowledge(): void {
    this.#underWay--
  }

  #write({ asked, from, fromAt }: Packet, rcode: number): void {
    if (this.#octets + SAMPLE_MAX_OCTETS > CHUNK_OCTETS) this.#flush()
    const v4At = ipv4At(from, fromAt)
    this.#octets = writeSample(this.#chunk, this.#octets, {
      weight: Math.min(WEIGHT_MAX, this.#interval),
      rcode: Math.min(SILENT, rcode),
      address: from,
      addressAt: v4At >= 0 ? v4At : fromAt + 8,
      family: v4At >= 0 ? 4 : 6,
      folded: asked.folded,
      foldedLength: asked.foldedLength,
    })
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#fromMs = this.#options.clock.nowMs()
    this.#options.clock.after(PERIOD_MS, () => this.#endPeriod())
  }

  #endPeriod(): void {
    this.#isWaiting = false
    this.#flush()
    if (this.#taken < FEW) this.#interval = Math.max(1, Math.ceil((this.#interval * this.#taken) / FEW))
    this.#taken = 0
  }

  #flush(): void {
    if (this.#octets === 0) return
    const nowMs = this.#options.clock.nowMs()
    const octets = this.#chunk.slice(0, this.#octets)
    this.#octets = 0
    this.#underWay++
    this.#options.send(octets, nowMs - this.#fromMs)
    this.#fromMs = nowMs
  }
}
