// One transfer under way (RFC 5936 2.2): the SOA, everything else as the client takes it, the same SOA again; and the
// places of which it holds one until it ends.

import type { RecordStream, ZoneCopy } from '../../query/zone-copy.ts'
import type { Rr } from '../../wire/record.ts'

/** Transfers at once on the whole server, for one block. */
export const TRANSFERS_MAX = 20
/** After this a transfer is cut off: a client that takes it in drops must not keep its place for ever. */
export const TRANSFER_MAX_MS = 10 * 60_000

/** Places for transfers. A client may hold as many as there are left for everybody: alone it gets half. */
export class Places {
  readonly #max: number
  readonly #byClient = new Map<string, number>()
  #taken = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Takes a place; false where there is none for that client. Pair with `leave`. */
  enter(client: string): boolean {
    const held = this.#byClient.get(client) ?? 0
    if (held >= this.#max - this.#taken) return false
    this.#byClient.set(client, held + 1)
    this.#taken++
    return true
  }

  leave(client: string): void {
    const held = this.#byClient.get(client) ?? 1
    if (held > 1) this.#byClient.set(client, held - 1)
    else this.#byClient.delete(client)
    this.#taken--
  }
}

/** How a transfer ended: whether the client got everything, and how many records it got. */
export type OnEnd = (complete: boolean, records: number) => void

export class OutgoingTransfer implements RecordStream {
  readonly #zone: ZoneCopy
  readonly #records: Iterator<Rr>
  readonly #expired: () => boolean
  readonly #onEnd: OnEnd
  #state: 'opening' | 'records' | 'complete' | 'cut' = 'opening'
  #drawn = 0
  #ended = false

  /** `expired` says that the transfer has taken too long. */
  constructor(zone: ZoneCopy, expired: () => boolean, onEnd: OnEnd) {
    this.#zone = zone
    this.#records = zone.records()
    this.#expired = expired
    this.#onEnd = onEnd
  }

  get complete(): boolean {
    return this.#state === 'complete'
  }

  next(): Rr | undefined {
    if (this.#state === 'complete' || this.#state === 'cut') return undefined
    if (this.#expired()) {
      this.#state = 'cut'
      return undefined
    }
    this.#drawn++
    if (this.#state === 'opening') {
      this.#state = 'records'
      return this.#zone.opening
    }
    const step = this.#records.next()
    if (!step.done) return step.value
    this.#state = 'complete'
    return this.#zone.opening
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#onEnd(this.complete, this.#drawn)
  }
}
