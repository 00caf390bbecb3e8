// Who asks, for what, and what fails, out of samples of the serving threads (samples.ts): the most frequent clients, names and
// failing names for metrics and the page, and what storms.ts needs to tell a storm from the rest. All of it in sketches of
// bounded size (space-saving.ts), whose errors are stated.

import type { Clock, Timer } from '../shared/clock.ts'
import { rcodeName } from '../wire/rcode.ts'
import type { Registry } from './registry.ts'
import { readSamples, type Sample, SILENT } from './samples.ts'
import { type Counted, SpaceSaving } from './space-saving.ts'
import { type Source, Storms } from './storms.ts'
import type { ThreadLog } from './thread-log.ts'

/** What is known of each kind of key is of such a window. */
export const WINDOW_MS = 10_000
/** Failing names are told of longer windows: of seldom failures, too. */
const FAILING_WINDOWS = 6
/** Keys of each sketch. */
const PLACES = 128
/** Names that metrics have: a family of a few samples, however many names fail. */
const METRIC_NAMES_MAX = 10
/** A name that was seen less often is none yet: names that somebody makes up would each be one once, and new series for ever. */
const METRIC_SEEN_MIN = 4
/** Storms are looked for so long after samples came, when those of the other threads are there. */
const LOOK_DELAY_MS = 500

/** One line of a list of the most frequent. */
export interface Frequent {
  readonly key: string
  readonly perSecond: number
  /** What `perSecond` may be too high by. */
  readonly errorPerSecond: number
}

/** What one window, or the one that is not over yet, was like. */
export interface TrafficLists {
  readonly perSecond: number
  /** Addresses, with the Pod that has one where that is known: `10.244.3.7 (shop/crawler-7)`. */
  readonly clients: readonly Frequent[]
  readonly names: readonly Frequent[]
  /** Names with the code of their failure: `nope.example.org. NXDOMAIN`. */
  readonly failing: readonly Frequent[]
}

export interface TrafficOptions {
  readonly clock: Clock
  readonly log: ThreadLog
  readonly registry: Registry
  /** The Pods that have these addresses, `NAMESPACE/NAME` by address; without those of which that is not certain. */
  readonly podsOf: (addresses: ReadonlySet<string>) => ReadonlyMap<string, string>
}

/** The sketches of one window. */
class Window {
  readonly sources = new SpaceSaving<Source>(PLACES)
  readonly patterns = new SpaceSaving<Source>(PLACES)
  readonly names = new SpaceSaving<Source>(PLACES)
  readonly missing = new SpaceSaving<Source>(PLACES)
  readonly clients = new SpaceSaving<Source>(PLACES)
  readonly namespaces = new SpaceSaving<Source>(PLACES)
  readonly fromMs: number
  /** By thread: how much of the window its samples are of. */
  readonly coveredMs = new Map<number, number>()

  constructor(fromMs: number) {
    this.fromMs = fromMs
  }

  take({ client, name, rcode, weight }: Sample): void {
    const pattern = rcode === NXDOMAIN ? patternOf(name) : ''
    const namespace = namespaceOf(name)
    const source: Source = { client, name, pattern, namespace, rcode }
    this.clients.add(client, weight, source)
    this.names.add(name, weight, source)
    this.sources.add(`${client} ${name}`, weight, source)
    if (namespace !== '') this.namespaces.add(namespace, weight, source)
    if (pattern === '') return
    this.patterns.add(`${client} ${pattern}`, weight, source)
    this.missing.add(pattern, weight, source)
  }

  /** Ms in which the samples were taken. */
  get ms(): number {
    return Math.max(0, ...this.coveredMs.values())
  }
}

const NXDOMAIN = 3

export class Traffic {
  readonly #options: TrafficOptions
  readonly #storms: Storms
  #window: Window | undefined
  #last: { readonly window: Window; readonly ms: number } | undefined
  #failing = new SpaceSaving<null>(PLACES)
  #failingBefore: readonly Counted<null>[] = []
  #windows = 0
  #rotation: Timer | undefined
  #look: Timer | undefined

  constructor(options: TrafficOptions) {
    this.#options = options
    const { log, registry, podsOf } = options
    this.#storms = new Storms({ log, meters: registry.meters, registry, podsOf })
    registry.collect(into => this.#publish(into))
  }

  /** Takes the samples of `periodMs` of a serving thread. */
  take(thread: number, octets: Uint8Array, periodMs: number): void {
    const { clock } = this.#options
    const window = this.#window ?? this.#begin(clock.nowMs() - periodMs)
    window.coveredMs.set(thread, (window.coveredMs.get(thread) ?? 0) + periodMs)
    for (const sample of readSamples(octets)) {
      window.take(sample)
      if (sample.rcode !== 0) this.#failing.add(`${sample.name} ${codeOf(sample.rcode)}`, sample.weight, null)
    }
    this.#look ??= clock.after(LOOK_DELAY_MS, () => {
      this.#look = undefined
      if (this.#window) this.#storms.look(this.#window, this.#window.ms, clock.nowMs())
    })
  }

