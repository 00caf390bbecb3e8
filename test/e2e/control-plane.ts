// A real control plane on loopback: etcd, kube-apiserver and kube-controller-manager with the controllers that make
// EndpointSlices, mirror v1 Endpoints, run workloads and delete namespaces. Ready in about 4 s; everything lies in one
// temporary folder. The API server can be killed and brought back; etcd can be compacted, and brought back with an older history.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ApiClient, ApiError } from './api-client.ts'
import { eventually, freePorts, Program, type Scope } from './processes.ts'
import { type ProgramName, programPath } from './programs.ts'

/** The networks of Services, as kubeadm's default and a dual-stack second one. */
export const SERVICE_NETWORKS = '10.96.0.0/12,fd00:10:96::/112'
const READY_DEADLINE_MS = 60_000
const CONTROLLERS = [
  'daemonset-controller',
  'endpointslice-controller',
  'endpointslice-mirroring-controller',
  'endpoints-controller',
  'replicaset-controller',
  'deployment-controller',
  'statefulset-controller',
  'namespace-controller',
].join(',')

const loopback = (port: number): string => `http://127.0.0.1:${port}`

/** A kubeconfig with one context, for a token written out or in a file. */
export function kubeconfig(options: {
  readonly port: number
  readonly caFile: string
  readonly token?: string
  readonly tokenFile?: string
}): string {
  const { port, caFile, token, tokenFile } = options
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'e2e', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': caFile } },
    ],
    users: [{ name: 'e2e', user: tokenFile ? { tokenFile } : { token } }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'e2e' } }],
    'current-context': 'e2e',
  })
}

/** How a control plane differs from an empty, complete one. */
export interface ControlPlaneOptions {
  /** A folder that `saveEtcd` made: the objects to begin with. It is copied and stays as it is. */
  readonly etcdData?: string
  /** False to do without controllers. */
  readonly controllers?: boolean
}

/** A running control plane. */
export class ControlPlane {
  readonly #scope: Scope
  readonly #etcdPort: number
  readonly #peerPort: number
  readonly #token: string
  #etcd: Program | undefined
  #apiServer: Program | undefined
  readonly folder: string
  /** The API server's HTTPS port on 127.0.0.1; the same after a restart. */
  readonly port: number
  /** The administrator's client. */
  #client: ApiClient | undefined

  private constructor(scope: Scope, folder: string, port: number, etcdPort: number, peerPort: number) {
    this.#scope = scope
    this.folder = folder
    this.port = port
    this.#etcdPort = etcdPort
    this.#peerPort = peerPort
    this.#token = randomBytes(16).toString('hex')
  }

  /** Starts everything and waits until the API server is ready. */
  static async start(scope: Scope, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const { etcdData, controllers = true } = options
    const folder = scope.folder('control-plane')
    const [port, etcdPort, peerPort] = (await freePorts(3)) as [number, number, number]
    const plane = new ControlPlane(scope, folder, port, etcdPort, peerPort)
    if (etcdData) cpSync(etcdData, plane.#etcdFolder, { recursive: true })
    await plane.#startEtcd()
    plane.#writeCredentials()
    await plane.startApiServer()
    if (controllers) plane.#startControllers()
    return plane
  }

  get client(): ApiClient {
    if (!this.#client) throw new Error('the API server has not been started')
    return this.#client
  }

  /** The API server's certificate and the authority that signed it, PEM. */
  get caFile(): string {
    return join(this.folder, 'certificates', 'apiserver.crt')
  }

  get apiServerPid(): number {
    if (!this.#apiServer) throw new Error('the API server has not been started')
    return this.#apiServer.pid
  }

  get #etcdFolder(): string {
    return join(this.folder, 'etcd')
  }

  /** The administrator's kubeconfig file. */
  get kubeconfigFile(): string {
    return join(this.folder, 'admin.kubeconfig')
  }

  /** Their state is thrown away, so they are ended without ceremony. */
  #program(name: ProgramName, flags: readonly string[]): Program {
    return Program.start(this.#scope, this.folder, name, [programPath(name), ...flags], {
      endSignal: 'SIGKILL',
    })
  }

