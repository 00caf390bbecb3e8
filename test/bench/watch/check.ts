// What a check of consistency asks of the API server, beside what listing all Services and EndpointSlices anew does: octets, and
// processor time of the API server and of who asks.

import { KINDS } from '../../../src/objects/kinds.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { ApiClient } from '../../../src/watch/client.ts'
import { MetadataList } from '../../../src/watch/metadata-list.ts'
import { openAccess } from '../../../src/watch/open-access.ts'
import { WITH_INITIAL_EVENTS } from '../../../src/watch/requests.ts'
import { WatchStream } from '../../../src/watch/stream.ts'
import type { ControlPlane } from '../../e2e/control-plane.ts'
import { cpuUs } from '../../support/process-stat.ts'

const LISTED = [KINDS.Service, KINDS.EndpointSlice] as const
const SILENCE_MS = 50_000

/** What one of the two costs. */
export interface Cost {
  readonly octets: number
  readonly serverMs: number
  readonly ownMs: number
}

/** A client that counts the octets of what it is sent. */
class CountingClient extends ApiClient {
  octets = 0

  override get(...[path, accept, handlers]: Parameters<ApiClient['get']>): ReturnType<ApiClient['get']> {
    return super.get(path, accept, {
      ...handlers,
      onOpen: type => handlers.onOpen(type),
      onEnd: error => handlers.onEnd(error),
      onData: chunk => {
        this.octets += chunk.length
        handlers.onData(chunk)
      },
    })
  }
}

type Read = (client: CountingClient, kind: (typeof LISTED)[number]) => Promise<void>

const versions: Read = (client, { path }) =>
  new Promise((resolve, reject) => {
    const seen = new Map<string, string>()
    new MetadataList({
      client,
      clock: systemClock,
      path,
      query: {},
      silenceMs: SILENCE_MS,
      receiver: { item: (key, version) => seen.set(key, version), done: () => resolve(), failed: reject },
    })
  })

const objects: Read = (client, { path, kind, slim }) =>
  new Promise((resolve, reject) => {
    const seen: unknown[] = []
    const query = new URLSearchParams({ watch: 'true', allowWatchBookmarks: 'true', ...WITH_INITIAL_EVENTS })
    const stream: WatchStream = new WatchStream({
      client,
      clock: systemClock,
      path: `${path}?${query}`,
      kind,
      silenceMs: SILENCE_MS,
      receiver: {
        opened() {},
        heard() {},
        event: (_, object) => void seen.push(slim(object, {})),
        bookmark: (_, initialEnd) => {
          if (!initialEnd) return
          stream.abort()
          resolve()
        },
        closed: error => reject(error ?? new Error('the server ended it')),
      },
    })
  })

async function cost(plane: ControlPlane, read: Read): Promise<Cost> {
  const access = await openAccess({ from: 'kubeconfig', file: plane.kubeconfigFile }, systemClock)
  const client = new CountingClient({ access, clock: systemClock })
  const serverUs = cpuUs(plane.apiServerPid)
  const own = process.cpuUsage()
  for (const kind of LISTED) await read(client, kind)
  const { user, system } = process.cpuUsage(own)
  client.close()
  return {
    octets: client.octets,
    serverMs: (cpuUs(plane.apiServerPid) - serverUs) / 1000,
    ownMs: (user + system) / 1000,
  }
}

/** Both, one after the other. */
export const measureCheck = async (
  plane: ControlPlane,
): Promise<{ readonly check: Cost; readonly anew: Cost }> => ({
  check: await cost(plane, versions),
  anew: await cost(plane, objects),
})
