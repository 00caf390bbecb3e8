// Stands in for the kubelet and the scheduler: binds each Pod to one of two Nodes (in two zones), gives it addresses of
// both families, reports it Running and Ready, and removes it when it is deleted. The real controllers do the rest.
//
// A Pod may ask by annotation: `e2e/ip` for its own address, `e2e/host` for that of its node, `e2e/ready: "false"` for never being ready.

import { setTimeout as delay } from 'node:timers/promises'
import { type ApiClient, ApiError, apiPath, type KubeObject, type Reference } from './api-client.ts'
import type { Scope } from './processes.ts'

const POLL_MS = 100
/** Pods that are worked on at once. */
const PARALLEL = 8
const NODES = ['node-a', 'node-b'] as const

interface NodeSelector {
  readonly nodeSelectorTerms: readonly {
    readonly matchFields?: readonly { readonly values: readonly string[] }[]
  }[]
}

/** The node that a DaemonSet's Pod is for. */
function nodeOf({ spec }: KubeObject): string | undefined {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  const affinity = spec?.affinity as { nodeAffinity?: Record<string, NodeSelector> } | undefined
  return affinity?.nodeAffinity?.[required]?.nodeSelectorTerms[0]?.matchFields?.[0]?.values[0]
}

/** The running stand-in. */
export class Kubelet {
  readonly #client: () => ApiClient
  #count = 0
  #stopped = false
  #loop: Promise<void> = Promise.resolve()
  /** The last error that was not the API server's absence. */
  lastError: unknown

  private constructor(client: () => ApiClient) {
    this.#client = client
  }

  /**
   * Starts the loop.
   * @param client - gives the client of the moment, since a restarted API server gets a new one
   */
  static async start(scope: Scope, client: () => ApiClient): Promise<Kubelet> {
    const kubelet = new Kubelet(client)
    for (const name of NODES) {
      await client().applyObject({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'topology.kubernetes.io/zone': name.replace('node', 'zone') } },
      })
    }
    kubelet.#loop = kubelet.#run()
    scope.add('kubelet', () => kubelet.stop())
    return kubelet
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#loop
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#round()
      } catch (error) {
        // The API server is away now and then: that is what some of the tests are about.
        if (error instanceof ApiError && error.status !== 404 && error.status !== 409) this.lastError = error
      }
      await delay(POLL_MS)
    }
  }

  async #round(): Promise<void> {
    const pods = await this.#client().list(
      { apiVersion: 'v1', kind: 'Pod', namespace: '*' },
      'resourceVersion=0',
    )
    const waiting = pods.filter(pod => pod.metadata.deletionTimestamp || !pod.status?.podIP).values()
    const work = async (): Promise<void> => {
      for (const pod of waiting) await this.#tend(pod)
    }
    await Promise.all(Array.from({ length: PARALLEL }, work))
  }

  async #tend(pod: KubeObject): Promise<void> {
    const { name, namespace = 'default' } = pod.metadata
    const reference = { apiVersion: 'v1', kind: 'Pod', namespace, name }
    try {
      if (pod.metadata.deletionTimestamp) return await this.#client().delete(reference, 0)
      if (!pod.spec?.nodeName) await this.#bind(reference, nodeOf(pod) ?? NODES[this.#count % NODES.length]!)
      await this.#report(pod)
    } catch (error) {
      // A Pod of an older list may be gone or changed by now; the next round sees it as it is.
      if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 409)) throw error
    }
  }

  async #bind(reference: Required<Reference>, node: string): Promise<void> {
    await this.#client().request('POST', `${apiPath(reference)}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: reference.name },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    })
  }

  async #report(pod: KubeObject): Promise<void> {
    const { name, namespace = 'default', annotations = {} } = pod.metadata
    const number = ++this.#count
    const podIP = annotations['e2e/ip'] ?? `10.244.${number >> 8}.${number & 255}`
    const hostIP = annotations['e2e/host']
    const status = annotations['e2e/ready'] === 'false' ? 'False' : 'True'
    await this.#client().patch(
      { apiVersion: 'v1', kind: 'Pod', namespace, name },
      {
        status: {
          phase: 'Running',
          ...(hostIP !== undefined && { hostIP, hostIPs: [{ ip: hostIP }] }),
          podIP,
          podIPs: [
            { ip: podIP },
            ...(podIP.includes(':') ? [] : [{ ip: `fd00:10:244::${number.toString(16)}` }]),
          ],
          conditions: [{ type: 'Ready', status, lastTransitionTime: new Date().toISOString() }],
        },
      },
      'status',
    )
  }
}
