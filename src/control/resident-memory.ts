// Gives memory back to the kernel that a while ago was needed, and is not now: pages of the program that the start went through
// (program-pages.ts), and what V8's compilers have freed, which the C library keeps for the next time. Of two serving threads it is
// 40 MiB when they are ready, and 50 after their first million queries, when all that is worth it is compiled.
//
// Looking is cheap, giving back takes some milliseconds, most of them on another thread; so it is done once when the server is
// ready, and again where the memory has grown since.

import { readFileSync } from 'node:fs'
import type { ThreadLog } from '../observe/thread-log.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { type Library, loadKoffi } from '../shared/koffi.ts'
import { unmapProgramPages } from './program-pages.ts'

const LOOK_MS = 1000
/** What is less is not worth it. */
const GROWN_MIB = 8
/** From one time to the next, of one kind: whatever the server is busy with, it costs less than a thousandth of a core. */
const PAUSE_MS = 10_000
const FROM = 'memory'

/** What the process has of one kind of memory, and how it is given back. */
export interface MemoryKind {
  readonly name: string
  readonly residentMib: () => number
  /** Gives what there was to give back, in words. */
  readonly giveBack: () => Promise<string>
}

/** One line of /proc/self/status (proc_pid_status(5)), in MiB; NaN where there is no such line. */
function statusMib(field: 'RssFile' | 'RssAnon'): number {
  const status = readFileSync('/proc/self/status', 'latin1')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
}

/** The kinds of memory that can be given back here: both on Linux with glibc and koffi, none without. */
export async function memoryKinds(): Promise<readonly MemoryKind[]> {
  const library = (await loadKoffi())?.library
  if (library === undefined) return []
  const pages: MemoryKind = {
    name: 'pages of the program',
    residentMib: () => statusMib('RssFile'),
    giveBack: async () => `${(await unmapProgramPages(library)).toFixed(1)} MiB unmapped`,
  }
  const trim = mallocTrim(library)
  if (trim === undefined) return [pages]
  const freed: MemoryKind = {
    name: 'memory that was freed',
    residentMib: () => statusMib('RssAnon'),
    giveBack: async () => (trim(0) === 1 ? 'given back' : 'there was none'),
  }
  return [pages, freed]
}

/** malloc_trim(3); undefined where the C library has none, as musl. */
function mallocTrim(library: Library): ((padOctets: number) => number) | undefined {
  try {
    return library.func('malloc_trim', 'int', ['size_t'])
  } catch {
    return undefined
  }
}

export interface ResidentMemoryOptions {
  readonly clock: Clock
  readonly log: Pick<ThreadLog, 'write'>
  readonly kinds?: () => Promise<readonly MemoryKind[]>
}

interface State {
  /** How much there was when least was in use, in MiB; undefined from when it was given back to the next look. */
  usedMib: number | undefined
  pauseUntilMs: number
}

/** Looks from `start` to `stop`. */
export class ResidentMemory {
  readonly #options: ResidentMemoryOptions
  readonly #states = new Map<MemoryKind, State>()
  #timer: Timer | undefined

  constructor(options: ResidentMemoryOptions) {
    this.#options = options
  }

  start(): void {
    const { kinds = memoryKinds } = this.#options
    void kinds().then(found => {
      for (const kind of found) this.#states.set(kind, { usedMib: 0, pauseUntilMs: 0 })
    })
    this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    this.#timer = this.#options.clock.after(LOOK_MS, () => void this.#look())
  }

  async #look(): Promise<void> {
    for (const [kind, state] of this.#states) {
      try {
        await this.#lookAt(kind, state)
      } catch (error) {
        // Without descriptors, for one, it will be possible again.
        state.pauseUntilMs = this.#options.clock.nowMs() + PAUSE_MS
        this.#options.log.write('DEBUG', FROM, `${kind.name}: ${(error as Error).message}`)
      }
    }
    if (this.#timer !== undefined) this.#schedule()
  }

  async #lookAt(kind: MemoryKind, state: State): Promise<void> {
    const { clock, log } = this.#options
    if (clock.nowMs() < state.pauseUntilMs && state.usedMib !== undefined) return
    const residentMib = kind.residentMib()
    const { usedMib = residentMib } = state
    // Where the kernel does not tell it (gVisor), it is no number, and is never more.
    if (!(residentMib - usedMib >= GROWN_MIB)) {
      state.usedMib = Math.min(residentMib, usedMib)
      return
    }
    log.write('DEBUG', FROM, `${kind.name}: ${await kind.giveBack()}`)
    state.usedMib = undefined
    state.pauseUntilMs = clock.nowMs() + PAUSE_MS
  }
}
