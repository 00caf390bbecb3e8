// What the tests of hostile clients and upstreams share: the real process with one server block, its metrics, and the
// proof that it came through.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { dirname } from 'node:path'
import type { Test } from 'tap'
import { imageCommand } from '../bench/common/image.ts'
import { limitMemory } from '../support/cgroup-limit.ts'
import { encodeQuestion } from '../support/dns-client.ts'
import { fileMib, peakMib } from '../support/process-stat.ts'
import { type Ports, type Served, type StartOptions, serveCorefile } from '../support/served-corefile.ts'

/** How the process is started beside its Corefile. */
export interface ServeOptions extends Pick<StartOptions, 'wrap'> {
  /** Serving threads; one, so that what is counted per thread has one count. */
  readonly threads?: number
  /** Further server blocks on the same port. */
  readonly blocks?: (ports: Ports) => string
  /** Files of the test's folder, where relative paths of the Corefile begin. */
  readonly files?: Readonly<Record<string, string>>
  /** As in a Pod of the stock manifest: the image's flags and environment, and its limit of memory where one can be set. */
  readonly pod?: boolean
  /** The cluster `cluster.local`, in the block of the root zone, in place of an API server. */
  readonly manifests?: string
}

/** Starts the process with these lines in the block of the root zone; it ends with the test. */
export function serve(t: Test, lines: string, options: ServeOptions = {}): Promise<Served> {
  const { threads = 1, blocks = () => '', files = {}, manifests, pod, wrap = same } = options
  const asInPod = pod ? inPod(t) : same
  const cluster = manifests ? 'kubernetes cluster.local {\nmanifests manifests\n}' : ''
  return serveCorefile(
    t,
    ports =>
      `.:${ports.dns} {\nbind 127.0.0.1\nmultisocket ${threads}\nprometheus 127.0.0.1:${ports.metrics}\n${cluster}\n${lines}\n}\n${blocks(ports)}\n`,
    {
      wrap: command => wrap(asInPod(command)),
      files: { ...files, ...(manifests && { 'manifests/all.yaml': manifests }) },
    },
  )
}

/** The memory limit of the stock manifest. */
export const POD_MIB = 170

const same = (command: readonly string[]): readonly string[] => command

/** How the image starts the bundle of a command, in a group of that much memory; where none can be made the output says so. */
export function inPod(t: Test): (command: readonly string[]) => readonly string[] {
  const limit = limitMemory(POD_MIB)
  if (limit) t.teardown(limit.remove)
  else t.comment('no memory group can be made here: only the resident size is looked at')
  return command => {
    const { words, env } = imageCommand(dirname(command.at(-1)!))
    const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    return [...(limit?.words ?? []), 'env', ...settings, ...words]
  }
}

/** The most memory that the process has had so far, in MiB, without the pages of its program, which the kernel may take back. */
export function peakMiB({ server }: Served): number {
  const pid = server.child.pid ?? 0
  return peakMib(pid) - fileMib(pid)
}

/** The process lives, no thread of it was replaced, and nothing in it threw what nobody caught. */
export async function unharmed(
  t: Test,
  { server, counted }: Pick<Served, 'server' | 'counted'>,
): Promise<void> {
  t.equal(server.child.exitCode ?? server.child.signalCode, null, 'the process lives')
  t.equal(await counted('coredns_panics_total'), 0, 'no bug was met')
  t.equal(await counted('seamark_thread_restarts_total'), 0, 'no thread was replaced')
  t.notMatch(server.output(), /recovered from a bug|unhandled|uncaught/i)
}

/** A client over UDP that sends more than it waits for. */
export interface Flood {
  send(name: string): void
  /** How many replies had that response code, by its number. */
  replies(rcode: number): number
}

/** Opens such a client with an address of its own. */
export async function floodFrom(t: Test, { port }: Served, address: string): Promise<Flood> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
  t.teardown(() => socket.close())
  socket.bind(0, address)
  await once(socket, 'listening')
  const replies = new Array<number>(16).fill(0)
  socket.on('message', octets => replies[octets[3]! & 15]!++)
  let sent = 0
  return {
    send: name => socket.send(encodeQuestion({ name }, sent++ & 0xffff), port, '127.0.0.1'),
    replies: rcode => replies[rcode] ?? 0,
  }
}

const service = (name: string, spec: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n${spec}\n---\n`
const PORTS = '  ports:\n    - name: http\n      port: 80'

/** A Service of type ExternalName in a manifest. */
export const externalName = (name: string, target: string): string =>
  service(name, `  type: ExternalName\n  externalName: ${target}`)

/** A Service with a cluster IP in a manifest. */
export const clusterIp = (name: string, address: string): string =>
  service(name, `  clusterIP: ${address}\n${PORTS}`)

/** A headless Service in a manifest, with endpoints of a host name each. */
export function headless(name: string, endpoints: number): string {
  const addresses = Array.from(
    { length: endpoints },
    (_, i) => `      - ip: 10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}\n        hostname: pod-${i}`,
  )
  return `${service(name, `  clusterIP: None\n${PORTS}`)}apiVersion: v1
kind: Endpoints
metadata:
  name: ${name}
subsets:
  - ports:
      - name: http
        port: 80
    addresses:
${addresses.join('\n')}
---
`
}
