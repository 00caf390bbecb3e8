// A server block with a small cluster at work on one thread of a test's own: no sockets, packets in and octets out.

import { Problems } from '../../src/corefile/problem.ts'
import { counterMemory, ThreadMeters } from '../../src/observe/counters.ts'
import { QueryMetersTable } from '../../src/observe/query-meters.ts'
import { sourceKey } from '../../src/plugin/kubernetes/config.ts'
import type { ServingContext } from '../../src/plugin/plugin.ts'
import { NEXT, type Origin, Packet, type Trace } from '../../src/query/packet.ts'
import { sockaddr } from '../../src/query/sockaddr.ts'
import { Serving } from '../../src/serving/blocks.ts'
import { FastAnswers } from '../../src/serving/fast-answers.ts'
import type { Road } from '../../src/serving/road.ts'
import type { Tap } from '../../src/serving/tap.ts'
import { buildSetup } from '../../src/setup/build.ts'
import { read } from '../corefile/read-corefile.ts'
import { answerNow, ask, askNow, type Coming, isChained } from './asking.ts'
import { headless, SlimCluster, slimService, slimSlice } from './slim-cluster.ts'
import { lasting, testThread } from './words.ts'

const FROM = sockaddr('10.0.0.7', 40212)!
const ORIGIN: Origin = {
  transport: 'udp',
  localOf: () => ({ address: '10.96.0.10', port: 53, family: 4 }),
  parked: () => undefined,
  reply: () => undefined,
}
const REPLY_OCTETS = 4096
const ENDPOINTS = Array.from({ length: 80 }, (_, i) => `10.1.0.${i + 1} pod-number-${i}`)

const plainCluster = (): SlimCluster =>
  new SlimCluster().list(
    ['demo'],
    [slimService('demo/web', '10.0.0.1'), headless('demo/hl')],
    [slimSlice('demo/hl-1', 'hl', ENDPOINTS)],
  )

export class ServerBlock {
  readonly thread = testThread()
  /** What is wrong with the lines. */
  readonly problems = new Problems()
  /** Samples of queries that the control thread would get, a second after the first one. */
  readonly samples: Uint8Array[] = []
  /** Images of zones and hosts files that the control thread has read since. */
  readonly images = new Map<string, SharedArrayBuffer>()
  readonly #kept: ReturnType<typeof lasting>
  readonly #serving: Serving
  readonly #road: Road

  /** `lines` are the server block's, behind which stands `last`. The cluster has demo/web and demo/hl with 80 endpoints, where none is given; `own` is what the thread has in place of a test's. */
  constructor(
    lines: string,
    { reader } = plainCluster(),
    last = 'whoami',
    own: Partial<ServingContext> & { readonly counters?: ThreadMeters } = {},
  ) {
    const text = `. {\n${lines}\n${last}\n}`
    const setup = buildSetup(read(text), this.problems, { port: 53, file: 'Corefile', env: {} })
    const tables = new Map(setup.kubernetes.map(config => [sourceKey(config), reader]))
    const meters = new QueryMetersTable(own.counters ?? new ThreadMeters(counterMemory(), () => {}))
    this.#kept = lasting(this.thread, this.samples)
    const context = { ...this.thread.context, tables, images: this.images, ...own }
    this.#serving = new Serving(setup, context, meters, this.#kept)
    this.#road = this.#serving.road(setup.listens[0]!)
  }

  /** The road as a listener goes it, over UDP, into memory of the test's; PARKED where the reply comes later. */
  answerInto(
    octets: Uint8Array,
    from: number,
    to: number,
    out: Uint8Array,
    outAt: number,
    maxOctets: number,
  ): number {
    const packet = new Packet()
    Object.assign(packet, { octets, start: from, end: to, from: FROM, fromOctets: FROM.length, family: 4 })
    Object.assign(packet, { slot: out, slotAt: outAt, slotOctets: maxOctets, origin: ORIGIN })
    this.#road.enter()
    const length = this.#road.answer(packet)
    this.#road.leave()
    return length
  }

  /** Asks the same over and over, with one packet and one place for the reply, as a listener does; gives the octets of the reply. What comes late, `origin` is given. */
  repeater(trace?: Trace, origin = ORIGIN): (octets: Uint8Array) => number {
    const packet = new Packet()
    Object.assign(packet, { from: FROM, fromOctets: FROM.length, family: 4, origin, trace })
    Object.assign(packet, { slot: new Uint8Array(REPLY_OCTETS), slotOctets: REPLY_OCTETS })
    return octets => {
      packet.octets = octets
      packet.end = octets.length
      this.#road.enter()
      const length = this.#road.answer(packet)
      this.#road.leave()
      return length
    }
  }

  /** Somebody follows all queries. */
  follow(tap: Tap): void {
    this.#kept.sampler.follow(tap)
  }

  /** One query as a listener brings it, and what comes back at once; undefined for silence. */
  ask(octets: Uint8Array, how?: Coming): Uint8Array | undefined {
    return answerNow(this.#road, octets, how)
  }

  /** The same where it may have to be waited for. */
  late(octets: Uint8Array, how?: Coming): Promise<Uint8Array | undefined> {
    return ask(this.#road, octets, how)
  }

  /** What the fast path says; undefined where it leaves the query to the handlers. */
  fast(packet: Uint8Array): Uint8Array | undefined {
    return isChained(this.#road, packet) ? undefined : answerNow(this.#road, packet)
  }

  /** What the handlers say. */
  slow(packet: Uint8Array): Promise<Uint8Array | undefined> {
    const { handle } = FastAnswers.prototype
    FastAnswers.prototype.handle = () => NEXT
    const { came } = askNow(this.#road, packet)
    FastAnswers.prototype.handle = handle
    return came as Promise<Uint8Array | undefined>
  }

  /** What a trace is told of the way of a packet. */
  async notes(packet: Uint8Array, how: Coming = {}): Promise<string[]> {
    const notes: string[] = []
    const trace: Trace = {
      said: () => undefined,
      note: (word, text) => notes.push(word === '' ? text : `${word}: ${text}`),
    }
    await askNow(this.#road, packet, how, undefined, trace).came
    return notes
  }

  stop(): Promise<void> {
    return this.#serving.stop()
  }
}
