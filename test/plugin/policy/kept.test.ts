// Whatever the policy, the objects, the upstreams and the question: no reply over any transport holds a name, or an address that Services have,
// that the policy keeps from who asked, by names and labels of namespaces that change. The judge here is one of its own: it reads policies as texts and objects as lists.

import t from 'tap'
import type { SlimEndpointSlice, SlimNamespace, SlimService } from '../../../src/objects/objects.ts'
import type { Transport } from '../../../src/query/sockaddr.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { Random } from '../../support/random.ts'
import { ServerBlock } from '../../support/server-block.ts'
import {
  external,
  headless,
  SlimCluster,
  slimPod,
  slimService,
  slimSlice,
} from '../../support/slim-cluster.ts'
import { a, named, nameOf, replyTo, UpstreamStub } from '../../support/upstream-stub.ts'

const NAMESPACES = ['red', 'blue', 'green', 'shared'] as const
const TYPES = ['A', 'AAAA', 'SRV', 'ANY', 'CNAME', 'TXT', 'MX', 'NS', 'PTR', 'SOA', 'HTTPS'] as const
const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls', 'https']
const OUTSIDE = ['www.example.org', 'deep.ads.example.org', 'web.test'] as const

/** Upstreams: everybody's, and two that some namespaces have. Each says its own address, or leads to a namespace. */
const UPSTREAMS = await Promise.all(
  [0, 1, 2].map(n =>
    UpstreamStub.start((asked, back) => {
      const owner = nameOf(asked)
      const namespace = /^to-(\w+)\./.exec(owner)?.[1]
      const answer = namespace
        ? named(owner, 'CNAME', 30, `web.${namespace}.svc.cluster.local`)
        : a(owner, 30, `192.0.2.1${n}`)
      back.send(replyTo(asked, { answer: [answer] }))
    }),
  ),
)
t.teardown(() => Promise.all(UPSTREAMS.map(upstream => upstream.pause())))

/** A policy as the test has it: the lines, and the verdict on a pair. */
interface Policy {
  readonly lines: string
  allows(client: string, namespace: string): boolean
  allowsName(client: string, name: string): boolean
  /** The number of the client's upstream. */
  upstreamOf(client: string): number
}

/** The label `team` of each namespace; '' is none. */
type Teams = Map<string, string>

const BY_LABELS: Readonly<Record<string, (team: string) => boolean>> = {
  'team=a': team => team === 'a',
  'team!=a': team => team !== 'a',
  'label:team': team => team !== '',
  '!team': team => team === '',
  'team in (b, c)': team => team === 'b',
}

function teamsOf(random: Random): Teams {
  return new Map(NAMESPACES.map(name => [name, ['a', 'b', ''][random.below(3)]!]))
}

const namespacesOf = (teams: Teams): SlimNamespace[] =>
  [...teams].map(([name, team]) => ({ name, labels: team === '' ? ['x=y'] : [`team=${team}`] }))

function policyOf(random: Random, teams: Teams): Policy {
  const of = <T>(list: readonly T[]): T => list[random.below(list.length)]!
  const selector = (): string => of([...NAMESPACES, 'r*', '*', '*e*', ...Object.keys(BY_LABELS)])
  const fits = (glob: string, text: string): boolean =>
    glob === '*' ||
    (text !== '' &&
      (BY_LABELS[glob]?.(teams.get(text)!) ?? new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(text)))
  const isDenied = random.below(3) > 0
  const shared = random.below(2) === 0 ? ['shared'] : []
  const rules = Array.from({ length: random.below(4) }, () => ({
    action: of(['allow', 'deny'] as const),
    from: selector(),
    to: selector(),
  }))
  const names = Array.from({ length: random.below(3) }, () => ({
    action: of(['allow', 'block'] as const),
    from: selector(),
    suffix: of(['example.org', 'ads.example.org', 'test', '.']),
  }))
  const upstreams = Array.from({ length: random.below(3) }, () => ({
    from: selector(),
    to: 1 + random.below(2),
  }))
  const lines = [
    ...upstreams.map(({ from, to }) => `upstreams from ${from} to ${UPSTREAMS[to]!.to}`),
    `default ${isDenied ? 'deny' : 'allow'}`,
    ...shared.map(name => `shared ${name}`),
    ...rules.map(({ action, from, to }) => `${action} from ${from} to ${to}`),
    ...names.map(({ action, from, suffix }) => `names from ${from} ${action} ${suffix}`),
    ...(random.below(3) === 0 ? ['refuse'] : []),
  ]
  const labels = (suffix: string): number => (suffix === '.' ? 0 : suffix.split('.').length)
  return {
    lines: lines.join('\n'),
    allows(client, namespace) {
      if (client === namespace || shared.includes(namespace)) return true
      const rule = rules.find(({ from, to }) => fits(from, client) && fits(to, namespace))
      return rule ? rule.action === 'allow' : !isDenied
    },
    upstreamOf: client => upstreams.find(({ from }) => fits(from, client))?.to ?? 0,
    allowsName(client, name) {
      const own = names.filter(({ from }) => fits(from, client))
      const longest = (action: string): number =>
        Math.max(
          -1,
          ...own
            .filter(rule => rule.action === action)
            .filter(({ suffix }) => suffix === '.' || name === suffix || name.endsWith(`.${suffix}`))
            .map(({ suffix }) => labels(suffix)),
        )
      const [allow, block] = [longest('allow'), longest('block')]
      if (allow < 0 && block < 0) return !own.some(({ action }) => action === 'allow')
      return allow > block
    },
  }
}

