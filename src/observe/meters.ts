// The interface by which code counts. A handle is made once (on start, or at the first use of a label set) and used
// for ever; using it costs one store into this thread's own slots of shared memory (counters.ts), summed at scrape.

/** The values of a family's labels, by label name. */
export type Labels = Readonly<Record<string, string>>

export interface Counter {
  /** Adds one, or n. */
  add(n?: number): void
}

export interface Gauge {
  set(value: number): void
}

export interface Histogram {
  observe(value: number): void
}

/** Families are declared in families.ts; an unknown name is a bug and throws. */
export interface Meters {
  counter(family: string, labels?: Labels): Counter
  gauge(family: string, labels?: Labels): Gauge
  histogram(family: string, labels?: Labels): Histogram
}
