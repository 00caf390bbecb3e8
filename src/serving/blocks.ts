// One configuration at work on one serving thread: the chains of its server blocks, and for each listener the road of its
// queries with the fast paths that the chain allows.

import { STREAM_LIMITS } from '../listen/stream-limits.ts'
import { DROPPED_ZONE, type QueryMetersTable } from '../observe/query-meters.ts'
import { Storms } from '../observe/storms.ts'
import { cacheWord } from '../plugin/cache/cache.ts'
import type { FastCache } from '../plugin/cache/fast.ts'
import { coverage, flattenedTtl } from '../plugin/cache/ttl.ts'
import type { ClusterAnswers } from '../plugin/kubernetes/answers.ts'
import { kubernetesWord } from '../plugin/kubernetes/kubernetes.ts'
import type { Effect, Guard, Handler, ServingContext, TreeHandler } from '../plugin/plugin.ts'
import { servedWord } from '../plugin/registry.ts'
import { viewWord } from '../plugin/view/view.ts'
import type { Served } from '../query/packet.ts'
import { ZoneTable } from '../query/zone-table.ts'
import { type BlockSetup, configsOf, type ListenSetup, type PluginSetup, type Setup } from '../setup/setup.ts'
import type { TableReader } from '../table/reader.ts'
import { PAYLOAD_DEFAULT } from '../wire/header.ts'
import { formatName, name } from '../wire/name.ts'
import { Road, type RoadOptions } from './road.ts'
import type { ServedZone } from './served-zone.ts'
import { TreeRun } from './trees.ts'

/** One plugin of a block that answers queries, with its setup. */
interface Stage extends PluginSetup {
  readonly handler: Handler | TreeHandler
  /** Whether the fast path may go past it; see Effect. */
  readonly transparent: boolean
}

/** A server block with its handlers made. */
interface Block {
  readonly stages: readonly Stage[]
  readonly effect: BlockEffect
}

/** What outlives configurations on a thread: its cookies, its records and packets of what waits. */
export type Lasting = Pick<RoadOptions, 'cookies' | 'room' | 'packets'>

/** What all words of a block do to it together. */
type BlockEffect = Omit<Effect, 'transparent'>

export class Serving {
  readonly #blocks: readonly Block[]
  readonly #context: ServingContext
  readonly #meters: QueryMetersTable
  readonly #lasting: Lasting
  readonly #storms: Storms

  /** `meters` counts queries. What the context says of a server block is replaced by each block's own. */
  constructor(setup: Setup, context: ServingContext, meters: QueryMetersTable, lasting: Lasting) {
    this.#context = context
    this.#meters = meters
    this.#lasting = lasting
    this.#storms = new Storms(context.clock, context.log, context.meters)
    this.#blocks = setup.blocks.map(block => {
      const handlers: (Handler | TreeHandler)[] = []
      const effect = effectOf(block)
      const ofBlock: ServingContext = {
        ...context,
        zones: block.zones,
        addressOrder: effect.addressOrder ?? 'given',
        udpMaxOctets: effect.udpMaxOctets ?? PAYLOAD_DEFAULT,
        handlers,
      }
      const stages = block.plugins.flatMap(plugin => {
        const word = servedWord(plugin.word)
        if (!word?.create) return []
        const handler = word.create(plugin.config as never, ofBlock)
        handlers.push(handler)
        const transparent = word.effect?.(plugin.config as never).transparent ?? false
        return [{ ...plugin, handler, transparent: transparent || handler.concerns !== undefined }]
      })
      return { stages, effect }
    })
  }

  /** The road of the queries of one listener. */
  road(listen: ListenSetup): Road {
    const tables = new Set<TableReader>()
    const counted = listen.zones.some(({ block }) => this.#blocks[block]!.effect.counted)
    const zones = listen.zones.map(({ zone, block }) => this.#zone(listen, zone, this.#blocks[block]!))
    for (const { clusters } of zones) for (const cluster of clusters) tables.add(cluster.table)
    return new Road({
      server: listen.server,
      zones,
      tables: [...tables],
      idleTimeoutMs: listen.timeouts.idleTimeoutMs ?? STREAM_LIMITS.idleTimeoutMs,
      clock: this.#context.clock,
      ...this.#lasting,
      dropped: counted ? this.#meters.of(listen.server, DROPPED_ZONE, '') : undefined,
      storms: this.#storms,
      bug: (error, qname) => this.#bug(error, qname),
    })
  }

  #bug(error: unknown, qname: string): void {
    this.#context.meters.counter('coredns_panics_total').add()
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#context.log.write('ERROR', '', `recovered from a bug while answering ${qname}: ${text}`)
  }

  #zone(listen: ListenSetup, zone: string, block: Block): ServedZone {
    const { stages, effect } = block
    const view = handlerOf(stages, viewWord)
    const viewName = view?.name ?? ''
    return {
      server: listen.server,
      zone: name(zone),
      zoneText: zone,
      view: viewName,
      annotate: this.#annotation(block),
      accepts: view && (packet => view.accepts(packet)),
      handlers: packetHandlers(stages.map(stage => stage.handler)),
      lastWord: stages.at(-1)?.word ?? '',
      clusters: this.#clusters(block),
      clusterGuards: guardsIn(clusterStages(stages)),
      cache: this.#cache(listen, block, viewName),
      cacheGuards: guardsIn(stagesBefore(stages, cacheWord)),
      passesCache: passesCache(stages),
      anyClass: effect.otherClasses ?? false,
      nsid: effect.nsid,
      reasons: effect.reasons ?? true,
      udpMaxOctets: effect.udpMaxOctets ?? PAYLOAD_DEFAULT,
      meters: effect.counted ? this.#meters.of(listen.server, zone, viewName) : undefined,
    }
  }

  /** The cluster's zones, unless a plugin before `kubernetes` may change their answers in ways not known beforehand. */
  #clusters({ stages, effect }: Block): ClusterAnswers[] {
    const before = stagesBefore(stages, kubernetesWord)
    const [cache] = configsOf({ plugins: before }, cacheWord)
    const handler = handlerOf(stages, kubernetesWord)
    if (!handler) return []
    return handler.answersForZones(zone => {
      if (before.some(stage => concerns(stage, zone))) return undefined
      if (cache && coverage(cache, zone) === 'some') return undefined
      return {
        shuffle: effect.addressOrder === 'random',
        minimal: effect.minimal ?? false,
        flattenedTtl: (ttlSeconds, kind) =>
          cache ? flattenedTtl(cache, zone, ttlSeconds, kind) : ttlSeconds,
        random: this.#context.random,
        reasons: effect.reasons ?? true,
        ownAddresses: this.#context.ownAddresses,
        transfers: effect.transfers ?? false,
      }
    })
  }

  #cache(listen: ListenSetup, { stages, effect }: Block, view: string): FastCache | undefined {
    if (!stagesBefore(stages, cacheWord).every(({ transparent }) => transparent)) return undefined
    return handlerOf(stages, cacheWord)?.fastPath(listen.server, view, {
      shuffle: effect.addressOrder === 'random',
      random: this.#context.random,
    })
  }

  /** Leaves the labels of all plugins on packets of the zones that are labelled, if there are any. */
  #annotation({ stages, effect }: Block): Served['annotate'] {
    if (!effect.labelled) return undefined
    const zones = new ZoneTable(effect.labelled.map(zone => ({ zone: name(zone) })))
    const handlers = stages.map(({ handler }) => handler).filter(handler => handler.annotate !== undefined)
    return (packet, labels) => {
      if (zones.indexOf(packet.asked) < 0) return
      try {
        for (const handler of handlers) handler.annotate?.(packet, labels)
      } catch (error) {
        this.#bug(error, formatName(packet.asked.folded))
      }
    }
  }

  /** Ends all handlers. */
  async stop(): Promise<void> {
    await Promise.all(this.#blocks.flatMap(block => block.stages.map(stage => stage.handler.stop?.())))
  }
}