/** Services with cluster IPs, headless ones whose endpoints may be of several, aliases to others and to the world. */
function objectsOf(random: Random): {
  services: SlimService[]
  slices: SlimEndpointSlice[]
  owners: Map<string, Set<string>>
} {
  const owners = new Map<string, Set<string>>()
  const owns = (address: string, namespace: string): string => {
    owners.set(address, (owners.get(address) ?? new Set()).add(namespace))
    return address
  }
  const services: SlimService[] = []
  const slices: SlimEndpointSlice[] = []
  NAMESPACES.forEach((namespace, n) => {
    services.push(slimService(`${namespace}/web`, owns(`10.0.${n}.1`, namespace)))
    services.push(headless(`${namespace}/db`))
    const endpoints = Array.from({ length: 1 + random.below(4) }, (_, i) =>
      owns(random.below(3) === 0 ? `10.7.7.${random.below(4)}` : `10.1.${n}.${i}`, namespace),
    )
    slices.push(
      slimSlice(
        `${namespace}/db-1`,
        'db',
        [...new Set(endpoints)].map((address, i) => `${address} db-${i}`),
      ),
    )
    const other = NAMESPACES[random.below(NAMESPACES.length)]!
    services.push(
      external(`${namespace}/alias`, `${random.below(2) === 0 ? 'web' : 'db'}.${other}.svc.cluster.local`),
    )
    services.push(external(`${namespace}/out`, OUTSIDE[random.below(OUTSIDE.length)]!))
  })
  return { services, slices, owners }
}

function questionOf(random: Random): string {
  const namespace = NAMESPACES[random.below(NAMESPACES.length)]!
  const names = [
    ...['web', 'db', 'alias', 'out', 'db-0.db', '_http._tcp.web', '_http._tcp.db', '10-1-1-0.db'].map(
      name => `${name}.${namespace}.svc.cluster.local`,
    ),
    `10-0-${random.below(4)}-1.${namespace}.pod.cluster.local`,
    `${namespace}.svc.cluster.local`,
    'cluster.local',
    'turned.example',
    `rebound${random.below(4)}.test`,
    ...OUTSIDE,
    `x${random.below(4)}.fwd.test`,
    `to-${namespace}.fwd.test`,
    `1.${random.below(4)}.0.10.in-addr.arpa`,
    `${random.below(4)}.7.7.10.in-addr.arpa`,
    `${random.below(3)}.${random.below(4)}.1.10.in-addr.arpa`,
  ]
  return `${names[random.below(names.length)]!}.`
}

