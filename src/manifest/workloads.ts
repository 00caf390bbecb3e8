// What the workload controllers of a cluster do: a ReplicaSet, a ReplicationController and a Deployment make Pods with made-up
// suffixes, a StatefulSet makes NAME-0, NAME-1 … with host names under its serviceName, a DaemonSet one Pod on each Node. Pods that the folder itself holds (as a
// dump of a cluster does) count as replicas, so that none is served twice.

import { field, fieldAt, type Json, listAt, quote, textAt, textMapAt } from '../objects/field.ts'
import { isDnsLabel, isDnsSubdomain } from '../objects/slim.ts'
import { hash32, suffixOf } from './addresses.ts'
import { type PodSeed, seedOf, type Warn } from './pods.ts'
import { type RawObject, rawObject } from './raw.ts'

/** A workload with more replicas than this gets this many Pods. */
export const REPLICAS_MAX = 5_000
/** All workloads together make at most this many Pods (half of the address range). */
const PODS_MAX = 30_000

const WORKLOADS = ['ReplicaSet', 'ReplicationController', 'Deployment', 'StatefulSet', 'DaemonSet']

/** The folder's own Pods and those that its workloads make. */
export function podSeeds(objects: readonly RawObject[], warn: Warn): PodSeed[] {
  const own = objects.filter(object => object.kind === 'Pod')
  const taken = new Set(own.map(pod => `${pod.namespace}/${pod.name}`))
  const seeds = own.map(seedOf)
  const made = objects.filter(object => object.kind === 'Pod' || object.kind === 'ReplicaSet')
  const nodes = objects.filter(object => object.kind === 'Node')
  for (const workload of objects.filter(object => WORKLOADS.includes(object.kind))) {
    const free = workload.kind === 'DaemonSet' ? freeNodes(workload, nodes, made) : []
    const missing =
      workload.kind === 'DaemonSet' ? free.length : replicasOf(workload, warn) - existing(workload, made)
    for (let i = 0; i < missing; i++) {
      if (seeds.length >= PODS_MAX) {
        warn(
          workload,
          ['spec', 'replicas'],
          `more than ${PODS_MAX} Pods: ${missing - i} of these are not made`,
        )
        break
      }
      const pod =
        workload.kind === 'StatefulSet' ? statefulPod(workload, i) : replicaPod(workload, i, taken, free[i])
      const key = `${pod.namespace}/${pod.name}`
      if (taken.has(key)) continue
      taken.add(key)
      seeds.push({ object: pod, turn: hash32(`${workload.kind}/${workload.namespace}/${workload.name}`) + i })
    }
  }
  return seeds
}

/**
 * The Nodes on which a DaemonSet still has no Pod, by its nodeSelector; taints are not looked at. In a folder without Nodes
 * there is one, without a name.
 */
function freeNodes(
  workload: RawObject,
  nodes: readonly RawObject[],
  made: readonly RawObject[],
): readonly string[] {
  if (nodes.length === 0) return existing(workload, made) > 0 ? [] : ['']
  const wanted = textMapAt(workload.raw, 'spec', 'template', 'spec', 'nodeSelector')
  const own = made.filter(object => object.kind === 'Pod' && isOwned(object, workload))
  const occupied = new Set(own.map(pod => textAt(pod.raw, 'spec', 'nodeName')))
  return nodes
    .filter(node => [...wanted].every(([key, value]) => node.labels.get(key) === value))
    .map(({ name }) => name)
    .filter(name => !occupied.has(name))
}

function replicasOf(workload: RawObject, warn: Warn): number {
  const replicas = fieldAt(workload.raw, 'spec', 'replicas') ?? 1
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    warn(workload, ['spec', 'replicas'], `${quote(replicas)} is no number of replicas: taken as 1`)
    return 1
  }
  if (replicas > REPLICAS_MAX) {
    warn(workload, ['spec', 'replicas'], `more than ${REPLICAS_MAX} replicas: it gets ${REPLICAS_MAX}`)
  }
  return Math.min(replicas, REPLICAS_MAX)
}

/**
 * How many replicas the folder holds already. A Deployment whose ReplicaSet is there makes nothing itself; a
 * StatefulSet's Pods are known by their names, so none is counted here.
 */
