// Writes what becomes of an object into its status, where the permission is there: once for each change, and only what is not
// there already. Every replica would write the same, so whoever comes first writes and the others find it there; none writes again
// what it has written once, so that two with different Corefiles do not argue.
//
//   note ─▶ queue (QUEUE_MAX) ─▶ after a moment, of a random length: is it due? ─▶ PATCH, one at a time, ten in a second at most
//                                                                            └─ 403: said once, and not tried for a while

import { KINDS } from '../objects/kinds.ts'
import {
  CONDITION_TYPES,
  type Condition,
  STATED_KINDS,
  type Stated,
  type StatedKind,
  timeText,
} from '../objects/stated.ts'
import type { Verdict } from '../objects/verdict.ts'
import type { Meters } from '../observe/meters.ts'
import type { Clock } from '../shared/clock.ts'
import { ApiError, messageOf } from '../watch/api-error.ts'

/** Objects that wait to be written. */
export const QUEUE_MAX = 10_000
/** The first of several is written after this time at least, and after DELAY_MAX_MS at most: another replica may come first. */
export const DELAY_MIN_MS = 200
export const DELAY_MAX_MS = 1000
/** Between two writes. */
export const INTERVAL_MS = 100
/** After a write that failed for a reason that passes. */
export const RETRY_MS = 30_000
/** After the permission was missing. */
export const FORBIDDEN_MS = 600_000
const MESSAGE_MAX = 512

/** What is written: a merge patch of an object's `status`. */
export interface ObjectStatus {
  readonly observedGeneration: number
  /** null takes it away. */
  readonly servedSince: string | null
  readonly conditions: readonly Condition[]
}

export interface StatusWriterOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly meters: Meters
  readonly log: (level: 'INFO' | 'WARNING', text: string) => void
  /** What is known of an object: its status as it is, and what becomes of it; undefined where there is nothing to say. */
  readonly known: (
    kind: StatedKind,
    key: string,
  ) => { readonly stated: Stated; readonly verdict: Verdict } | undefined
  readonly keys: (kind: StatedKind) => Iterable<string>
  /** Rejects with an ApiError. */
  readonly write: (kind: StatedKind, key: string, status: ObjectStatus) => Promise<unknown>
}

interface Waiting {
  readonly kind: StatedKind
  readonly key: string
}

