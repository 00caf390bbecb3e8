// A program that gives credentials (client.authentication.k8s.io), run as client-go runs it: told in KUBERNETES_EXEC_INFO who asks
// and, where it wants to know, of which cluster; once for all who wait, and again when what it gave has expired or is refused.
// One that fails is run again after 1 s, 2 s, 4 s and so on up to a minute: these programs ask clouds, which count. It is never
// given a terminal.

import { spawn } from 'node:child_process'
import type { Clock } from '../shared/clock.ts'
import { ApiError, isRecord, messageOf } from './api-error.ts'
import type { ExecConfig } from './kubeconfig-file.ts'
import type { Env } from './proxy-env.ts'

/** What a plugin gave. */
export interface ExecCredentials {
  readonly token: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** How a run of a program ended. */
export interface RunResult {
  readonly stdout: string
  /** The end of what it wrote there. */
  readonly stderr: string
  /** The exit status, or the signal's name. */
  readonly outcome: number | string
}

/** Runs a program; rejects where it cannot be started. Replaced in tests. */
export type RunProgram = (command: string, args: readonly string[], env: Env) => Promise<RunResult>

/** What a plugin is made of. */
export interface ExecPluginOptions {
  readonly config: ExecConfig
  /** What `spec.cluster` is to say; asked only where the configuration wants it. */
  readonly cluster: () => Promise<object>
  readonly clock: Clock
  readonly env: Env
  readonly run?: RunProgram
}

const DELAY_MIN_MS = 1000
const DELAY_MAX_MS = 60_000
/** Credentials that are refused sooner than that after they were given count as a failure. */
const GOOD_MS = 60_000
const RUN_TIMEOUT_MS = 50_000
const STDOUT_MAX_OCTETS = 1024 * 1024
const STDERR_KEPT_CHARACTERS = 2000
/** Control characters that could do something to a terminal. */
const CONTROLS = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f]/g

/** One plugin with what it gave last. */
export class ExecPlugin {
  readonly #options: ExecPluginOptions
  readonly #run: RunProgram
  #given: ExecCredentials | undefined
  #givenMs = 0
  /** Wall time in ms. */
  #expiresMs = Infinity
  #running: Promise<ExecCredentials> | undefined
  #failures = 0
  #notBeforeMs = -Infinity
  #lastError: ApiError | undefined

  constructor(options: ExecPluginOptions) {
    this.#options = options
    this.#run = options.run ?? programRunner(RUN_TIMEOUT_MS)
  }

