// The control thread's side of the serving threads: starts them, brings all of them to a new configuration in two steps
// (prepare everywhere, then commit everywhere, or nowhere), replaces one that dies, and drains them at the end.

import { randomBytes } from 'node:crypto'
import { constants, getPriority, setPriority } from 'node:os'
import { loadLibc } from '../listen/libc.ts'
import type { BusyThread } from '../observe/busy.ts'
import type { TapFilter } from '../observe/tap.ts'
import { COOKIE_SECRET_OCTETS } from '../serving/cookies.ts'
import type { Prepare } from '../serving/messages.ts'
import type { TracedQuestion, Transcript } from '../serving/traced.ts'
import type { Setup } from '../setup/setup.ts'
import { systemClock } from '../shared/clock.ts'
import { clearReader } from '../table/reader.ts'
import { ServingWorker, type Shared, type ThreadsOptions } from './serving-worker.ts'

/**
 * A thread that dies is replaced after this long, so that one that dies at once does not spin; twice as long for each that could
 * not serve in its place, up to a bound.
 */
const REPLACE_DELAY_MS = 500
const REPLACE_DELAY_MAX_MS = 15_000
/** How long draining may take before what is left is cut off. */
const DRAIN_MAX_MS = 5000
/** How long closing all sockets may take. */
const QUIT_MAX_MS = 1000

/** Of the secret that tickets of TLS sessions are sealed with. */
const TICKET_SECRET_OCTETS = 32

/** How much nicer the control thread is than a serving thread: it gets a quarter of a core that both want. */
const CONTROL_NICENESS = 5
/** And than one that takes another's place, which is as nice as the control thread was: less, as it adds up with each. */
const REPLACED_NICENESS = 1

/** What the threads are to serve. */
export interface Work {
  readonly setup: Setup
  readonly tables: readonly (readonly [key: string, buffer: SharedArrayBuffer])[]
  readonly ownAddresses: readonly Uint8Array[]
}

