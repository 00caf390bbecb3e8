// A replica that follows an API server on a test's clock and writes into objects what became of them.

import { StatusWriter, type StatusWriterOptions } from '../../src/cluster/object-status.ts'
import { endpointAccess } from '../../src/watch/access.ts'
import { ApiClient } from '../../src/watch/client.ts'
import { ApiSource } from '../../src/watch/source.ts'
import type { FakeApiServer } from './fake-api-server.ts'
import { seededRandom } from './random.ts'
import { SlimCluster } from './slim-cluster.ts'
import { recordingMeters } from './words.ts'

type Config = NonNullable<ConstructorParameters<typeof SlimCluster>[0]>
type Options = NonNullable<ConstructorParameters<typeof SlimCluster>[1]>

/** What of the server it wants, and who hears of it. */
export interface ToldOptions extends Required<Pick<Options, 'kinds' | 'clock'>> {
  readonly server: FakeApiServer
  readonly config: Config
  readonly seed: number
  readonly counted?: Map<string, number>
  readonly log?: StatusWriterOptions['log']
}

export function toldCluster({
  server,
  config,
  kinds,
  clock,
  seed,
  counted = new Map(),
  log = () => undefined,
}: ToldOptions) {
  const random = seededRandom(seed)
  const client = new ApiClient({ access: endpointAccess({ from: 'endpoint', url: server.url }), clock })
  const slim = new SlimCluster(config, {
    kinds,
    clock,
    judged: (kind, key) => writer.note(kind, key),
    synced: () => writer.noteAll(),
  })
  const source = new ApiSource({ ...config, client, sink: slim.cluster, clock, random })
  const writer = new StatusWriter({
    clock,
    random,
    meters: recordingMeters(counted),
    log,
    keys: kind => slim.cluster.objects(kind).keys(),
    known: (kind, key) => {
      const stated = slim.cluster.objects(kind).get(key)?.stated
      const verdict = slim.cluster.verdictOf(kind, key)
      return slim.cluster.synced && stated && verdict ? { stated, verdict } : undefined
    },
    write: (kind, key, status) => source.writeStatus(kind, key, status),
  })
  return {
    source,
    slim,
    async stop(): Promise<void> {
      writer.stop()
      await source.stop()
      client.close()
    },
  }
}