export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #queue = new Map<string, Waiting>()
  /** What was written last of an object: its generation and verdict. */
  readonly #written = new Map<string, string>()
  readonly #forbidden = new Set<StatedKind>()
  readonly #told = new Set<string>()
  #isRunning = false
  #isStopped = false
  /** Something had no place in the queue. */
  #isOver = false

  constructor(options: StatusWriterOptions) {
    this.#options = options
  }

  /** Something about an object is another thing than before. */
  note(kind: StatedKind, key: string): void {
    if (this.#isStopped || this.#forbidden.has(kind)) return
    const id = `${kind} ${key}`
    if (!this.#queue.has(id) && this.#queue.size >= QUEUE_MAX) {
      this.#count('dropped')
      this.#isOver = true
      return
    }
    this.#queue.set(id, { kind, key })
    if (this.#isRunning) return
    this.#isRunning = true
    const { clock, random } = this.#options
    clock.after(DELAY_MIN_MS + random() * (DELAY_MAX_MS - DELAY_MIN_MS), () => void this.#turn())
  }

  stop(): void {
    this.#isStopped = true
    this.#queue.clear()
  }

  /** Writes one, and then the next. */
  async #turn(): Promise<void> {
    const { clock } = this.#options
    for (const [id, { kind, key }] of this.#queue) {
      this.#queue.delete(id)
      const status = this.#due(id, kind, key)
      if (status === undefined) continue
      const isWell = await this.#write(id, kind, key, status)
      if (this.#isStopped) return
      clock.after(isWell ? INTERVAL_MS : RETRY_MS, () => void this.#turn())
      return
    }
    this.#isRunning = false
    if (!this.#isOver) return
    this.#isOver = false
    this.noteAll()
  }

  /** All objects are looked at: they are listed, or some had no place before. */
  noteAll(): void {
    for (const kind of STATED_KINDS) this.#noteAll(kind)
  }

  #noteAll(kind: StatedKind): void {
    for (const key of this.#options.keys(kind))
      if (this.#due(`${kind} ${key}`, kind, key) !== undefined) this.note(kind, key)
  }

  /** What is to be written of an object; undefined where it is there, or was written once. */
  #due(id: string, kind: StatedKind, key: string): ObjectStatus | undefined {
    if (this.#forbidden.has(kind)) return undefined
    const known = this.#options.known(kind, key)
    if (known === undefined) {
      this.#written.delete(id)
      return undefined
    }
    const { stated, verdict } = known
    const isEmpty = stated.conditions.length === 0
    if (!isEmpty && this.#written.get(id) === fingerprint(stated, verdict)) return undefined
    return statusOf(stated, verdict, this.#options.clock.wallMs())
  }

  /** False where the rest of the queue has to wait. */
  async #write(id: string, kind: StatedKind, key: string, status: ObjectStatus): Promise<boolean> {
    const { known, write, log } = this.#options
    const before = known(kind, key)
    try {
      await write(kind, key, status)
      if (before) this.#written.set(id, fingerprint(before.stated, before.verdict))
      this.#count('written')
      return true
    } catch (cause) {
      const code = cause instanceof ApiError ? cause.status : undefined
      if (code === 403) {
        this.#count('forbidden')
        this.#forbid(kind)
        return true
      }
      this.#count('failed')
      // It is gone meanwhile, or its definition has no status.
      if (code === 404) return true
      const text = `the status of ${kind} ${key} is not written: ${messageOf(cause)}`
      if (!this.#told.has(kind)) log('WARNING', text)
      this.#told.add(kind)
      // What the API server will not have, it will not have later.
      if (code !== undefined && code >= 400 && code < 500 && code !== 409 && code !== 429) return true
      this.#queue.set(id, { kind, key })
      return false
    }
  }

  /** Says once what is missing, and looks again much later. */
  #forbid(kind: StatedKind): void {
    const { clock, log } = this.#options
    const { name, group } = KINDS[kind]
    if (!this.#told.has(`${kind} 403`))
      log(
        'INFO',
        `the status of ${name} is not written: that needs the right to patch ${name}/status of ${group}`,
      )
    this.#told.add(`${kind} 403`)
    this.#forbidden.add(kind)
    clock.after(FORBIDDEN_MS, () => {
      this.#forbidden.delete(kind)
      if (!this.#isStopped) this.#noteAll(kind)
    })
  }

  #count(result: 'written' | 'failed' | 'forbidden' | 'dropped'): void {
    this.#options.meters.counter('seamark_status_writes_total', { result }).add()
  }
}

const fingerprint = ({ generation }: Stated, { refusal, message }: Verdict): string =>
  `${generation} ${refusal ?? ''} ${message}`

/** The status that says this; undefined where it is what there is, but for times. */
export function statusOf(stated: Stated, verdict: Verdict, wallMs: number): ObjectStatus | undefined {
  const now = timeText(wallMs)
  const { generation } = stated
  const isServed = verdict.refusal === undefined || verdict.isFormerServed === true
  const servedSince = isServed ? stated.servedSince || now : null
  const conditions = CONDITION_TYPES.map((type): Condition => {
    const said = conditionOf(type, verdict)
    const before = stated.conditions.find(each => each.type === type)
    const isSame = before?.status === said.status && before.lastTransitionTime !== ''
    return {
      type,
      ...said,
      lastTransitionTime: isSame ? before.lastTransitionTime : now,
      observedGeneration: generation,
    }
  })
  const isThere =
    stated.observedGeneration === generation &&
    stated.servedSince === (servedSince ?? '') &&
    conditions.every(each => {
      const before = stated.conditions.find(({ type }) => type === each.type)
      return (
        before?.status === each.status &&
        before.reason === each.reason &&
        before.message === each.message &&
        before.observedGeneration === generation
      )
    })
  return isThere ? undefined : { observedGeneration: generation, servedSince, conditions }
}

function conditionOf(
  type: Condition['type'],
  { refusal, message }: Verdict,
): Pick<Condition, 'status' | 'reason' | 'message'> {
  const text = message.slice(0, MESSAGE_MAX)
  if (type === 'Accepted')
    return refusal === undefined
      ? { status: 'True', reason: 'Served', message: text }
      : { status: 'False', reason: refusal, message: text }
  return refusal === 'Conflict'
    ? { status: 'True', reason: 'OlderObject', message: text }
    : { status: 'False', reason: 'NoConflict', message: 'no older object claims the same' }
}
