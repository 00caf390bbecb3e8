// Why a name resolves or does not: asks what the client's resolver would ask, on the road that its queries go, looks at what
// stands behind the name that matters, and says in one sentence what the cause is and in another what to do.

import { capturedBy } from '../cluster/capture.ts'
import type { PodFacts } from '../objects/evidence.ts'
import type { ResourceStatus } from '../objects/source.ts'
import type { Transcript } from '../serving/traced.ts'
import { formatDuration } from '../shared/duration.ts'
import { canonicalIp } from '../shared/ip.ts'
import { parseName } from '../wire/name.ts'
import { parseType, TYPE, typeName } from '../wire/rrtype.ts'
import { type Case, causeOf } from './cause.ts'
import { clusterNameOf } from './cluster-name.ts'
import { type About, type Report, type Tried, untold } from './report.ts'
import { candidates, goesOn, type Outcome, plainResolver, podResolver, type Resolver } from './resolver.ts'
import { factLines, knownService } from './service-facts.ts'
import { suggestions } from './suggest.ts'
import type { ClusterView, World } from './world.ts'

export interface ExplainRequest {
  readonly name: string
  /** A mnemonic; A where ''. */
  readonly type: string
  /** `NAMESPACE/POD`, an address, or '': some Pod of the namespace `default`. */
  readonly from: string
}

/** What came over the administration socket. */
export function requestOf(request: Readonly<Record<string, unknown>>): ExplainRequest {
  const text = (key: string): string => (typeof request[key] === 'string' ? request[key] : '')
  return { name: text('name'), type: text('type'), from: text('from') }
}

/** Who asks. */
interface Client {
  readonly address: string
  readonly text: string
  readonly resolver: Resolver | undefined
}

/** Where nobody says who asks: the server's own machine. */
const NOBODY = '127.0.0.1'
/** Of what is asked for by a person. */
export const NAME_MAX_CHARACTERS = 1004

/** Explains a name. Never rejects for what is asked. */
export async function explain(request: ExplainRequest, world: World): Promise<Report> {
  const { name } = request
  const type = request.type === '' ? 'A' : request.type.toUpperCase()
  const qtype = parseType(type)
  if (qtype === undefined)
    return untold(name, type, `${type} is no record type.`, 'Give a type such as A, AAAA, SRV or PTR.')
  if (name === '' || name.length > NAME_MAX_CHARACTERS || parseName(name) === undefined)
    return untold(
      name,
      type,
      `${JSON.stringify(name)} is no name: labels have 1 to 63 octets, a name 255 at most.`,
      'Give a name such as web.shop or www.example.org.',
    )
  const client = await clientOf(request.from, world)
  if (typeof client === 'string')
    return untold(name, type, client, 'Give a Pod that runs as NAMESPACE/POD, or an address.')
  const resolver = client.resolver ?? { search: [], ndots: 1, asksHere: true, from: 'no search path' }
  const tried: Tried[] = []
  for (const candidate of candidates(name, resolver, 'glibc')) {
    const transport = qtype === TYPE.AXFR || qtype === TYPE.IXFR ? 'tcp' : 'udp'
    const transcript = await world.ask({ name: candidate, type: qtype, client: client.address, transport })
    if (transcript === undefined)
      return untold(name, type, 'No serving thread answers.', 'Look at the log of the server.')
    const outcome = outcomeOf(transcript)
    tried.push({ transcript, outcome })
    if (!goesOn('glibc', outcome)) break
  }
  return judge(request, typeName(qtype), client, resolver, tried, world)
}

async function judge(
  request: ExplainRequest,
  type: string,
  client: Client,
  resolver: Resolver,
  tried: readonly Tried[],
  world: World,
): Promise<Report> {
  const meant = await meantOf(request.name, tried, world)
  const { transcript, outcome } = meant
  const found = clusterNameOf(transcript.name, world)
  const known = found?.kind === 'service' ? await knownService(found, true) : undefined
  const near = found && known && outcome !== 'answer' ? suggestions(found) : []
  const one: Case = {
    asked: request.name,
    transcript,
    outcome,
    client: client.address,
    found,
    known,
    suggestions: near,
    world,
  }
  const verdict = causeOf(one)
  const about: About | undefined = found && {
    name: transcript.name,
    facts: found.kind === 'service' && known ? factLines(found, known) : [],
    freshness: freshnessOf(found.view),
  }
  return {
    status: outcome === 'answer' ? 0 : verdict.untold ? 2 : 1,
    name: request.name,
    type,
    client: client.text,
    resolver: resolverText(resolver),
    tried,
    musl: muslText(request.name, resolver, tried),
    about,
    notes: resolver.asksHere ? [] : ['This Pod asks the resolver of its node, not this server.'],
    cause: verdict.cause,
    advice: verdict.advice,
    suggestions: near,
  }
}

/** Who asks, or why that is not known. */
async function clientOf(from: string, { clusters, setup }: World): Promise<Client | string> {
  const zone = setup.kubernetes[0]?.primaryZone
  if (from === '') {
    const resolver = zone === undefined ? undefined : plainResolver('default', zone)
    return { address: NOBODY, text: NOBODY, resolver }
  }
  const address = canonicalIp(from)
  if (address !== undefined) {
    const pod = await firstPod(clusters, view => view.source.evidence?.podAt(address))
    if (typeof pod === 'object' && zone !== undefined) return clientOfPod(pod, address, zone)
    const resolver = zone === undefined ? undefined : plainResolver('default', zone)
    const whose = typeof pod === 'string' ? pod : 'no Pod has this address for itself'
    return { address, text: `${address} (${whose})`, resolver }
  }
  const [namespace = '', name = '', ...more] = from.split('/')
  if (namespace === '' || name === '' || more.length > 0)
    return `${JSON.stringify(from)} is neither NAMESPACE/POD nor an address.`
  if (zone === undefined) return `Without kubernetes in the Corefile nothing is known of Pod ${from}.`
  const pod = await firstPod(clusters, view => view.source.evidence?.pod(namespace, name))
  if (typeof pod === 'string') return `Pod ${from} cannot be seen: ${pod}.`
  if (pod === undefined) return `There is no Pod ${name} in namespace ${namespace}.`
  return clientOfPod(pod, pod.ips[0] ?? NOBODY, zone)
}