/** What the words of a block do to it; none of them is twice in the chain. */
const effectOf = ({ plugins }: BlockSetup): BlockEffect =>
  Object.assign({}, ...plugins.map(({ word, config }) => servedWord(word)?.effect?.(config as never)))

/** The handler of a word, if the block has it: what its own `create` made. */
const handlerOf = <H extends Handler | TreeHandler>(
  stages: readonly Stage[],
  { word }: { readonly word: string; create(config: never, context: ServingContext): H },
): H | undefined => stages.find(stage => stage.word === word)?.handler as H | undefined

/** The stages in front of a word; none where the block has not the word. */
const stagesBefore = (stages: readonly Stage[], { word }: { readonly word: string }): readonly Stage[] =>
  stages.slice(
    0,
    Math.max(
      0,
      stages.findIndex(stage => stage.word === word),
    ),
  )

/** Those that answer with trees are one handler where they stand one behind another. */
function packetHandlers(handlers: readonly (Handler | TreeHandler)[]): readonly Handler[] {
  const own: Handler[] = []
  let run: TreeHandler[] = []
  const endRun = (): void => {
    if (run.length > 0) own.push(new TreeRun(run))
    run = []
  }
  for (const handler of handlers) {
    if (handler.trees) run.push(handler)
    else {
      endRun()
      own.push(handler)
    }
  }
  endRun()
  return own
}

/** Whether the cache is for the cluster's zones, so that CoreDNS's would count their queries as misses. */
function passesCache(stages: readonly Stage[]): boolean {
  const [cache] = configsOf({ plugins: stages }, cacheWord)
  const [cluster] = configsOf({ plugins: stages }, kubernetesWord)
  if (!cache || !cluster) return false
  return cluster.zones.every(zone => coverage(cache, zone) === 'all')
}

/** The stages in front of `kubernetes` that can have something to do with one of its zones. */
function clusterStages(stages: readonly Stage[]): readonly Stage[] {
  const [cluster] = configsOf({ plugins: stages }, kubernetesWord)
  return stagesBefore(stages, kubernetesWord).filter(({ handler }) =>
    cluster?.zones.some(zone => handler.concernsZone?.(name(zone)) ?? true),
  )
}

/** Those of the stages which tell what concerns them. */
const guardsIn = (stages: readonly Stage[]): readonly Guard[] =>
  stages.flatMap(({ handler }) => (isGuard(handler) ? [handler] : []))

const isGuard = (handler: Handler | TreeHandler): handler is (Handler | TreeHandler) & Guard =>
  handler.concerns !== undefined

/** Whether a plugin before `kubernetes` can change its answers for a zone in ways not known beforehand. */
const concerns = ({ transparent, handler }: Stage, zone: string): boolean =>
  !transparent && (handler.concernsZone?.(name(zone)) ?? true)
