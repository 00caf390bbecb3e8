// What an explanation looks at: a server at work, or a configuration that nobody serves. Both answer questions on the road that
// queries go, and show what they know of their clusters.

import type { WatchedCluster } from '../cluster/watched-cluster.ts'
import type { Transport } from '../query/sockaddr.ts'
import type { TracedQuestion, Transcript } from '../serving/traced.ts'
import type { ListenSetup, Setup } from '../setup/setup.ts'
import { canonicalIp } from '../shared/ip.ts'
import { name } from '../wire/name.ts'

/** A cluster as an explanation sees it. */
export type ClusterView = Pick<
  WatchedCluster,
  'key' | 'cluster' | 'source' | 'ready' | 'explain' | 'ageSeconds'
>

/** The port that a question comes from. */
const PORT = 40000

export interface AskedQuestion {
  /** Absolute, a legal name. */
  readonly name: string
  readonly type: number
  /** An IP address. */
  readonly client: string
  readonly transport: Transport
}

export interface World {
  /** Whether a server at work is looked at: then what it lacks is the reason, else nobody can tell. */
  readonly isServer: boolean
  readonly setup: Setup
  readonly clusters: readonly ClusterView[]
  /** Why the Corefile is not what is served, in words that anybody may read; '' where it is. */
  readonly refused: string
  /** What becomes of a question; undefined where nobody can say, as every thread has ended. */
  ask(question: AskedQuestion): Promise<Transcript | undefined>
}

/** The listener that a question is asked on: of those with the longest zone around the name the one on port 53, else the first. */
export function listenerFor(setup: Setup, name: string): Setup['listens'][number] | undefined {
  const folded = name.toLowerCase()
  const covers = ({ zone }: { readonly zone: string }): boolean =>
    zone === '.' || folded === zone || folded.endsWith(`.${zone}`)
  const ranked = setup.listens
    .filter(({ scheme }) => scheme === 'dns')
    .map(listen => ({
      listen,
      zoneLength: Math.max(0, ...listen.zones.filter(covers).map(({ zone }) => zone.length)),
    }))
    .sort(
      (a, b) => b.zoneLength - a.zoneLength || Number(b.listen.port === 53) - Number(a.listen.port === 53),
    )
  return ranked[0]?.listen ?? setup.listens[0]
}

/** The question as it comes to that listener. */
export function tracedOf(
  { name: asked, type, client, transport }: AskedQuestion,
  { address, port }: Pick<ListenSetup, 'address' | 'port'>,
): TracedQuestion {
  const local = address === '' || canonicalIp(address) === undefined ? '127.0.0.1' : address
  const endpoint = (ip: string, port: number) =>
    ({ address: ip, port, family: ip.includes(':') ? 6 : 4 }) as const
  return {
    qname: name(asked),
    qtype: type,
    client: endpoint(client, PORT),
    local: endpoint(local, port),
    transport,
  }
}
