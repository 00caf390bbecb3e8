// The control thread's side of counting: it knows what every thread's slots stand for and gives the sum of all of them
// when somebody asks. What a dead thread counted stays, so that counters never go back; its gauges go.

import {
  counterMemory,
  OVERFLOW_SLOT,
  type Registration,
  SLOTS_MAX,
  slotWidth,
  ThreadMeters,
} from './counters.ts'
import { FAMILIES, familyNamed, familyOf } from './families.ts'
import type { Family } from './family.ts'
import { labelValues } from './family.ts'
import type { Labels, Meters } from './meters.ts'

/** One line of a counter or gauge. */
export interface Sample {
  /** In the order of the family's labels. */
  readonly values: readonly string[]
  /** One number; for a histogram its buckets (not cumulated), +Inf, and the sum. */
  readonly numbers: readonly number[]
}

/** A family with what was counted, samples in the order of their labels' values. */
export interface FamilySamples {
  readonly family: Family
  readonly samples: readonly Sample[]
}

/** Fills in, before a scrape, what is read rather than counted. */
export type Collector = (registry: Registry) => void

/** Label sets of one family and thread that the registry will hold: a bound for what came over messages. */
const REGISTRATIONS_MAX = SLOTS_MAX

interface Thread {
  readonly slots: Float64Array
  readonly registrations: Registration[]
}

interface Sum {
  readonly values: readonly string[]
  readonly numbers: number[]
}

/** Everything counted in the process. */
export class Registry {
  /** The control thread's own counters. */
  readonly meters: Meters
  readonly #threads = new Map<number, Thread>()
  /** What threads that are gone counted, by family and labels. */
  readonly #retired = new Map<string, Map<string, Sum>>()
  readonly #published = new Map<string, Map<string, Sum>>()
  readonly #collectors = new Set<Collector>()
  #nextThread = 0
  #retiredOverflow = 0

  constructor() {
    const own = this.addThread()
    this.meters = new ThreadMeters(own.memory, registration => this.register(own.id, registration))
  }

  /** Makes the memory of a new thread's counters, and the id that its registrations come under. */
  addThread(slots: number = SLOTS_MAX): { readonly id: number; readonly memory: SharedArrayBuffer } {
    const memory = counterMemory(slots)
    const id = this.#nextThread++
    this.#threads.set(id, { slots: new Float64Array(memory), registrations: [] })
    return { id, memory }
  }

  /** Takes what a thread says of a slot. One of an unknown thread, or beyond the thread's memory, is ignored. */
  register(id: number, registration: Registration): void {
    const thread = this.#threads.get(id)
    if (thread === undefined || thread.registrations.length >= REGISTRATIONS_MAX) return
    const family = familyNamed(registration.family)
    if (family === undefined || registration.slot + slotWidth(family) > thread.slots.length) return
    thread.registrations.push(registration)
  }

  /** Keeps what the thread counted and forgets its gauges and memory. A second call does nothing. */
  removeThread(id: number): void {
    const thread = this.#threads.get(id)
    if (thread === undefined) return
    this.#threads.delete(id)
    this.#retiredOverflow += thread.slots[OVERFLOW_SLOT]!
    for (const registration of thread.registrations) {
      const family = familyNamed(registration.family)!
      if (family.type !== 'gauge')
        add(this.#retired, family, registration.values, read(thread, registration, family))
    }
  }

  /** Sets every sample of a counter or gauge at once, forgetting those it had; for what is known rather than counted. */
  publish(name: string, samples: readonly { readonly labels: Labels; readonly value: number }[]): void {
    const family = familyNamed(name)
    if (family === undefined || family.type === 'histogram') familyOf(name, 'gauge')
    this.#published.delete(name)
    for (const { labels, value } of samples) {
      add(this.#published, family!, labelValues(family!, labels), [value])
    }
  }

  /** Calls the collector before every scrape; the result ends that. */
  collect(collector: Collector): () => void {
    this.#collectors.add(collector)
    return () => this.#collectors.delete(collector)
  }

  /** Every family that has samples, by name. Families without labels always have one: they begin at 0. */
  gather(): readonly FamilySamples[] {
    for (const collector of this.#collectors) collector(this)
    return this.counted()
  }

  /** The same of what is counted, and of what was read for the last scrape: collectors are not called. */
  counted(): readonly FamilySamples[] {
    const sums = new Map<string, Map<string, Sum>>()
    for (const source of [this.#retired, this.#published]) {
      for (const [name, bySet] of source) {
        const family = familyNamed(name)!
        for (const { values, numbers } of bySet.values()) add(sums, family, values, numbers)
      }
    }
    let overflow = this.#retiredOverflow
    for (const thread of this.#threads.values()) {
      overflow += thread.slots[OVERFLOW_SLOT]!
      for (const registration of thread.registrations) {
        const family = familyNamed(registration.family)!
        add(sums, family, registration.values, read(thread, registration, family))
      }
    }
    add(sums, familyOf('seamark_metrics_overflow_total', 'counter'), [], [overflow])
    return FAMILIES.flatMap(family => {
      if (family.labels.length === 0) {
        add(sums, family, [], new Array<number>(slotWidth(family)).fill(0))
      }
      const bySet = sums.get(family.name)
      if (bySet === undefined) return []
      const keys = [...bySet.keys()].sort()
      return [{ family, samples: keys.map(key => bySet.get(key)!) }]
    })
  }
}

const read = (thread: Thread, { slot }: Registration, family: Family): readonly number[] =>
  Array.from(thread.slots.subarray(slot, slot + slotWidth(family)))

function add(
  sums: Map<string, Map<string, Sum>>,
  family: Family,
  values: readonly string[],
  numbers: readonly number[],
): void {
  let bySet = sums.get(family.name)
  if (bySet === undefined) {
    bySet = new Map()
    sums.set(family.name, bySet)
  }
  const key = values.join('\0')
  const sum = bySet.get(key)
  if (sum === undefined) {
    bySet.set(key, { values, numbers: [...numbers] })
    return
  }
  const highest = family.type === 'gauge' && family.across === 'max'
  numbers.forEach((number, i) => {
    sum.numbers[i] = highest ? Math.max(sum.numbers[i]!, number) : sum.numbers[i]! + number
  })
}
