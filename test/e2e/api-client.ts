// A small client of the Kubernetes API for the tests: server-side apply of YAML, get, list, delete, status patches,
// ServiceAccount tokens. Written on node:https, apart from src/watch, so that a fault there is not hidden here.

import { Agent, request } from 'node:https'
import { parseAllDocuments } from 'yaml'

const FIELD_MANAGER = 'seamark-e2e'
const TIMEOUT_MS = 15_000

/** An API object, as far as the tests look into it. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** The API server's refusal: its HTTP status, Kubernetes' reason word and message. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number

  constructor(status: number, reason: string, message: string) {
    super(`api server answered ${status} ${reason}: ${message}`)
    this.name = 'ApiError'
    this.code = reason
    this.status = status
  }
}

/** Plural and scope of each kind that the tests use. */
const KINDS: Readonly<Record<string, { readonly plural: string; readonly namespaced: boolean }>> = {
  CiliumLocalRedirectPolicy: { plural: 'ciliumlocalredirectpolicies', namespaced: true },
  ClusterRole: { plural: 'clusterroles', namespaced: false },
  ClusterRoleBinding: { plural: 'clusterrolebindings', namespaced: false },
  ConfigMap: { plural: 'configmaps', namespaced: true },
  CustomResourceDefinition: { plural: 'customresourcedefinitions', namespaced: false },
  DNS: { plural: 'dnses', namespaced: false },
  DNSPolicy: { plural: 'dnspolicies', namespaced: true },
  DNSRecord: { plural: 'dnsrecords', namespaced: true },
  DaemonSet: { plural: 'daemonsets', namespaced: true },
  Deployment: { plural: 'deployments', namespaced: true },
  EndpointSlice: { plural: 'endpointslices', namespaced: true },
  Endpoints: { plural: 'endpoints', namespaced: true },
  HorizontalPodAutoscaler: { plural: 'horizontalpodautoscalers', namespaced: true },
  Namespace: { plural: 'namespaces', namespaced: false },
  Ingress: { plural: 'ingresses', namespaced: true },
  NetworkPolicy: { plural: 'networkpolicies', namespaced: true },
  Node: { plural: 'nodes', namespaced: false },
  PersistentVolumeClaim: { plural: 'persistentvolumeclaims', namespaced: true },
  Pod: { plural: 'pods', namespaced: true },
  PodDisruptionBudget: { plural: 'poddisruptionbudgets', namespaced: true },
  PriorityClass: { plural: 'priorityclasses', namespaced: false },
  PrometheusRule: { plural: 'prometheusrules', namespaced: true },
  ReplicaSet: { plural: 'replicasets', namespaced: true },
  Role: { plural: 'roles', namespaced: true },
  RoleBinding: { plural: 'rolebindings', namespaced: true },
  Secret: { plural: 'secrets', namespaced: true },
  Service: { plural: 'services', namespaced: true },
  ServiceAccount: { plural: 'serviceaccounts', namespaced: true },
  ServiceImport: { plural: 'serviceimports', namespaced: true },
  ServiceMonitor: { plural: 'servicemonitors', namespaced: true },
  StatefulSet: { plural: 'statefulsets', namespaced: true },
  StubDomain: { plural: 'stubdomains', namespaced: false },
}

/** Names one object or, without `name`, all of a kind. */
export interface Reference {
  readonly apiVersion: string
  readonly kind: string
  /** Default `default`, for kinds that live in namespaces; '*' for all of them. */
  readonly namespace?: string
  readonly name?: string
}

/** The URL path of what a reference names. Throws TypeError on a kind that KINDS does not list. */
export function apiPath(reference: Reference): string {
  const kind = KINDS[reference.kind]
  if (!kind) throw new TypeError(`kind ${reference.kind} is not known to the tests' API client`)
  const { apiVersion, namespace = 'default', name } = reference
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const scope = kind.namespaced && namespace !== '*' ? `/namespaces/${namespace}` : ''
  return `${group}${scope}/${kind.plural}${name === undefined ? '' : `/${name}`}`
}

/** The documents of a YAML text. Throws on a syntax error. */
export function readYaml(text: string): KubeObject[] {
  return parseAllDocuments(text)
    .map(document => {
      if (document.errors[0]) throw document.errors[0]
      return document.toJS() as KubeObject | null
    })
    .filter(object => object !== null)
}

/** Where the API server is and as whom to ask it. */
export interface ApiAccess {
  readonly port: number
  readonly ca: string
  readonly token: string
}

