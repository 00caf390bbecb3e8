// What is wrong with one resource at this moment, said once: one line in the log when something breaks or breaks
// differently, one when it is over, and the same text for as long as it lasts for whoever asks why nothing is ready.

import type { Resource } from '../objects/kinds.ts'
import type { Clock } from '../shared/clock.ts'
import type { ApiError } from './api-error.ts'
import { rbacRule } from './rbac.ts'
import type { WatchHooks } from './reflector-options.ts'

/** The fault of one resource, or none. */
export class FaultLog {
  readonly #resource: Resource
  readonly #clock: Clock
  readonly #hooks: WatchHooks | undefined
  #error: ApiError | undefined
  #text = ''
  #sinceMs = 0

  constructor(resource: Resource, clock: Clock, hooks: WatchHooks | undefined) {
    this.#resource = resource
    this.#clock = clock
    this.#hooks = hooks
  }

  /** What is wrong now. */
  get error(): ApiError | undefined {
    return this.#error
  }

  /**
   * The same in one line, with what to do about it where we know; undefined while nothing is wrong. Strangers may read it: why
   * there are no credentials, which may quote a program's or a file's secrets, only the log has.
   */
  get text(): string | undefined {
    return this.#error && this.#text
  }

  /** Notes a failure to `verb` the resource, which was last followed at `followedMs`. */
  failed(error: ApiError, verb: 'list' | 'watch', followedMs: number | undefined): void {
    const known = this.#error?.code === error.code && this.#error.status === error.status
    if (this.#error === undefined) this.#sinceMs = followedMs ?? this.#clock.nowMs()
    const text = explain(error, verb, this.#resource)
    this.#error = error
    this.#text = error.code === 'credentials' ? `cannot ${verb}: no credentials; the log says why` : text
    // A version that aged is the API's ordinary way to ask for a relist: counted, not logged.
    if (!known && error.code !== 'gone') this.log('warning', text)
    if (!known && error.code === 'forbidden') this.#hooks?.forbidden?.(`${this.#resource.name}: ${text}`)
  }

  /** Notes that it is over; nothing happens if nothing was wrong. */
  recovered(): void {
    const error = this.#error
    if (error === undefined) return
    this.#error = undefined
    const seconds = Math.round((this.#clock.nowMs() - this.#sinceMs) / 1000)
    if (error.code !== 'gone') this.log('info', `reading again after ${seconds} s`)
    this.#hooks?.recovered?.(this.#resource.name)
  }

  /** One line with the resource's name in front. */
  log(level: 'info' | 'warning' | 'error', message: string): void {
    this.#hooks?.log?.(level, `${this.#resource.name}: ${message}`)
  }
}

function explain(error: ApiError, verb: 'list' | 'watch', resource: Resource): string {
  switch (error.code) {
    case 'forbidden':
      return (
        `403 forbidden: cannot ${verb} ${resource.name} in API group "${resource.group}"; ` +
        `add to the ClusterRole: ${rbacRule(resource)} (${error.message})`
      )
    case 'not-found':
      return `the API server does not serve ${resource.path} (${error.message})`
    default:
      return `cannot ${verb}: ${error.message}`
  }
}