  /** The administrator's kubeconfig for another port that leads to the API server. */
  kubeconfigFor(port: number): string {
    return kubeconfig({ port, caFile: this.caFile, token: this.#token })
  }

  async #startEtcd(): Promise<void> {
    const peer = loopback(this.#peerPort)
    this.#etcd = this.#program('etcd', [
      `--data-dir=${this.#etcdFolder}`,
      `--listen-client-urls=${loopback(this.#etcdPort)}`,
      `--advertise-client-urls=${loopback(this.#etcdPort)}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      // As kubeadm has it: what the bookmarks of quiet resources come from.
      '--watch-progress-notify-interval=5s',
      '--unsafe-no-fsync',
      '--log-level=warn',
    ])
    const health = `${loopback(this.#etcdPort)}/health`
    await this.#etcd.ready(async () => (await fetch(health)).ok, READY_DEADLINE_MS)
  }

  #writeCredentials(): void {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    writeFileSync(join(this.folder, 'accounts.key'), privateKey, { mode: 0o600 })
    writeFileSync(join(this.folder, 'accounts.pub'), publicKey)
    writeFileSync(join(this.folder, 'tokens.csv'), `${this.#token},admin,admin,"system:masters"\n`, {
      mode: 0o600,
    })
    writeFileSync(this.kubeconfigFile, this.kubeconfigFor(this.port), { mode: 0o600 })
  }

  /** Starts the API server (again) and waits until it is ready. */
  async startApiServer(): Promise<void> {
    this.#apiServer = this.#program('kube-apiserver', [
      `--etcd-servers=${loopback(this.#etcdPort)}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${this.port}`,
      `--cert-dir=${join(this.folder, 'certificates')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${join(this.folder, 'accounts.pub')}`,
      `--service-account-signing-key-file=${join(this.folder, 'accounts.key')}`,
      `--token-auth-file=${join(this.folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      `--service-cluster-ip-range=${SERVICE_NETWORKS}`,
      '--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection,TaintNodesByCondition,Priority',
      '--allow-privileged=true',
    ])
    await this.#apiServer.ready(async () => {
      this.#client?.close()
      this.#client = new ApiClient({
        port: this.port,
        ca: readFileSync(this.caFile, 'utf8'),
        token: this.#token,
      })
      return this.#client.request('GET', '/readyz')
    }, READY_DEADLINE_MS)
    // The RBAC bootstrap and the default namespace come shortly after readiness.
    await eventually('the default namespace', () =>
      this.client.get({ apiVersion: 'v1', kind: 'Namespace', name: 'default' }),
    )
  }

  #startControllers(): void {
    this.#program('kube-controller-manager', [
      `--kubeconfig=${this.kubeconfigFile}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--kube-api-qps=500',
      '--kube-api-burst=500',
      '--concurrent-service-endpoint-syncs=10',
      '--concurrent-namespace-syncs=10',
      `--controllers=${CONTROLLERS}`,
    ])
  }

  /** Ends the API server as a crash would (SIGKILL). */
  async killApiServer(): Promise<void> {
    await this.#apiServer?.stop('SIGKILL')
  }

  /** Has the API server stand still with its sockets open (SIGSTOP), or go on. */
  stallApiServer(stalled: boolean): void {
    this.#apiServer?.signal(stalled ? 'SIGSTOP' : 'SIGCONT')
  }

  /** Ends the API server and etcd, and copies what etcd holds to `folder`, for other control planes to begin with. */
  async saveEtcd(folder: string): Promise<void> {
    await this.compact()
    await this.#stopStore()
    cpSync(this.#etcdFolder, folder, { recursive: true })
  }

  /** Copies what etcd holds to `folder` as a backup does, and goes on. */
  async backUpEtcd(folder: string): Promise<void> {
    await this.#stopStore()
    cpSync(this.#etcdFolder, folder, { recursive: true })
    await this.#startStore()
  }

  /** Puts a backup in the place of what etcd holds: its history, and every resourceVersion with it, runs backwards. */
  async restoreEtcd(folder: string): Promise<void> {
    await this.#stopStore()
    rmSync(this.#etcdFolder, { recursive: true })
    cpSync(folder, this.#etcdFolder, { recursive: true })
    await this.#startStore()
  }

  async #stopStore(): Promise<void> {
    await this.killApiServer()
    await this.#etcd?.stop('SIGTERM')
  }

  async #startStore(): Promise<void> {
    await this.#startEtcd()
    await this.startApiServer()
  }

  /** Compacts etcd up to its present revision, so that every older resourceVersion is gone (410). Gives the revision. */
  async compact(): Promise<string> {
    const post = async (path: string, body: unknown): Promise<{ header?: { revision?: string } }> => {
      const response = await fetch(`${loopback(this.#etcdPort)}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new ApiError(response.status, 'etcd', await response.text())
      return (await response.json()) as { header?: { revision?: string } }
    }
    const { header } = await post('/v3/maintenance/status', {})
    if (!header?.revision) throw new Error('etcd told no revision')
    await post('/v3/kv/compaction', { revision: header.revision, physical: true })
    return header.revision
  }
}
