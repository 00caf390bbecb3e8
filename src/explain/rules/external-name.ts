// Why a Service of type ExternalName has no answer: what its name leads to.

import { canonicalIp } from '../../shared/ip.ts'
import { bare, notesOf, type Rule } from '../case.ts'
import { type ClusterName, clusterNameOf } from '../cluster-name.ts'
import { suggestions } from '../suggest.ts'
import type { World } from '../world.ts'
import { upstreamText } from './upstream.ts'

/** Names that lead to each other are followed so far. */
const STEPS_MAX = 16

export const externalName: Rule = ({ transcript, known, found, world }) => {
  const { service } = known ?? {}
  if (!found || service?.type !== 'ExternalName') return undefined
  const is = `Service ${found.namespace}/${found.service} is an ExternalName`
  const target = service.externalName
  if (target === '') return { cause: `${is} to nothing.`, advice: 'Give it spec.externalName.' }
  if (found.endpoint !== '' || found.port !== '')
    return { cause: `${is}: no name is below it.`, advice: `Ask for ${target} itself.` }
  const name = bare(target)
  if (canonicalIp(name) !== undefined)
    return {
      cause: `${is} to ${name}, which is an address and no name.`,
      advice: `Make it a Service without a selector, with an EndpointSlice that has ${name}.`,
    }
  const host = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/:]+)/i.exec(name)?.[1] ?? name
  if (host !== name)
    return { cause: `${is} to ${name}, which is no host name.`, advice: `Write ${host} as its externalName.` }
  const inside = clusterNameOf(`${name}.`, world)
  if (inside) return insideCluster(is, name, inside, world)
  const [label = '', namespace = '', third] = name.toLowerCase().split('.')
  const short = namespace === '' ? found.namespace : namespace
  if ((third === undefined || third === 'svc') && found.view.cluster.service(short, label))
    return {
      cause: `${is} to ${name}, and no search path completes that: ${upstreamText(notesOf(transcript, 'forward')) || transcript.reason}.`,
      advice: `Write ${label}.${short}.svc.${bare(found.zone)} as its externalName.`,
    }
  const upstream = upstreamText(notesOf(transcript, 'forward'))
  const fate = upstream === '' ? (transcript.reason === '' ? transcript.rcode : transcript.reason) : upstream
  return {
    cause: `${is} to ${name}, which has no ${transcript.type} record: ${fate}.`,
    advice: `Change spec.externalName, or see why ${name} is not there.`,
  }
}

/** It leads to another name of a cluster. */
function insideCluster(
  is: string,
  name: string,
  to: ClusterName,
  world: World,
): { cause: string; advice: string } {
  const seen = new Set<string>()
  let at: ClusterName | undefined = to
  for (let i = 0; at?.kind === 'service' && i < STEPS_MAX; i++) {
    const key = `${at.namespace}/${at.service}`
    if (seen.has(key))
      return {
        cause: `${is} to ${name}, and that leads back to itself (${[...seen, key].join(' → ')}).`,
        advice: 'Give one of them an externalName outside of this circle.',
      }
    seen.add(key)
    const { cluster }: ClusterName['view'] = at.view
    const service = cluster.service(at.namespace, at.service)
    if (!service) {
      const [near] = suggestions(at)
      return {
        cause: `${is} to ${name}, and there is no Service ${at.service} in namespace ${at.namespace}.`,
        advice: near === undefined ? 'Change spec.externalName.' : `Write ${near} as its externalName.`,
      }
    }
    at = service.type === 'ExternalName' ? clusterNameOf(`${bare(service.externalName)}.`, world) : undefined
  }
  return {
    cause: `${is} to ${name}, which has no such record itself.`,
    advice: `See why: seamark explain ${name}.`,
  }
}
