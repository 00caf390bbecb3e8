// The EndpointSlices of the folder: those that it holds, those that the EndpointSlice controller would make of a
// selector (one per address family and set of ports), and those that the mirroring controller would make of v1
// Endpoints. Where a dump of a cluster holds the slices already, nothing is made a second time.

import { packEndpoints, type SlimEndpoint, unpackEndpoints } from '../objects/endpoints.ts'
import { field, fieldAt, listAt, type Path, textAt, textMapAt } from '../objects/field.ts'
import type { Labels } from '../objects/label-selector.ts'
import type { SlimEndpointSlice, SlimPort } from '../objects/objects.ts'
import {
  isProblem,
  placeText,
  SERVICE_NAME_LABEL,
  type SliceOptions,
  slimEndpointSlice,
} from '../objects/slim.ts'
import { type IpFamily, parseIp } from '../shared/ip.ts'
import { suffixOf } from './addresses.ts'
import { isBuiltIn } from './builtins.ts'
import { familiesOf, type ServiceView } from './cluster-ips.ts'
import type { PodView, Warn } from './pods.ts'
import type { RawObject } from './raw.ts'

/** A slice with the labels that a selector may ask for. */
export interface LabelledSlice {
  readonly slice: SlimEndpointSlice
  readonly labels: Labels
}

const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
const CONTROLLER = 'endpointslice-controller.k8s.io'
const MIRROR = 'endpointslicemirroring-controller.k8s.io'
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror'

/** All slices: the folder's own, then the generated ones. */
export function endpointSlices(
  objects: readonly RawObject[],
  services: readonly ServiceView[],
  pods: readonly PodView[],
  options: SliceOptions,
  warn: Warn,
): LabelledSlice[] {
  const own = objects.filter(object => object.kind === 'EndpointSlice')
  const slices = own.flatMap(object => ownSlice(object, options, warn))
  const names = new Set(own.map(object => `${object.namespace}/${object.name}`))
  const sliced = new Set(slices.map(({ slice }) => `${slice.namespace}/${slice.serviceName}`))
  const dumped = new Set(
    slices
      .filter(({ labels }) => labels.get(MANAGED_BY) === CONTROLLER)
      .map(({ slice }) => `${slice.namespace}/${slice.serviceName}`),
  )
  const endpoints = new Map<string, RawObject>(
    objects.filter(o => o.kind === 'Endpoints').map(o => [`${o.namespace}/${o.name}`, o]),
  )
  const index = new PodIndex(pods)
  for (const service of services) {
    const key = `${service.slim.namespace}/${service.slim.name}`
    if (service.slim.type === 'ExternalName') continue
    const selector = textMapAt(service.object.raw, 'spec', 'selector')
    const written = sliced.has(key) ? undefined : endpoints.get(key)
    const given = dumped.has(key) || (isBuiltIn(service.object) && (sliced.has(key) || endpoints.has(key)))
    const matching = selector.size > 0 && !given ? index.select(service.slim.namespace, selector) : []
    if (matching.length > 0) {
      slices.push(...selected(service, matching, options, names, warn))
    } else if (written) {
      slices.push(...mirrored(written, options, names, warn))
    } else if (selector.size > 0 && !sliced.has(key)) {
      const words = [...selector].map(([label, value]) => `${label}=${value}`).join(',')
      warn(service.object, ['spec', 'selector'], `the selector ${words} matches no Pod: it has no endpoints`)
    }
  }
  return slices
}

/** Pods by namespace and one label, so that a selector looks only at Pods that carry its first label. */
class PodIndex {
  readonly #byLabel = new Map<string, PodView[]>()

  constructor(pods: readonly PodView[]) {
    for (const pod of pods) {
      for (const [key, value] of pod.labels) {
        const at = `${pod.namespace}\0${key}\0${value}`
        const list = this.#byLabel.get(at)
        if (list) list.push(pod)
        else this.#byLabel.set(at, [pod])
      }
    }
  }

  select(namespace: string, selector: Labels): readonly PodView[] {
    const [first, ...rest] = selector
    if (first === undefined) return []
    const candidates = this.#byLabel.get(`${namespace}\0${first[0]}\0${first[1]}`) ?? []
    return candidates.filter(pod => rest.every(([key, value]) => pod.labels.get(key) === value))
  }
}

function ownSlice(object: RawObject, options: SliceOptions, warn: Warn): LabelledSlice[] {
  const slice = slimEndpointSlice(object.raw, options, (path, message) => warn(object, path, message))
  if (slice === undefined) {
    warn(object, ['metadata', 'labels'], `no label ${SERVICE_NAME_LABEL}: it belongs to no Service`)
    return []
  }
  if (isProblem(slice)) {
    warn(object, slice.path, `${slice.problem}: not served`)
    return []
  }
  return [{ slice, labels: object.labels }]
}

