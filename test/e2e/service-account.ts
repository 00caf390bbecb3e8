// A ServiceAccount with the rights that a cluster's DNS server has, its token and authority as the kubelet would put
// them into a Pod, and what can go wrong with them: the rights withdrawn, the token replaced and the old one void.
//
//   folder/token, ca.crt, namespace → folder/..data/… → folder/..1/…   (one symbolic link is changed at a renewal)

import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ApiClient, ApiError, type KubeObject } from './api-client.ts'
import type { ControlPlane } from './control-plane.ts'

const NAMESPACE = 'kube-system'
const FILES = ['token', 'ca.crt', 'namespace'] as const

const role = (name: string): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name },
  rules: [
    { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ],
})

const binding = (name: string): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: [{ kind: 'ServiceAccount', name, namespace: NAMESPACE }],
})

/** The account of one DNS server. */
export class ServiceAccount {
  readonly #plane: ControlPlane
  readonly #name: string
  /** The folder that a Pod would see as /var/run/secrets/kubernetes.io/serviceaccount. */
  readonly folder: string
  #renewals = 0

  private constructor(plane: ControlPlane, name: string, folder: string) {
    this.#plane = plane
    this.#name = name
    this.folder = folder
  }

  /** Creates the account with its rights, and its first token in `folder`. */
  static async create(plane: ControlPlane, name: string, folder: string): Promise<ServiceAccount> {
    const account = new ServiceAccount(plane, name, folder)
    await plane.client.apply([
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: NAMESPACE } },
      role(name),
      binding(name),
    ])
    await account.renew()
    return account
  }

  get #secret(): KubeObject {
    const name = `${this.#name}-${this.#renewals}`
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE } }
  }

  /** The token that is in the folder now. */
  get token(): string {
    return readFileSync(join(this.folder, 'token'), 'utf8')
  }

  /** Puts a new token into the folder in one step, as the kubelet does. Gives a function that voids the one before. */
  async renew(): Promise<() => Promise<void>> {
    const { client } = this.#plane
    const before = this.#secret
    this.#renewals++
    await client.applyObject(this.#secret)
    const token = await client.serviceAccountToken(NAMESPACE, this.#name, this.#secret)
    this.#write({ token, 'ca.crt': readFileSync(this.#plane.caFile, 'utf8'), namespace: NAMESPACE })
    return () =>
      client.delete({ apiVersion: 'v1', kind: 'Secret', namespace: NAMESPACE, name: before.metadata.name })
  }

  #write(contents: Readonly<Record<(typeof FILES)[number], string>>): void {
    const generation = `..${this.#renewals}`
    mkdirSync(join(this.folder, generation))
    for (const file of FILES) writeFileSync(join(this.folder, generation, file), contents[file])
    symlinkSync(generation, join(this.folder, '..data_tmp'))
    renameSync(join(this.folder, '..data_tmp'), join(this.folder, '..data'))
    if (this.#renewals === 1)
      for (const file of FILES) symlinkSync(join('..data', file), join(this.folder, file))
    else rmSync(join(this.folder, `..${this.#renewals - 1}`), { recursive: true })
  }

  /** Takes the rights away. */
  withdraw(): Promise<void> {
    const { apiVersion, kind, metadata } = binding(this.#name)
    return this.#plane.client.delete({ apiVersion, kind, name: metadata.name })
  }

  /** Gives the rights back. */
  async restore(): Promise<void> {
    await this.#plane.client.applyObject(binding(this.#name))
  }

  /** The HTTP status that the API server gives to a list of Services with a token: 200, 401 or 403. */
  async status(token: string): Promise<number> {
    const client = new ApiClient({
      port: this.#plane.port,
      ca: readFileSync(this.#plane.caFile, 'utf8'),
      token,
    })
    try {
      await client.list({ apiVersion: 'v1', kind: 'Service', namespace: '*' }, 'limit=1')
      return 200
    } catch (error) {
      if (error instanceof ApiError) return error.status
      throw error
    } finally {
      client.close()
    }
  }
}