  /** Of the last whole window, or of the one that is not over where there was none before. */
  lists(length: number): TrafficLists {
    const window = this.#last?.window ?? this.#window
    const ms = this.#last?.ms ?? window?.ms ?? 0
    if (window === undefined || ms === 0) return { perSecond: 0, clients: [], names: [], failing: [] }
    const frequent = (sketch: SpaceSaving<Source>): readonly Frequent[] => ratesOf(sketch.top(length), ms)
    return {
      perSecond: (window.clients.total / ms) * 1000,
      clients: this.#withPods(frequent(window.clients)),
      names: frequent(window.names),
      failing: this.#failingRates(length),
    }
  }

  #withPods(clients: readonly Frequent[]): readonly Frequent[] {
    const pods = this.#options.podsOf(new Set(clients.map(({ key }) => key)))
    return clients.map(client => {
      const pod = pods.get(client.key)
      return pod === undefined ? client : { ...client, key: `${client.key} (${pod})` }
    })
  }

  /** The storms of now, as one sentence each. */
  get storms(): readonly string[] {
    return this.#storms.texts
  }

  stop(): void {
    this.#rotation?.cancel()
    this.#look?.cancel()
    if (this.#window) this.#storms.look(this.#window, this.#window.ms, this.#options.clock.nowMs())
    this.#storms.stop()
  }

  #begin(fromMs: number): Window {
    const window = new Window(fromMs)
    this.#window = window
    const { clock } = this.#options
    this.#rotation = clock.after(Math.max(0, fromMs + WINDOW_MS - clock.nowMs()), () => this.#rotate())
    return window
  }

  /** The next window begins with the next sample, or at once where a storm may be over. */
  #rotate(): void {
    const { clock } = this.#options
    const window = this.#window!
    const nowMs = clock.nowMs()
    this.#storms.end(window, window.ms, nowMs)
    this.#last = { window, ms: Math.max(1, nowMs - window.fromMs) }
    if (++this.#windows % FAILING_WINDOWS === 0) {
      this.#failingBefore = this.#failing.top(PLACES)
      this.#failing = new SpaceSaving(PLACES)
    }
    this.#window = undefined
    const isQuiet = window.clients.total === 0
    if (!isQuiet || this.#storms.texts.length > 0) this.#begin(nowMs)
  }

  #failingRates(length: number, seenMin = 1): readonly Frequent[] {
    const isWhole = this.#failingBefore.length > 0
    const all = isWhole ? this.#failingBefore : this.#failing.top(PLACES)
    const list = all.filter(({ seen }) => seen >= seenMin).slice(0, length)
    const windows = isWhole ? FAILING_WINDOWS : 1 + (this.#windows % FAILING_WINDOWS)
    return ratesOf(list, windows * WINDOW_MS)
  }

  #publish(registry: Registry): void {
    const rates = this.#failingRates(METRIC_NAMES_MAX, METRIC_SEEN_MIN).map(
      ({ key, perSecond, errorPerSecond }) => {
        const [name = '', rcode = ''] = key.split(' ')
        return { labels: { name, rcode }, perSecond, errorPerSecond }
      },
    )
    registry.publish(
      'seamark_failing_name_queries_per_second',
      rates.map(({ labels, perSecond }) => ({ labels, value: perSecond })),
    )
    registry.publish(
      'seamark_failing_name_error_per_second',
      rates.map(({ labels, errorPerSecond }) => ({ labels, value: errorPerSecond })),
    )
  }
}

const ratesOf = (list: readonly Counted<unknown>[], ms: number): readonly Frequent[] =>
  list.map(({ key, count, error }) => ({
    key,
    perSecond: (count / ms) * 1000,
    errorPerSecond: (error / ms) * 1000,
  }))

const codeOf = (rcode: number): string => (rcode === SILENT ? 'none' : rcodeName(rcode))

/** The labels that stay where names below them are made up: `*.default.svc.cluster.local.`. */
const PATTERN_LABELS = 4

/** What a missing name has in common with others: its last labels, without its first. */
export function patternOf(name: string): string {
  const labels = name.slice(0, -1).split('.')
  return `*.${labels.slice(Math.max(1, labels.length - PATTERN_LABELS)).join('.')}.`
}

/** The namespace of the Service that a name is of, in whatever zone: the label before `svc`; '' where it has none. */
export function namespaceOf(name: string): string {
  const labels = name.split('.')
  return labels[labels.lastIndexOf('svc') - 1] ?? ''
}
