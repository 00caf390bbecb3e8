// Why a name resolves or does not: asks what the client's resolver would ask, on the road that its queries go, looks at what
// stands behind the name that matters, and says in one sentence what the cause is and in another what to do.

import { capturedBy } from '../cluster/capture.ts'
import type { ResourceStatus } from '../objects/source.ts'
import type { Transcript } from '../serving/traced.ts'
import { formatDuration } from '../shared/duration.ts'
import { parseType, TYPE, typeName } from '../wire/rrtype.ts'
import { whyNoName } from './asked-name.ts'
import { type Case, soughtName } from './case.ts'
import { causeOf } from './cause.ts'
import { type Client, clientOf } from './client.ts'
import { clusterNameOf } from './cluster-name.ts'
import { type About, type Report, type Tried, untold } from './report.ts'
import { candidates, goesOn, type Outcome, plainResolver, type Resolver } from './resolver.ts'
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

/** Explains a name. Never rejects for what is asked. */
export async function explain(request: ExplainRequest, world: World): Promise<Report> {
  const { name } = request
  const type = request.type === '' ? 'A' : request.type.toUpperCase()
  const qtype = parseType(type)
  if (qtype === undefined)
    return untold(name, type, `${type} is no record type.`, 'Give a type such as A, AAAA, SRV or PTR.')
  const noName = whyNoName(name)
  if (noName) return untold(name, type, noName.cause, noName.advice)
  const client = await clientOf(request.from, world)
  if (typeof client === 'string')
    return untold(name, type, client, 'Give a Pod that runs as NAMESPACE/POD, or an address.')
  const tried: Tried[] = []
  for (const candidate of candidates(name, client.resolver, 'glibc')) {
    const one = await ask(candidate, qtype, client, world)
    if (one === undefined) return untold(name, type, ...nobodyAnswers(world))
    tried.push(one)
    if (!goesOn('glibc', one.outcome)) break
  }
  const wouldBe = await withPlainPath(name, qtype, client, tried, world)
  return judge(request, typeName(qtype), client, tried, wouldBe, world)
}

async function ask(name: string, type: number, client: Client, world: World): Promise<Tried | undefined> {
  const transport = type === TYPE.AXFR || type === TYPE.IXFR ? 'tcp' : 'udp'
  const transcript = await world.ask({ name, type, client: client.address, transport })
  return transcript && { transcript, outcome: outcomeOf(transcript) }
}

const nobodyAnswers = ({ setup }: World): [cause: string, advice: string] =>
  setup.listens.length === 0
    ? ['The Corefile has no server block.', 'Write one: . { forward . /etc/resolv.conf }']
    : ['No serving thread answers.', 'Look at the log of the server.']

/**
 * The name of the cluster that the search path of a Pod which says nothing of its own finds, where the client's own did not;
 * undefined where that finds none either.
 */
async function withPlainPath(
  name: string,
  type: number,
  client: Client,
  tried: readonly Tried[],
  world: World,
): Promise<string | undefined> {
  const { resolver } = client
  const zone = world.setup.kubernetes[0]?.primaryZone
  if (zone === undefined || resolver.pod === '') return undefined
  if (resolver.asksInstead === '' && tried.some(({ outcome }) => outcome === 'answer')) return undefined
  const plain = plainResolver(resolver.pod.split('/')[0]!, zone)
  const known = new Map(tried.map(one => [one.transcript.name, one]))
  for (const candidate of candidates(name, plain, 'glibc')) {
    if (clusterNameOf(candidate, world) === undefined) continue
    const one = known.get(candidate) ?? (await ask(candidate, type, client, world))
    if (one?.outcome === 'answer') return candidate
  }
  return undefined
}

async function judge(
  request: ExplainRequest,
  type: string,
  client: Client,
  tried: readonly Tried[],
  wouldBe: string | undefined,
  world: World,
): Promise<Report> {
  const { resolver } = client
  const meant = await meantOf(request.name, tried, world)
  const { transcript, outcome } = meant
  const sought = soughtName(request.name, transcript, resolver)
  const found = clusterNameOf(sought, world)
  const known = found?.kind === 'service' ? await knownService(found, true) : undefined
  const near = found && known && outcome !== 'answer' ? suggestions(found) : []
  const one: Case = {
    asked: request.name,
    transcript,
    sought,
    outcome,
    client: client.address,
    resolver,
    found,
    known,
    suggestions: near,
    wouldBe,
    world,
  }
  const verdict = causeOf(one)
  const about: About | undefined = found && {
    name: sought,
    facts: found.kind === 'service' && known ? factLines(found, known) : [],
    freshness: freshnessOf(found.view),
  }
  return {
    status: verdict.resolves === 'untold' ? 2 : outcome === 'answer' && verdict.resolves !== false ? 0 : 1,
    name: request.name,
    type,
    client: client.text,
    resolver: resolverText(resolver),
    tried,
    musl: muslText(request.name, resolver, tried),
    about,
    notes:
      resolver.asksInstead === ''
        ? []
        : [`This Pod asks ${resolver.asksInstead}, not this server, which was asked all the same.`],
    cause: verdict.cause,
    advice: verdict.advice,
    suggestions: near,
  }
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
