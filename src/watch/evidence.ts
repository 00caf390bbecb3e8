// Objects as the API server has them at this moment, for a person who asks why: lists of a few objects, which the permissions
// that a cluster DNS server has anyway (list on services, pods and endpointslices) allow.

import { type Evidence, PODS_MAX, podFacts, serviceFacts, sliceFacts } from '../objects/evidence.ts'
import { listAt } from '../objects/field.ts'
import { SERVICE_NAME_LABEL } from '../objects/slim.ts'
import type { Clock } from '../shared/clock.ts'
import { ApiError, messageOf } from './api-error.ts'
import type { ApiRequester } from './client.ts'

/** A person waits. */
const PATIENCE_MS = 5000
/** Each has a hundred endpoints. */
const SLICES_MAX = 20
/** 100 Pods with all that is in them. */
const BODY_MAX_OCTETS = 8 * 1024 * 1024

/** Asks the API server of that client; errors are ApiError. */
export function apiEvidence(client: ApiRequester, clock: Clock): Evidence {
  const list = async (
    plural: string,
    namespace: string,
    query: Readonly<Record<string, string>>,
    api = '/api/v1',
  ): Promise<readonly unknown[]> => {
    const within = namespace === '' ? '' : `namespaces/${encodeURIComponent(namespace)}/`
    const text = await textOf(client, clock, `${api}/${within}${plural}?${new URLSearchParams(query)}`)
    try {
      return listAt(JSON.parse(text), 'items')
    } catch (cause) {
      throw new ApiError('protocol', `reading ${plural}: ${messageOf(cause)}`, { cause })
    }
  }
  const named = (name: string): { fieldSelector: string } => ({ fieldSelector: `metadata.name=${name}` })
  return {
    async service(namespace, name) {
      const [raw] = await list('services', namespace, named(name))
      return raw === undefined ? undefined : serviceFacts(raw)
    },
    async pod(namespace, name) {
      const [raw] = await list('pods', namespace, named(name))
      return raw === undefined ? undefined : podFacts(raw)
    },
    async podAt(address) {
      const raws = await list('pods', '', {
        fieldSelector: `status.podIP=${address}`,
        limit: String(PODS_MAX),
      })
      return raws.map(podFacts).find(({ hostNetwork, ips }) => !hostNetwork && ips.includes(address))
    },
    async pods(namespace, selector) {
      const labelSelector = Object.entries(selector)
        .map(([key, value]) => `${key}=${value}`)
        .join(',')
      if (labelSelector === '') return []
      return (await list('pods', namespace, { labelSelector, limit: String(PODS_MAX) })).map(podFacts)
    },
    async slices(namespace, service) {
      const labelSelector = `${SERVICE_NAME_LABEL}=${service}`
      const query = { labelSelector, limit: String(SLICES_MAX) }
      return (await list('endpointslices', namespace, query, '/apis/discovery.k8s.io/v1')).map(sliceFacts)
    },
  }
}

function textOf(client: ApiRequester, clock: Clock, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let octets = 0
    const fail = (error: ApiError): void => {
      timer.cancel()
      call.abort()
      reject(error)
    }
    const call = client.get(path, 'application/json', {
      onOpen: () => undefined,
      onData(chunk) {
        octets += chunk.length
        chunks.push(chunk)
        if (octets > BODY_MAX_OCTETS) fail(new ApiError('protocol', `${path}: the reply is too large`))
      },
      onEnd(error) {
        timer.cancel()
        if (error) reject(error)
        else resolve(Buffer.concat(chunks).toString('utf8'))
      },
    })
    const timer = clock.after(PATIENCE_MS, () =>
      fail(new ApiError('timeout', `the API server did not answer in ${PATIENCE_MS / 1000} s`)),
    )
  })
}