export class Threads {
  readonly #options: ThreadsOptions
  #shared: Shared = {
    count: 0,
    hasHttp: false,
    ticketSecret: randomBytes(TICKET_SECRET_OCTETS),
    cookieSecret: randomBytes(COOKIE_SECRET_OCTETS),
  }
  #workers: ServingWorker[] = []
  #here = false
  #generation = 0
  /** One after another: a reload, from `prepare` to its end, and the start of a thread in another's place. */
  #turns: Promise<void> = Promise.resolve()
  #endTurn: () => void = () => undefined
  /** Threads that have died and have no successor yet: when there is one, or it has failed. */
  readonly #replacements = new Set<Promise<void>>()
  /** How many in a row could not serve, by thread. */
  readonly #failures = new Map<number, number>()
  #work: Work | undefined
  /** Zones read anew since the work was: for threads that start later. */
  readonly #images = new Map<string, SharedArrayBuffer>()
  #asks: Promise<unknown> = Promise.resolve()
  #filters: readonly TapFilter[] = []
  #ending = false
  /** Which forms of sockets the threads use: udp-batch or udp-dgram, tcp. */
  listenerKinds: readonly string[] = []

  constructor(options: ThreadsOptions) {
    this.#options = options
  }

  /** How many there are. */
  get count(): number {
    return this.#shared.count
  }

  /** Whether they were started with room for what queries over HTTPS take: only a new heap can be given more. */
  get haveRoomForHttp(): boolean {
    return this.#shared.hasHttp || this.#here
  }

  /** For the metric of how busy each thread is. */
  busy(): BusyThread[] {
    return this.#workers.map(worker => ({
      name: `serving-${worker.thread}`,
      utilization: () => worker.utilization(),
    }))
  }

  /**
   * Starts that many threads, which serve nothing yet; with `here`, one that is a part of this one; with `hasHttp`, such as have
   * room for what HTTP makes. The native add-on that they wait with is loaded here too: Node unloads it
   * with the last thread that has it, under handles that are still closing.
   */
  async start(count: number, { here = false, hasHttp = false } = {}): Promise<void> {
    this.#here = here
    await loadLibc()
    this.#shared = { ...this.#shared, count, hasHttp }
    for (let thread = 0; thread < count; thread++) this.#workers.push(this.#spawn(thread))
    if (!here) giveWay(CONTROL_NICENESS)
  }

  #spawn(thread: number): ServingWorker {
    return new ServingWorker(thread, this.#shared, this.#options, this.#here, (worker, reason) =>
      this.#ended(worker, reason),
    )
  }

  /** Makes the work ready on every thread; the errors, or none when `commit` or `abandon` is to follow. */
  async prepare(work: Work): Promise<readonly string[]> {
    await Promise.all(this.#replacements)
    this.#endTurn = await this.#turn()
    this.#generation++
    const message: Prepare = { type: 'prepare', generation: this.#generation, ...work }
    const errors = new Set<string>()
    // One that is dead is replaced by one that serves what is committed then.
    const alive = this.#workers.filter(({ isAlive }) => isAlive)
    if (alive.length === 0) errors.add('no serving thread is alive')
    for (const worker of alive) {
      const prepared = worker.next('prepared')
      worker.send(message)
      const result = await prepared
      for (const error of result ? result.errors : ['a serving thread ended']) errors.add(error)
      if (errors.size > 0) break
    }
    if (errors.size > 0) this.abandon()
    return [...errors]
  }

  /** Every thread serves what was prepared. */
  async commit(work: Work): Promise<void> {
    this.#work = work
    this.#images.clear()
    await Promise.all(this.#workers.map(worker => this.#commitOn(worker)))
    this.#endTurn()
  }

  /** Waits for the turn before; what it resolves to ends this one. */
  async #turn(): Promise<() => void> {
    const before = this.#turns
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turns = promise
    await before
    return resolve
  }

  async #commitOn(worker: ServingWorker): Promise<void> {
    const committed = worker.next('committed')
    worker.send({ type: 'commit', generation: this.#generation })
    this.listenerKinds = (await committed)?.listeners ?? this.listenerKinds
  }

  /** Hands the image of a zone, or of a hosts file, that was read anew to every thread; it counts until the next commit. */
  publishImage(key: string, image: SharedArrayBuffer): void {
    this.#images.set(key, image)
    for (const worker of this.#workers) worker.send({ type: 'image', key, image })
  }

  /** What followers want to see, from now on, on threads that start later, too. */
  tap(filters: readonly TapFilter[]): void {
    this.#filters = filters
    for (const worker of this.#workers) worker.send({ type: 'tap', filters })
  }

  /** What becomes of a question on a listener, on one thread; one after another. Undefined where none of them can say. */
  ask(server: string, question: TracedQuestion): Promise<Transcript | undefined> {
    const asked = this.#asks.then(async () => {
      const worker = this.#workers.find(({ isAlive }) => isAlive)
      const said = worker?.next('asked')
      worker?.send({ type: 'ask', server, question })
      return (await said)?.transcript
    })
    this.#asks = asked
    return asked
  }

  abandon(): void {
    for (const worker of this.#workers) worker.send({ type: 'abandon', generation: this.#generation })
    this.#endTurn()
  }

  /** Ends every thread at once; sockets are closed first, and with them what nobody would read any more. */
  async terminate(): Promise<void> {
    this.#ending = true
    await within(QUIT_MAX_MS, Promise.all(this.#workers.map(worker => tell(worker, 'quit'))))
    await Promise.all(this.#workers.map(worker => worker.terminate()))
  }

  /** Lets every thread finish what is in flight, then ends it. */
  async drain(): Promise<void> {
    this.#ending = true
    await within(DRAIN_MAX_MS, Promise.all(this.#workers.map(worker => tell(worker, 'drain'))))
    await this.terminate()
  }

  /** A thread that was not told to end is replaced: the others serve on meanwhile. */
  #ended(worker: ServingWorker, reason: string): void {
    const { registry, log } = this.#options
    registry.removeThread(worker.id)
    for (const [, buffer] of this.#work?.tables ?? []) clearReader(buffer, worker.thread)
    if (this.#ending) return
    registry.meters.counter('seamark_thread_restarts_total').add()
    log.write('ERROR', '', `serving thread ${worker.thread} ended and is replaced: ${reason}`)
    const failures = this.#failures.get(worker.thread) ?? 0
    const delayMs = Math.min(REPLACE_DELAY_MAX_MS, REPLACE_DELAY_MS * 2 ** failures)
    const { promise, resolve } = Promise.withResolvers<void>()
    const replaced = (): void => {
      this.#replacements.delete(promise)
      resolve()
    }
    this.#replacements.add(promise)
    systemClock.after(delayMs, () => {
      if (this.#ending) replaced()
      else void this.#replace(worker).finally(replaced)
    })
  }

  async #replace(dead: ServingWorker): Promise<void> {
    const endTurn = await this.#turn()
    const { thread } = dead
    const worker = this.#spawn(thread)
    giveWay(REPLACED_NICENESS)
    this.#workers = this.#workers.map(other => (other === dead ? worker : other))
    const problem = this.#work && (await this.#startOn(worker, this.#work))
    if (problem === undefined) this.#failures.delete(thread)
    else {
      this.#failures.set(thread, (this.#failures.get(thread) ?? 0) + 1)
      this.#options.log.write('ERROR', '', `a new serving thread cannot serve: ${problem}`)
      // One that serves nothing is no better than none: it is replaced in its turn.
      await worker.terminate()
    }
    endTurn()
  }

  /** Lets a thread serve what the others serve; why it cannot, in words. */
  async #startOn(worker: ServingWorker, work: Work): Promise<string | undefined> {
    const prepared = worker.next('prepared')
    worker.send({ type: 'prepare', generation: this.#generation, ...work })
    const result = await prepared
    if (!result) return 'it ended'
    if (result.errors.length > 0) return result.errors.join('; ')
    await this.#commitOn(worker)
    for (const [key, image] of this.#images) worker.send({ type: 'image', key, image })
    if (this.#filters.length > 0) worker.send({ type: 'tap', filters: this.#filters })
    this.#options.log.write('INFO', '', `serving thread ${worker.thread} serves again`)
    return undefined
  }
}

/**
 * Queries go before changes where both want one core: the control thread becomes nicer than the thread that it has just started,
 * which is as nice as it was itself, and cannot be made less so without a right. Linux takes the niceness of a thread; elsewhere it
 * would be that of the whole process.
 */
function giveWay(niceness: number): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + niceness))
  } catch {
    // A sandbox may forbid it; then nothing is lost but the order.
  }
}

/** Tells a thread to end, and waits until its sockets are closed. */
async function tell(worker: ServingWorker, type: 'drain' | 'quit'): Promise<void> {
  const done = worker.next('drained')
  worker.send({ type })
  await done
}

/** Waits for something, but not for longer than that. */
async function within(limitMs: number, done: Promise<unknown>): Promise<void> {
  await Promise.race([done, new Promise<void>(resolve => systemClock.after(limitMs, resolve))])
}
