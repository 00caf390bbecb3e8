// A configuration that nobody serves, made ready on this thread to be asked: its clusters are listed, its upstreams are asked
// for real, and no socket listens.

import { Clusters } from '../cluster/clusters.ts'
import { formatProblem } from '../corefile/problem.ts'
import { loadLibc } from '../listen/libc.ts'
import { ThreadMeters } from '../observe/counters.ts'
import { ProcessLog } from '../observe/log.ts'
import { QueryMetersTable } from '../observe/query-meters.ts'
import { Registry } from '../observe/registry.ts'
import type { ServingLog } from '../observe/thread-log.ts'
import type { ServingContext } from '../plugin/plugin.ts'
import { WaitingRoom } from '../query/waiting.ts'
import { Serving } from '../serving/blocks.ts'
import { COOKIE_SECRET_OCTETS, ServerCookies } from '../serving/cookies.ts'
import { Packets } from '../serving/packets.ts'
import type { Road } from '../serving/road.ts'
import { Sampler } from '../serving/sampler.ts'
import { askTraced, type Transcript } from '../serving/traced.ts'
import { type ConfigurationSource, readConfiguration } from '../setup/configuration.ts'
import { lookUpHosts } from '../setup/hosts.ts'
import type { ListenSetup, Setup } from '../setup/setup.ts'
import { systemClock } from '../shared/clock.ts'
import { TableReader } from '../table/reader.ts'
import { PAYLOAD_DEFAULT } from '../wire/header.ts'
import { type AskedQuestion, type ClusterView, listenerFor, tracedOf, type World } from './world.ts'

const silent: ServingLog = {
  debug: false,
  isJson: false,
  write: () => undefined,
  line: () => undefined,
  endLine: () => undefined,
}

export class LocalWorld implements World {
  readonly isServer = false
  readonly refused = ''
  readonly setup: Setup
  readonly #clusters: Clusters
  readonly #serving: Serving
  readonly #roads = new Map<string, Road>()

  private constructor(setup: Setup, clusters: Clusters) {
    this.setup = setup
    this.#clusters = clusters
    const registry = new Registry()
    const { memory } = registry.addThread()
    const meters = new ThreadMeters(memory, () => undefined)
    const context: ServingContext = {
      clock: systemClock,
      random: Math.random,
      meters,
      log: silent,
      tellOperator: () => undefined,
      tables: new Map(clusters.tables.map(([key, buffer]) => [key, new TableReader(buffer, 0)])),
      images: new Map(),
      ownAddresses: [],
      thread: 0,
      threads: 1,
      zones: [],
      ownZones: [],
      addressOrder: 'given',
      handlers: [],
      udpMaxOctets: PAYLOAD_DEFAULT,
    }
    this.#serving = new Serving(setup, context, new QueryMetersTable(meters), {
      cookies: new ServerCookies(new Uint8Array(COOKIE_SECRET_OCTETS), systemClock),
      room: new WaitingRoom(() => undefined),
      packets: new Packets(),
      sampler: new Sampler({ clock: systemClock, meters, random: Math.random, send: () => undefined }),
    })
  }

  /** Makes the configuration ready; what is wrong with it in a sentence where that cannot be. */
  static async open(source: ConfigurationSource): Promise<LocalWorld | string> {
    await loadLibc()
    const configuration = await lookUpHosts(readConfiguration(source))
    const error = configuration.problems.find(({ severity }) => severity === 'error')
    if (error) return `The Corefile cannot be served: ${formatProblem(error)}.`
    const registry = new Registry()
    const log = new ProcessLog({ write: () => true, flush: async () => true }, systemClock, registry.meters)
    const clusters = new Clusters({ log, meters: registry.meters, registry })
    const { setup } = configuration
    const errors = await clusters.prepare(setup.kubernetes)
    if (errors.length > 0) {
      await clusters.stop()
      return `The cluster cannot be read: ${errors[0]}.`
    }
    await clusters.settle(setup.kubernetes)
    return new LocalWorld(setup, clusters)
  }

  get clusters(): readonly ClusterView[] {
    return this.#clusters.all
  }

  async ask(question: AskedQuestion): Promise<Transcript | undefined> {
    const listen = listenerFor(this.setup, question.name)
    if (listen === undefined) return undefined
    return askTraced(this.#road(listen), tracedOf(question, listen))
  }

  async stop(): Promise<void> {
    await this.#serving.stop()
    await this.#clusters.stop()
  }

  #road(listen: ListenSetup): Road {
    const known = this.#roads.get(listen.server)
    if (known) return known
    const road = this.#serving.road(listen)
    this.#roads.set(listen.server, road)
    return road
  }
}
