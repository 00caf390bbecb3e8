// Whether the process has file descriptors left. Without any, new connections are closed before anybody sees them, and nothing can be
// opened: that shows in many places, and this says what it is.

import { closeSync, openSync } from 'node:fs'
import type { ThreadLog } from '../observe/thread-log.ts'
import type { Clock, Timer } from '../shared/clock.ts'

const LOOK_MS = 5000
/** So many looks in a row must be good before it is over: where descriptors are few they come and go. */
const GOOD_LOOKS = 6

export interface DescriptorsOptions {
  readonly clock: Clock
  readonly log: Pick<ThreadLog, 'write'>
  /** Takes a descriptor and gives it back; throws where there is none. */
  readonly take?: () => void
}

const takeOne = (): void => closeSync(openSync('/', 'r'))

/** Looks from `start` to `stop`. */
export class Descriptors {
  readonly #options: DescriptorsOptions
  #timer: Timer | undefined
  /** Since when there were none; undefined where there are some. */
  #sinceMs: number | undefined
  #goodLooks = 0

  constructor(options: DescriptorsOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = this.#options.clock.after(LOOK_MS, () => {
      this.#look()
      this.start()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #look(): void {
    const { clock, log } = this.#options
    if (!this.#areGone()) {
      if (this.#sinceMs === undefined || ++this.#goodLooks < GOOD_LOOKS) return
      const seconds = Math.round((clock.nowMs() - this.#sinceMs) / 1000)
      log.write('INFO', '', `there are file descriptors again, since they first were not ${seconds} s ago`)
      this.#sinceMs = undefined
      return
    }
    this.#goodLooks = 0
    if (this.#sinceMs !== undefined) return
    this.#sinceMs = clock.nowMs()
    log.write(
      'ERROR',
      '',
      'no file descriptors are left (process_max_fds): new connections are closed, and nothing can be opened',
    )
  }

  #areGone(): boolean {
    const { take = takeOne } = this.#options
    try {
      take()
      return false
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return code === 'EMFILE' || code === 'ENFILE'
    }
  }
}
