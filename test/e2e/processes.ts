// Programs, folders and other things that a run starts, and their certain end: a Scope ends them in reverse order, also
// when the run fails, is interrupted or exits on its own. Nothing is ever stopped by name, only by its pid.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const STOP_TIMEOUT_MS = 10_000
const POLL_MS = 25
/** Lines of a program's log that an error shows. */
const SHOWN_LINES = 15

/** Something did not happen in time. */
export class DeadlineError extends Error {
  readonly code = 'deadline'

  constructor(what: string, deadlineMs: number, options?: ErrorOptions) {
    const last = options?.cause instanceof Error ? `: ${options.cause.message}` : ''
    super(`${what}: not within ${deadlineMs} ms${last}`, options)
    this.name = 'DeadlineError'
  }
}

/**
 * Calls `attempt` until it neither throws nor gives undefined or false, and gives what it gave.
 * @throws DeadlineError, with the last attempt's error as its cause
 */
export async function eventually<Value>(
  what: string,
  attempt: () => Promise<Value | undefined | false> | Value | undefined | false,
  deadlineMs = 20_000,
  pollMs = POLL_MS,
): Promise<Value> {
  const end = performance.now() + deadlineMs
  let cause: unknown
  for (;;) {
    try {
      const value = await attempt()
      if (value !== undefined && value !== false) return value
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > end) throw new DeadlineError(what, deadlineMs, { cause })
    await delay(pollMs)
  }
}

/** What has to be ended; ended in reverse order. A process that exits early ends its scopes' programs at once. */
export class Scope {
  readonly #ends: { what: string; end: () => Promise<void> | void; now: () => void }[] = []
  readonly #onExit = (): void => {
    for (const { now } of this.#ends.splice(0).reverse()) now()
  }

  constructor() {
    process.once('exit', this.#onExit)
  }

  /**
   * Adds something to end.
   * @param end - ends it, and may take time
   * @param now - ends it without waiting, for process.on('exit')
   */
  add(what: string, end: () => Promise<void> | void, now: () => void = () => undefined): void {
    this.#ends.push({ what, end, now })
  }

  /** A new folder below the system's temporary one, removed at the end. */
  folder(prefix: string): string {
    const path = mkdtempSync(join(tmpdir(), `seamark-${prefix}-`))
    const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    this.add(`folder ${path}`, remove, remove)
    return path
  }

  /** Ends everything, the latest first; an error does not keep the rest from ending and is thrown at last. */
  async end(): Promise<void> {
    process.removeListener('exit', this.#onExit)
    const errors: unknown[] = []
    for (const { what, end } of this.#ends.splice(0).reverse()) {
      try {
        await end()
      } catch (cause) {
        errors.push(new Error(`ending ${what}`, { cause }))
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'ending what a run started')
  }
}

/** A program that runs until it is stopped. Its output goes to a file, so that a full pipe never holds it. */
export class Program {
  readonly name: string
  readonly #child: ChildProcess
  /** Where its output goes. */
  readonly logFile: string
  readonly #exited: Promise<void>
  readonly #ended = new AbortController()

  private constructor(name: string, child: ChildProcess, logFile: string) {
    this.name = name
    this.#child = child
    this.logFile = logFile
    this.#exited = new Promise(resolve => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    void this.#exited.then(() => this.#ended.abort())
  }

  /** Starts a program in `scope`; `folder` takes its log, NAME.log. */
  static start(
    scope: Scope,
    folder: string,
    name: string,
    command: readonly string[],
    options: { readonly env?: NodeJS.ProcessEnv; readonly endSignal?: NodeJS.Signals } = {},
  ): Program {
    const logFile = join(folder, `${name}.log`)
    const log = openSync(logFile, 'a')
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', log, log],
      env: options.env ?? process.env,
      cwd: folder,
    })
    closeSync(log)
    const program = new Program(name, child, logFile)
    scope.add(
      name,
      () => program.stop(options.endSignal),
      () => child.kill('SIGKILL'),
    )
    return program
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`)
    return this.#child.pid
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The exit status, or the signal's name; undefined while it runs. */
  get outcome(): number | string | undefined {
    return this.#child.exitCode ?? this.#child.signalCode ?? undefined
  }

  /** Aborted when the program ends, however that comes. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Everything the program has written to stdout and stderr. */
  log(): string {
    return readFileSync(this.logFile, 'utf8')
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves when the program has ended. Throws DeadlineError. */
  async exited(deadlineMs: number): Promise<void> {
    const timer = new AbortController()
    const late = delay(deadlineMs, true, { signal: timer.signal }).catch(() => false)
    const ended = this.#exited.then(() => false)
    if (await Promise.race([ended, late])) throw new DeadlineError(`end of ${this.name}`, deadlineMs)
    timer.abort()
  }

  /** Ends the program: SIGTERM (or what is asked), and SIGKILL when that does not help within 10 s. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.running) return
    this.signal(signal)
    try {
      await this.exited(STOP_TIMEOUT_MS)
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
      this.signal('SIGKILL')
      await this.exited(STOP_TIMEOUT_MS)
    }
  }

  /** Waits for `attempt` as eventually does, but fails at once, with the end of the log, when the program ends. */
  async ready(attempt: () => Promise<unknown>, deadlineMs: number): Promise<void> {
    const tail = (): string => this.log().trimEnd().split('\n').slice(-SHOWN_LINES).join('\n')
    const ended = await eventually(
      `${this.name} ready`,
      async () => {
        if (!this.running) return 'ended'
        return (await attempt()) ? 'ready' : undefined
      },
      deadlineMs,
    ).catch(error => {
      throw new Error(`${(error as Error).message}\n${tail()}`, { cause: error })
    })
    if (ended === 'ended')
      throw new Error(`${this.name} ended (${this.outcome}) before it was ready\n${tail()}`)
  }
}

/** `count` TCP and UDP ports on loopback that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer()
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
