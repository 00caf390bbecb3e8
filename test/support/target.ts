// The server that probes and hostile packets go to: the real Seamark process with the Corefile that kubeadm writes, or, as a
// check of the probes themselves, BIND with zones of the same content (SPEC_TARGET=bind).

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runs } from './child-process.ts'
import { placeIn } from './served-corefile.ts'
import { startBind } from './target-bind.ts'
import { manifests, upstreamScript } from './target-cluster.ts'
import { UpstreamStub } from './upstream-stub.ts'

/** A server at work. */
export interface Target {
  readonly kind: 'seamark' | 'bind'
  readonly port: number
  readonly pid: number
  readonly upstream: UpstreamStub
  /** What it printed so far. */
  output(): string
  /** Whether the process runs. */
  alive(): boolean
  /** Ends it in good order; the exit status. */
  stop(): Promise<number | null>
}

/** What a target is started with. */
export interface TargetOptions {
  /** A folder for its files. */
  readonly folder: string
  /** Further lines of Seamark's server block. */
  readonly lines?: string
}

const KUBEADM = join(import.meta.dirname, '..', 'corefiles', 'kubeadm.Corefile')
/** A server on loopback alone has no address that NS records could name. */
const OWN_ADDRESS = '10.96.0.10'
/** What Seamark prints when something befell it that nothing in a packet may bring about. */
const BUG = /bug|ended and is replaced|\[FATAL|\[PANIC/

/** Starts the target. */
export async function startTarget({ folder, lines = '' }: TargetOptions): Promise<Target> {
  const upstream = await UpstreamStub.start(upstreamScript)
  const isBind = process.env.SPEC_TARGET === 'bind'
  const target = await (isBind ? startBind(folder, upstream.port) : start(folder, lines, upstream.port))
  return {
    upstream,
    ...target,
    async stop() {
      await upstream.pause()
      return target.stop()
    },
  }
}

async function start(folder: string, lines: string, upstreamPort: number): Promise<Omit<Target, 'upstream'>> {
  // Moved to free ports of the loopback address; the cluster is the folder, the upstream a server of the test's own.
  const place = await placeIn(
    folder,
    ({ dns, health, ready, metrics }) =>
      readFileSync(KUBEADM, 'utf8')
        .replace('.:53 {', `.:${dns} {\n    bind 127.0.0.1\n    ${lines}`)
        .replace('health {', `health 127.0.0.1:${health} {`)
        .replace('    ready\n', `    ready 127.0.0.1:${ready}\n`)
        .replace(':9153', `127.0.0.1:${metrics}`)
        .replace('ip6.arpa {', `ip6.arpa {\n      manifests cluster\n      local_ips ${OWN_ADDRESS}`)
        .replace('/etc/resolv.conf', `127.0.0.1:${upstreamPort}`),
    { 'cluster/cluster.yaml': manifests() },
  )
  const server = await place.start()
  return {
    kind: 'seamark',
    port: server.port,
    pid: server.child.pid!,
    output: server.output,
    alive: () => runs(server.child),
    // SIGINT does not wait for the lame duck.
    stop: () => server.stop('SIGINT'),
  }
}

/** The lines of the output that tell of a bug. */
export const bugLines = (target: Pick<Target, 'output'>): string[] =>
  target
    .output()
    .split('\n')
    .filter(line => BUG.test(line))