const clientOfPod = (pod: PodFacts, address: string, zone: string): Client => ({
  address,
  text: `${address} (Pod ${pod.namespace}/${pod.name})`,
  resolver: podResolver(pod, zone),
})

/** What the first cluster that knows the Pod says of it; a text is why none could be asked. */
async function firstPod(
  clusters: readonly ClusterView[],
  look: (view: ClusterView) => Promise<PodFacts | undefined> | undefined,
): Promise<PodFacts | string | undefined> {
  let problem: string | undefined
  for (const view of clusters) {
    try {
      const pod = await look(view)
      if (pod) return pod
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
    }
  }
  return problem
}

function outcomeOf({ outcome, rcode, answer, type }: Transcript): Outcome {
  if (outcome === 'transfer') return 'answer'
  if (outcome === 'silence') return 'silence'
  if (rcode === 'NXDOMAIN') return 'no-name'
  if (rcode === 'SERVFAIL') return 'failure'
  if (rcode !== 'NOERROR') return 'refused'
  const wanted = answer.some(record => record.type === type || type === 'ANY')
  return wanted ? 'answer' : 'no-data'
}

/**
 * The name that the verdict is about: the one that was answered; else the one that comes nearest to something: a Service that is
 * there, a failure, a namespace that is there or nearly; and at last the one that ended it.
 */
async function meantOf(asked: string, tried: readonly Tried[], world: World): Promise<Tried> {
  const answered = tried.find(({ outcome }) => outcome === 'answer')
  if (answered) return answered
  let best = { one: tried.at(-1)!, rank: 0 }
  for (const one of tried) {
    const rank = await rankOf(asked, one, world)
    if (rank > best.rank) best = { one, rank }
  }
  return best.one
}

async function rankOf(asked: string, { transcript, outcome }: Tried, world: World): Promise<number> {
  const found = clusterNameOf(transcript.name, world)
  const known = found?.kind === 'service' ? await knownService(found, false) : undefined
  if (known?.service) return 6
  const failed = outcome === 'failure' || outcome === 'silence' || outcome === 'refused'
  if (!found || !known) return failed ? 4 : 0
  const labels = asked.toLowerCase().replace(/\.$/, '').split('.')
  const at = labels.indexOf(found.service)
  // SERVICE.NAMESPACE and more; or SERVICE alone, below the names of ports.
  const isNamed = at >= 0 && labels[at + 1] === found.namespace
  const isAlone = at === labels.length - 1 && labels.slice(0, at).every(label => label.startsWith('_'))
  if (failed) return isNamed || isAlone ? 5 : 4
  if (!isNamed && !isAlone) return 0
  if (known.namespaceExists) return 3
  // Names of the Internet have the shape of SERVICE.NAMESPACE, too.
  if (capturedBy(found.namespace, found.zone) !== undefined) return 0
  return suggestions(found).length > 0 ? 2 : 0
}

const resolverText = ({ search, ndots, from }: Resolver): string =>
  `${from}; ${search.length === 0 ? 'no search path' : `search ${search.join(' ')}`}, ndots ${ndots}`

/** What musl makes of the same answers, where that is another thing. */
function muslText(asked: string, resolver: Resolver, tried: readonly Tried[]): string {
  const byName = new Map(tried.map(one => [one.transcript.name, one]))
  const glibcGets = tried.find(({ outcome }) => outcome === 'answer')?.transcript.name
  for (const candidate of candidates(asked, resolver, 'musl')) {
    const one = byName.get(candidate)
    if (one === undefined) break
    if (one.outcome === 'answer') return ''
    if (!goesOn('musl', one.outcome)) {
      if (glibcGets === undefined) return ''
      return `A client with musl (Alpine) gets nothing: it ends at ${candidate}`
    }
  }
  if (glibcGets === undefined) return ''
  return `A client with musl (Alpine) gets nothing: it does not ask for ${glibcGets}`
}

function freshnessOf(view: ClusterView): string[] {
  const { ageSeconds } = view
  const statuses = view.source.status()
  const isTroubled = statuses.some(({ lastError }) => lastError !== undefined)
  if (!view.ready()) return ['data: not complete', ...statuses.map(watchText)]
  const whole =
    ageSeconds !== undefined && ageSeconds > 0
      ? `${formatDuration(Math.round(ageSeconds) * 1000)} old`
      : isTroubled
        ? 'it may be older than it should'
        : 'as the source has it now'
  return [`data: ${whole}`, ...statuses.map(watchText)]
}

function watchText({ resource, synced, objects, lastByteAgeMs, lastError, stale }: ResourceStatus): string {
  const heard =
    lastByteAgeMs === undefined ? 'never heard' : `heard ${Math.round(lastByteAgeMs / 1000)} s ago`
  const state = synced ? `${objects} object${objects === 1 ? '' : 's'}, ${heard}` : 'not listed yet'
  return `${resource}: ${state}${stale ? ', stale' : ''}${lastError === undefined ? '' : `; ${lastError}`}`
}
