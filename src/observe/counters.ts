// Counting on a thread. Each thread has its own block of shared memory, a Float64 slot for every counter and gauge and
// a run of slots for every histogram, and is the only one that writes there: to count is one addition. The control
// thread learns by a message what a new slot stands for and sums all blocks when somebody asks (registry.ts).
//
//   slot  0         increments of label sets that found no room
//   slot  1 …       in the order of registration
//   a histogram     one slot a bucket (not cumulated), one for +Inf, one for the sum

import { familyOf } from './families.ts'
import type { Family, FamilyType } from './family.ts'
import { labelValues } from './family.ts'
import type { Counter, Gauge, Histogram, Labels, Meters } from './meters.ts'

/** Slots of a thread: some hundred server blocks' worth, 256 KiB of which only what is used becomes resident. */
export const SLOTS_MAX = 32768

/** Where label sets without a slot are counted. */
export const OVERFLOW_SLOT = 0

/** What the control thread must know of a slot; a plain message. */
export interface Registration {
  readonly slot: number
  readonly family: string
  /** In the order of the family's labels. */
  readonly values: readonly string[]
}

/** The shared memory of one thread's counters; the control thread makes it and keeps it beyond the thread's life. */
export const counterMemory = (slots: number = SLOTS_MAX): SharedArrayBuffer =>
  new SharedArrayBuffer(slots * Float64Array.BYTES_PER_ELEMENT)

/** The slots that a label set of the family takes. */
export const slotWidth = (family: Family): number =>
  family.type === 'histogram' ? family.buckets.length + 2 : 1

/** The counters of one thread. The same family and labels always give the same slot, also across a reload. */
export class ThreadMeters implements Meters {
  /** The thread's slots; only for code with a table of its own (query-meters.ts). */
  readonly slots: Float64Array
  readonly #register: (registration: Registration) => void
  readonly #known = new Map<string, number>()
  #next = OVERFLOW_SLOT + 1

  /** `register` hands a registration to the control thread, usually by postMessage. */
  constructor(memory: SharedArrayBuffer, register: (registration: Registration) => void) {
    this.slots = new Float64Array(memory)
    this.#register = register
  }

  counter(name: string, labels: Labels = {}): Counter {
    return new SlotCounter(this.slots, this.slotOf(name, 'counter', labels))
  }

  gauge(name: string, labels: Labels = {}): Gauge {
    return new SlotGauge(this.slots, this.slotOf(name, 'gauge', labels))
  }

  histogram(name: string, labels: Labels = {}): Histogram {
    const slot = this.slotOf(name, 'histogram', labels)
    return new SlotHistogram(this.slots, slot, familyOf(name, 'histogram').buckets)
  }

  /** The first slot of a label set, registered where it is new; OVERFLOW_SLOT where none is left. */
  slotOf(name: string, type: FamilyType, labels: Labels): number {
    const family = familyOf(name, type)
    const values = labelValues(family, labels)
    const key = `${name}\0${values.join('\0')}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const slot = this.#next
    if (slot + slotWidth(family) > this.slots.length) return OVERFLOW_SLOT
    this.#next += slotWidth(family)
    this.#known.set(key, slot)
    this.#register({ slot, family: name, values })
    return slot
  }
}

class SlotCounter implements Counter {
  readonly #slots: Float64Array
  readonly #slot: number

  constructor(slots: Float64Array, slot: number) {
    this.#slots = slots
    this.#slot = slot
  }

  add(n = 1): void {
    this.#slots[this.#slot]! += n
  }
}

class SlotGauge implements Gauge {
  readonly #slots: Float64Array
  readonly #slot: number

  constructor(slots: Float64Array, slot: number) {
    this.#slots = slots
    this.#slot = slot
  }

  set(value: number): void {
    if (this.#slot === OVERFLOW_SLOT) this.#slots[OVERFLOW_SLOT]! += 1
    else this.#slots[this.#slot] = value
  }
}

class SlotHistogram implements Histogram {
  readonly #slots: Float64Array
  readonly #slot: number
  readonly #bounds: readonly number[]

  constructor(slots: Float64Array, slot: number, bounds: readonly number[]) {
    this.#slots = slots
    this.#slot = slot
    this.#bounds = bounds
  }

  observe(value: number): void {
    observe(this.#slots, this.#slot, this.#bounds, value)
  }
}

/** Adds a value to the histogram whose run of slots begins at `slot`. */
export function observe(
  slots: Float64Array,
  slot: number,
  bounds: readonly number[] | Float64Array,
  value: number,
): void {
  if (slot === OVERFLOW_SLOT) {
    slots[OVERFLOW_SLOT]! += 1
    return
  }
  const count = bounds.length
  let bucket = 0
  while (bucket < count && value > bounds[bucket]!) bucket++
  slots[slot + bucket]! += 1
  slots[slot + count + 1]! += value
}
