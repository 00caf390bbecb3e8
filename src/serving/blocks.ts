// One configuration at work on one serving thread: the chains of its server blocks, and for each listener the road of its
// queries with the fast paths that the chain allows.

import { STREAM_LIMITS } from '../listen/stream-limits.ts'
import { DROPPED_ZONE, type QueryMetersTable } from '../observe/query-meters.ts'
import { ReasonMeters } from '../observe/reason-meters.ts'
import type { Effect, Handler, ServingContext } from '../plugin/plugin.ts'
import { servedWord } from '../plugin/registry.ts'
import { viewWord } from '../plugin/view/view.ts'
import type { Served } from '../query/packet.ts'
import { ZoneTable } from '../query/zone-table.ts'
import type { BlockSetup, ListenSetup, Setup } from '../setup/setup.ts'
import type { TableReader } from '../table/reader.ts'
import { PAYLOAD_DEFAULT } from '../wire/header.ts'
import { foldName, formatName, type Name, name } from '../wire/name.ts'
import { FastAnswers } from './fast-answers.ts'
import { chainOf, type Stage } from './fast-path.ts'
import { Road, type RoadOptions } from './road.ts'
import type { ServedZone } from './served-zone.ts'

/** A server block with its handlers made. */
interface Block {
  readonly stages: readonly Stage[]
  readonly effect: BlockEffect
}

/** What outlives configurations on a thread: its cookies, its records and packets of what waits, what it looks at. */
export type Lasting = Pick<RoadOptions, 'cookies' | 'room' | 'packets' | 'sampler'>

/** What all words of a block do to it together. */
type BlockEffect = Omit<Effect, 'transparent'>

export class Serving {
  readonly #blocks: readonly Block[]
  readonly #context: ServingContext
  readonly #meters: QueryMetersTable
  readonly #lasting: Lasting
  readonly #reasons: ReasonMeters

  /** `meters` counts queries. What the context says of a server block is replaced by each block's own. */
  constructor(setup: Setup, context: ServingContext, meters: QueryMetersTable, lasting: Lasting) {
    this.#context = context
    this.#meters = meters
    this.#lasting = lasting
    this.#reasons = new ReasonMeters(context.meters)
    const ownZones = setup.blocks.flatMap(ownedBy)
    this.#blocks = setup.blocks.map(block => {
      const handlers: Handler[] = []
      const effect = effectOf(block)
      const ofBlock: ServingContext = {
        ...context,
        zones: block.zones,
        ownZones,
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
        return [{ ...plugin, handler, transparent }]
      })
      return { stages, effect }
    })
  }

  /** The road of the queries of one listener. */
  road(listen: ListenSetup): Road {
    const tables = new Set<TableReader>()
    const counted = listen.zones.some(({ block }) => this.#blocks[block]!.effect.counted)
    const zones = listen.zones.map(({ zone, block }) => this.#zone(listen, zone, this.#blocks[block]!))
    for (const zone of zones) for (const table of zone.tables) tables.add(table)
    return new Road({
      server: listen.server,
      zones,
      tables: [...tables],
      idleTimeoutMs: listen.timeouts.idleTimeoutMs ?? STREAM_LIMITS.idleTimeoutMs,
      clock: this.#context.clock,
      ...this.#lasting,
      dropped: counted ? this.#meters.of(listen.server, DROPPED_ZONE, '') : undefined,
      reasons: this.#reasons,
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
    const chain = chainOf(stages, effect, { server: listen.server, view: viewName, context: this.#context })
    const { handlers } = chain
    return {
      server: listen.server,
      zone: name(zone),
      zoneText: zone,
      view: viewName,
      annotate: this.#annotation(block),
      accepts: view && (packet => view.accepts(packet)),
      handlers,
      words: chain.words,
      fast: handlers[0] instanceof FastAnswers ? handlers[0] : undefined,
      gates: [...handlers.keys()].filter(at => handlers[at]!.admit !== undefined),
      lastWord: stages.at(-1)?.word ?? '',
      tables: chain.tables,
      anyClass: effect.otherClasses ?? false,
      nsid: effect.nsid,
      reasons: effect.reasons ?? true,
      udpMaxOctets: effect.udpMaxOctets ?? PAYLOAD_DEFAULT,
      meters: effect.counted ? this.#meters.of(listen.server, zone, viewName) : undefined,
    }
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

  /** Another configuration serves: handlers look after nothing any more, but go on with what is on its way. */
  retire(): void {
    for (const block of this.#blocks) for (const { handler } of block.stages) handler.retire?.()
  }

  /** Ends all handlers. */
  async stop(): Promise<void> {
    await Promise.all(this.#blocks.flatMap(block => block.stages.map(stage => stage.handler.stop?.())))
  }
}

/** What the words of a block do to it; none of them is twice in the chain. */
const effectOf = ({ plugins }: BlockSetup): BlockEffect =>
  Object.assign({}, ...plugins.map(({ word, config }) => servedWord(word)?.effect?.(config as never)))

/** The zones that the words of a block speak for alone. */
const ownedBy = ({ plugins }: BlockSetup): Name[] =>
  plugins.flatMap(({ word, config }) =>
    (servedWord(word)?.effect?.(config as never).owns ?? []).map(zone => foldName(name(zone))),
  )

/** The handler of a word, if the block has it: what its own `create` made. */
const handlerOf = <H extends Handler>(
  stages: readonly Stage[],
  { word }: { readonly word: string; create(config: never, context: ServingContext): H },
): H | undefined => stages.find(stage => stage.word === word)?.handler as H | undefined
