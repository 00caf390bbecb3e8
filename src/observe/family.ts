// A metric family: what it is, the buckets of histograms, and how a line of the table (families.ts) is written.

export type FamilyType = 'counter' | 'gauge' | 'histogram'

/** A family and what its samples look like. */
export interface Family {
  readonly name: string
  readonly type: FamilyType
  readonly help: string
  /** Label names in the order that CoreDNS declares them. */
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets, ascending, without +Inf; empty for the others. */
  readonly buckets: readonly number[]
  /** How the gauges of several threads become one value. */
  readonly across: 'sum' | 'max'
}

/** Bounds that grow by a factor, computed one from the other as Prometheus's Go client does. */
function exponentialBuckets(start: number, factor: number, count: number): readonly number[] {
  const bounds: number[] = []
  for (let bound = start; bounds.length < count; bound *= factor) bounds.push(bound)
  return bounds
}

/** 0.25 ms to 8.192 s (CoreDNS plugin.TimeBuckets). */
export const TIME_BUCKETS = exponentialBuckets(0.00025, 2, 16)
/** 0.25 ms to 2.5 s (CoreDNS plugin.SlimTimeBuckets). */
export const SLIM_TIME_BUCKETS = exponentialBuckets(0.00025, 10, 5)
/** Octets of a message (CoreDNS plugin/metrics/vars). */
export const SIZE_BUCKETS = [
  0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3,
] as const
export const PROGRAMMING_BUCKETS = exponentialBuckets(0.001, 2, 20)
/** 0.1 ms to 1.6 s. */
export const PUBLISH_BUCKETS = exponentialBuckets(0.0001, 2, 15)
/** prometheus.DefBuckets of the Go client. */
const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

type Build = (name: string, labels: string, help: string) => Family

const split = (labels: string): string[] => labels.split(' ').filter(label => label !== '')

export const counter: Build = (name, labels, help) => ({
  name,
  type: 'counter',
  help,
  labels: split(labels),
  buckets: [],
  across: 'sum',
})

export const gauge: Build = (name, labels, help) => ({ ...counter(name, labels, help), type: 'gauge' })

/** A gauge that says the same on every thread, or whose highest value counts. */
export const maximum: Build = (name, labels, help) => ({ ...gauge(name, labels, help), across: 'max' })

export const histogram =
  (buckets: readonly number[]): Build =>
  (name, labels, help) => ({ ...counter(name, labels, help), type: 'histogram', buckets })

export const times = histogram(TIME_BUCKETS)
export const sizes = histogram(SIZE_BUCKETS)
export const defaults = histogram(DEFAULT_BUCKETS)

/** The labels' values in the family's order. Missing or further labels are a bug of the caller: a TypeError. */
export function labelValues(family: Family, labels: Readonly<Record<string, string>>): readonly string[] {
  const given = Object.keys(labels).length
  const values = family.labels.flatMap(label => labels[label] ?? [])
  if (given !== family.labels.length || values.length !== given) {
    throw new TypeError(`metric family ${family.name} has the labels ${family.labels.join(', ') || '(none)'}`)
  }
  return values
}
