// What a server was doing lately, for what was found meanwhile: how long its threads ran and how long they waited for a processor, as
// the scheduler counts it, what its port had no room for, and how late this process was itself. A late answer of a server that
// waited for its processor is the machine's.

import { readdirSync, readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { droppedAt } from '../../support/process-stat.ts'

const EVERY_MS = 1000
/** Looks that count. */
const LOOKS = 4
/** Threads that are told of, the busiest. */
const THREADS_TOLD = 3
const NS_PER_MS = 1e6

interface Look {
  readonly atMs: number
  /** By thread: its time on a processor and in wait of one, in ms. */
  readonly threads: ReadonlyMap<string, readonly [ranMs: number, waitedMs: number]>
  readonly dropped: number
  readonly lateMs: number
}

export class Doing {
  readonly #pid: number
  readonly #port: number
  readonly #delay: ReturnType<typeof monitorEventLoopDelay>
  readonly #timer: NodeJS.Timeout
  #looks: readonly Look[] = []

  constructor(pid: number, port: number) {
    this.#pid = pid
    this.#port = port
    this.#delay = monitorEventLoopDelay({ resolution: 10 })
    this.#delay.enable()
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
    this.#look()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }

  /** In words, since some seconds. */
  lately(): string {
    const [first, last] = [this.#looks[0]!, this.#now()]
    const spanMs = Math.max(1, last.atMs - first.atMs)
    const share = (ms: number): string => `${Math.round((100 * ms) / spanMs)} %`
    const threads = [...last.threads]
      .map(([name, [ran, waited]]) => {
        const [ranBefore, waitedBefore] = first.threads.get(name) ?? [0, 0]
        return { name, ran: ran - ranBefore, waited: waited - waitedBefore }
      })
      .sort((a, b) => b.ran + b.waited - a.ran - a.waited)
      .slice(0, THREADS_TOLD)
      .map(({ name, ran, waited }) => `${name} ran ${share(ran)} and waited ${share(waited)}`)
    const lateMs = Math.max(...this.#looks.map(look => look.lateMs), last.lateMs)
    return [
      `in ${(spanMs / 1000).toFixed(1)} s ${threads.join(', ')}`,
      `${last.dropped - first.dropped} datagrams found no room`,
      `the fuzzer was ${Math.round(lateMs)} ms late at most`,
    ].join('; ')
  }

  #look(): void {
    this.#looks = [...this.#looks, this.#now()].slice(-LOOKS)
    this.#delay.reset()
  }

  #now(): Look {
    const lateMs = this.#delay.max / NS_PER_MS
    return { atMs: performance.now(), threads: threadsOf(this.#pid), dropped: droppedAt(this.#port), lateMs }
  }
}

function threadsOf(pid: number): Map<string, readonly [number, number]> {
  const threads = new Map<string, readonly [number, number]>()
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1')
        .split(' ')
        .map(Number)
      threads.set(`thread ${task}`, [ran / NS_PER_MS, waited / NS_PER_MS])
    }
  } catch (error) {
    // A thread, or the process, has ended in between.
    if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
  return threads
}
