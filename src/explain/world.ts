// What an explanation looks at: a server at work, or a configuration that nobody serves. Both answer questions on the road that
// queries go, and show what they know of their clusters.

import type { WatchedCluster } from '../cluster/watched-cluster.ts'
import type { Transport } from '../query/sockaddr.ts'
import type { Transcript } from '../serving/traced.ts'
import type { Setup } from '../setup/setup.ts'

/** A cluster as an explanation sees it. */
export type ClusterView = Pick<
  WatchedCluster,
  'key' | 'cluster' | 'source' | 'ready' | 'explain' | 'ageSeconds'
>

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
