// A serving thread: owns its sockets, chains, caches and upstream connections; reads the tables and counts in shared memory;
// does what the control thread says (messages.ts). A new configuration is built and bound beside the one that serves and
// takes over between two packets.

import { LISTEN_EVENTS, type ListenEvent } from '../listen/events.ts'
import { StreamMemory } from '../listen/stream-memory.ts'
import { BatchedLog } from '../observe/batched-log.ts'
import { ThreadMeters } from '../observe/counters.ts'
import type { Counter } from '../observe/meters.ts'
import { QueryMetersTable } from '../observe/query-meters.ts'
import type { TapBatch, TapFilter } from '../observe/tap.ts'
import type { ServingContext } from '../plugin/plugin.ts'
import { PATIENCE_MS } from '../query/packet.ts'
import { WaitingRoom } from '../query/waiting.ts'
import { systemClock } from '../shared/clock.ts'
import { TableReader } from '../table/reader.ts'
import { PAYLOAD_DEFAULT } from '../wire/header.ts'
import { Site, type SiteContext } from './address.ts'
import { type Lasting, Serving } from './blocks.ts'
import { ServerCookies } from './cookies.ts'
import type { FromThread, Prepare, ThreadStart, ToThread } from './messages.ts'
import { Packets } from './packets.ts'
import { Sampler } from './sampler.ts'
import { SwitchResponder } from './switch.ts'
import { Tap } from './tap.ts'
import { askTraced, type TracedQuestion } from './traced.ts'

/** A configuration with its sockets. */
interface Generation {
  readonly number: number
  readonly serving: Serving
  readonly setup: Prepare['setup']
  /** By server label: what the next generation may keep. */
  readonly sites: ReadonlyMap<string, Site>
}

export class ServingThread {
  readonly #start: ThreadStart
  readonly #send: (message: FromThread) => void
  readonly #meters: ThreadMeters
  readonly #queryMeters: QueryMetersTable
  readonly #log: BatchedLog
  readonly #lasting: Lasting
  readonly #siteContext: SiteContext
  readonly #events = new Map<ListenEvent, Counter>()
  readonly #readers = new Map<SharedArrayBuffer, TableReader>()
  /** Zones read anew since the configuration that serves was read. */
  readonly #images = new Map<string, SharedArrayBuffer>()
  #current: Generation | undefined
  #prepared: Generation | undefined
  #last = Promise.resolve()
  /** Ends what served before, of each configuration that still has something on its way. */
  readonly #retired = new Set<() => void>()

