// One Pod of a Deployment or a DaemonSet as a node would start it, without an image: its command and arguments, in a mount
// namespace where its ConfigMaps and its ServiceAccount's token lie where it mounts them and nothing else is in /etc.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Query, query, type Reply } from '../support/dns-client.ts'
import { type ApiClient, ApiError, type KubeObject } from './api-client.ts'
import { type ServerKind, serverCommand } from './dns-server.ts'
import { run } from './namespaces.ts'
import { Program, type Scope } from './processes.ts'
import type { World } from './suite.ts'

const READY_DEADLINE_MS = 30_000
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
/** What the Pod sees in place of the machine's. */
const OWN = ['/etc', '/var/run', '/var/lib'] as const

interface ConfigMapVolume {
  readonly name: string
  readonly optional?: boolean
  readonly items?: readonly { readonly key: string; readonly path: string }[]
}

interface PodSpec {
  readonly serviceAccountName: string
  readonly containers: readonly {
    readonly name: string
    readonly image: string
    readonly command?: readonly string[]
    readonly args: readonly string[]
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
    readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: number | string } }
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
  }[]
  readonly volumes: readonly { readonly name: string; readonly configMap?: ConfigMapVolume }[]
}

/** The template's specification. */
export const podSpecOf = (workload: KubeObject): PodSpec =>
  (workload.spec!.template as { spec: PodSpec }).spec

/** What a volume's files are; none where an optional ConfigMap is not there. */
async function filesOf(
  client: ApiClient,
  namespace: string,
  { name, optional, items }: ConfigMapVolume,
): Promise<[path: string, text: string][]> {
  try {
    const { data } = (await client.get({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace,
      name,
    })) as unknown as {
      data: Readonly<Record<string, string>>
    }
    const wanted = items ?? Object.keys(data).map(key => ({ key, path: key }))
    return wanted.map(({ key, path }) => [path, data[key]!])
  } catch (error) {
    if (optional && error instanceof ApiError && error.status === 404) return []
    throw error
  }
}

/** Writes all that the Pod mounts below `root`. */
async function writeMounts(
  world: World,
  root: string,
  namespace: string,
  spec: PodSpec,
  changed: (text: string) => string,
): Promise<void> {
  const { client, caFile } = world.plane
  const place = (path: string): string => {
    const made = join(root, path)
    mkdirSync(made, { recursive: true })
    return made
  }
  for (const path of OWN) place(path)
  writeFileSync(join(root, 'etc', 'resolv.conf'), 'nameserver 192.0.2.1\n')
  writeFileSync(join(root, 'etc', 'hosts'), '127.0.0.1 localhost\n')
  for (const { name, mountPath } of spec.containers[0]!.volumeMounts) {
    const volume = spec.volumes.find(each => each.name === name)
    const folder = place(mountPath)
    if (!volume?.configMap) continue
    for (const [path, text] of await filesOf(client, namespace, volume.configMap))
      writeFileSync(join(folder, path), changed(text))
  }
  const account = place(SERVICE_ACCOUNT)
  const token = await client.serviceAccountToken(namespace, spec.serviceAccountName)
  cpSync(caFile, join(account, 'ca.crt'))
  writeFileSync(join(account, 'token'), token)
  writeFileSync(join(account, 'namespace'), namespace)
}

/** A started Pod. */
export class OnePod {
  readonly program: Program
  readonly #wrap: readonly string[]
  readonly #spec: PodSpec

  private constructor(program: Program, wrap: readonly string[], spec: PodSpec) {
    this.program = program
    this.#wrap = wrap
    this.#spec = spec
  }

  /**
   * Starts the first container of `workload` as that server and waits until its readiness probe is answered, and a question.
   * @param changed - what becomes of the text of its ConfigMaps, for addresses that are not here
   */
  static async start(
    scope: Scope,
    world: World,
    kind: ServerKind,
    workload: KubeObject,
    changed: (text: string) => string = text => text,
  ): Promise<OnePod> {
    const folder = scope.folder('pod')
    const spec = podSpecOf(workload)
    await writeMounts(world, join(folder, 'root'), workload.metadata.namespace!, spec, changed)
    const over = OWN.map(
      path => `place=$(readlink -f ${path}) && mount -t tmpfs pod "$place" && cp -r "$0${path}/." "$place"`,
    )
    const script = [...over, 'cd /', 'exec "$@"'].join(' && ')
    const wrap = ['unshare', '--mount', 'sh', '-c', script, join(folder, 'root')]
    const env = {
      PATH: process.env.PATH,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(world.plane.port),
    }
    const command = [...wrap, ...serverCommand(kind), ...spec.containers[0]!.args]
    const program = Program.start(scope, folder, kind, command, { env, endSignal: 'SIGKILL' })
    const pod = new OnePod(program, wrap, spec)
    const { path, port: wanted } = spec.containers[0]!.readinessProbe.httpGet
    const port = spec.containers[0]!.ports.find(({ name }) => name === wanted)?.containerPort ?? wanted
    const probe = async (): Promise<boolean> => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      await response.arrayBuffer()
      // The port of /ready opens a moment before those of DNS. What is asked here is in no answer that is compared.
      return response.ok && (await pod.ask('started.default.svc.cluster.local', 'A')).flags.qr
    }
    await program.ready(probe, READY_DEADLINE_MS)
    return pod
  }

  /** The port that its Service leads to. */
  get port(): number {
    const ports = this.#spec.containers[0]!.ports
    return ports.find(({ name }) => /dns|udp/.test(name))!.containerPort
  }

  ask(name: string, type: string, options: Partial<Query> = {}): Promise<Reply> {
    return query(this.port, { name, type, ...options })
  }

  /** Runs Seamark with these arguments beside it, with the same files. */
  seamark(...args: readonly string[]): string {
    return run([...this.#wrap, ...serverCommand('seamark'), ...args])
  }

  /** What it has written. */
  log(): string {
    return readFileSync(this.program.logFile, 'utf8')
  }
}
