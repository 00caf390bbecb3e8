// What systemd is told of the server by the socket that it names (sd_notify(3), Type=notify): that it serves, reads its Corefile
// again, ends; and, where it has a watchdog, that the control thread still turns. Nothing is told where nobody asks.

import { writeSync } from 'node:fs'
import { adoptFd, errorCode, LINUX, type Libc, loadLibc } from '../listen/libc.ts'
import { codeOf } from '../listen/listener.ts'
import { type Passed, passedCount, takePassed } from '../listen/passed-sockets.ts'
import { type Clock, systemClock } from '../shared/clock.ts'

/** Of sun_path (unix(7)). */
const PATH_MAX_OCTETS = 107

type Environment = Record<string, string | undefined>

export interface ServiceManagerOptions {
  readonly libc: Libc
  readonly clock: Clock
  readonly environment: Environment
  readonly pid: number
  /** What cannot be told, in words. */
  readonly trouble: (text: string) => void
}

export class ServiceManager {
  readonly #options: ServiceManagerOptions
  readonly #fd: number
  #isServing = false
  #isStopping = false

  private constructor(options: ServiceManagerOptions, fd: number) {
    this.#options = options
    this.#fd = fd
  }

  /** Whether somebody asks to be told. */
  static isAsked = ({ NOTIFY_SOCKET }: Environment): boolean => (NOTIFY_SOCKET ?? '') !== ''

  /** Undefined where nobody asks, or cannot be reached, which is told. Takes the socket's name out of the environment. */
  static open(options: ServiceManagerOptions): ServiceManager | undefined {
    const { environment, trouble } = options
    const path = environment.NOTIFY_SOCKET ?? ''
    delete environment.NOTIFY_SOCKET
    if (path === '') return undefined
    const fd = connected(options.libc, path)
    if (typeof fd === 'number') return new ServiceManager(options, fd)
    trouble(`NOTIFY_SOCKET ${path} cannot be told anything: ${fd}`)
    return undefined
  }

  /** It serves, from now on. */
  serving(): void {
    if (this.#isStopping) return
    this.#isServing = true
    this.#tell('READY=1')
    const { clock } = this.#options
    const intervalMs = this.#watchdogMs() / 2
    if (intervalMs === 0) return
    const alive = (): void => {
      this.#tell('WATCHDOG=1')
      clock.after(intervalMs, alive)
    }
    alive()
  }

  /** It reads its Corefile again, until `reload` has come to an end, whatever that is. */
  async reloading(reload: Promise<void>): Promise<void> {
    if (!this.#isServing) return reload
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
    await reload
    if (!this.#isStopping) this.#tell('READY=1')
  }

  stopping(): void {
    this.#isStopping = true
    this.#tell('STOPPING=1')
  }

  /** After how long without a word the watchdog bites; 0 where there is none. */
  #watchdogMs(): number {
    const { environment, pid } = this.#options
    const { WATCHDOG_USEC = '', WATCHDOG_PID = String(pid) } = environment
    return WATCHDOG_PID === String(pid) && /^\d+$/.test(WATCHDOG_USEC) ? Number(WATCHDOG_USEC) / 1000 : 0
  }

  #tell(text: string): void {
    try {
      writeSync(this.#fd, text)
    } catch (error) {
      this.#options.trouble(`systemd cannot be told ${text.split('\n')[0]}: ${codeOf(error)}`)
    }
  }
}

/** What systemd has for this process, and who is told of it. */
export interface UnderSystemd extends Passed {
  readonly manager: ServiceManager | undefined
}

/** Takes what the environment speaks of; a text says why sockets that were passed cannot be taken at all. */
export async function underSystemd(
  environment: Environment,
  pid: number,
  trouble: (text: string) => void,
): Promise<UnderSystemd | string> {
  const libc = await loadLibc()
  if (libc !== undefined) {
    const manager = ServiceManager.open({ libc, clock: systemClock, environment, pid, trouble })
    return { ...takePassed(libc, environment, pid), manager }
  }
  const missing = 'the system calls for it cannot be had, which koffi has for Linux on x64 and arm64'
  if (passedCount(environment, pid) > 0) return `sockets were passed (LISTEN_FDS), and ${missing}`
  if (ServiceManager.isAsked(environment)) trouble(`NOTIFY_SOCKET cannot be told anything: ${missing}`)
  return { sockets: [], unusable: [], manager: undefined }
}

/** A datagram socket that leads there, `@` for a name without a file; or the code of an error. */
function connected(libc: Libc, path: string): number | string {
  const name = Buffer.from(path.replace(/^@/, '\0'))
  if (name.length > PATH_MAX_OCTETS) return 'ENAMETOOLONG'
  const raw = libc.socket(LINUX.AF_UNIX, LINUX.SOCK_DGRAM | LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC, 0)
  if (raw < 0) return errorCode(libc)
  const address = Buffer.concat([Uint8Array.of(LINUX.AF_UNIX, 0), name])
  if (libc.connect(raw, address, address.length) === 0) return adoptFd(libc, raw)
  const code = errorCode(libc)
  libc.close(raw)
  return code
}