  constructor(start: ThreadStart, send: (message: FromThread) => void) {
    this.#start = start
    this.#send = send
    this.#meters = new ThreadMeters(start.counters, registration => send({ type: 'register', registration }))
    this.#queryMeters = new QueryMetersTable(this.#meters)
    this.#log = new BatchedLog({
      memory: start.logLines,
      send: (octets, lines) => send({ type: 'log', octets, lines }),
      clock: systemClock,
      meters: this.#meters,
      quiet: start.quiet,
      form: start.logForm,
    })
    for (const event of LISTEN_EVENTS) {
      this.#events.set(event, this.#meters.counter('seamark_listen_events_total', { event }))
    }
    const count = (event: ListenEvent, n?: number): void => this.#count(event, n)
    this.#lasting = {
      cookies: new ServerCookies(start.cookieSecret, systemClock),
      room: new WaitingRoom(() => count('slow-refused')),
      packets: new Packets(),
      sampler: new Sampler({
        clock: systemClock,
        meters: this.#meters,
        random: Math.random,
        send: (octets, periodMs) => send({ type: 'samples', octets, periodMs }),
      }),
    }
    this.#siteContext = {
      clock: systemClock,
      memory: new StreamMemory(start.streamOctets, count),
      count,
      meters: this.#meters,
      log: this.#log,
      ticketSecret: start.ticketSecret,
      thread: start.thread,
      threads: start.threads,
      passed: start.passed,
    }
  }

  #count(event: ListenEvent, n = 1): void {
    this.#events.get(event)?.add(n)
  }

  /** Takes a message, behind those before it: a commit must not overtake what prepares it. `quit` waits for nothing. */
  take(message: ToThread): void {
    if (message.type === 'quit') void this.#handle(message)
    else this.#last = this.#last.then(() => this.#handle(message))
  }

  async #handle(message: ToThread): Promise<void> {
    switch (message.type) {
      case 'prepare':
        return this.#prepare(message)
      case 'commit':
        return this.#commit(message.generation)
      case 'abandon':
        return this.#abandon(message.generation)
      case 'image':
        this.#images.set(message.key, message.image)
        return
      case 'ask':
        // What serves does not wait for it.
        void this.#ask(message.server, message.question)
        return
      case 'tap':
        return this.#tap(message.filters)
      case 'sampled':
        return this.#lasting.sampler.acknowledge()
      case 'drain':
        return this.#drain()
      case 'quit':
        await this.close()
        return this.#send({ type: 'drained' })
    }
  }

  #tap(filters: readonly TapFilter[]): void {
    const send = (batches: readonly TapBatch[]): void => this.#send({ type: 'tapped', batches })
    const options = { clock: systemClock, meters: this.#meters, send }
    this.#lasting.sampler.follow(filters.length > 0 ? new Tap(filters, options) : undefined)
  }

  async #ask(server: string, question: TracedQuestion): Promise<void> {
    const responder = this.#current?.sites.get(server)?.responder
    this.#send({ type: 'asked', transcript: responder && (await askTraced(responder, question)) })
  }

  async #prepare({ generation, setup, tables, ownAddresses }: Prepare): Promise<void> {
    const readers = new Map(tables.map(([key, buffer]) => [key, this.#reader(buffer)]))
    const context: ServingContext = {
      clock: systemClock,
      random: Math.random,
      meters: this.#meters,
      log: this.#log,
      tellOperator: event => this.#send({ type: 'event', event }),
      tables: readers,
      images: this.#images,
      ownAddresses,
      thread: this.#start.thread,
      threads: this.#start.threads,
      zones: [],
      ownZones: [],
      addressOrder: 'given',
      handlers: [],
      udpMaxOctets: PAYLOAD_DEFAULT,
    }
    const serving = new Serving(setup, context, this.#queryMeters, this.#lasting)
    const sites = new Map<string, Site>()
    const errors: string[] = []
    for (const listen of setup.listens) {
      const known = this.#current?.sites.get(listen.server)
      const responder = known?.responder ?? new SwitchResponder(serving.road(listen))
      const site = known ?? (await Site.open(listen, responder, this.#siteContext))
      if (typeof site === 'string') errors.push(site)
      else sites.set(listen.server, site)
    }
    this.#prepared = { number: generation, serving, setup, sites }
    if (errors.length > 0) await this.#abandon(generation)
    this.#send({ type: 'prepared', generation, errors })
  }

  #reader(buffer: SharedArrayBuffer): TableReader {
    const known = this.#readers.get(buffer)
    if (known) return known
    const reader = new TableReader(buffer, this.#start.thread)
    this.#readers.set(buffer, reader)
    return reader
  }

  async #commit(generation: number): Promise<void> {
    const next = this.#prepared
    if (!next || next.number !== generation) return
    const before = this.#current
    this.#prepared = undefined
    this.#current = next
    // What it holds was read later than anything published before.
    this.#images.clear()
    this.#log.debug = next.setup.debug
    for (const listen of next.setup.listens) {
      const site = next.sites.get(listen.server)
      site?.responder.turnTo(next.serving.road(listen))
      if (before?.sites.has(listen.server)) site?.adjust(listen)
    }
    const listeners = [...next.sites.values()].flatMap(site => site.listeners.map(listener => listener.kind))
    this.#send({ type: 'committed', generation, listeners })
    if (!before) return
    this.#retire(before.serving)
    const closing = [...before.sites].filter(([server]) => !next.sites.has(server))
    await Promise.all(closing.map(([, site]) => site.drain()))
  }

  /** What waits goes on in the configuration that it came to, as long as any query may. */
  #retire(serving: Serving): void {
    serving.retire()
    const end = (): void => {
      this.#retired.delete(end)
      timer.cancel()
      void serving.stop()
    }
    const timer = systemClock.after(PATIENCE_MS, end)
    this.#retired.add(end)
  }

  async #abandon(generation: number): Promise<void> {
    const abandoned = this.#prepared
    if (!abandoned || abandoned.number !== generation) return
    this.#prepared = undefined
    const opened = [...abandoned.sites].filter(([server]) => !this.#current?.sites.has(server))
    await Promise.all(opened.map(([, site]) => site.close()))
    await abandoned.serving.stop()
  }

  /** Closes all sockets at once: what comes is for the other threads from here on. */
  async close(): Promise<void> {
    const sites = [...(this.#current?.sites.values() ?? []), ...(this.#prepared?.sites.values() ?? [])]
    await Promise.all(sites.map(site => site.close()))
  }

  /** A bug that no query's road caught: the thread ends in good order, and is replaced. */
  async fail(error: unknown): Promise<never> {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#log.write('ERROR', '', `serving thread ${this.#start.thread} met a bug of its own: ${text}`)
    this.#log.flush()
    await this.close()
    process.exit(1)
  }

  async #drain(): Promise<void> {
    const current = this.#current
    if (current) {
      await Promise.all([...current.sites.values()].map(site => site.drain()))
      await current.serving.stop()
    }
    for (const end of this.#retired) end()
    this.#log.flush()
    this.#send({ type: 'drained' })
  }
}
