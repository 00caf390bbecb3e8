// The DNS servers under test, CoreDNS and Seamark alike: one Corefile for both, started on free loopback ports as
// `PROGRAM -conf FILE -p PORT`, ready when /ready says 200.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Query, query, type Reply } from '../support/dns-client.ts'
import { freePorts, Program, type Scope } from './processes.ts'
import { programPath } from './programs.ts'

const READY_DEADLINE_MS = 30_000
const LOOPBACK = '127.0.0.1'
const CHECKOUT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** The programs that can be put under test. */
export type ServerKind = 'coredns' | 'seamark'

/** The command line of a server, but for its options. */
export const serverCommand = (kind: ServerKind): string[] =>
  kind === 'coredns'
    ? [programPath('coredns')]
    : [process.execPath, '--disable-warning=ExperimentalWarning', join(CHECKOUT, 'src', 'main.ts')]

/** What the Corefile says; the rest is the stock kubeadm file's, without `loop` and `reload`. */
export interface CorefileOptions {
  /** Lines of the kubernetes block that say where the API server is; none for in-cluster credentials. */
  readonly access?: readonly string[]
  /** More lines of the kubernetes block; default `pods insecure`. */
  readonly kubernetes?: readonly string[]
  /** The forward zones of the kubernetes block, default `cluster.local`. */
  readonly zones?: readonly string[]
  /** More lines of the server block. */
  readonly server?: readonly string[]
  /** The upstream's port. */
  readonly upstreamPort: number
  /** The address to listen on and to ask, default 127.0.0.1. */
  readonly address?: string
  /** False leaves `bind` out: then the server listens on all addresses and knows them as its own. */
  readonly bind?: boolean
  /** Time that a stopping server goes on answering, default 0. */
  readonly lameduckSeconds?: number
}

/** The ports that a Corefile names, besides the server's own. */
export interface SidePorts {
  readonly ready: number
  readonly health: number
  readonly metrics: number
  /** Where the Corefile serves tls:// and https://. */
  readonly tls?: number
  readonly https?: number
}

/** A Corefile of one server block. */
export function corefile(options: CorefileOptions, ports: SidePorts): string {
  const {
    zones = ['cluster.local'],
    access = [],
    kubernetes = ['pods insecure'],
    server = [],
    address = '127.0.0.1',
    bind = true,
    lameduckSeconds,
  } = options
  const indent = (lines: readonly string[], by: number): string =>
    lines.map(line => `${' '.repeat(by)}${line}\n`).join('')
  const lameduck = lameduckSeconds ? ` {\n    lameduck ${lameduckSeconds}s\n  }` : ''
  return `. {
${indent(bind ? [`bind ${address}`] : [], 2)}  errors
  health 127.0.0.1:${ports.health}${lameduck}
  ready 127.0.0.1:${ports.ready}
  kubernetes ${zones.join(' ')} in-addr.arpa ip6.arpa {
${indent([...access, ...kubernetes], 4)}    fallthrough in-addr.arpa ip6.arpa
    ttl 30
  }
  prometheus 127.0.0.1:${ports.metrics}
  forward . 127.0.0.1:${options.upstreamPort}
${indent(server, 2)}  loadbalance
}
`
}

/** How a server is started. */
export interface StartOptions extends CorefileOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Put before the server's own command line. */
  readonly wrap?: readonly string[]
  /** The DNS port, default a free one. */
  readonly port?: number
  /** False where readiness is not waited for. */
  readonly waitReady?: boolean
}

/** A started server. */
export class DnsServer {
  readonly kind: ServerKind
  readonly port: number
  readonly address: string
  readonly sidePorts: SidePorts
  readonly program: Program

  private constructor(
    kind: ServerKind,
    port: number,
    address: string,
    sidePorts: SidePorts,
    program: Program,
  ) {
    this.kind = kind
    this.port = port
    this.address = address
    this.sidePorts = sidePorts
    this.program = program
  }

  /** Starts a server in `scope` and waits until it is ready. */
  static async start(scope: Scope, kind: ServerKind, options: StartOptions): Promise<DnsServer> {
    const [free, ready, health, metrics] = (await freePorts(4)) as [number, number, number, number]
    const port = options.port ?? free
    const folder = scope.folder(kind)
    mkdirSync(folder, { recursive: true })
    const file = join(folder, 'Corefile')
    const sidePorts = { ready, health, metrics }
    writeFileSync(file, corefile(options, sidePorts))
    const command = [...(options.wrap ?? []), ...serverCommand(kind), '-conf', file, '-p', String(port)]
    const program = Program.start(scope, folder, kind, command, options.env ? { env: options.env } : {})
    const server = new DnsServer(kind, port, options.address ?? LOOPBACK, sidePorts, program)
    if (options.waitReady ?? true) await program.ready(() => server.#answersWhenReady(), READY_DEADLINE_MS)
    return server
  }

  /** Starts a server on a Corefile of the caller's own in `folder`, and waits for nothing. */
  static async startText(
    scope: Scope,
    kind: ServerKind,
    options: {
      readonly folder: string
      readonly text: string
      readonly port: number
      readonly env: NodeJS.ProcessEnv
      readonly sidePorts: SidePorts
      /** The command line but for its options; default `serverCommand`. */
      readonly command?: readonly string[]
      /** How its scope ends it, default SIGTERM. */
      readonly endSignal?: NodeJS.Signals
    },
  ): Promise<DnsServer> {
    const { folder, text, port, env, sidePorts, endSignal = 'SIGTERM' } = options
    const file = join(folder, 'Corefile')
    writeFileSync(file, text)
    const command = [...(options.command ?? serverCommand(kind)), '-conf', file, '-p', String(port)]
    const program = Program.start(scope, folder, kind, command, { env, endSignal })
    return new DnsServer(kind, port, LOOPBACK, sidePorts, program)
  }

  /** CoreDNS opens its ready port a moment before its DNS sockets. */
  async #answersWhenReady(): Promise<boolean> {
    return (await this.isReady()) && (await this.ask('kubernetes.default.svc.cluster.local')).flags.qr
  }

  /** What /ready says at this moment. */
  async isReady(): Promise<boolean> {
    const response = await fetch(`http://127.0.0.1:${this.sidePorts.ready}/ready`)
    await response.arrayBuffer()
    return response.ok
  }

  /** What /ready?verbose says. */
  async readyVerbose(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.sidePorts.ready}/ready?verbose`)).text()
  }

  /** The metrics page. */
  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.sidePorts.metrics}/metrics`)).text()
  }

  /** The port for questions over that transport. */
  portFor(over: Query['over']): number {
    const { tls, https } = this.sidePorts
    return (over === undefined ? this.port : over === 'tls' ? tls : https) ?? this.port
  }

  /** Asks one question. Throws NoAnswer or MalformedMessage. */
  ask(name: string, type: string = 'A', options: Partial<Query> = {}): Promise<Reply> {
    return query(this.port, { host: this.address, name, type, ...options })
  }

  /** The data of the answer's records, sorted; the rcode where it is not NOERROR. */
  async data(name: string, type: string = 'A'): Promise<readonly string[]> {
    const reply = await this.ask(name, type)
    return reply.rcode === 'NOERROR' ? reply.records.answer.map(({ data }) => data).sort() : [reply.rcode]
  }

  stop(): Promise<void> {
    return this.program.stop()
  }
}
