// One configuration at work on one serving thread: the chains of its server blocks, and for each listener the road of its
// queries with the fast paths that the chain allows.

import { STREAM_LIMITS } from '../listen/stream-limits.ts'
import { DROPPED_ZONE, type QueryMetersTable } from '../observe/query-meters.ts'
import { Storms } from '../observe/storms.ts'
import type { BufsizeConfig } from '../plugin/bufsize.ts'
import type { CacheConfig } from '../plugin/cache/config.ts'
import type { FastCache } from '../plugin/cache/fast.ts'
import { CacheHandler } from '../plugin/cache/handler.ts'
import { coverage, flattenedTtl } from '../plugin/cache/ttl.ts'
import type { EdeConfig } from '../plugin/ede.ts'
import type { ClusterAnswers } from '../plugin/kubernetes/answers.ts'
import type { KubernetesConfig } from '../plugin/kubernetes/config.ts'
import { KubernetesHandler } from '../plugin/kubernetes/handler.ts'
import type { LoadbalanceConfig } from '../plugin/loadbalance/config.ts'
import type { MetadataConfig } from '../plugin/metadata.ts'
import type { Guard, Handler, ServingContext } from '../plugin/plugin.ts'
import { servedWord, TRANSPARENT_WORDS } from '../plugin/registry.ts'
import { RewriteHandler } from '../plugin/rewrite/handler.ts'
import { ViewHandler } from '../plugin/view/handler.ts'
import type { Query } from '../query/query.ts'
import type { BlockSetup, ListenSetup, PluginSetup, Setup } from '../setup/setup.ts'
import type { TableReader } from '../table/reader.ts'
import { PAYLOAD_DEFAULT } from '../wire/header.ts'
import { formatName, isWithinAny, name } from '../wire/name.ts'
import { composeChain } from './chain.ts'
import type { ServerCookies } from './cookies.ts'
import { QueryProcess } from './process.ts'
import type { ServedZone } from './served-zone.ts'

/** One plugin of a block that answers queries, with its setup. */
interface Stage extends PluginSetup {
  readonly handler: Handler
}

/** A server block with its handlers made. */
interface Block {
  readonly setup: BlockSetup
  readonly stages: readonly Stage[]
}

export class Serving {
  readonly #blocks: readonly Block[]
  readonly #context: ServingContext
  readonly #meters: QueryMetersTable
  readonly #cookies: ServerCookies
  readonly #storms: Storms

  /**
   * `meters` counts queries; `cookies` outlives configurations. What the context says of a server block is replaced by each
   * block's own.
   */
  constructor(setup: Setup, context: ServingContext, meters: QueryMetersTable, cookies: ServerCookies) {
    this.#context = context
    this.#meters = meters
    this.#cookies = cookies
    this.#storms = new Storms(context.clock, context.log, context.meters)
    this.#blocks = setup.blocks.map(block => {
      const handlers: Handler[] = []
      const ofBlock = {
        ...context,
        zones: block.zones,
        addressOrder: addressOrderOf(block),
        udpMaxOctets: udpMaxOf(block),
        handlers,
      }
      const stages = block.plugins.flatMap(plugin => {
        const word = servedWord(plugin.word)
        if (!word?.create) return []
        const handler = word.create(plugin.config as never, ofBlock)
        handlers.push(handler)
        return [{ ...plugin, handler }]
      })
      return { setup: block, stages }
    })
  }

  /** The road of the queries of one listener. */
  process(listen: ListenSetup): QueryProcess {
    const tables = new Set<TableReader>()
    const counted = listen.zones.some(({ block }) => isCounted(this.#blocks[block]!))
    const zones = listen.zones.map(({ zone, block }) => this.#zone(listen, zone, this.#blocks[block]!))
    for (const { clusters } of zones) for (const cluster of clusters) tables.add(cluster.table)
    return new QueryProcess({
      server: listen.server,
      zones,
      tables: [...tables],
      idleTimeoutMs: listen.timeouts.idleTimeoutMs ?? STREAM_LIMITS.idleTimeoutMs,
      clock: this.#context.clock,
      cookies: this.#cookies,
      dropped: counted ? this.#meters.of(listen.server, DROPPED_ZONE, '') : undefined,
      storms: this.#storms,
      bug: (error, query) => this.#bug(error, query),
    })
  }

  #bug(error: unknown, query: Query): void {
    this.#context.meters.counter('coredns_panics_total').add()
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#context.log.write(
      'ERROR',
      '',
      `recovered from a bug while answering ${formatName(query.question.qname)}: ${text}`,
    )
  }

  #zone(listen: ListenSetup, zone: string, block: Block): ServedZone {
    const { stages } = block
    const view = viewOf(stages)
    const viewName = view?.name ?? ''
    return {
      zone: name(zone),
      zoneText: zone,
      view: viewName,
      annotate: annotation(block),
      accepts: view && (query => view.accepts(query)),
      chain: composeChain(
        stages.map(stage => stage.handler),
        stages.at(-1)?.word,
      ),
      // Whether a query is for a view needs the whole query: the chain answers it.
      clusters: view ? [] : this.#clusters(block),
      clusterGuards: guardsBefore('kubernetes', stages),
      cache: view ? undefined : this.#cache(listen, stages),
      cacheGuards: guardsBefore('cache', stages),
      passesCache: passesCache(stages),
      anyClass: stages.some(speaksOtherClasses),
      reasons: givesReasons(block.setup),
      udpMaxOctets: udpMaxOf(block.setup),
      meters: isCounted(block) ? this.#meters.of(listen.server, zone, viewName) : undefined,
    }
  }

  /** The cluster's zones, unless a plugin before `kubernetes` may change their answers in ways not known beforehand. */
  #clusters({ setup, stages }: Block): ClusterAnswers[] {
    const at = stages.findIndex(stage => stage.word === 'kubernetes')
    const handler = stages[at]?.handler
    if (!(handler instanceof KubernetesHandler)) return []
    const before = stages.slice(0, at)
    const cache = before.find(stage => stage.word === 'cache')?.config as CacheConfig | undefined
    return handler.answersForZones(zone => {
      if (before.some(stage => concerns(stage, zone))) return undefined
      if (cache && coverage(cache, zone) === 'some') return undefined
      return {
        shuffle: isShuffled(stages),
        minimal: stages.some(stage => stage.word === 'minimal'),
        flattenedTtl: (ttlSeconds, kind) =>
          cache ? flattenedTtl(cache, zone, ttlSeconds, kind) : ttlSeconds,
        random: this.#context.random,
        reasons: givesReasons(setup),
        ownAddresses: this.#context.ownAddresses,
        transfers: stages.some(stage => stage.word === 'transfer'),
      }
    })
  }

  #cache(listen: ListenSetup, stages: readonly Stage[]): FastCache | undefined {
    const at = stages.findIndex(stage => stage.word === 'cache')
    const handler = stages[at]?.handler
    if (!(handler instanceof CacheHandler) || !stages.slice(0, at).every(isTransparent)) return undefined
    return handler.fastPath(listen.server, '', {
      shuffle: isShuffled(stages),
      random: this.#context.random,
    })
  }

  /** Ends all handlers. */
  async stop(): Promise<void> {
    await Promise.all(this.#blocks.flatMap(block => block.stages.map(stage => stage.handler.stop?.())))
  }
}

