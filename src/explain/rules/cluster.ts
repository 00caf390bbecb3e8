// Causes that lie in the cluster: what is not listed, what may be too old, and what the objects behind a name say.

import { bare, type Case, isAbsent, type Rule, sentence } from '../case.ts'
import type { ClusterName } from '../cluster-name.ts'
import { type KnownService, whyNoEndpoint, whyNoEndpoints } from '../service-facts.ts'

/** What is wrong with a watch of a cluster, in the words of the API server, and what to add to the ClusterRole. */
interface Trouble {
  readonly resource: string
  readonly error: string
  readonly missing: string | undefined
}

function troubleOf({ view }: ClusterName): Trouble | undefined {
  const bad = view.source.status().find(({ lastError }) => lastError !== undefined)
  if (bad?.lastError === undefined) return undefined
  const { resource, lastError } = bad
  const [error = '', more] = lastError.split('; add to the ClusterRole: ')
  return { resource, error, missing: more?.replace(/ \(.*$/s, '') }
}

const adviceFor = (trouble: Trouble | undefined): string =>
  trouble?.missing
    ? `Add to the ClusterRole of the server: ${trouble.missing}.`
    : 'See whether the API server answers (kubectl get --raw /readyz) and is reached from this Pod.'

export const unlisted: Rule = ({ transcript, found, world }) => {
  if (!found || found.view.ready()) return undefined
  const { source } = found.config
  const unread = source.kind === 'manifests' ? found.view.source.problems?.()[0] : undefined
  const trouble = troubleOf(found)
  const why = unread ?? (trouble ? `${trouble.resource}: ${trouble.error}` : found.view.explain())
  return {
    cause: `The cluster is not listed yet, so nothing is known of ${bare(transcript.name)}: ${why}.`,
    advice:
      source.kind === 'manifests'
        ? `See whether the folder ${source.directory} is there and can be read.`
        : adviceFor(trouble),
    ...(!world.isServer && { resolves: 'untold' }),
  }
}

/** Data that is old may be wrong: nobody can say that a name is not there. */
export const stale: Rule = one => {
  const { transcript, found, known } = one
  if (!found || !isAbsent(one)) return undefined
  const trouble = troubleOf(found)
  const { ageSeconds = 0 } = found.view
  if (ageSeconds === 0 && !trouble) return undefined
  const ofResource = found.view.source.status().find(({ resource }) => resource === trouble?.resource)
  const seconds = Math.round(Math.max(ageSeconds, (ofResource?.ageMs ?? 0) / 1000))
  const missing =
    known && !known.service
      ? `there is no Service ${found.service} in namespace ${found.namespace}`
      : transcript.reason
  const silent = trouble
    ? `it has heard nothing new of ${trouble.resource} for ${seconds} s: ${trouble.error}`
    : `that is ${seconds} s old`
  return {
    cause: `As far as this server knows, ${missing || `there is no ${bare(transcript.name)}`}; but ${silent}.`,
    advice: `${adviceFor(trouble).replace(/\.$/, '')}; another replica may know more.`,
  }
}

const serviceOf = ({ found, known }: Case): { found: ClusterName; known: KnownService } | undefined =>
  found?.kind === 'service' && found.namespace !== '' && known ? { found, known } : undefined

const withLabels = (labels: string): string => (labels === '' ? '' : ` with the labels ${labels}`)

/** The namespace, or the Service in it, is not there. */
const missing: Rule = one => {
  const both = serviceOf(one)
  if (!both) return undefined
  const { found, known } = both
  const { namespace, config, service } = found
  const ask = one.suggestions.length === 0 ? '' : `Ask for ${one.suggestions[0]}.`
  if (known.isHidden)
    return {
      cause: `Namespace ${namespace} is left out: kubernetes in the Corefile serves ${config.namespaces.join(', ')} alone.`,
      advice: `Put ${namespace} behind \`namespaces\` there.`,
    }
  if (!known.namespaceExists)
    return {
      cause: `There is no namespace ${namespace}${withLabels(config.namespaceLabels)}.`,
      advice:
        config.namespaceLabels === ''
          ? ask || 'Look at the namespaces: kubectl get namespaces.'
          : `Look at its labels: kubectl get namespace ${namespace} --show-labels.`,
    }
  if (service === '' || known.service) return undefined
  const unserved = found.view.source.problems?.().find(text => text.includes(`${namespace}/${service}`))
  return {
    cause: `There is no Service ${service} in namespace ${namespace}${withLabels(config.labels)}${unserved === undefined ? '' : ` that can be served: ${unserved}`}.`,
    advice:
      ask ||
      (config.labels === ''
        ? `Look at the Services: kubectl -n ${namespace} get services.`
        : `Look at its labels: kubectl -n ${namespace} get service ${service} --show-labels.`),
  }
}

const titleOf = ({ service, namespace }: ClusterName): string =>
  `Service ${service} in namespace ${namespace}`

/** No port of that name, or a name of a port that is written in another way than SRV names are. */
const port: Rule = one => {
  const { found, known } = serviceOf(one) ?? {}
  const { service } = known ?? {}
  if (!found || !service) return undefined
  const isHalf = found.endpoint.startsWith('_')
  if (found.port === '' && !isHalf) return undefined
  const { ports } = service
  if (ports.some(({ name, protocol }) => name === found.port && protocol === found.protocol)) return undefined
  const named = ports.filter(({ name }) => name !== '')
  const has =
    named.length === 0
      ? 'no named ports'
      : named.map(({ name, protocol }) => `${name}/${protocol}`).join(', ')
  const alike =
    named.find(({ name }) => name === (isHalf ? found.endpoint.slice(1) : found.port)) ??
    named.find(({ protocol }) => protocol === found.protocol) ??
    named[0]
  return {
    cause: isHalf
      ? `The name of a port has its protocol behind it, and ${found.endpoint} has none; ${titleOf(found)} has ${has}.`
      : `${titleOf(found)} has no ${found.protocol} port called ${found.port}; it has ${has}.`,
    advice: alike
      ? `Ask for _${alike.name}._${alike.protocol}.${found.service}.${found.namespace}.svc.${bare(found.zone)}.`
      : 'Give the port of the Service a name.',
  }
}

/** Nobody is ready behind it. */
const empty: Rule = one => {
  const { found, known } = serviceOf(one) ?? {}
  if (!found || !known?.service || one.outcome !== 'no-name') return undefined
  const kind = known.service.headless ? 'Headless ' : ''
  if (found.config.noEndpoints)
    return {
      cause: `${kind}${titleOf(found)} has no endpoints for this server: kubernetes in the Corefile says noendpoints.`,
      advice: 'Take `noendpoints` out of the Corefile.',
    }
  if (known.readyEndpoints.length > 0) return undefined
  const { why, advice } = whyNoEndpoints(known)
  const ignored = found.config.ignoreEmptyService && !known.service.headless
  return {
    cause: `${kind}${titleOf(found)} has no ready endpoints${ignored ? ', and `ignore empty_service` hides it' : ''}: ${why}.`,
    advice: sentence(advice),
  }
}

const endpoint: Rule = one => {
  const { found, known } = serviceOf(one) ?? {}
  if (!found || !known?.service || found.endpoint === '') return undefined
  const { why, advice } = whyNoEndpoint(found, known)
  return {
    cause: `${titleOf(found)} has no ready endpoint called ${found.endpoint}: ${why}.`,
    advice: sentence(advice),
  }
}

/** The name is there, and has no record of the type. */
const otherType: Rule = one => {
  const { transcript, outcome } = one
  const { known } = serviceOf(one) ?? {}
  if (!known?.service || outcome !== 'no-data' || transcript.reason === '') return undefined
  return { cause: sentence(transcript.reason), advice: adviceForType(transcript.type, known) }
}

function adviceForType(type: string, { service }: KnownService): string {
  const other = type === 'AAAA' ? 'A' : type === 'A' ? 'AAAA' : undefined
  if (other === undefined) return 'Ask for another type, such as A.'
  return service!.clusterIPs.length > 0
    ? `Ask for ${other}, or give the Service addresses of both families (spec.ipFamilyPolicy).`
    : `Ask for ${other}, or give its endpoints addresses of the other family.`
}

/** `10-244-1-20.shop.pod.cluster.local` */
const podName: Rule = ({ transcript, found }) => {
  if (found?.kind !== 'pod' || transcript.reason === '') return undefined
  const { namespace, config, zone } = found
  return {
    cause: `${bare(transcript.name)} has no ${transcript.type} record: ${transcript.reason}.`,
    advice:
      config.pods === 'disabled'
        ? 'Write `pods verified` or `pods insecure` into kubernetes of the Corefile.'
        : config.pods === 'verified' && namespace !== ''
          ? `Look at the addresses of its Pods: kubectl -n ${namespace} get pods -o wide.`
          : `Pods are called by their address: 10-244-1-20.${namespace || 'NAMESPACE'}.pod.${bare(zone)}.`,
  }
}

/** The reverse name of an address. */
const address: Rule = ({ transcript, found }) => {
  if (!found?.zone.endsWith('.arpa.') || transcript.reason === '') return undefined
  return {
    cause: `${bare(transcript.name)} has no ${transcript.type} record: ${transcript.reason}.`,
    advice:
      'See whose address it is: kubectl get services,endpointslices -A. Pods that no Service selects have no name.',
  }
}

/** Behind what stands in the way of all of it: data that is not there, or too old. */
export const CLUSTER: readonly Rule[] = [missing, port, empty, endpoint, otherType, podName, address]