/** Names in a record's text, the namespaces that they are about, and addresses. */
function checkRecord(
  text: string,
  client: string,
  policy: Policy,
  owners: Map<string, Set<string>>,
): string | undefined {
  for (const word of text.toLowerCase().split(/[ "]+/)) {
    const namespace = /([^.]+)\.(?:svc|pod)\.cluster\.local\.$/.exec(word)?.[1]
    if (namespace !== undefined && word.split('.').length > 4 && !policy.allows(client, namespace))
      return word
    const owning = owners.get(word)
    if (owning && ![...owning].some(each => policy.allows(client, each))) return word
    const upstream = /^192\.0\.2\.1(\d)$/.exec(word)?.[1]
    if (upstream !== undefined && Number(upstream) !== policy.upstreamOf(client)) return word
    const name = word.replace(/\.$/, '')
    if (word.endsWith('.') && /\.(?:org|test)\.$/.test(word) && !policy.allowsName(client, name)) return word
  }
  return undefined
}

/** Asks a server block with the policy, or one without, and gives what its replies hold that the policy keeps. */
async function ask(
  seed: number,
  isServed = true,
): Promise<{ answered: number; denied: number; apart: number; kept: string[] }> {
  let answered = 0
  let denied = 0
  let apart = 0
  const found: string[] = []
  const random = new Random(seed)
  const teams = teamsOf(random)
  const policy = policyOf(random, teams)
  const { services, slices, owners } = objectsOf(random)
  const config = {
    labelledNamespaces: true,
    verifiedPods: true,
    clients: { podNames: false, hosts: false, labels: [] },
  }
  const cluster = new SlimCluster(config, { kinds: ['Service', 'EndpointSlice', 'Namespace', 'Pod'] })
  const clients = [...NAMESPACES, '']
  cluster.cluster.replace(
    'Pod',
    NAMESPACES.map((namespace, n) => slimPod(`${namespace}/asks`, `10.9.${n}.1`)),
  )
  cluster.list(NAMESPACES, services, slices)
  cluster.cluster.replace('Namespace', namespacesOf(teams))
  const rebound = NAMESPACES.map((_, n) => `10.0.${n}.1 rebound${n}.test`).join('\n')
  const block = new ServerBlock(
    [
      isServed ? `policy {\n${policy.lines}\n}` : '',
      random.below(2) === 0 ? 'cache 30' : 'loadbalance',
      `rewrite name exact turned.example. web.${NAMESPACES[random.below(4)]!}.svc.cluster.local.`,
      random.below(2) === 0 ? 'autopath @kubernetes' : 'minimal',
      `hosts {\n192.0.2.1 ${OUTSIDE.join(' ')}\n${rebound}\nno_reverse\nfallthrough\n}`,
      'kubernetes cluster.local in-addr.arpa {\npods verified\n}',
      `forward . ${UPSTREAMS[0]!.to}`,
    ].join('\n'),
    cluster,
  )
  for (let i = 0; i < 120; i++) {
    // Labels change while it is asked.
    if (i % 40 === 39) {
      for (const [name, team] of teamsOf(random)) teams.set(name, team)
      cluster.cluster.replace('Namespace', namespacesOf(teams))
    }
    const n = random.below(clients.length)
    const client = clients[n]!
    const name = questionOf(random)
    const type = TYPES[random.below(TYPES.length)]!
    const octets = await block.late(encodeQuestion({ name, type, edns: random.below(2) === 0 }), {
      transport: TRANSPORTS[random.below(4)]!,
      client: { address: `10.9.${n}.1`, port: 5353, family: 4 },
    })
    if (octets === undefined) continue
    const { rcode, records } = decodeMessage(octets)
    const all = [...records.answer, ...records.authority, ...records.additional]
    if (rcode === 'NOERROR' && records.answer.length > 0) answered++
    else denied++
    if (records.answer.some(({ data }) => /^192\.0\.2\.1[12]$/.test(data))) apart++
    for (const record of all) {
      const kept = checkRecord(`${record.name} ${record.data}`, client, policy, owners)
      if (kept !== undefined)
        found.push(
          `${seed}: ${client || 'nobody'} asked ${name} ${type} and got ${record.text}: ${kept} (${policy.lines})`,
        )
    }
  }
  await block.stop()
  return { answered, denied, apart, kept: found }
}

t.test('no reply holds what is kept', async t => {
  let answered = 0
  let denied = 0
  let apart = 0
  for (let seed = 1; seed <= 40; seed++) {
    const asked = await ask(seed)
    t.same(asked.kept, [], `${seed}`)
    answered += asked.answered
    denied += asked.denied
    apart += asked.apart
  }
  t.ok(answered > 200, `${answered} answers`)
  t.ok(denied > 500, `${denied} denials`)
  t.ok(apart > 10, `${apart} answers of upstreams that some have`)
})

t.test('the judge finds what a server without the policy tells', async t => {
  const found = (await Promise.all([1, 2, 3, 4, 5].map(seed => ask(seed, false)))).flatMap(({ kept }) => kept)
  t.ok(found.length > 20, `${found.length} records`)
})
