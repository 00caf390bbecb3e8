// A namespace of objects that stay as they are while a suite disturbs something else, and the questions about them,
// which have to be answered rightly all the while.

import { apiPath } from './api-client.ts'
import type { DnsServer } from './dns-server.ts'
import { service, slice } from './every-object.ts'
import { Load, type LoadQuestion } from './load.ts'
import { eventually } from './processes.ts'
import { type Context, holds } from './suite.ts'

/** A namespace with a headless Service, a ClusterIP Service and an ExternalName. */
export class Steady {
  readonly namespace: string
  readonly zone: string
  readonly #context: Context
  readonly #clusterIp: string

  private constructor(context: Context, namespace: string, clusterIp: string) {
    this.#clusterIp = clusterIp
    this.#context = context
    this.namespace = namespace
    this.zone = `${namespace}.svc.cluster.local`
  }

  /** Creates the objects. */
  static async create(context: Context, namespace: string): Promise<Steady> {
    const { client } = context.world.plane
    await client.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      service(namespace, 'hl', { clusterIP: 'None' }),
      slice(namespace, 'hl-1', 'hl', [{ addresses: ['10.5.0.1'] }, { addresses: ['10.5.0.2'] }]),
      service(namespace, 'web'),
      service(namespace, 'ext', { type: 'ExternalName', externalName: 'www.example.net' }),
    ])
    const path = apiPath({ apiVersion: 'v1', kind: 'Service', namespace, name: 'web' })
    const { spec } = await client.request<{ spec: { clusterIP: string } }>('GET', path)
    return new Steady(context, namespace, spec.clusterIP)
  }

  /** What stays true. */
  get questions(): LoadQuestion[] {
    return [
      { name: `hl.${this.zone}`, type: 'A', data: ['10.5.0.1', '10.5.0.2'] },
      { name: `web.${this.zone}`, type: 'A', data: [this.#clusterIp] },
      { name: `_http._tcp.web.${this.zone}`, type: 'SRV', data: [`0 100 80 web.${this.zone}.`] },
      { name: `ext.${this.zone}`, type: 'A', data: ['192.0.2.80', 'www.example.net.'] },
    ]
  }

  /** Runs `disturb` under steady questions to `server`; throws when one of them was lost or answered wrongly. */
  async during(server: DnsServer, disturb: (load: Load) => Promise<void>): Promise<void> {
    const load = Load.start(() => server, this.questions)
    try {
      await disturb(load)
    } finally {
      const { asked, failed, failures, slowestMs } = await load.stop()
      this.#context.note(`${asked} questions meanwhile, the slowest took ${Math.round(slowestMs)} ms`)
      holds(failed === 0, `${failed} of ${asked} steady questions failed:\n${failures.join('\n')}`)
      holds(asked > 0, 'no question was asked')
    }
  }

  /** Creates one more ClusterIP Service, or deletes it. */
  async change(name: string, exists: boolean): Promise<void> {
    const { client } = this.#context.world.plane
    if (exists) await client.applyObject(service(this.namespace, name))
    else await client.delete({ apiVersion: 'v1', kind: 'Service', namespace: this.namespace, name })
  }

  /** Waits until `server` knows, or no longer knows, a Service. */
  async seen(server: DnsServer, name: string, exists: boolean, deadlineMs: number): Promise<void> {
    const started = performance.now()
    const rcode = exists ? 'NOERROR' : 'NXDOMAIN'
    await eventually(
      `${rcode} for ${name}`,
      async () => (await server.ask(`${name}.${this.zone}`)).rcode === rcode,
      deadlineMs,
    )
    this.#context.note(
      `${name} ${exists ? 'known' : 'gone'} after ${Math.round(performance.now() - started)} ms`,
    )
  }
}
