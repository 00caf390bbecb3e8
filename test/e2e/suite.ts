// What an end-to-end suite is given and how its checks are counted. A *.e2e.ts file exports one `suite`; run.ts runs
// them one after the other on one control plane, prints every check and sums up.

import { setTimeout as delay } from 'node:timers/promises'
import type { ControlPlane } from './control-plane.ts'
import type { CorefileOptions, ServerKind } from './dns-server.ts'
import { DnsServer } from './dns-server.ts'
import { DeadlineError, Scope } from './processes.ts'

/** No check may take longer. */
const CHECK_DEADLINE_MS = 300_000

/** What all suites share. */
export interface World {
  readonly plane: ControlPlane
  readonly upstreamPort: number
  /** The server under test. */
  readonly subject: ServerKind
  /** True inside network and mount namespaces that the run made for itself, as root of them. */
  readonly inNamespaces: boolean
  /** Only checks whose names contain this; '' is all. */
  readonly only: string
}

/** How checks ended. */
export interface Tally {
  passed: number
  failed: number
  skipped: number
}

/** One suite's view: the world, its own scope, and the checks. */
export class Context {
  readonly world: World
  readonly scope: Scope
  readonly #tally: Tally
  readonly #suite: string

  constructor(world: World, tally: Tally, suite: string) {
    this.world = world
    this.scope = new Scope()
    this.#tally = tally
    this.#suite = suite
  }

  /** Runs one check; a throw fails it and is shown. Gives whether it passed. */
  check(name: string, run: () => Promise<void> | void): Promise<boolean> {
    return this.#run(name, run, true)
  }

  /** The same for what is no check in itself: it counts only when it fails. */
  attempt(name: string, run: () => Promise<void> | void): Promise<boolean> {
    return this.#run(name, run, false)
  }

  async #run(name: string, run: () => Promise<void> | void, counts: boolean): Promise<boolean> {
    if (counts && !name.includes(this.world.only)) return true
    const started = performance.now()
    const timer = new AbortController()
    try {
      const late = delay(CHECK_DEADLINE_MS, undefined, { signal: timer.signal, ref: false }).then(() => {
        throw new DeadlineError(name, CHECK_DEADLINE_MS)
      })
      late.catch(() => undefined)
      await Promise.race([run(), late])
      if (!counts) return true
      this.#tally.passed++
      console.log(`ok       ${this.#suite}: ${name} (${seconds(started)})`)
      return true
    } catch (error) {
      this.#tally.failed++
      console.log(`NOT OK   ${this.#suite}: ${name} (${seconds(started)})`)
      console.log(indented(error))
      return false
    } finally {
      timer.abort()
    }
  }

  /** Counts a check as skipped, loudly. */
  skip(name: string, reason: string): void {
    this.#tally.skipped++
    console.log(`SKIPPED  ${this.#suite}: ${name}: ${reason}`)
  }

  /** A line that is no check. */
  note(line: string): void {
    console.log(`         ${line}`)
  }

  /** Starts a server with the administrator's kubeconfig and the stock Corefile. */
  serve(kind: ServerKind, options: Partial<CorefileOptions> = {}): Promise<DnsServer> {
    return DnsServer.start(this.scope, kind, {
      access: [`kubeconfig ${this.world.plane.kubeconfigFile}`],
      upstreamPort: this.world.upstreamPort,
      ...options,
    })
  }
}

/** A suite. */
export interface Suite {
  readonly name: string
  run(context: Context): Promise<void>
}

const seconds = (started: number): string => `${((performance.now() - started) / 1000).toFixed(2)} s`

/** The message, and of the stack the places in the suites. */
function indented(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? (error.stack ?? '').split('\n') : []
  const places = stack.filter(line => line.includes('.e2e.ts:')).map(line => line.trim())
  const cause =
    error instanceof Error && error.cause instanceof Error ? [`cause: ${error.cause.message}`] : []
  return [...text.split('\n'), ...cause, ...places].map(line => `           ${line}`).join('\n')
}

/** Throws unless both are the same as JSON. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (left !== right) throw new Error(`${what}: got ${left}, expected ${right}`)
}

/** Throws unless the condition holds. */
export function holds(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}
