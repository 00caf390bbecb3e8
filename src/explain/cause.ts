// The cause of what became of a name, and what to do about it: rules tried in order, the first that fits speaks. A rule looks at
// what the server told on the way (notes, the reason in the reply) and at what stands behind the name.

import { capturedBy } from '../cluster/capture.ts'
import type { TracedNote, Transcript } from '../serving/traced.ts'
import { EDE } from '../wire/extended-error.ts'
import type { ClusterName } from './cluster-name.ts'
import type { Outcome } from './resolver.ts'
import { type KnownService, whyNoEndpoints } from './service-facts.ts'
import type { World } from './world.ts'

/** What a rule looks at. */
export interface Case {
  readonly asked: string
  readonly transcript: Transcript
  readonly outcome: Outcome
  readonly client: string
  readonly found: ClusterName | undefined
  readonly known: KnownService | undefined
  readonly suggestions: readonly string[]
  readonly world: World
}

export interface Verdict {
  readonly cause: string
  readonly advice: string
  /** Whether it could not be told. */
  readonly untold?: boolean
}

type Rule = (one: Case) => Verdict | undefined

/** The verdict; every case has one. */
export function causeOf(one: Case): Verdict {
  for (const rule of one.outcome === 'answer' ? ANSWERED : UNANSWERED) {
    const verdict = rule(one)
    if (verdict) return verdict
  }
  const { transcript } = one
  const reason = transcript.reason === '' ? '' : `: ${transcript.reason}`
  const what = transcript.outcome === 'silence' ? 'nobody answers it' : `the server says ${transcript.rcode}`
  const who = transcript.plugin === '' ? '' : ` (${transcript.plugin})`
  return {
    cause: `${bare(transcript.name)} has no ${transcript.type} record: ${what}${who}${reason}.`,
    advice: 'Follow the steps above to the plugin that says so.',
  }
}

const bare = (name: string): string => (name === '.' ? name : name.replace(/\.$/, ''))
const notesOf = ({ notes }: Transcript, word: string): TracedNote[] =>
  notes.filter(note => note.word === word)
const lastOf = (transcript: Transcript, word: string): TracedNote | undefined =>
  notesOf(transcript, word).at(-1)

// Answered.

