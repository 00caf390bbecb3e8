// A rendered Pod without its container: Seamark is started with the Corefile and the arguments that the objects have, with
// paths below a folder, free ports on loopback, the API server's credentials named and the test's upstream in place of
// others, and asked for names of the cluster and of zone files.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '../api-client.ts'
import { DnsServer, serverCommand } from '../dns-server.ts'
import { freePorts, Scope } from '../processes.ts'
import { type Context, holds, same } from '../suite.ts'

const READY_DEADLINE_MS = 30_000

interface PodSpec {
  readonly containers: readonly { readonly name: string; readonly args: readonly string[] }[]
}

/** The Corefile for this machine. */
function onLoopback(
  text: string,
  options: {
    readonly folder: string
    readonly kubeconfigFile: string
    readonly upstreamPort: number
    readonly port: number
    readonly health: number
    readonly ready: number
    readonly metrics: number
  },
): string {
  const { folder, kubeconfigFile, upstreamPort, port, health, ready, metrics } = options
  return text
    .replace(/:53(?=[ ]|$)/gm, `:${port}`)
    .replace(/^( +)health\b[^{\n]*/m, `$1health 127.0.0.1:${health} `)
    .replace(/^( +)ready\b.*$/m, `$1ready 127.0.0.1:${ready}`)
    .replace(/^( +)prometheus\b.*$/m, `$1prometheus 127.0.0.1:${metrics}`)
    .replace(/^( +)forward \. [^{\n]*/m, `$1forward . 127.0.0.1:${upstreamPort} `)
    .replace(/^( +)kubernetes [^{\n]*\{$/m, `$&\n$1    kubeconfig ${kubeconfigFile}`)
    .replace(/(?<=^\S.*)\{$/gm, '{\n    bind 127.0.0.1')
    .replaceAll('/etc/coredns/', `${folder}/etc/coredns/`)
    .replaceAll('/var/lib/seamark/', `${folder}/var/lib/seamark/`)
}

/** /ready answers a moment before the sockets are open. */
const answers = async (server: DnsServer): Promise<boolean> =>
  (await server.isReady()) && (await server.ask('kubernetes.default.svc.cluster.local')).flags.qr

/** Starts what was rendered, asks it, and stops it. Throws where it does not serve. */
export async function serveRendered(context: Context, objects: readonly KubeObject[]): Promise<void> {
  const scope = new Scope()
  try {
    const folder = scope.folder('pod')
    const etc = join(folder, 'etc', 'coredns')
    mkdirSync(etc, { recursive: true })
    mkdirSync(join(folder, 'var', 'lib', 'seamark'), { recursive: true })
    const [port, health, ready, metrics] = (await freePorts(4)) as [number, number, number, number]
    const configs = objects.filter(({ kind }) => kind === 'ConfigMap') as unknown as {
      data: Record<string, string>
    }[]
    const { data } = configs.find(config => config.data.Corefile !== undefined)!
    const { plane, upstreamPort } = context.world
    for (const [file, text] of Object.entries(data)) writeFileSync(join(etc, file), text)
    const { kubeconfigFile } = plane
    const text = onLoopback(data.Corefile!, {
      folder,
      kubeconfigFile,
      upstreamPort,
      port,
      health,
      ready,
      metrics,
    })
    const pods = objects
      .filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
      .map(workload => (workload.spec!.template as { spec: PodSpec }).spec)
    const spec = pods.find(({ containers }) => containers[0]!.name === 'coredns')!
    const [conf, file, ...more] = spec.containers[0]!.args
    same([conf, file], ['-conf', '/etc/coredns/Corefile'], 'the first arguments')
    const flags = more.map(argument => (argument.startsWith('/') ? join(folder, argument) : argument))
    const server = await DnsServer.startText(scope, 'seamark', {
      folder: etc,
      text,
      port,
      env: process.env,
      sidePorts: { health, ready, metrics },
      command: [...serverCommand('seamark'), ...flags],
      endSignal: 'SIGKILL',
    })
    await server.program.ready(() => answers(server), READY_DEADLINE_MS)
    const cluster = text.includes('kubernetes ')
    if (cluster)
      same(await server.data('kubernetes.default.svc.cluster.local'), ['10.96.0.1'], 'a name of the cluster')
    if (text.includes('home.db')) same(await server.data('web.home.example'), ['192.168.2.20'], 'a zone file')
    const outside = await server.ask('www.example.net')
    holds(outside.flags.qr && outside.rcode !== 'REFUSED', `a name outside: ${outside.rcode}`)
    holds((await fetch(`http://127.0.0.1:${health}/health`)).ok, '/health')
    holds((await server.metrics()).includes('coredns_dns_requests_total'), '/metrics')
  } finally {
    await scope.end()
  }
}
