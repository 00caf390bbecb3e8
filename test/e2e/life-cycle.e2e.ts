// The life of objects, step by step, with both servers asked after each: how long it takes until CoreDNS answers as the
// step wants, until the server under test does, and that both then say the same about every name of the namespace.

import type { KubeObject } from './api-client.ts'
import { ACCEPTED_DIFFERENCES, CORE_DNS_SILENCE } from './differences.ts'
import type { DnsServer } from './dns-server.ts'
import { compare, describeDifferences } from './parity.ts'
import { eventually } from './processes.ts'
import { parityQuestions, readInventory } from './questions.ts'
import { type Context, holds, type Suite } from './suite.ts'

const NAMESPACE = 'life'
const ZONE = `${NAMESPACE}.svc.cluster.local`
const STEP_DEADLINE_MS = 30_000
const SEED = 7

interface Step {
  readonly name: string
  readonly change: (context: Context) => Promise<unknown>
  /** True when a server's answers are what the step leads to. */
  readonly reached: (server: DnsServer) => Promise<boolean>
}

const named = (
  kind: string,
  name: string,
  apiVersion = 'v1',
): { apiVersion: string; kind: string; namespace: string; name: string } => ({
  apiVersion,
  kind,
  namespace: NAMESPACE,
  name,
})

const workload = (
  kind: string,
  name: string,
  replicas: number,
  extra: object = {},
  image = 'e2e:1',
): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: NAMESPACE },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image }] } },
    ...extra,
  },
})

const service = (name: string, spec: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: NAMESPACE },
  spec: { ports: [{ name: 'http', port: 80 }], ...spec },
})

const client = (context: Context): Context['world']['plane']['client'] => context.world.plane.client

/** Replaces a Service whose type cannot be changed in place: deletes it and creates it again. */
async function replace(context: Context, object: KubeObject): Promise<void> {
  await client(context).delete(named('Service', object.metadata.name))
  await client(context).applyObject(object)
}

const count =
  (name: string, wanted: number, type = 'A') =>
  async (server: DnsServer): Promise<boolean> => {
    const { rcode, answer } = await server.ask(`${name}.${ZONE}`, type)
    return rcode === 'NOERROR' && answer.length === wanted
  }

const missing =
  (name: string) =>
  async (server: DnsServer): Promise<boolean> =>
    (await server.ask(`${name}.${ZONE}`)).rcode === 'NXDOMAIN'

const gives =
  (name: string, type: string, data: string) =>
  async (server: DnsServer): Promise<boolean> =>
    (await server.data(`${name}.${ZONE}`, type)).includes(data)