const captured: Rule = ({ asked, transcript, found }) => {
  if (found?.kind !== 'service' || asked.endsWith('.') || !asked.includes('.')) return undefined
  if (bare(transcript.name) === asked.toLowerCase()) return undefined
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

const deserted: Rule = ({ transcript, found, known }) => {
  const { service, readyEndpoints = [], written } = known ?? {}
  if (!found || !known || !service || service.headless || service.type === 'ExternalName') return undefined
  if (readyEndpoints.length > 0 || !written || Object.keys(written.selector).length === 0) return undefined
  const { why, advice } = whyNoEndpoints(known)
  return {
    cause: `${bare(transcript.name)} resolves to ${service.clusterIPs.join(' and ')}, but nobody answers there: ${why}.`,
    advice: sentence(advice),
  }
}

const resolves: Rule = ({ transcript }) => {
  const data = transcript.answer.filter(({ type }) => type === transcript.type).map(record => record.data)
  const shown =
    data.length <= 4 ? data.join(', ') : `${data.slice(0, 4).join(', ')} and ${data.length - 4} more`
  const by = transcript.plugin === '' ? '' : `, says ${transcript.plugin}`
  const what = transcript.outcome === 'transfer' ? 'is transferred as a whole' : `resolves to ${shown}`
  return { cause: `${bare(transcript.name)} ${what}${by}.`, advice: 'Nothing is to be done.' }
}

const ANSWERED: readonly Rule[] = [captured, deserted, resolves]

// Not answered.

const acl: Rule = ({ transcript, client }) => {
  const note = lastOf(transcript, 'acl')
  if (!note || note.facts?.action === 'allow') return undefined
  return {
    cause: `acl ${note.text}.`,
    advice: `Let the client ask by a line in front of that one: allow net ${client}${client.includes(':') ? '/128' : '/32'}.`,
  }
}

const rewritten: Rule = one => {
  const { transcript, outcome } = one
  const note = notesOf(transcript, 'rewrite').findLast(({ facts }) => facts?.name !== undefined)
  if (!note) return undefined
  const to = bare(String(note.facts?.name))
  if (to === bare(transcript.name)) return undefined
  const said = upstreamText(notesOf(transcript, 'forward')) || transcript.reason
  const failed = said || (outcome === 'no-name' ? 'that does not exist' : `the reply is ${transcript.rcode}`)
  return {
    cause: `A rewrite rule turns ${bare(transcript.name)} into ${to}, and ${failed} (${note.facts?.rule}).`,
    advice: 'Change that rule, or take the name out of what it matches.',
  }
}

const noBlock: Rule = ({ transcript, client }) => {
  if (transcript.reasonCode !== EDE.NOT_AUTHORITATIVE || transcript.plugin !== '') return undefined
  if (transcript.reason.startsWith('no view'))
    return {
      cause: `No view of the Corefile takes a query for ${bare(transcript.name)} from ${client}.`,
      advice: 'Change the expressions of the views, or put a server block without one behind them.',
    }
  return {
    cause: `No server block of the Corefile has the name ${bare(transcript.name)}.`,
    advice:
      'Put a server block for it into the Corefile: `. { forward . /etc/resolv.conf }` takes all other names.',
  }
}

const refusedCorefile: Rule = ({ transcript, found, world }) => {
  if (world.refused === '' || found) return undefined
  return {
    cause: `The Corefile is refused, and an older one is served, in which ${bare(transcript.name)} has no answer: ${world.refused.split('\n')[0]}.`,
    advice: 'Mend that line of the Corefile: `seamark check` says what else is wrong with it.',
  }
}

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

const unlisted: Rule = ({ transcript, found, world }) => {
  if (!found || found.view.ready()) return undefined
  const trouble = troubleOf(found)
  const why = trouble ? `${trouble.resource}: ${trouble.error}` : found.view.explain()
  return {
    cause: `The cluster is not listed yet, so nothing is known of ${bare(transcript.name)}: ${why}.`,
    advice: adviceFor(trouble),
    untold: !world.isServer,
  }
}

/** Data that is old may be wrong: nobody can say that a name is not there. */
const stale: Rule = ({ transcript, found, known, outcome }) => {
  if (!found || (outcome !== 'no-name' && outcome !== 'no-data')) return undefined
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

const externalName: Rule = ({ transcript, known, found }) => {
  const { service } = known ?? {}
  if (!found || service?.type !== 'ExternalName') return undefined
  const is = `Service ${found.namespace}/${found.service} is an ExternalName`
  if (service.externalName === '') return { cause: `${is} to nothing.`, advice: 'Give it spec.externalName.' }
  if (found.endpoint !== '' || found.port !== '')
    return { cause: `${is}: no name is below it.`, advice: `Ask for ${service.externalName} itself.` }
  const forwards = notesOf(transcript, 'forward')
  const upstream = upstreamText(forwards)
  const fate = upstream === '' ? (transcript.reason === '' ? transcript.rcode : transcript.reason) : upstream
  return {
    cause: `${is} to ${service.externalName}, which has no ${transcript.type} record: ${fate}.`,
    advice: `Change spec.externalName, or see why ${service.externalName} is not there.`,
  }
}

/** What upstreams said, each once. */
function upstreamText(notes: readonly TracedNote[]): string {
  const texts = new Map<string, string>()
  for (const { facts, text } of notes) {
    const to = String(facts?.to ?? '')
    if (facts?.rcode !== undefined) texts.set(to, `${to} says ${facts.rcode}`)
    else if (facts?.error !== undefined)
      texts.set(to, `${to} does not answer (${reasonOf(String(facts.error))})`)
    else if (to === '' && /healthy|in time/.test(text)) texts.set(to, text)
  }
  return [...texts.values()].join(', ')
}

const reasonOf = (error: string): string => error.slice(error.lastIndexOf(': ') + 1).trim()

const upstream: Rule = ({ transcript }) => {
  const notes = notesOf(transcript, 'forward')
  const said = upstreamText(notes)
  if (said === '') return undefined
  const name = bare(transcript.name)
  const answered = notes.findLast(({ facts }) => facts?.rcode !== undefined)
  const code = answered?.facts?.rcode
  if (code === undefined)
    return {
      cause: `No upstream answers for ${name}: ${said}.`,
      advice: 'See whether the addresses behind forward are right and reached from this Pod.',
    }
  if (code === 'NXDOMAIN' || code === 'NOERROR')
    return {
      cause: `${name} ${code === 'NXDOMAIN' ? 'does not exist' : `has no ${transcript.type} record`} outside of the cluster: ${said}.`,
      advice: 'Look at the spelling; if the name is right, ask those who keep its zone.',
    }
  return {
    cause: `The upstream gives no answer for ${name}: ${said}.`,
    advice:
      code === 'REFUSED'
        ? 'Let the upstream serve this client, or name another one behind forward.'
        : 'Ask the upstream itself for the name, or name another one behind forward.',
  }
}

const cached: Rule = ({ transcript }) => {
  const note = lastOf(transcript, 'cache')
  if (note?.facts?.ttlSeconds === undefined) return undefined
  return {
    cause: `The cache holds ${transcript.rcode} for ${bare(transcript.name)}: ${note.text}.`,
    advice: `Wait ${Math.max(1, Number(note.facts.ttlSeconds))} s, and ask again.`,
  }
}

const service: Rule = ({ transcript, outcome, found, known, suggestions }) => {
  if (!found || !known || found.kind !== 'service' || found.namespace === '') return undefined
  const { namespace, config } = found
  const ask = suggestions.length === 0 ? '' : `Ask for ${suggestions[0]}.`
  if (known.isHidden)
    return {
      cause: `Namespace ${namespace} is left out: kubernetes in the Corefile serves ${config.namespaces.join(', ')} alone.`,
      advice: `Put ${namespace} behind \`namespaces\` there.`,
    }
  if (!known.namespaceExists)
    return {
      cause: `There is no namespace ${namespace}.`,
      advice: ask || 'Look at the namespaces: kubectl get namespaces.',
    }
  if (found.service === '') return undefined
  const title = `Service ${found.service} in namespace ${namespace}`
  if (!known.service) {
    const labels = config.labels === '' ? '' : ` with the labels ${config.labels}`
    return {
      cause: `There is no ${title}${labels}.`,
      advice: ask || `Look at the Services: kubectl -n ${namespace} get services.`,
    }
  }
  const ports = known.service.ports
  if (
    found.port !== '' &&
    !ports.some(port => port.name === found.port && port.protocol === found.protocol)
  ) {
    const named = ports.filter(port => port.name !== '')
    const has =
      named.length === 0 ? 'no named ports' : named.map(port => `${port.name}/${port.protocol}`).join(', ')
    const first = named.find(port => port.protocol === found.protocol) ?? named[0]
    return {
      cause: `${title} has no ${found.protocol} port called ${found.port}; it has ${has}.`,
      advice: first
        ? `Ask for _${first.name}._${first.protocol}.${found.service}.${namespace}.svc.${bare(found.zone)}.`
        : 'Give the port of the Service a name.',
    }
  }
  if (outcome === 'no-name' && known.readyEndpoints.length === 0) {
    const { why, advice } = whyNoEndpoints(known)
    const kind = known.service.headless ? 'Headless ' : ''
    return { cause: `${kind}${title} has no ready endpoints: ${why}.`, advice: sentence(advice) }
  }
  if (found.endpoint !== '')
    return {
      cause: `${title} has no ready endpoint called ${found.endpoint}; it has ${known.readyEndpoints.slice(0, 3).join(', ')}.`,
      advice:
        "An endpoint is called by its Pod's spec.hostname where spec.subdomain is the Service, else by its address with dashes.",
    }
  if (outcome === 'no-data' && transcript.reason !== '')
    return {
      cause: `${upper(transcript.reason)}.`,
      advice:
        known.service.clusterIPs.length > 0
          ? 'Ask for another type, or give the Service addresses of both families (spec.ipFamilyPolicy).'
          : 'Ask for another type.',
    }
  return undefined
}

const reasoned: Rule = ({ transcript, found }) => {
  if (transcript.reason === '') return undefined
  return {
    cause: `${bare(transcript.name)} has no ${transcript.type} record: ${transcript.reason}.`,
    advice: found
      ? 'Names of this zone are SERVICE.NAMESPACE.svc and what is below: look at the spelling.'
      : 'Follow the steps above to the plugin that says so.',
  }
}

const UNANSWERED: readonly Rule[] = [
  acl,
  rewritten,
  refusedCorefile,
  noBlock,
  unlisted,
  stale,
  externalName,
  service,
  upstream,
  cached,
  reasoned,
]

const upper = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
const sentence = (text: string): string => `${upper(text)}.`
