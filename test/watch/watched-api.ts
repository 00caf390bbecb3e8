// A fake API server and the real watch side of Seamark on one virtual clock: what the tests of this folder share.

import type { Test } from 'tap'
import { KINDS } from '../../src/objects/kinds.ts'
import type { Kind } from '../../src/objects/objects.ts'
import type { ObjectOptions } from '../../src/objects/options.ts'
import type { ResourceStatus } from '../../src/objects/source.ts'
import { type ApiAccess, endpointAccess } from '../../src/watch/access.ts'
import { ApiClient, type ApiRequestRecord } from '../../src/watch/client.ts'
import type { ReflectorTiming, WatchHooks } from '../../src/watch/reflector-options.ts'
import { ApiSource } from '../../src/watch/source.ts'
import { FakeApiServer, type FakeApiServerOptions } from '../support/fake-api-server.ts'
import { FakeCluster, type ResourceName } from '../support/fake-cluster.ts'
import { namespace, service, slice } from '../support/fake-objects.ts'
import { seededRandom } from '../support/random.ts'
import { RecordingSink } from '../support/recording-sink.ts'
import { until } from '../support/until.ts'
import { untilWithin, VirtualClock } from '../support/virtual-clock.ts'

/** Every field of endpoints is kept. */
const KEPT = { endpointPodNames: true, zonal: true }

/** What a test may want different. */
export interface WorldOptions extends Partial<ObjectOptions> {
  readonly server?: Omit<FakeApiServerOptions, 'cluster' | 'clock'>
  readonly cluster?: FakeCluster
  /** Instead of plain HTTP to the fake server. */
  readonly access?: (server: FakeApiServer) => ApiAccess
  readonly timing?: Partial<ReflectorTiming>
  readonly watchList?: boolean
  readonly seed?: number
  /** Watches as lines of JSON instead of protocol buffers. */
  readonly json?: boolean
  /** Begin without listening: the API server is absent. */
  readonly absent?: boolean
}

/** Everything that a test of the watch needs, running. */
export class World {
  readonly clock: VirtualClock
  readonly cluster: FakeCluster
  readonly server: FakeApiServer
  readonly sink = new RecordingSink()
  readonly logs: string[] = []
  readonly records: ApiRequestRecord[] = []
  readonly client: ApiClient
  readonly source: ApiSource

  private constructor(options: WorldOptions, server: FakeApiServer, clock: VirtualClock) {
    this.clock = clock
    this.cluster = server.cluster
    this.server = server
    const hooks: WatchHooks = { log: (level, message) => this.logs.push(`${level} ${message}`) }
    this.client = new ApiClient({
      access: options.access?.(server) ?? endpointAccess({ from: 'endpoint', url: server.url }),
      clock,
      onRequest: record => this.records.push(record),
    })
    this.source = new ApiSource({
      ...options,
      client: this.client,
      sink: this.sink,
      clock,
      random: seededRandom(options.seed ?? 1),
      ...KEPT,
      hooks,
    })
  }

  /** A world of one Service with two endpoints in `default`, synced unless the API server is absent. */
  static async make(t: Test, options: WorldOptions = {}): Promise<World> {
    const clock = new VirtualClock()
    const cluster = options.cluster ?? new FakeCluster()
    if (!options.cluster) {
      cluster.apply('namespaces', namespace('default'))
      cluster.apply('services', service('default', 'web'))
      cluster.apply('endpointslices', slice('default', 'web-1', 'web', ['10.0.0.1', '10.0.0.2']))
    }
    const server = new FakeApiServer({ ...options.server, cluster, clock })
    server.protobuf = options.json !== true
    await server.listen()
    if (options.absent) await server.kill()
    const world = new World(options, server, clock)
    t.teardown(async () => {
      await world.source.stop()
      world.client.close()
      await server.close()
    })
    await world.source.start()
    if (!options.absent) await world.until('synced', () => world.source.synced)
    return world
  }

  /** Real input and output, virtual time standing still. */
  until(what: string, condition: () => boolean): Promise<void> {
    return until(what, condition)
  }

  /** The same while virtual time goes by. */
  within(limitMs: number, what: string, condition: () => boolean, stepMs?: number): Promise<number> {
    return untilWithin(this.clock, limitMs, what, condition, stepMs)
  }

  /** The calls of the sink for one kind. */
  callsOf(kind: Kind): string[] {
    return this.sink.calls.filter(call => call.split(' ')[1] === kind)
  }

  /** How a resource stands. */
  status(resource: ResourceName): ResourceStatus {
    const status = this.source.status().find(one => one.resource === resource)
    if (!status) throw new Error(`${resource} is not watched`)
    return status
  }

  /** Whether the sink holds what the cluster holds, converted as a fresh list would be. */
  converged(): boolean {
    return WATCHED.every(([resource, kind]) => {
      const slim = this.cluster.list(resource).map(raw => KINDS[kind].slim(raw, KEPT))
      const wanted = slim.filter(object => object !== undefined && !('problem' in object))
      return JSON.stringify(wanted) === JSON.stringify(this.sink.state(kind))
    })
  }

  /** Lets virtual time go by in steps, with input and output between them. */
  async pass(ms: number, stepMs = 1000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await settle()
      this.clock.advance(Math.min(stepMs, left))
    }
    await settle()
  }
}

const WATCHED: readonly (readonly [ResourceName, Kind])[] = [
  ['namespaces', 'Namespace'],
  ['services', 'Service'],
  ['endpointslices', 'EndpointSlice'],
]

async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise(resolve => setImmediate(resolve))
}