const isCounted = ({ setup }: Block): boolean => setup.plugins.some(plugin => plugin.word === 'prometheus')

const viewOf = (stages: readonly Stage[]): ViewHandler | undefined =>
  stages.map(({ handler }) => handler).find(handler => handler instanceof ViewHandler)

/** Leaves the labels of all plugins in the queries of the zones of `metadata`, if the block has it. */
function annotation({ setup, stages }: Block): ((query: Query) => void) | undefined {
  const metadata = setup.plugins.find(plugin => plugin.word === 'metadata')
  if (!metadata) return undefined
  const zones = (metadata.config as MetadataConfig).zones.map(zone => name(zone))
  const handlers = stages.map(({ handler }) => handler).filter(handler => handler.annotate !== undefined)
  return query => {
    if (!isWithinAny(query.question.qname, zones)) return
    for (const handler of handlers) handler.annotate?.(query)
  }
}

/** Whether clients are told why they get nothing. */
function givesReasons({ plugins }: BlockSetup): boolean {
  const ede = plugins.find(plugin => plugin.word === 'ede')?.config as EdeConfig | undefined
  return ede?.on ?? true
}

/** Whether the cache is for the cluster's zones, so that CoreDNS's would count their queries as misses. */
function passesCache(stages: readonly Stage[]): boolean {
  const cache = stages.find(stage => stage.word === 'cache')?.config as CacheConfig | undefined
  const cluster = stages.find(stage => stage.word === 'kubernetes')?.config as KubernetesConfig | undefined
  if (!cache || !cluster) return false
  return cluster.zones.every(zone => coverage(cache, zone) === 'all')
}

/** Whether queries of other classes than IN mean something to the plugin. */
const speaksOtherClasses = ({ word, handler }: Stage): boolean =>
  word === 'chaos' || (handler instanceof RewriteHandler && handler.takesOtherClasses)

/** Round robin, which the fast path does by itself. */
const isPlainLoadbalance = ({ word, config }: PluginSetup): boolean =>
  word === 'loadbalance' &&
  (config as LoadbalanceConfig).weights === undefined &&
  (config as LoadbalanceConfig).prefer.length === 0

/** Whether it changes no answer, or only in ways known beforehand, or tells by itself which queries concern it. */
const isTransparent = (stage: Stage): boolean =>
  TRANSPARENT_WORDS.has(stage.word) ||
  stage.word === 'cache' ||
  stage.word === 'minimal' ||
  isPlainLoadbalance(stage) ||
  stage.handler.concerns !== undefined

/** The plugins before that word which tell what concerns them. */
function guardsBefore(word: string, stages: readonly Stage[]): readonly Guard[] {
  const at = stages.findIndex(stage => stage.word === word)
  return stages.slice(0, Math.max(0, at)).flatMap(({ handler }) => (isGuard(handler) ? [handler] : []))
}

const isGuard = (handler: Handler): handler is Handler & Guard => handler.concerns !== undefined

const addressOrderOf = ({ plugins }: BlockSetup): ServingContext['addressOrder'] => {
  const loadbalance = plugins.find(plugin => plugin.word === 'loadbalance')
  return loadbalance === undefined ? 'given' : isPlainLoadbalance(loadbalance) ? 'random' : 'chosen'
}

/** The largest message over UDP: `bufsize`, or ours. */
const udpMaxOf = ({ plugins }: BlockSetup): number => {
  const bufsize = plugins.find(plugin => plugin.word === 'bufsize')?.config as BufsizeConfig | undefined
  return bufsize?.udpMaxOctets ?? PAYLOAD_DEFAULT
}

/** Whether a plugin before `kubernetes` can change its answers for a zone in ways not known beforehand. */
const concerns = (stage: Stage, zone: string): boolean =>
  !isTransparent(stage) && (stage.handler.concernsZone?.(name(zone)) ?? true)

const isShuffled = (stages: readonly Stage[]): boolean => stages.some(isPlainLoadbalance)