  /** Credentials that are good, as far as is known. Rejects with an ApiError `credentials`. */
  async credentials(): Promise<ExecCredentials> {
    const { clock } = this.#options
    if (this.#given && clock.wallMs() <= this.#expiresMs) return this.#given
    if (this.#running) return this.#running
    this.#forget()
    const waitMs = this.#notBeforeMs - clock.nowMs()
    if (waitMs > 0 && this.#lastError) throw this.#lastError
    this.#running = this.#renew().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** The API server refused what was given: it is not given again, if it still would be. */
  refuse({ token, cert }: ExecCredentials): void {
    const given = this.#given
    if (!given || given.token !== token || given.cert !== cert) return
    if (!this.#forget()) this.#failed(this.#error('the API server refuses what it gives'))
  }

  /** Forgets what was given; whether it was good for long enough to begin anew with the delays. */
  #forget(): boolean {
    const good = this.#given !== undefined && this.#options.clock.nowMs() - this.#givenMs >= GOOD_MS
    if (good) this.#failures = 0
    this.#given = undefined
    return good
  }

  async #renew(): Promise<ExecCredentials> {
    const { clock } = this.#options
    try {
      const { credentials, expiresMs } = await this.#ask()
      this.#given = credentials
      this.#givenMs = clock.nowMs()
      this.#expiresMs = expiresMs
      this.#lastError = undefined
      return credentials
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : this.#error(messageOf(cause), cause)
      this.#failed(error)
      throw error
    }
  }

  async #ask(): Promise<{ readonly credentials: ExecCredentials; readonly expiresMs: number }> {
    const { config, env } = this.#options
    if (config.interactiveMode === 'Always')
      throw this.#error('it wants a terminal (interactiveMode: Always)')
    const variables = Object.fromEntries(config.env.map(({ name, value }) => [name, value]))
    const info = { KUBERNETES_EXEC_INFO: JSON.stringify(await this.#info()) }
    let result: RunResult
    try {
      result = await this.#run(config.command, config.args, { ...env, ...variables, ...info })
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
      const hint = config.installHint.replace(CONTROLS, '')
      if (code === 'ENOENT') throw this.#error(`it is not installed${hint && `: ${hint}`}`, cause)
      throw this.#error(messageOf(cause), cause)
    }
    const { stdout, stderr, outcome } = result
    if (outcome !== 0) {
      const words = stderr.replace(CONTROLS, '').trim() || 'it wrote nothing'
      throw this.#error(`${typeof outcome === 'number' ? 'exit status' : 'ended by'} ${outcome}: ${words}`)
    }
    return readCredential(stdout, config.apiVersion)
  }

  async #info(): Promise<object> {
    const { config, cluster } = this.#options
    return {
      kind: 'ExecCredential',
      apiVersion: config.apiVersion,
      spec: { ...(config.provideClusterInfo && { cluster: await cluster() }), interactive: false },
    }
  }

  #failed(error: ApiError): void {
    const delayMs = Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    this.#notBeforeMs = this.#options.clock.nowMs() + delayMs
    this.#lastError = error
  }

  #error(why: string, cause?: unknown): ApiError {
    return new ApiError('credentials', `exec plugin ${this.#options.config.command}: ${why}`, { cause })
  }
}

/** Reads what a plugin wrote; throws an Error in words. */
function readCredential(
  text: string,
  apiVersion: string,
): { readonly credentials: ExecCredentials; readonly expiresMs: number } {
  let credential: unknown
  try {
    credential = JSON.parse(text)
  } catch (cause) {
    throw new Error(text.trim() === '' ? 'it gave nothing' : 'what it gave is no JSON', { cause })
  }
  if (!isRecord(credential) || credential.kind !== 'ExecCredential')
    throw new Error('it gave no ExecCredential')
  if (credential.apiVersion !== apiVersion)
    throw new Error(`it is configured for ${apiVersion} and gave ${String(credential.apiVersion)}`)
  const { status } = credential
  if (!isRecord(status)) throw new Error('it gave no status')
  const field = (key: string): string | undefined =>
    typeof status[key] === 'string' && status[key] !== '' ? status[key] : undefined
  const [token, cert, key] = [field('token'), field('clientCertificateData'), field('clientKeyData')]
  if (token === undefined && cert === undefined && key === undefined)
    throw new Error('it gave neither a token nor a certificate')
  if ((cert === undefined) !== (key === undefined))
    throw new Error('it gave a certificate or a key, not both')
  const expires = field('expirationTimestamp')
  const expiresMs = expires === undefined ? Infinity : Date.parse(expires)
  if (Number.isNaN(expiresMs)) throw new Error(`its expirationTimestamp ${expires} is no time`)
  return { credentials: { token, cert, key }, expiresMs }
}

/** Runs programs for real, each in a process group of its own, which is killed after that time. */
export const programRunner =
  (timeoutMs: number): RunProgram =>
  (command, args, env) =>
    new Promise((resolve, reject) => {
      const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
      const giveUp = (why: string): void => {
        if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
        reject(new Error(why))
      }
      const timer = setTimeout(() => giveUp(`no end after ${timeoutMs / 1000} s`), timeoutMs)
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
        if (stdout.length > STDOUT_MAX_OCTETS) giveUp(`it gave more than ${STDOUT_MAX_OCTETS} octets`)
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr = (stderr + text).slice(-STDERR_KEPT_CHARACTERS)
      })
      child.once('error', error => {
        clearTimeout(timer)
        reject(error)
      })
      child.once('close', (code, signal) => {
        clearTimeout(timer)
        resolve({ stdout, stderr, outcome: code ?? signal ?? 'SIGKILL' })
      })
    })