function existing(workload: RawObject, made: readonly RawObject[]): number {
  if (workload.kind === 'StatefulSet') return 0
  const near = made.filter(object => object.namespace === workload.namespace)
  if (workload.kind === 'Deployment' && near.some(o => o.kind === 'ReplicaSet' && isOwned(o, workload))) {
    return Number.POSITIVE_INFINITY
  }
  const wanted = selectorOf(workload)
  return near.filter(o => {
    if (o.kind !== 'Pod') return false
    const owner = controllerOf(o)
    if (owner === undefined) {
      return wanted.size > 0 && [...wanted].every(([key, value]) => o.labels.get(key) === value)
    }
    return isOwned(o, workload) || isOwnedThrough(o, workload)
  }).length
}

/** A Pod of a Deployment is owned by a ReplicaSet named DEPLOYMENT-HASH, its label pod-template-hash. */
function isOwnedThrough(pod: RawObject, workload: RawObject): boolean {
  if (workload.kind !== 'Deployment') return false
  const owner = controllerOf(pod)
  return textAt(owner, 'name') === `${workload.name}-${pod.labels.get('pod-template-hash') ?? ''}`
}

function isOwned(object: RawObject, owner: RawObject): boolean {
  const reference = controllerOf(object)
  return textAt(reference, 'kind') === owner.kind && textAt(reference, 'name').toLowerCase() === owner.name
}

const controllerOf = (object: RawObject): unknown =>
  listAt(object.raw, 'metadata', 'ownerReferences').find(
    reference => field(reference, 'controller') !== false,
  )

const templateLabels = (workload: RawObject): Map<string, string> =>
  textMapAt(workload.raw, 'spec', 'template', 'metadata', 'labels')

function selectorOf(workload: RawObject): Map<string, string> {
  const path = workload.kind === 'ReplicationController' ? ['selector'] : ['selector', 'matchLabels']
  const wanted = textMapAt(workload.raw, 'spec', ...path)
  return wanted.size > 0 ? wanted : templateLabels(workload)
}

/** A Pod with a made-up name, on that node if one is named. */
function replicaPod(
  workload: RawObject,
  i: number,
  taken: ReadonlySet<string>,
  nodeName: string | undefined,
): RawObject {
  const hash = suffixOf(`${workload.kind}/${workload.namespace}/${workload.name}`)
  const stem = (workload.kind === 'Deployment' ? `${workload.name}-${hash}` : workload.name).slice(0, 247)
  let name = `${stem}-${suffixOf(`${stem}/${workload.namespace}/${i}`)}`
  for (let again = 1; taken.has(`${workload.namespace}/${name}`); again++) {
    name = `${stem}-${suffixOf(`${stem}/${workload.namespace}/${i}/${again}`)}`
  }
  const labels = workload.kind === 'Deployment' ? { 'pod-template-hash': hash } : {}
  return podOf(workload, name, labels, nodeName ? { nodeName } : {})
}

/** StatefulSet Pods: stable host names NAME-i under the Service `serviceName` (Kubernetes DNS specification 2.4.1). */
function statefulPod(workload: RawObject, i: number): RawObject {
  const start = fieldAt(workload.raw, 'spec', 'ordinals', 'start')
  const ordinal = (typeof start === 'number' && Number.isInteger(start) && start >= 0 ? start : 0) + i
  const name = `${workload.name}-${ordinal}`
  const subdomain = textAt(workload.raw, 'spec', 'serviceName')
  const labels = {
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  }
  const hosted = isDnsLabel(name) && isDnsSubdomain(subdomain) ? { hostname: name, subdomain } : {}
  return podOf(workload, name, labels, hosted)
}

function podOf(workload: RawObject, name: string, labels: Json, spec: Json): RawObject {
  const template = fieldAt(workload.raw, 'spec', 'template', 'spec')
  const raw = {
    metadata: {
      name,
      namespace: workload.namespace,
      labels: { ...Object.fromEntries(templateLabels(workload)), ...labels },
    },
    spec: { ...(typeof template === 'object' ? template : {}), ...spec },
  }
  return rawObject('Pod', raw, workload.place)
}
