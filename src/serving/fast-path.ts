// Where in the chain of a server block its fast path stands (fast-answers.ts): as far in front as what stands between it and
// `kubernetes`, or `cache`, has nothing to do with a query, or nothing but what the fast path does in its place.
//
//   errors  acl  │  loadbalance  cache  hosts  kubernetes        acl may refuse: the fast path is behind it. hosts says of
//                fast                                            each query whether it is one of its own.

import { cacheWord } from '../plugin/cache/cache.ts'
import type { FastCache } from '../plugin/cache/fast.ts'
import type { CacheHandler } from '../plugin/cache/handler.ts'
import { coverage, flattenedTtl } from '../plugin/cache/ttl.ts'
import type { ClusterAnswers } from '../plugin/kubernetes/answers.ts'
import type { KubernetesHandler } from '../plugin/kubernetes/handler.ts'
import { kubernetesWord } from '../plugin/kubernetes/kubernetes.ts'
import { reasonCounters } from '../plugin/kubernetes/reason.ts'
import type { Effect, Guard, Handler, ServingContext } from '../plugin/plugin.ts'
import { configsOf, type PluginSetup } from '../setup/setup.ts'
import type { TableReader } from '../table/reader.ts'
import { formatName, isWithin, name } from '../wire/name.ts'
import { FastAnswers } from './fast-answers.ts'

/** One plugin of a block that answers queries, with its setup. */
export interface Stage extends PluginSetup {
  readonly handler: Handler
  /** Whether the fast path may go past it; see Effect. */
  readonly transparent: boolean
}

/** The handlers of a block as a listener's packets pass them. */
export interface Chain {
  readonly handlers: readonly Handler[]
  /** The word of each, '' for the fast path. */
  readonly words: readonly string[]
  /** The tables that they answer from. */
  readonly tables: readonly TableReader[]
}

/** The chain of a block for one listener and view. */
export function chainOf(
  stages: readonly Stage[],
  effect: Effect,
  {
    server,
    view,
    context,
  }: { readonly server: string; readonly view: string; readonly context: ServingContext },
): Chain {
  const clusterAt = stages.findIndex(({ word }) => word === kubernetesWord.word)
  const cacheAt = stages.findIndex(({ word }) => word === cacheWord.word)
  const shuffle = effect.addressOrder === 'random'
  const { random, clock } = context
  const cacheHandler = stages[cacheAt]?.handler as CacheHandler | undefined
  const fastCache: FastCache | undefined = cacheHandler?.fastPath(server, view, {
    shuffle,
    random,
    reasons: effect.reasons ?? true,
  })
  const cacheFrom = fastCache && behind(stages.slice(0, cacheAt), isInTheWay)
  const clustersFrom = zonesFrom(stages.slice(0, clusterAt + 1))
  const tables = new Set<TableReader>()
  const handlers: Handler[] = []
  const words: string[] = []
  stages.forEach(({ handler, word }, at) => {
    const clusters = clustersAt(at)
    for (const { table } of clusters) tables.add(table)
    if (clusters.length > 0 || at === cacheFrom) {
      words.push('')
      handlers.push(
        new FastAnswers({
          clusters,
          clusterGuards: guardsIn(
            stages
              .slice(at, clusterAt)
              .filter(stage => clusters.some(({ zone }) => concerns(stage, formatName(zone)))),
          ),
          needsAll: effect.addressOrder === 'chosen',
          passed: at <= cacheAt && passesCache(stages) ? fastCache : undefined,
          cache: at === cacheFrom ? fastCache : undefined,
          cacheGuards: guardsIn(stages.slice(at, cacheAt)),
          clock,
        }),
      )
    }
    handlers.push(handler)
    words.push(word)
  })
  return { handlers, words, tables: [...tables] }

  /** The cluster's zones whose fast path stands in front of that stage. */
  function clustersAt(at: number): readonly ClusterAnswers[] {
    const cluster = stages[clusterAt]?.handler as KubernetesHandler | undefined
    const [config] = at <= cacheAt ? configsOf({ plugins: stages }, cacheWord) : []
    if (cluster === undefined) return []
    return cluster.answersForZones(zone =>
      clustersFrom.get(zone) !== at
        ? undefined
        : {
            shuffle,
            minimal: effect.minimal ?? false,
            flattenedTtl: (ttlSeconds, kind) =>
              config ? flattenedTtl(config, zone, ttlSeconds, kind) : ttlSeconds,
            random,
            reasons: effect.reasons ?? true,
            ownAddresses: context.ownAddresses,
            transfers: effect.transfers ?? false,
            counters: reasonCounters(context.meters),
          },
    )
  }
}

/** For each zone of the cluster, whose stage is the last one: behind which stages its fast path stands. */
function zonesFrom(stages: readonly Stage[]): ReadonlyMap<string, number> {
  const before = stages.slice(0, -1)
  const [cluster] = configsOf({ plugins: stages }, kubernetesWord)
  const [cache] = configsOf({ plugins: before }, cacheWord)
  const zones = cluster?.zones ?? []
  const own = new Map(
    zones.map(zone => [
      zone,
      behind(
        before,
        stage =>
          (isInTheWay(stage) && concerns(stage, zone)) ||
          (stage.word === cacheWord.word && cache !== undefined && coverage(cache, zone) === 'some'),
      ),
    ]),
  )
  // A zone inside another one is asked before it.
  return new Map(
    zones.map(zone => {
      const inside = zones.filter(each => isWithin(name(each), name(zone)))
      return [zone, Math.max(...inside.map(each => own.get(each)!))]
    }),
  )
}

/** Behind the last of the stages of which that is true. */
const behind = (stages: readonly Stage[], isTrue: (stage: Stage) => boolean): number =>
  stages.findLastIndex(isTrue) + 1

/** Whether it may answer or change a query in ways not known beforehand, nor told of each. */
const isInTheWay = ({ transparent, handler }: Stage): boolean => !transparent && !isGuard(handler)

/** Whether it can have something to do with names of the zone. */
const concerns = ({ handler }: Stage, zone: string): boolean => handler.concernsZone?.(name(zone)) ?? true

/** Those of the stages which tell what concerns them. */
const guardsIn = (stages: readonly Stage[]): readonly Guard[] =>
  stages.flatMap(({ handler }) => (isGuard(handler) ? [handler] : []))

const isGuard = (handler: Handler): handler is Handler & Guard => handler.concerns !== undefined

/** Whether the cache is for the cluster's zones, so that CoreDNS's would count their queries as misses. */
function passesCache(stages: readonly Stage[]): boolean {
  const [cache] = configsOf({ plugins: stages }, cacheWord)
  const [cluster] = configsOf({ plugins: stages }, kubernetesWord)
  if (!cache || !cluster) return false
  return cluster.zones.every(zone => coverage(cache, zone) === 'all')
}
