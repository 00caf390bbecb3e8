// What a cluster knows of the Service that a name is about, and what its objects say of endpoints that are not there: read from
// what is served, and from the source where that does not hold it.

import { unpackEndpoints } from '../objects/endpoints.ts'
import { PODS_MAX, type PodFacts, type ServiceFacts, type SliceFacts, selects } from '../objects/evidence.ts'
import type { SlimService } from '../objects/objects.ts'
import type { ClusterName } from './cluster-name.ts'

/** What is known of the Service behind a name. */
export interface KnownService {
  readonly namespaceExists: boolean
  /** Whether `namespaces` of the Corefile leaves the namespace out. */
  readonly isHidden: boolean
  readonly service: SlimService | undefined
  /** Host names, or addresses, of ready endpoints. */
  readonly readyEndpoints: readonly string[]
  /** The selector and what else DNS does not need; undefined where nobody could be asked, and then `unknown` says why. */
  readonly written: ServiceFacts | undefined
  readonly pods: readonly PodFacts[]
  /** Of a Service without a selector and without ready endpoints. */
  readonly slices: readonly SliceFacts[]
  /** Where the name is an endpoint's: the Pod that is called so. */
  readonly endpointPod: PodFacts | undefined
  readonly unknown: string
}

/** Looks up the Service. `deep` asks the source for selectors and Pods, too. */
export async function knownService(name: ClusterName, deep: boolean): Promise<KnownService> {
  const { view, config, namespace, service: serviceName } = name
  const { cluster } = view
  const service = cluster.service(namespace, serviceName)
  const ready = service ? readyEndpoints(name) : []
  const known: KnownService = {
    namespaceExists: cluster.objects('Namespace').has(namespace),
    isHidden: config.namespaces.length > 0 && !config.namespaces.includes(namespace),
    service,
    readyEndpoints: ready,
    written: undefined,
    pods: [],
    slices: [],
    endpointPod: undefined,
    unknown: '',
  }
  if (!deep || !service || service.type === 'ExternalName') return known
  const { evidence } = view.source
  if (!evidence) return { ...known, unknown: 'nobody can be asked for its Pods' }
  try {
    const written = await evidence.service(namespace, serviceName)
    const pods = written ? await evidence.pods(namespace, written.selector) : []
    // Where a selector makes them, Pods tell more.
    const needsSlices = written && Object.keys(written.selector).length === 0 && ready.length === 0
    const slices = needsSlices ? await evidence.slices(namespace, serviceName) : []
    const endpointPod = name.endpoint === '' ? undefined : await evidence.pod(namespace, name.endpoint)
    return { ...known, written, pods, slices, endpointPod }
  } catch (error) {
    return {
      ...known,
      unknown: `what is behind it cannot be seen: ${error instanceof Error ? error.message : String(error)}`,
    }
  }
}

function readyEndpoints({ view, namespace, service }: ClusterName): string[] {
  const names: string[] = []
  for (const slice of view.cluster.objects('EndpointSlice').values()) {
    if (slice.namespace !== namespace || slice.serviceName !== service) continue
    for (const { address, hostname, targetName } of unpackEndpoints(slice.endpoints))
      names.push(hostname || targetName || address)
  }
  return names
}

/** A reason, and what to do about it; neither is a whole sentence. */
export interface Why {
  readonly why: string
  readonly advice: string
}

