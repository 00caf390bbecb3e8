// A server block with a small cluster at work on one thread of a test's own: no sockets, packets in and octets out.

import { Problems } from '../../src/corefile/problem.ts'
import { LATER, oneMessage } from '../../src/listen/responder.ts'
import { counterMemory, ThreadMeters } from '../../src/observe/counters.ts'
import { QueryMetersTable } from '../../src/observe/query-meters.ts'
import { sourceKey } from '../../src/plugin/kubernetes/config.ts'
import { Serving } from '../../src/serving/blocks.ts'
import type { QueryProcess } from '../../src/serving/process.ts'
import { buildSetup } from '../../src/setup/build.ts'
import { read } from '../corefile/fixture.ts'
import { testThread } from './serving.ts'
import { headless, SlimCluster, slimService, slimSlice } from './slim-cluster.ts'

const CLIENT = { address: '10.0.0.7', port: 40212, family: 4 } as const
const LOCAL = { address: '10.96.0.10', port: 53, family: 4 } as const
const ENDPOINTS = Array.from({ length: 80 }, (_, i) => `10.1.0.${i + 1} pod-number-${i}`)

export class ServerBlock {
  readonly thread = testThread()
  /** What is wrong with the lines. */
  readonly problems = new Problems()
  readonly #serving: Serving
  readonly #process: QueryProcess

  /** `lines` are the server block's, behind which stands `whoami`. The cluster has demo/web and demo/hl with 80 endpoints. */
  constructor(lines: string) {
    const text = `. {\n${lines}\nwhoami\n}`
    const setup = buildSetup(read(text), this.problems, { port: 53, file: 'Corefile', env: {} })
    const { reader } = new SlimCluster().list(
      ['demo'],
      [slimService('demo/web', '10.0.0.1'), headless('demo/hl')],
      [slimSlice('demo/hl-1', 'hl', ENDPOINTS)],
    )
    const tables = new Map(setup.kubernetes.map(config => [sourceKey(config), reader]))
    const meters = new QueryMetersTable(new ThreadMeters(counterMemory(), () => {}))
    this.#serving = new Serving(setup, { ...this.thread.context, tables }, meters, this.thread.cookies)
    this.#process = this.#serving.process(setup.listens[0]!)
  }

  /** The fast path as a listener calls it, over UDP. */
  answerInto(
    packet: Uint8Array,
    from: number,
    to: number,
    out: Uint8Array,
    outAt: number,
    maxOctets: number,
  ): number {
    this.#process.enter()
    const length = this.#process.answerNow(packet, from, to, out, outAt, 'udp', 4, maxOctets)
    this.#process.leave()
    if (this.#process.curious) this.#process.tellClient(packet, from, to, CLIENT.address)
    return length
  }

  /** What the fast path says; undefined where it leaves the query to the chain. */
  fast(packet: Uint8Array): Uint8Array | undefined {
    const out = new Uint8Array(4096)
    const length = this.answerInto(packet, 0, packet.length, out, 0, 4096)
    return length === LATER ? undefined : out.slice(0, length)
  }

  /** What the chain says. */
  async slow(packet: Uint8Array): Promise<Uint8Array | undefined> {
    return oneMessage(await this.#process.answerLater(packet, 'udp', CLIENT, LOCAL))
  }

  stop(): Promise<void> {
    return this.#serving.stop()
  }
}
