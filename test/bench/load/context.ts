// What the rows of `npm run bench:load` share: the servers, the questions, and the two figures that others are held against,
// each measured once: how many queries a second saturate Seamark, and the tail of latencies at half of that.

import type { FakeWorld } from '../common/cluster-source.ts'
import { Context } from '../common/context.ts'
import { dnsperf, type LoadOptions, type LoadResult } from '../common/dnsperf.ts'
import { clusterIps, headlessAddresses, shuffled, writeQueries } from '../common/queries.ts'
import type { RowResult } from '../common/results.ts'
import type { Bench, Subject } from '../common/servers.ts'
import { median } from '../common/statistics.ts'
import { type BesideKnot, besideKnot } from './beside-knot.ts'
import { BOUNDS, tailBoundMs } from './goals.ts'

/** Sockets of the load. */
export const CLIENTS = 20
/**
 * Queries on their way: a server that stands still for a moment is not waited for, and yet the answers to all of them fit in the
 * receive buffers of dnsperf, whose own losses would count as the server's.
 */
export const OPEN_LOOP = 2000
/** As many as saturate, and fit in any receive buffer. */
export const CLOSED_LOOP = 200
const TAIL_SHARE = 1 / 4
/** Queries a second whose latencies are kept: each is a line that dnsperf has to write. */
const LATENCIES_PER_SECOND = 5000
const SATURATION_SECONDS = 4
const SATURATION_ROUNDS = 3

/** One row, or several that are measured together. */
export interface LoadRow {
  /** Begins with the numbers of its promises. */
  readonly title: string
  run(context: LoadContext): Promise<RowResult[]>
}

export class LoadContext extends Context {
  declare readonly bench: Bench & { readonly world: FakeWorld }
  #mix: string | undefined
  #saturation: Promise<number> | undefined
  #tail: Promise<BesideKnot> | undefined

  /** Questions for the addresses of all Services, with cluster IPs and without. */
  get mix(): string {
    const { services } = this.bench.world
    this.#mix ??= writeQueries(
      this.folder,
      'mix',
      shuffled([...clusterIps(services), ...headlessAddresses(services)]),
    )
    return this.#mix
  }

  /** Seconds of a load whose latencies are kept. */
  get tailSeconds(): number {
    return Math.max(1, Math.round(this.effort.seconds * TAIL_SHARE))
  }

  /** A load of these questions that does not wait for a slow server. */
  load(subject: Subject, more: Partial<LoadOptions>): Promise<LoadResult> {
    return dnsperf({
      port: subject.port,
      file: this.mix,
      core: this.cores.load,
      clients: CLIENTS,
      outstanding: OPEN_LOOP,
      ...more,
    })
  }

  /** Seamark's queries a second when as many are asked as it answers. */
  saturation(): Promise<number> {
    this.#saturation ??= this.#measureSaturation()
    return this.#saturation
  }

  async #measureSaturation(): Promise<number> {
    const subject = await this.subject('seamark')
    const seconds = Math.min(SATURATION_SECONDS, this.effort.seconds)
    const rates: number[] = []
    for (let round = 0; round <= SATURATION_ROUNDS; round++) {
      const { perSecond } = await this.load(subject, { seconds, outstanding: CLOSED_LOOP })
      // The first one warms.
      if (round > 0) rates.push(perSecond)
    }
    const rate = Math.round(median(rates))
    this.say(`  saturation: ${rate} queries a second (${rates.map(Math.round).join(', ')})`)
    return rate
  }

  /** A load at this rate, of which the latencies of a part are kept. Ends with the lost ones of both parts. */
  async timed(subject: Subject, load: Partial<LoadOptions> & { readonly rate: number }): Promise<LoadResult> {
    const rate = Math.min(load.rate, LATENCIES_PER_SECOND)
    const rest = load.rate - rate
    const [timed, other] = await Promise.all([
      this.load(subject, { ...load, rate, latencies: true }),
      rest > 0 ? this.load(subject, { ...load, rate: rest }) : undefined,
    ])
    if (!other) return timed
    const sum = (of: 'sent' | 'completed' | 'lost' | 'perSecond'): number => timed[of] + other[of]
    return {
      ...timed,
      sent: sum('sent'),
      completed: sum('completed'),
      lost: sum('lost'),
      perSecond: sum('perSecond'),
    }
  }

  /** Latencies at half of saturation, Knot's beside them. */
  tail(): Promise<BesideKnot> {
    this.#tail ??= this.saturation().then(saturation =>
      besideKnot(
        this,
        subject => this.timed(subject, { rate: saturation / 2, seconds: this.tailSeconds }),
        result => this.keepsTail(result),
      ),
    )
    return this.#tail
  }

  /** Whether a load keeps what L2 says without regard to Knot. */
  keepsTail({ latencies }: LoadResult): boolean {
    if (latencies === undefined) return false
    return latencies.p999 <= BOUNDS.tailP999Ms && latencies.max <= BOUNDS.tailMaxMs
  }

  /** L2's bound on the 99th percentile, in ms. */
  async tailBoundMs(): Promise<number> {
    return tailBoundMs((await this.tail()).knot?.latencies?.p99)
  }
}
