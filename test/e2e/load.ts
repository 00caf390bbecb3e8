// Steady questions in the background: several askers, each asking the next question as soon as the last is answered,
// over UDP and now and then TCP. Every question must be answered, and rightly; one lost question is one lost question,
// since nothing is asked twice.

import { setTimeout as delay } from 'node:timers/promises'
import { query } from '../support/dns-client.ts'
import type { DnsServer } from './dns-server.ts'

const ASKERS = 8
const PAUSE_MS = 2
/** Every so many questions go over TCP. */
const TCP_EVERY = 8
const TIMEOUT_MS = 3000
/** Wrong or lost answers that a report keeps. */
const KEPT = 10

/** One question and the data that has to come back, sorted. */
export interface LoadQuestion {
  readonly name: string
  readonly type: string
  readonly data: readonly string[]
}

/** What became of the questions. */
export interface LoadReport {
  readonly asked: number
  /** How many were lost or answered wrongly; the first ten in words. */
  readonly failed: number
  readonly failures: readonly string[]
  readonly slowestMs: number
}

/** A running load. */
export class Load {
  readonly #pick: () => DnsServer
  readonly #questions: readonly LoadQuestion[]
  readonly #askers: Promise<void>[]
  readonly #failures: string[] = []
  #running = true
  #asked = 0
  #failed = 0
  #slowestMs = 0

  private constructor(pick: () => DnsServer, questions: readonly LoadQuestion[]) {
    this.#pick = pick
    this.#questions = questions
    this.#askers = Array.from({ length: ASKERS }, () => this.#ask())
  }

  /**
   * Starts asking.
   * @param pick - the server for the next question
   */
  static start(pick: () => DnsServer, questions: readonly LoadQuestion[]): Load {
    return new Load(pick, questions)
  }

  /** How many questions have been asked. */
  get asked(): number {
    return this.#asked
  }

  async #ask(): Promise<void> {
    while (this.#running) {
      const number = this.#asked++
      const { name, type, data } = this.#questions[number % this.#questions.length]!
      const tcp = number % TCP_EVERY === 0
      const { port, address, program } = this.#pick()
      try {
        const reply = await query(port, { host: address, name, type, tcp, timeoutMs: TIMEOUT_MS })
        const got = reply.records.answer.map(record => record.data).sort()
        this.#slowestMs = Math.max(this.#slowestMs, reply.elapsedMs)
        if (JSON.stringify(got) !== JSON.stringify(data))
          this.#fail(`${name} ${type}: ${reply.rcode} ${got.join(', ')}`)
      } catch (error) {
        this.#fail(`${name} ${type} at process ${program.pid}: ${(error as Error).message}`)
      }
      await delay(PAUSE_MS)
    }
  }

  #fail(text: string): void {
    this.#failed++
    if (this.#failures.length < KEPT) this.#failures.push(text)
  }

  /** Ends the load once the questions under way are settled. */
  async stop(): Promise<LoadReport> {
    this.#running = false
    await Promise.all(this.#askers)
    return { asked: this.#asked, failed: this.#failed, failures: this.#failures, slowestMs: this.#slowestMs }
  }
}
