// The servers under test, each started on a free port with its cores, ready when the last Service of the cluster gets its
// own answer.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DnsServer } from '../../e2e/dns-server.ts'
import { freePorts, type Program, type Scope } from '../../e2e/processes.ts'
import { programPath } from '../../e2e/programs.ts'
import type { ServiceShape } from './cluster.ts'
import type { World } from './cluster-source.ts'
import { benchCorefile, type CorefileChange } from './corefile.ts'
import { type Bundles, imageCommand } from './image.ts'
import { startKnot } from './knot.ts'

const READY_DEADLINE_MS = 300_000

/** The servers, and how the report calls them. */
export const SUBJECTS = {
  seamark: 'Seamark',
  dgram: 'Seamark without koffi',
  coredns: 'CoreDNS',
  coredns30: 'CoreDNS, `cache 30` for all',
  knot: 'Knot',
  dnsdist: 'dnsdist',
  unbound: 'Unbound',
} as const

/** One of the servers. */
export type SubjectId = keyof typeof SUBJECTS

/** What servers are started in and with. */
export interface Bench {
  readonly world: World
  readonly bundles: Bundles
  /** The address to listen on; undefined for all, where nobody else can reach them. */
  readonly bind: string | undefined
  /** Path of knotd, where it is installed. */
  readonly knotd: string | undefined
  /** Paths of dnsdist and unbound, where they are installed. */
  readonly forwarders?: Readonly<Partial<Record<'dnsdist' | 'unbound', string>>>
}

/** How one is started. */
export interface SubjectOptions {
  /** `taskset -c` of the server. */
  readonly cores: string
  /** The DNS port, default a free one. */
  readonly port?: number
  readonly upstreamPort?: number
  /** Without `errors`. */
  readonly quiet?: boolean
  /** More flags of Node, for Seamark. */
  readonly nodeFlags?: readonly string[]
  /** Put before the command line. */
  readonly wrap?: readonly string[]
  readonly change?: CorefileChange
  /** Beside the Corefile, by name. */
  readonly files?: Readonly<Record<string, string>>
}

/** A started server. */
export interface Subject {
  readonly id: SubjectId
  readonly port: number
  readonly program: Program
  /** Undefined for those that are neither Seamark nor CoreDNS. */
  readonly dns: DnsServer | undefined
}

/** Starts a server and returns at once; Knot is ready then. */
export async function launch(
  scope: Scope,
  id: SubjectId,
  bench: Bench,
  options: SubjectOptions,
): Promise<Subject> {
  const { world, bind } = bench
  if (id === 'knot') {
    if (bench.knotd === undefined) throw new TypeError('Knot is not installed')
    const knot = await startKnot(scope, bench.knotd, options.cores, world.services)
    return { id, ...knot, dns: undefined }
  }
  const [free, ready, health, metrics, tls, https] = (await freePorts(6)) as [
    number, number, number, number, number, number,
  ] // biome-ignore format: six ports
  const sidePorts = { ready, health, metrics, tls, https }
  const folder = scope.folder(id)
  for (const [name, text] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const { command, env } = commandOf(id, bench, options)
  const dns = await DnsServer.startText(scope, id.startsWith('coredns') ? 'coredns' : 'seamark', {
    folder,
    port: options.port ?? free,
    sidePorts,
    env: { ...env, ...world.env },
    // Nobody waits for what it would still answer.
    endSignal: 'SIGKILL',
    command: ['taskset', '-c', options.cores, ...(world.wrap ?? []), ...(options.wrap ?? []), ...command],
    text: benchCorefile({
      access: world.access,
      upstreamPort: options.upstreamPort ?? world.upstreamPort,
      sidePorts,
      bind,
      cacheAll: id === 'coredns30',
      quiet: options.quiet ?? false,
      ...(options.change && { change: options.change }),
    }),
  })
  return { id, port: dns.port, program: dns.program, dns }
}

function commandOf(
  id: SubjectId,
  { bundles }: Bench,
  { nodeFlags = [] }: SubjectOptions,
): { command: string[]; env: NodeJS.ProcessEnv } {
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TMPDIR: process.env.TMPDIR,
  }
  if (id.startsWith('coredns')) return { command: [programPath('coredns')], env }
  const image = imageCommand(id === 'dgram' ? bundles.withoutKoffi : bundles.whole)
  const [node, ...words] = image.words
  return { command: [node!, ...nodeFlags, ...words], env: { ...env, ...image.env } }
}

/** The Services that are listed last, one with a cluster IP and one with endpoints only: whoever knows them knows all. */
export function lastServices(services: readonly ServiceShape[]): ServiceShape[] {
  const last = (headless: boolean): ServiceShape | undefined =>
    services
      .filter(
        ({ clusterIp, endpoints }) =>
          (clusterIp === undefined) === headless && (!headless || endpoints.length > 0),
      )
      .toSorted((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
      .at(-1)
  return [last(false), last(true)].filter(service => service !== undefined)
}

/** Whether the server gives the Service its right addresses. */
export async function knows(subject: Subject, service: ServiceShape): Promise<boolean> {
  const expected = service.clusterIp ? [service.clusterIp] : service.endpoints.toSorted()
  const data = await subject.dns!.data(service.fqdn)
  return JSON.stringify(data) === JSON.stringify(expected)
}

/** Waits until a server has listed everything; throws with the end of its log where it ends before. */
export async function whenReady(subject: Subject, services: readonly ServiceShape[]): Promise<void> {
  if (!subject.dns) return
  for (const service of lastServices(services))
    await subject.program.ready(() => knows(subject, service), READY_DEADLINE_MS)
}

/** Starts a server and waits until it has listed everything. */
export async function start(
  scope: Scope,
  id: SubjectId,
  bench: Bench,
  options: SubjectOptions,
): Promise<Subject> {
  const subject = await launch(scope, id, bench, options)
  await whenReady(subject, bench.world.services)
  return subject
}

/** The sum over all label sets of a family on the metrics page; NaN where there is none. */
export async function metric(subject: Subject, family: string): Promise<number> {
  const page = await subject.dns!.metrics()
  const values = [...page.matchAll(new RegExp(`^${family}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map(([, value]) =>
    Number(value),
  )
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0)
}
