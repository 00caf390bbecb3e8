// The traffic of a run: what comes next is decided by the seed alone.

import { readCorpus } from '../packets/corpus.ts'
import { Random } from '../support/random.ts'
import { mutated } from './mutate.ts'
import { goodQuery, heavyQuery, oddQuery } from './queries.ts'

/** A packet to send. Its first two octets, the id, are the sender's. */
export interface FuzzPacket {
  readonly octets: Uint8Array
  /** Whether it has to be answered. */
  readonly good: boolean
}

/** Shares in percent; the rest are changed packets of the corpus. */
const GOOD = 25
const ODD = 30
const CHANGED_GOOD = 20
const CHANGED_ODD = 14
const HEAVY = 2
/** What the server reads of a datagram. */
const HEAVY_OCTETS = 4096

export class Mix {
  readonly random: Random
  readonly corpus: readonly Uint8Array[]

  constructor(seed: number, corpus: readonly Uint8Array[] = packetsOfCorpus()) {
    this.random = new Random(seed)
    this.corpus = corpus
  }

  /** Another one whose choices depend on when it was made alone: for what goes on beside. */
  fork(): Mix {
    return new Mix(this.random.below(0xffffffff), this.corpus)
  }

  next(): FuzzPacket {
    const { random } = this
    const what = random.below(100)
    if (what < GOOD) return { octets: goodQuery(random), good: true }
    if (what < GOOD + ODD) return { octets: oddQuery(random), good: false }
    if (what >= 100 - HEAVY) return { octets: heavyQuery(random, HEAVY_OCTETS), good: false }
    const from =
      what < GOOD + ODD + CHANGED_GOOD
        ? goodQuery(random)
        : what < GOOD + ODD + CHANGED_GOOD + CHANGED_ODD
          ? oddQuery(random)
          : random.pick(this.corpus)
    return { octets: mutated(random, from, random.pick(this.corpus)), good: false }
  }
}

/** Streams have no frames, and giants would drown everything else. */
const packetsOfCorpus = (): Uint8Array[] =>
  readCorpus()
    .filter(({ over, octets }) => !over.includes('stream') && octets.length > 0 && octets.length < 4096)
    .map(({ octets }) => octets)
