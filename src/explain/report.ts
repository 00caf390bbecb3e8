// What an explanation says, as data: printed for a person (print.ts), or as JSON.

import type { Transcript } from '../serving/traced.ts'
import type { Outcome } from './resolver.ts'

/** 0: the name resolves; 1: it does not; 2: that could not be told. Also the exit status. */
export type Status = 0 | 1 | 2

/** One name that the client's resolver asks. */
export interface Tried {
  readonly transcript: Transcript
  readonly outcome: Outcome
}

/** What is behind the name that the verdict is about. */
export interface About {
  readonly name: string
  readonly facts: readonly string[]
  /** How old the data is, and the state of each watch. */
  readonly freshness: readonly string[]
}

export interface Report {
  readonly status: Status
  readonly name: string
  readonly type: string
  /** The address that is asked from, and whose it is. */
  readonly client: string
  readonly resolver: string
  readonly tried: readonly Tried[]
  /** Where a client with musl sees something else; '' where it does not. */
  readonly musl: string
  readonly about: About | undefined
  /** What could not be looked at. */
  readonly notes: readonly string[]
  /** One sentence that names the cause. */
  readonly cause: string
  /** One sentence that says what to do. */
  readonly advice: string
  readonly suggestions: readonly string[]
}

/** That nothing can be told, and why. */
export const untold = (name: string, type: string, cause: string, advice: string): Report => ({
  status: 2,
  name,
  type,
  client: '',
  resolver: '',
  tried: [],
  musl: '',
  about: undefined,
  notes: [],
  cause,
  advice,
  suggestions: [],
})