const STEPS: readonly Step[] = [
  {
    name: 'a namespace is created',
    change: context =>
      client(context).applyObject({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }),
    reached: async server => (await server.ask(ZONE)).rcode === 'NOERROR',
  },
  {
    name: 'a headless Service without Pods is created',
    change: context =>
      client(context).applyObject(service('app', { clusterIP: 'None', selector: { app: 'app' } })),
    reached: missing('app'),
  },
  {
    name: 'a Deployment of three is created',
    change: context => client(context).applyObject(workload('Deployment', 'app', 3)),
    reached: count('app', 3),
  },
  {
    name: 'it is scaled to eight',
    change: context =>
      client(context).patch(named('Deployment', 'app', 'apps/v1'), { spec: { replicas: 8 } }),
    reached: count('app', 8),
  },
  {
    name: 'it is rolled',
    change: async context => {
      const old = await addresses(context, 'app')
      await client(context).applyObject(workload('Deployment', 'app', 8, {}, 'e2e:2'))
      await eventually('the new Pods', async () => {
        const now = await addresses(context, 'app')
        return now.length === 8 && !now.some(address => old.includes(address))
      })
    },
    reached: count('app', 8),
  },
  {
    name: 'it is scaled to zero',
    change: context =>
      client(context).patch(named('Deployment', 'app', 'apps/v1'), { spec: { replicas: 0 } }),
    reached: missing('app'),
  },
  {
    name: 'a StatefulSet gives host names',
    change: async context => {
      await client(context).applyObject(service('db', { clusterIP: 'None', selector: { app: 'db' } }))
      await client(context).applyObject(workload('StatefulSet', 'db', 2, { serviceName: 'db' }))
    },
    reached: async server => (await count('db', 2)(server)) && (await count('db-1.db', 1)(server)),
  },
  {
    name: 'a Pod of it is replaced under the same name',
    change: async context => {
      const [before] = await addresses(context, 'db')
      await client(context).delete(named('Pod', 'db-0'))
      await eventually('another address', async () => {
        const now = await addresses(context, 'db')
        return now.length === 2 && !now.includes(before!)
      })
    },
    reached: async server => (await count('db-0.db', 1)(server)) && (await count('db', 2)(server)),
  },
  {
    name: 'a ClusterIP Service is created',
    change: context =>
      client(context).applyObject(service('turn', { clusterIP: '10.96.99.1', selector: { app: 'db' } })),
    reached: gives('turn', 'A', '10.96.99.1'),
  },
  {
    name: 'a port is renamed',
    change: context =>
      client(context).applyObject(
        service('turn', {
          clusterIP: '10.96.99.1',
          selector: { app: 'db' },
          ports: [{ name: 'web', port: 81 }],
        }),
      ),
    reached: async server =>
      (await count('_web._tcp.turn', 1, 'SRV')(server)) && (await missing('_http._tcp.turn')(server)),
  },
  {
    name: 'it becomes a NodePort Service',
    change: context =>
      client(context).applyObject(
        service('turn', { type: 'NodePort', clusterIP: '10.96.99.1', selector: { app: 'db' } }),
      ),
    reached: gives('_http._tcp.turn', 'SRV', `0 100 80 turn.${ZONE}.`),
  },
  {
    name: 'it becomes an ExternalName',
    change: context =>
      replace(context, service('turn', { type: 'ExternalName', externalName: 'www.example.net' })),
    reached: gives('turn', 'A', '192.0.2.80'),
  },
  {
    name: 'its target changes',
    change: context =>
      client(context).applyObject(service('turn', { type: 'ExternalName', externalName: `db.${ZONE}` })),
    reached: async server => (await server.data(`turn.${ZONE}`)).includes(`db.${ZONE}.`),
  },
  {
    name: 'it becomes headless',
    change: context => replace(context, service('turn', { clusterIP: 'None', selector: { app: 'db' } })),
    reached: count('turn', 2),
  },
  {
    name: 'it becomes a ClusterIP Service again, with two families',
    change: context =>
      replace(
        context,
        service('turn', {
          clusterIP: '10.96.99.2',
          clusterIPs: ['10.96.99.2', 'fd00:10:96::9902'],
          ipFamilyPolicy: 'RequireDualStack',
          selector: { app: 'db' },
        }),
      ),
    reached: gives('turn', 'AAAA', 'fd00:10:96::9902'),
  },
  {
    name: 'its ClusterIP goes to another Service',
    change: async context => {
      await client(context).delete(named('Service', 'turn'))
      await client(context).applyObject(service('heir', { clusterIP: '10.96.99.2' }))
    },
    reached: async server =>
      (await missing('turn')(server)) &&
      (await server.data('2.99.96.10.in-addr.arpa', 'PTR')).join() === `heir.${ZONE}.`,
  },
  {
    name: 'a Service is deleted',
    change: context => client(context).delete(named('Service', 'heir')),
    reached: missing('heir'),
  },
  {
    name: 'the namespace is deleted with all that is in it',
    change: async context => {
      await client(context).delete({ apiVersion: 'v1', kind: 'Namespace', name: NAMESPACE })
      await eventually(
        'the end of the namespace',
        async () => {
          const all = await client(context).list({ apiVersion: 'v1', kind: 'Namespace' })
          return !all.some(({ metadata }) => metadata.name === NAMESPACE)
        },
        60_000,
      )
    },
    reached: async server => (await missing('db')(server)) && (await server.ask(ZONE)).rcode === 'NXDOMAIN',
  },
]

/** The addresses of a workload's Pods that are not on their way out, in the Pods' order. */
async function addresses(context: Context, app: string): Promise<string[]> {
  const pods = await client(context).list(
    { apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE },
    `labelSelector=app%3D${app}`,
  )
  return pods
    .filter(({ metadata, status }) => status?.podIP && !metadata.deletionTimestamp)
    .map(({ status }) => String(status?.podIP))
}

async function timed(
  what: string,
  server: DnsServer,
  reached: Step['reached'],
  started: number,
): Promise<number> {
  await eventually(`${what} at ${server.kind}`, () => reached(server), STEP_DEADLINE_MS, 2)
  return Math.round(performance.now() - started)
}

export const suite: Suite = {
  name: 'life cycle',
  async run(context) {
    const [reference, subject] = await Promise.all([
      context.serve('coredns'),
      context.serve(context.world.subject),
    ])
    const table = context.world.subject === 'coredns' ? [CORE_DNS_SILENCE] : ACCEPTED_DIFFERENCES
    for (const { name, change, reached } of STEPS) {
      const passed = await context.check(name, async () => {
        await change(context)
        const started = performance.now()
        const [theirs, ours] = await Promise.all([
          timed(name, reference, reached, started),
          timed(name, subject, reached, started),
        ])
        const inventory = await readInventory(client(context))
        const questions = parityQuestions(inventory, SEED).filter(question =>
          question.name.toLowerCase().includes(NAMESPACE),
        )
        const report = await compare(reference, subject, questions, table)
        holds(report.differences.length === 0, describeDifferences(report))
        context.note(
          `CoreDNS after ${theirs} ms, ${subject.kind} after ${ours} ms; ${report.asked} questions alike`,
        )
      })
      if (!passed) context.note('the steps after this one build upon it')
    }
  },
}