/** What the EndpointSlice controller makes of a Service with a selector. */
function selected(
  service: ServiceView,
  pods: readonly PodView[],
  options: SliceOptions,
  names: Set<string>,
  warn: Warn,
): LabelledSlice[] {
  const { object, slim } = service
  const unready = fieldAt(object.raw, 'spec', 'publishNotReadyAddresses') === true
  const ports = portResolver(service, pods, warn)
  const labels = new Map([...object.labels, [SERVICE_NAME_LABEL, slim.name], [MANAGED_BY, CONTROLLER]])
  return familiesOf(service).flatMap(family => {
    const groups = new Map<
      string,
      { readonly ports: readonly SlimPort[]; readonly endpoints: SlimEndpoint[] }
    >()
    for (const pod of pods.toSorted(byName)) {
      const address = pod.ips.find(ip => parseIp(ip)?.family === family)
      if (address === undefined || !(unready || (pod.ready && !pod.deleted))) continue
      const resolved = ports(pod)
      const key = JSON.stringify(resolved)
      const group = groups.get(key) ?? { ports: resolved, endpoints: [] }
      groups.set(key, group)
      group.endpoints.push({
        address,
        hostname: pod.subdomain === slim.name ? pod.hostname : '',
        targetName: options.endpointPodNames ? pod.name : '',
        zone: options.zonal ? pod.zone : '',
        ...(options.topology && { place: placeText([pod.node], [pod.zone]) }),
      })
    }
    return [...groups].map(([key, group]) => ({
      slice: {
        namespace: slim.namespace,
        name: freeName(names, slim.namespace, slim.name, `${family} ${key}`),
        serviceName: slim.name,
        ports: group.ports,
        endpoints: packEndpoints(group.endpoints),
        triggerTimeMs: 0,
      },
      labels,
    }))
  })
}

const byName = (a: PodView, b: PodView): number =>
  a.name.localeCompare(b.name, 'en', { numeric: true }) || (a.name < b.name ? -1 : 1)

/** The Service's ports as a Pod has them: targetPort is a number, or the name of a container's port. */
function portResolver(
  service: ServiceView,
  pods: readonly PodView[],
  warn: Warn,
): (pod: PodView) => readonly SlimPort[] {
  const rules = listAt(service.object.raw, 'spec', 'ports').flatMap((item, i) => {
    const { name, protocol, port } = {
      name: textAt(item, 'name').toLowerCase(),
      protocol: (textAt(item, 'protocol') || 'TCP').toLowerCase(),
      port: field(item, 'port'),
    }
    const kept = service.slim.ports.some(p => p.name === name && p.protocol === protocol && p.port === port)
    const target = field(item, 'targetPort')
    const unset = target === undefined || target === null || target === 0 || target === ''
    return kept ? [{ name, protocol, target: unset ? port : target, at: ['spec', 'ports', i] as Path }] : []
  })
  const find = (pod: PodView, rule: (typeof rules)[number]): number | undefined => {
    if (typeof rule.target === 'number') return isPort(rule.target) ? rule.target : undefined
    return pod.ports.find(p => p.name === rule.target && p.protocol === rule.protocol && isPort(p.port))?.port
  }
  for (const rule of rules) {
    const lacking = pods.filter(pod => find(pod, rule) === undefined)
    if (lacking.length === 0) continue
    const path = [...rule.at, 'targetPort']
    if (typeof rule.target === 'number') {
      warn(service.object, path, `${rule.target} is no port number: its endpoints lack this port`)
      continue
    }
    const more = lacking.length > 1 ? ` and ${lacking.length - 1} more` : ''
    const pod = `Pod ${lacking[0]!.namespace}/${lacking[0]!.name}${more}`
    const what = `has no ${rule.protocol} port named '${String(rule.target)}'`
    warn(service.object, path, `${pod} ${what}: the endpoint lacks this port`)
  }
  return pod =>
    rules.flatMap(rule => {
      const port = find(pod, rule)
      return port === undefined ? [] : [{ name: rule.name, port, protocol: rule.protocol }]
    })
}

const isPort = (value: number): boolean => Number.isInteger(value) && value > 0 && value < 65536

/** What the mirroring controller makes of v1 Endpoints: a slice per subset and address family. */
function mirrored(object: RawObject, options: SliceOptions, names: Set<string>, warn: Warn): LabelledSlice[] {
  if (object.labels.get(SKIP_MIRROR) === 'true') return []
  const labels = new Map([...object.labels, [SERVICE_NAME_LABEL, object.name], [MANAGED_BY, MIRROR]])
  return listAt(object.raw, 'subsets').flatMap((subset, i) => {
    const addresses = listAt(subset, 'addresses')
    const asSlice = {
      metadata: {
        namespace: object.namespace,
        name: object.name,
        labels: { [SERVICE_NAME_LABEL]: object.name },
        annotations: fieldAt(object.raw, 'metadata', 'annotations'),
      },
      ports: listAt(subset, 'ports'),
      endpoints: addresses.map(address => ({
        addresses: [field(address, 'ip')],
        hostname: field(address, 'hostname'),
        targetRef: field(address, 'targetRef'),
      })),
    }
    const slim = slimEndpointSlice(asSlice, options, (path, message) => {
      warn(object, ['subsets', i, ...inSubset(path)], message)
    })
    if (slim === undefined || isProblem(slim)) return []
    return ([4, 6] as const).flatMap((family: IpFamily) => {
      const ofFamily = unpackEndpoints(slim.endpoints).filter(
        ({ address }) => parseIp(address)?.family === family,
      )
      if (ofFamily.length === 0) return []
      const endpoints = packEndpoints(ofFamily)
      const name = freeName(names, object.namespace, object.name, `${family} subset ${i}`)
      return [{ slice: { ...slim, name, endpoints }, labels }]
    })
  })
}

/** From a path of the slice that a subset is read as to the path of the subset itself. */
function inSubset(path: Path): Path {
  if (path[0] !== 'endpoints') return path
  const [, index = 0, part = ''] = path
  return ['addresses', index, part === 'addresses' ? 'ip' : part]
}

/** SERVICE-xxxxx, by what tells the slice from the Service's others, and free in its namespace. */
function freeName(names: Set<string>, namespace: string, service: string, what: string): string {
  let name = `${service}-${suffixOf(`${service} ${what}`)}`
  for (let i = 1; names.has(`${namespace}/${name}`); i++)
    name = `${service}-${suffixOf(`${service} ${what} ${i}`)}`
  names.add(`${namespace}/${name}`)
  return name
}
