// Where in the API server's history a resource has been followed to, and whether it is still the same history. When a backup of
// etcd is restored, versions run backwards, and a watch from a version that is not there yet is opened and stays silent until
// the new history has come so far. So after every end of a watch that was not its ordinary one the server is asked for its
// own version (version.ts), which it reads from etcd.

import type { Clock } from '../shared/clock.ts'
import type { ApiCall } from './client.ts'
import type { MetadataReceiver } from './metadata-list.ts'
import { ranBackwards } from './version.ts'

/** A history that runs backwards again so soon is not read anew without a pause. */
const AGAIN_MS = 30_000

/** What a history asks and tells. */
export interface HistoryOptions {
  readonly clock: Clock
  /** Asks for the server's version. */
  readonly probe: (receiver: MetadataReceiver) => ApiCall
  /** It ran back to this version, once more within half a minute if `again`; nothing is to be built on what was reached. */
  readonly ranBackwards: (version: string, before: string, again: boolean) => void
}

/** The version reached. */
export class History {
  readonly #options: HistoryOptions
  #version: string | undefined
  #probe: ApiCall | undefined
  #backwardsMs = -Infinity
  #doubtful = false
  #lost = false

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /** Where to go on; undefined before the first list and after the version was dropped. */
  get version(): string | undefined {
    return this.#version
  }

  /** Begins with a complete state of that version. */
  begin(version: string): void {
    this.stop()
    this.#version = version
  }

  /** A live watch has reached that version. */
  advance(version: string): void {
    if (this.judge()(version)) this.#version = version
  }

  /** Forgets it. */
  drop(): void {
    this.#version = undefined
    this.stop()
  }

  /** The watch has ended without a word, or was lost: what goes on may be another history. */
  doubt(lost: boolean): void {
    this.#doubtful = true
    this.#lost ||= lost
    this.stop()
  }

  /** A watch is open again: looks into it if there is doubt, and gives whether the former one was lost. */
  reopened(): boolean {
    const lost = this.#lost
    this.#lost = false
    if (this.#doubtful) this.#ask()
    this.#doubtful = false
    return lost
  }

  /**
   * A judge of the version that the server answers to a request made now: whether it is not older than what the server has
   * told before. Where it is, that is told, or, for one that need not be its `newest`, the server is asked for that.
   */
  judge(newest = true): (version: string) => boolean {
    const before = this.#version
    return version => {
      if (before === undefined || !ranBackwards(version, before)) return true
      if (newest) this.#ranBackwards(version, before)
      else this.#ask()
      return false
    }
  }

  #ask(): void {
    const judge = this.judge()
    this.stop()
    this.#probe = this.#options.probe({
      done: version => void judge(version),
      // The check of consistency that comes soon will find out.
      failed: () => {},
    })
  }

  #ranBackwards(version: string, before: string): void {
    const nowMs = this.#options.clock.nowMs()
    const again = nowMs - this.#backwardsMs < AGAIN_MS
    this.#backwardsMs = nowMs
    this.drop()
    this.#options.ranBackwards(version, before, again)
  }

  /** Asks nothing any more. */
  stop(): void {
    this.#probe?.abort()
    this.#probe = undefined
  }
}
