// The objects of a folder for a person who asks why: Services as they are written, and all Pods, those of workloads included.

import {
  type Evidence,
  PODS_MAX,
  type PodFacts,
  podFacts,
  selects,
  serviceFacts,
  sliceFacts,
} from '../objects/evidence.ts'
import { SERVICE_NAME_LABEL } from '../objects/slim.ts'
import type { PodView } from './pods.ts'
import type { RawObject } from './raw.ts'

/** What a compiled folder holds beside what is served. */
export interface FolderObjects {
  readonly services: readonly RawObject[]
  readonly pods: readonly PodView[]
  /** EndpointSlices that it holds, without those that its controllers make. */
  readonly slices: readonly RawObject[]
}

/** Looks at the objects that `now` gives. */
export function folderEvidence(now: () => FolderObjects): Evidence {
  return {
    async service(namespace, name) {
      const found = now().services.find(object => object.namespace === namespace && object.name === name)
      return found && serviceFacts(found.raw)
    },
    async pod(namespace, name) {
      const found = now().pods.find(pod => pod.namespace === namespace && pod.name === name)
      return found && factsOf(found)
    },
    async podAt(address) {
      const found = now().pods.find(pod => !pod.hostNetwork && pod.ips.includes(address))
      return found && factsOf(found)
    },
    async pods(namespace, selector) {
      return now()
        .pods.filter(pod => pod.namespace === namespace && selects(selector, Object.fromEntries(pod.labels)))
        .slice(0, PODS_MAX)
        .map(factsOf)
    },
    async slices(namespace, service) {
      return now()
        .slices.filter(
          object => object.namespace === namespace && object.labels.get(SERVICE_NAME_LABEL) === service,
        )
        .map(({ raw }) => sliceFacts(raw))
    },
  }
}

/** The folder's own controllers give a Pod its address and say whether it is ready. */
function factsOf(pod: PodView): PodFacts {
  const { namespace, name, ips, labels, hostname, subdomain } = pod
  const ready = pod.ready && !pod.deleted
  const facts = podFacts(pod.raw)
  return {
    ...facts,
    ...{ namespace, name, ips, ready, hostname, subdomain, labels: Object.fromEntries(labels) },
    why: ready ? '' : facts.why,
  }
}
