// What there is to say of a name that is answered: by whom, and whether that is what was meant.

import { capturedBy } from '../../cluster/capture.ts'
import { bare, lastOf, type Rule, sentence } from '../case.ts'
import { whyNoEndpoints } from '../service-facts.ts'

const captured: Rule = ({ asked, transcript, sought, found }) => {
  if (found?.kind !== 'service' || asked.endsWith('.') || !asked.includes('.')) return undefined
  if (bare(transcript.name) === asked.toLowerCase()) return undefined
  if (sought !== transcript.name) return undefined
  const last = asked.split('.').at(-1)!.toLowerCase()
  if (capturedBy(last, found.zone) === undefined) return undefined
  if (last !== found.namespace && last !== found.service) return undefined
  const isNamespace = found.namespace === last
  const what = isNamespace
    ? `namespace ${found.namespace}`
    : `Service ${found.service} in namespace ${found.namespace}`
  return {
    cause: `The search path captures ${asked}: because of ${what} it is answered as ${bare(transcript.name)}.`,
    advice: `Ask for ${asked}. with a dot at the end, or give the ${isNamespace ? 'namespace' : 'Service'} another name than a domain of the Internet has.`,
  }
}

/** A Service with an address, and nobody behind it: the name resolves, and connections fail. */
const deserted: Rule = ({ transcript, sought, found, known }) => {
  const { service, readyEndpoints = [], written } = known ?? {}
  if (!found || !known || !service || service.headless || service.type === 'ExternalName') return undefined
  if (transcript.type !== 'A' && transcript.type !== 'AAAA' && transcript.type !== 'SRV') return undefined
  if (readyEndpoints.length > 0 || !written || found.config.noEndpoints) return undefined
  const { why, advice } = whyNoEndpoints(known)
  return {
    cause: `${bare(sought)} resolves to ${service.clusterIPs.join(' and ')}, but nobody answers there: ${why}.`,
    advice: sentence(advice),
  }
}

const NOTHING = 'Nothing is to be done in DNS.'

const resolves: Rule = ({ transcript, sought }) => {
  const isAll = transcript.type === 'ANY'
  const data = transcript.answer
    .filter(({ type }) => isAll || type === transcript.type)
    .map(record => (isAll ? `${record.type} ${record.data}` : record.data))
  const shown =
    data.length <= 4 ? data.join(', ') : `${data.slice(0, 4).join(', ')} and ${data.length - 4} more`
  const by = transcript.plugin === '' ? '' : `, says ${transcript.plugin}`
  const name = bare(sought)
  const was = name === bare(transcript.name) ? name : `${bare(transcript.name)}, taken as ${name},`
  if (transcript.outcome === 'transfer')
    return { cause: `${was} is transferred as a whole${by}.`, advice: NOTHING }
  const staleSeconds = -Number(lastOf(transcript, 'cache')?.facts?.ttlSeconds ?? 0)
  if (staleSeconds > 0)
    return {
      cause: `${was} resolves to ${shown} out of the cache, and that has been stale for ${staleSeconds} s.`,
      advice:
        'See whether the addresses behind forward answer: the cache gives stale answers where they do not.',
    }
  return { cause: `${was} resolves to ${shown}${by}.`, advice: NOTHING }
}

export const ANSWERED: readonly Rule[] = [captured, deserted, resolves]
