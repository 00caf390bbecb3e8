// What the kernel knows of a process, out of /proc: its processor time, its memory, its open descriptors.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on (USER_HZ). */
const TICK_US = 10_000
const KIB_PER_MIB = 1024

/** User and system time of all threads so far, in µs. */
export function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}

/** The same to the ns, of the threads that live, as the scheduler counts it; undefined where it does not. */
export function cpuNs(pid: number): number | undefined {
  let sum = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = schedstatOf(`/proc/${pid}/task/${thread}/schedstat`)
    if (text === undefined) continue
    sum += Number(text.split(' ', 1)[0])
  }
  return sum || undefined
}

/** Undefined of a thread that has ended meanwhile, and where the kernel does not tell. */
function schedstatOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}

function statusMib(pid: number, field: 'VmRSS' | 'VmHWM' | 'RssFile'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / KIB_PER_MIB
}

/** Resident memory, in MiB. */
export const residentMib = (pid: number): number => statusMib(pid, 'VmRSS')

/** The highest resident memory since the start or since `forgetPeak`, in MiB. */
export const peakMib = (pid: number): number => statusMib(pid, 'VmHWM')

/** Resident pages of files, the program above all, in MiB. */
export const fileMib = (pid: number): number => statusMib(pid, 'RssFile')

/** Lets the peak begin anew at what is resident now. */
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

/** Open file descriptors. */
export const openDescriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** Datagrams that found a full receive buffer, in this network namespace (UDP over IPv4 and IPv6). */
export function receiveBufferErrors(): number {
  const [names = '', values = ''] = readFileSync('/proc/net/snmp', 'latin1')
    .split('\n')
    .filter(line => line.startsWith('Udp:'))
  const at = names.split(' ').indexOf('RcvbufErrors')
  const v6 = /^Udp6RcvbufErrors\s+(\d+)/m.exec(readFileSync('/proc/net/snmp6', 'latin1'))?.[1]
  return Number(values.split(' ')[at]) + Number(v6 ?? 0)
}

/** Datagrams that the sockets of a UDP port of this namespace had no room for, as long as those sockets live. */
export function droppedAt(port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = ['/proc/net/udp', '/proc/net/udp6'].flatMap(file =>
    readFileSync(file, 'latin1').trimEnd().split('\n').slice(1),
  )
  const fields = rows.map(row => row.trim().split(/\s+/)).filter(([, local]) => local!.endsWith(suffix))
  return fields.reduce((sum, row) => sum + Number(row.at(-1)), 0)
}

/** Looks at a process's resident memory every `everyMs` until it is stopped. */
export class MemorySampler {
  readonly #timer: NodeJS.Timeout
  readonly #pid: number
  /** MiB, in the order of time. */
  readonly samples: number[] = []

  constructor(pid: number, everyMs: number) {
    this.#pid = pid
    this.#timer = setInterval(() => this.#look(), everyMs)
    this.#look()
  }

  #look(): void {
    this.samples.push(residentMib(this.#pid))
  }

  /** Looks once more and gives the highest, in MiB. */
  stop(): number {
    clearInterval(this.#timer)
    this.#look()
    return Math.max(...this.samples)
  }
}
