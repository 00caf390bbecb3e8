// The faults of a soak: what happens to the API server now and then, and what must be so afterwards. The numbers are those of the
// fault matrix: an API server that is killed (2), 410 Gone as an HTTP status (6), an object that is deleted while nobody
// watches (9). Each is told by a Service of its own that comes or goes meanwhile.

import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../../e2e/processes.ts'
import { query } from '../../support/dns-client.ts'
import { service } from '../../support/fake-objects.ts'
import { asStored } from '../common/cluster.ts'
import type { FakeWorld } from '../common/cluster-source.ts'

const NAMESPACE = 'ns-0'
const ADDRESS = '10.127.0.1'
/** Reconnects are at most 30 s apart, with some jitter. */
const DEADLINE_MS = 36_000

/** Where faults happen. */
export interface Stage {
  readonly world: FakeWorld
  /** The port of the server that must get over them. */
  readonly port: number
  /** How long the API server is away. */
  readonly awayMs: number
}

/** One fault. Rejects where the server does not get over it in time. */
export interface Fault {
  readonly title: string
  run(stage: Stage, serial: number): Promise<void>
}

const create = ({ world }: Stage, name: string): void =>
  world.api.cluster.apply(
    'services',
    asStored(service(NAMESPACE, name, { clusterIP: ADDRESS, clusterIPs: [ADDRESS] })),
  )

const remove = ({ world }: Stage, name: string): void => world.api.cluster.delete('services', name, NAMESPACE)

/** Waits until the name has that response code. */
const answered = ({ port }: Stage, name: string, rcode: string): Promise<unknown> =>
  eventually(
    `${rcode} for ${name}`,
    async () => (await query(port, { name: `${name}.${NAMESPACE}.svc.cluster.local` })).rcode === rcode,
    DEADLINE_MS,
  )

export const FAULTS: readonly Fault[] = [
  {
    title: '2: API server killed, and back',
    async run(stage, serial) {
      const { api } = stage.world
      const name = `soak-killed-${serial}`
      await api.kill()
      await delay(stage.awayMs)
      create(stage, name)
      await api.listen()
      await answered(stage, name, 'NOERROR')
      remove(stage, name)
    },
  },
  {
    title: '6: 410 Gone as an HTTP status',
    async run(stage, serial) {
      const { api } = stage.world
      const name = `soak-gone-${serial}`
      api.goneAs = 'status'
      // Between two turns of the event loop nobody can come back.
      for (const watch of api.watches()) watch.kill()
      create(stage, name)
      api.cluster.compact()
      await answered(stage, name, 'NOERROR')
      api.goneAs = 'event'
      remove(stage, name)
    },
  },
  {
    title: '9: an object deleted while disconnected',
    async run(stage, serial) {
      const { api } = stage.world
      const name = `soak-deleted-${serial}`
      create(stage, name)
      await answered(stage, name, 'NOERROR')
      await api.kill()
      remove(stage, name)
      api.cluster.compact()
      await api.listen()
      await answered(stage, name, 'NXDOMAIN')
    },
  },
]