/** Why a Service has no ready endpoints, as its objects tell it; what to do about it stands beside. */
export function whyNoEndpoints({ service, written, pods, slices, unknown }: KnownService): Why {
  const { namespace = '', name = '' } = service ?? {}
  if (!written)
    return {
      why: unknown === '' ? 'nobody says why' : unknown,
      advice: `look at its endpoints: kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${name}`,
    }
  const selector = Object.entries(written.selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  if (selector === '') return whyNoSlice(namespace, name, slices)
  if (pods.length === 0)
    return {
      why: `its selector ${selector} matches no Pod`,
      advice: `make its selector and the labels of its Pods equal: kubectl -n ${namespace} get pods --show-labels`,
    }
  const unready = pods.filter(({ ready }) => !ready)
  if (unready.length === 0)
    return {
      why: `${pods.length === 1 ? 'its only Pod is' : `its ${counted(pods)} are`} ready, but no EndpointSlice says so yet`,
      advice: `look at its endpoints: kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${name}`,
    }
  const first = unready[0]!
  return {
    why: `${pods.length === 1 ? 'its only Pod is not ready' : `none of its ${counted(pods)} is ready`} (${first.name}: ${first.why || 'nobody says why'})`,
    advice: `see why the Pod is not ready: kubectl -n ${namespace} describe pod ${first.name}`,
  }
}

/** The same where somebody else than the cluster is to write the EndpointSlices. */
function whyNoSlice(namespace: string, service: string, slices: readonly SliceFacts[]): Why {
  const [first] = slices
  if (first === undefined)
    return {
      why: 'it has no selector, and there is no EndpointSlice of it',
      advice: `make an EndpointSlice with the label kubernetes.io/service-name: ${service}, or give the Service a selector`,
    }
  const look = `look at it: kubectl -n ${namespace} get endpointslice ${first.name} -o yaml`
  if (slices.every(({ addressType }) => addressType !== 'IPv4' && addressType !== 'IPv6'))
    return {
      why: `its EndpointSlice ${first.name} has the addressType ${first.addressType || '(none)'}, and no addresses that DNS could tell`,
      advice: 'write an EndpointSlice of addressType IPv4 or IPv6, or make the Service an ExternalName',
    }
  const all = slices.reduce((sum, { endpoints }) => sum + endpoints, 0)
  return { why: `none of the ${all} endpoints in its EndpointSlices is ready (${first.name})`, advice: look }
}

/** Why an endpoint of that name is not served, as its Pod tells it. */
export function whyNoEndpoint(
  { config, endpoint, namespace, service, zone }: ClusterName,
  { endpointPod: pod, written, unknown, readyEndpoints }: KnownService,
): Why {
  const has = readyEndpoints.length === 0 ? 'none' : some(readyEndpoints)
  if (unknown !== '') return { why: `it has ${has}; ${unknown}`, advice: CALLED }
  if (!pod)
    return {
      why: `it has ${has}, and there is no Pod ${endpoint} in namespace ${namespace}`,
      advice: CALLED,
    }
  if (written && !selects(written.selector, pod.labels))
    return {
      why: `Pod ${endpoint} does not have the labels that the Service selects`,
      advice: `make its selector and the labels of the Pod equal: kubectl -n ${namespace} get pod ${endpoint} --show-labels`,
    }
  if (!pod.ready && !written?.publishNotReadyAddresses)
    return {
      why: `Pod ${endpoint} is not ready (${pod.why || 'nobody says why'})`,
      advice: `see why: kubectl -n ${namespace} describe pod ${endpoint}`,
    }
  if (pod.subdomain !== service && pod.subdomain !== '')
    return {
      why: `spec.subdomain of Pod ${endpoint} is ${pod.subdomain}`,
      advice: `write serviceName: ${service} into its StatefulSet (spec.subdomain of the Pod), or make a headless Service ${pod.subdomain} and ask for ${endpoint}.${pod.subdomain}.${namespace}.svc.${zone.replace(/\.$/, '')}`,
    }
  const byAddress = pod.ips[0]?.replaceAll(/[.:]/g, '-') ?? ''
  return {
    why:
      pod.subdomain === ''
        ? `Pod ${endpoint} has no spec.hostname with spec.subdomain: ${service}`
        : `Pod ${endpoint} is ready, but no EndpointSlice says so yet`,
    advice:
      pod.subdomain !== '' || byAddress === ''
        ? `look at its endpoints: kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${service}`
        : `ask for ${byAddress}.${service}.${namespace}.svc.${zone.replace(/\.$/, '')}${config.endpointPodNames ? '' : ', or write endpoint_pod_names into kubernetes'}`,
  }
}

const CALLED =
  "an endpoint is called by its Pod's spec.hostname where spec.subdomain is the Service, else by its address with dashes"

const counted = (pods: readonly PodFacts[]): string =>
  `${pods.length}${pods.length >= PODS_MAX ? ' or more' : ''} Pods`

/** Lines about the Service for a person. */
export function factLines(name: ClusterName, known: KnownService): string[] {
  const { namespace, service: serviceName } = name
  const { service, namespaceExists, isHidden, readyEndpoints: ready, written, pods, unknown } = known
  const there = isHidden
    ? 'left out by `namespaces` of the Corefile'
    : namespaceExists
      ? 'there'
      : 'not there'
  const lines = [`namespace ${namespace}: ${there}`]
  if (serviceName === '') return lines
  if (!service) return [...lines, `Service ${namespace}/${serviceName}: not there`]
  lines.push(`Service ${namespace}/${serviceName}: ${kindOf(service)}`)
  if (service.type === 'ExternalName') return lines
  const ports = service.ports.map(
    ({ name, port, protocol }) => `${name === '' ? '' : `${name} `}${port}/${protocol}`,
  )
  lines.push(`ports: ${ports.length === 0 ? 'none' : ports.join(', ')}`)
  const unready = pods.filter(pod => !pod.ready)
  const others =
    unready.length === 0 ? '' : `; not ready: ${some(unready.map(({ name, why }) => `${name} (${why})`))}`
  lines.push(`ready endpoints: ${ready.length === 0 ? 'none' : some(ready)}${others}`)
  if (written?.publishNotReadyAddresses)
    lines.push('publishNotReadyAddresses: Pods that are not ready count, too')
  if (unknown !== '') lines.push(unknown)
  return lines
}

function kindOf({ type, headless, clusterIPs, externalName }: SlimService): string {
  if (type === 'ExternalName') return `ExternalName to ${externalName === '' ? 'nothing' : externalName}`
  if (headless) return `headless (${type})`
  return `${type} with ${clusterIPs.length === 0 ? 'no address yet' : clusterIPs.join(' and ')}`
}

const SHOWN_MAX = 5
const some = (texts: readonly string[]): string =>
  texts.length <= SHOWN_MAX
    ? texts.join(', ')
    : `${texts.slice(0, SHOWN_MAX).join(', ')} and ${texts.length - SHOWN_MAX} more`
