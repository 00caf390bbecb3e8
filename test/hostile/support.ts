// What the tests of hostile clients and upstreams share: the real process with one server block, its metrics, and the
// proof that it came through.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import type { Test } from 'tap'
import { encodeQuestion } from '../support/dns-client.ts'
import { checkPrometheusText } from '../support/prometheus-text.ts'
import { freePort, type Seamark, seamarkCommand, spawnSeamark } from '../support/seamark.ts'

/** The server at work. */
export interface Served {
  readonly server: Seamark
  readonly port: number
  /** The text of its metrics. */
  metrics(): Promise<string>
  /** The sum of a family's samples that carry these labels. */
  counted(family: string, labels?: Readonly<Record<string, string>>): Promise<number>
}

/** How the process is started beside its Corefile. */
export interface ServeOptions {
  /** Serving threads; one, so that what is counted per thread has one count. */
  readonly threads?: number
  /** The command in front of its flags, out of the usual one. */
  readonly wrap?: (command: readonly string[]) => readonly string[]
  /** Further server blocks on the same port. */
  readonly blocks?: (port: number, metricsPort: number) => string
  /** Files of the test's folder, where relative paths of the Corefile begin. */
  readonly files?: Readonly<Record<string, string>>
  /** The cluster `cluster.local`, in the block of the root zone, in place of an API server. */
  readonly manifests?: string
}

/** Starts the process with these lines in the block of the root zone; it ends with the test. */
export async function serve(t: Test, lines: string, options: ServeOptions = {}): Promise<Served> {
  const { threads = 1, wrap = command => command, blocks = () => '', files = {}, manifests } = options
  const folder = t.testdir({ ...files, ...(manifests && { manifests: { 'all.yaml': manifests } }) })
  const cluster = manifests ? 'kubernetes cluster.local {\nmanifests manifests\n}' : ''
  const [port, metricsPort] = [await freePort(), await freePort()]
  const file = join(folder, 'Corefile')
  writeFileSync(
    file,
    `.:${port} {\nbind 127.0.0.1\nmultisocket ${threads}\nprometheus 127.0.0.1:${metricsPort}\n${cluster}\n${lines}\n}\n${blocks(port, metricsPort)}\n`,
  )
  const server = spawnSeamark(['-conf', file, '-p', String(port)], {
    port,
    cwd: folder,
    command: wrap(seamarkCommand),
  })
  t.teardown(() => server.stop('SIGKILL'))
  await server.printed(/^Seamark-/m)
  const metrics: Served['metrics'] = async () =>
    (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const counted: Served['counted'] = async (family, labels = {}) => {
    const samples = checkPrometheusText(await metrics()).families.get(family)?.samples ?? []
    return samples
      .filter(sample => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0)
  }
  return { server, port, metrics, counted }
}

/** The process lives, no thread of it was replaced, and nothing in it threw what nobody caught. */
export async function unharmed(t: Test, { server, counted }: Served): Promise<void> {
  t.equal(server.child.exitCode ?? server.child.signalCode, null, 'the process lives')
  t.equal(await counted('coredns_panics_total'), 0, 'no bug was met')
  t.equal(await counted('seamark_thread_restarts_total'), 0, 'no thread was replaced')
  t.notMatch(server.output(), /recovered from a bug|unhandled|uncaught/i)
}

/** Asks until it is so, at most ten seconds. */
export async function untilSo(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ten seconds for: ${what}`)
    await after(10)
  }
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