/** A client with one identity. Every method throws ApiError on a refusal and the socket's error where nobody answers. */
export class ApiClient {
  readonly #access: ApiAccess
  readonly #agent: Agent

  constructor(access: ApiAccess) {
    this.#access = access
    this.#agent = new Agent({ keepAlive: true, maxSockets: 8, ca: access.ca })
  }

  /** One request; gives the parsed JSON, or the text where it is none. */
  async request<Value>(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<Value> {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const { status, text } = await this.#send(method, path, payload, contentType)
    const value = text.startsWith('{') ? (JSON.parse(text) as unknown) : text
    if (status >= 300) {
      const { reason = '', message = text } = (typeof value === 'object' ? value : {}) as Record<
        string,
        string
      >
      throw new ApiError(status, reason, message)
    }
    return value as Value
  }

  #send(
    method: string,
    path: string,
    payload: string | undefined,
    contentType: string,
  ): Promise<{ status: number; text: string }> {
    const { port, token } = this.#access
    return new Promise((resolve, reject) => {
      const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: 'application/json' }
      if (payload !== undefined) {
        headers['content-type'] = contentType
        headers['content-length'] = String(Buffer.byteLength(payload))
      }
      const sent = request(
        { host: '127.0.0.1', port, method, path, headers, agent: this.#agent, timeout: TIMEOUT_MS },
        response => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', chunk => {
            text += chunk
          })
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        },
      )
      sent.on('timeout', () =>
        sent.destroy(new Error(`no answer to ${method} ${path} within ${TIMEOUT_MS} ms`)),
      )
      sent.on('error', reject)
      sent.end(payload)
    })
  }

  /** Creates or changes one object by server-side apply. */
  applyObject(object: KubeObject, options: { readonly dryRun?: boolean } = {}): Promise<KubeObject> {
    const { apiVersion, kind, metadata } = object
    const { name, namespace = 'default' } = metadata
    const query = `fieldManager=${FIELD_MANAGER}&force=true${options.dryRun ? '&dryRun=All' : ''}`
    return this.request(
      'PATCH',
      `${apiPath({ apiVersion, kind, namespace, name })}?${query}`,
      object,
      'application/apply-patch+yaml',
    )
  }

  /** Applies objects or YAML documents in order: Namespaces first by the caller's order, eight at a time where asked. */
  async apply(objects: string | readonly KubeObject[], parallel = 1): Promise<void> {
    const waiting = (typeof objects === 'string' ? readYaml(objects) : [...objects]).values()
    const work = async (): Promise<void> => {
      for (const object of waiting) await this.applyObject(object)
    }
    await Promise.all(Array.from({ length: parallel }, work))
  }

  get(reference: Required<Pick<Reference, 'name'>> & Reference): Promise<KubeObject> {
    return this.request('GET', apiPath(reference))
  }

  /** All objects of a kind; without resourceVersion consistent, with '0' whatever the server has at hand. */
  async list(reference: Reference, query = ''): Promise<KubeObject[]> {
    const { items } = await this.request<{ items: KubeObject[] }>('GET', `${apiPath(reference)}?${query}`)
    return items
  }

  /** Deletes one object; one that is not there is as good. */
  async delete(
    reference: Required<Pick<Reference, 'name'>> & Reference,
    graceSeconds?: number,
  ): Promise<void> {
    const query = graceSeconds === undefined ? '' : `?gracePeriodSeconds=${graceSeconds}`
    try {
      await this.request('DELETE', apiPath(reference) + query)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error
    }
  }

  /** Merges fields into an object (RFC 7396); `subresource` for example 'status' or 'scale'. */
  patch(
    reference: Required<Pick<Reference, 'name'>> & Reference,
    fields: Readonly<Record<string, unknown>>,
    subresource?: string,
  ): Promise<KubeObject> {
    const path = subresource ? `${apiPath(reference)}/${subresource}` : apiPath(reference)
    return this.request('PATCH', path, fields, 'application/merge-patch+json')
  }

  /** Asks for a ServiceAccount token (TokenRequest) that is valid for as long as `boundSecret` exists, if one is given. */
  async serviceAccountToken(namespace: string, name: string, boundSecret?: KubeObject): Promise<string> {
    const path = `${apiPath({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name })}/token`
    const boundObjectRef = boundSecret && {
      apiVersion: 'v1',
      kind: 'Secret',
      name: boundSecret.metadata.name,
    }
    const made = await this.request<{ status: { token: string } }>('POST', path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3600, ...(boundObjectRef ? { boundObjectRef } : {}) },
    })
    return made.status.token
  }

  close(): void {
    this.#agent.destroy()
  }
}
