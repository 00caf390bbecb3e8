// What the cache asks for nobody: replies that are to take the place of an entry.

import type { KeptReply } from '../../query/reply.ts'
import type { Timer } from '../../shared/clock.ts'
import type { Entry } from './entry.ts'

/** An entry is asked for anew while clients are served from it. */
export class Refresh {
  readonly entry: Entry
  readonly wasFresh: boolean
  /** How long the next one waits where nothing of use comes of this one. */
  readonly recheckMs: number
  readonly begunMs: number

  constructor(entry: Entry, wasFresh: boolean, recheckMs: number, begunMs: number) {
    this.entry = entry
    this.wasFresh = wasFresh
    this.recheckMs = recheckMs
    this.begunMs = begunMs
  }
}

/** A stale entry is asked for anew while a client waits. */
export class Verification {
  readonly entry: Entry
  isOver = false
  /** What the client gets in place of the entry. */
  reply: KeptReply | undefined
  /** Goes on with the client's packet, once it waits. */
  goOn: (() => void) | undefined
  /** When the client waits no longer. */
  timer: Timer | undefined

  constructor(entry: Entry) {
    this.entry = entry
  }

  /** It is over, with a reply that is of use, or without one. */
  end(reply: KeptReply | undefined): void {
    this.isOver = true
    this.reply = reply
    this.wake()
  }

  /** The client gets what there is; it waits no longer. */
  wake(): void {
    const { goOn } = this
    this.goOn = undefined
    this.timer?.cancel()
    goOn?.()
  }
}
