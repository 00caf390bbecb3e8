// dnsperf as a function: a load of queries out of a file against a port of loopback, and what came of it. With latencies
// it prints a line for each query, `> NOERROR web-1.ns-1.svc.cluster.local A 0.000123`, which go to a file and are read when it
// has ended: reading them meanwhile would take the time of its core.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, openSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { percentile } from './statistics.ts'

/** Last lines of a failed run that its error shows. */
const SHOWN_LINES = 10

/** A load. */
export interface LoadOptions {
  readonly port: number
  /** The query file: `NAME TYPE` a line, or, where it ends with `.packets`, messages as over TCP. */
  readonly file: string
  /** `taskset -c` of dnsperf. */
  readonly core: string
  /** How long at most; the file is repeated where `runs` is not given. */
  readonly seconds?: number
  /** How often through the file. */
  readonly runs?: number
  /** Sockets, default 8; or connections, default 50. */
  readonly clients?: number
  /** Queries on their way at most, default 400. */
  readonly outstanding?: number
  /** Queries a second at most; default as fast as answers come. */
  readonly rate?: number
  /** Over HTTPS it is h2load that asks (h2load.ts). */
  readonly transport?: 'udp' | 'tcp' | 'dot' | 'doh'
  /** With an OPT record that allows 4096 octets. */
  readonly edns?: boolean
  /** After which a query counts as lost; default 5. */
  readonly timeoutSeconds?: number
  /** Threads of dnsperf, default 1. */
  readonly threads?: number
  /** Keep the latency of every query. */
  readonly latencies?: boolean
  /** Ends the load early, with what came until then. */
  readonly signal?: AbortSignal
}

/** How long answers took, in ms. */
export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** What came of a load. */
export interface LoadResult {
  readonly sent: number
  readonly completed: number
  readonly lost: number
  readonly seconds: number
  /** Completed a second. */
  readonly perSecond: number
  /** How many answers had which code, by the codes' names. */
  readonly rcodes: Readonly<Record<string, number>>
  /** TCP connections that had to be made anew. */
  readonly reconnections: number
  /** Only with `latencies`, and where a query was answered. */
  readonly latencies: Latencies | undefined
}

let spools = 0
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The words of the command line. */
export function dnsperfCommand(options: LoadOptions): string[] {
  const { transport = 'udp', clients = transport === 'udp' ? 8 : 50, outstanding = 400 } = options
  const words = ['taskset', '-c', options.core, 'dnsperf', '-s', '127.0.0.1', '-p', String(options.port)]
  words.push('-d', options.file, '-m', transport, '-c', String(clients), '-q', String(outstanding))
  if (options.seconds !== undefined) words.push('-l', String(options.seconds))
  if (options.runs !== undefined) words.push('-n', String(options.runs))
  if (options.rate !== undefined) words.push('-Q', String(Math.max(1, Math.round(options.rate))))
  if (options.timeoutSeconds !== undefined) words.push('-t', String(options.timeoutSeconds))
  if (options.threads !== undefined) words.push('-T', String(options.threads))
  if (options.edns) words.push('-e')
  if (options.file.endsWith('.packets')) words.push('-B')
  if (options.latencies) words.push('-v')
  return words
}

/** Runs a load to its end. Rejects with dnsperf's last lines where it fails. */
export async function dnsperf(options: LoadOptions): Promise<LoadResult> {
  const [program, ...words] = dnsperfCommand(options)
  // Beside the query file, which is this load's own.
  const spool = options.latencies ? `${options.file}.${++spools}.spool` : undefined
  const output = spool === undefined ? 'pipe' : openSync(spool, 'w')
  const child = spawn(program!, words, { stdio: ['ignore', output, 'pipe'] })
  if (typeof output === 'number') closeSync(output)
  running.add(child)
  const interrupt = (): void => void child.kill('SIGINT')
  options.signal?.addEventListener('abort', interrupt)
  const latenciesMs: number[] = []
  const summary: string[] = []
  const read = (line: string): void => {
    if (line.startsWith('> ')) {
      const seconds = Number(line.slice(line.lastIndexOf(' ') + 1))
      // A query that was lost has its type there.
      if (seconds >= 0) latenciesMs.push(seconds * 1000)
    } else if (!line.startsWith('[Timeout]')) summary.push(line)
  }
  const readAll = (stream: Readable): Promise<unknown> =>
    once(createInterface(stream).on('line', read), 'close')
  const streams = [child.stdout, child.stderr].filter(stream => stream !== null).map(readAll)
  const [[status]] = await Promise.all([once(child, 'close'), ...streams])
  running.delete(child)
  options.signal?.removeEventListener('abort', interrupt)
  if (spool !== undefined) {
    await readAll(createReadStream(spool))
    rmSync(spool)
  }
  if (status !== 0) {
    throw new Error(`dnsperf ended with ${status}: ${summary.slice(-SHOWN_LINES).join('\n')}`)
  }
  return { ...readSummary(summary.join('\n')), latencies: readLatencies(latenciesMs) }
}

function readLatencies(latenciesMs: readonly number[]): Latencies | undefined {
  if (latenciesMs.length === 0) return undefined
  const sorted = Float64Array.from(latenciesMs).sort()
  return {
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
    max: sorted.at(-1)!,
  }
}

/** The statistics that dnsperf prints at its end. Throws a TypeError on other text. */
export function readSummary(text: string): Omit<LoadResult, 'latencies'> {
  const number = (label: string): number | undefined => {
    const found = new RegExp(`${label}:\\s+([\\d.]+)`).exec(text)?.[1]
    return found === undefined ? undefined : Number(found)
  }
  const sent = number('Queries sent')
  const completed = number('Queries completed')
  const seconds = number('Run time \\(s\\)')
  if (sent === undefined || completed === undefined || seconds === undefined)
    throw new TypeError(`dnsperf printed no statistics:\n${text}`)
  const codes = /Response codes:(.*)/.exec(text)?.[1] ?? ''
  const rcodes = [...codes.matchAll(/(\w+) (\d+) \(/g)].map(
    ([, code, count]) => [code, Number(count)] as const,
  )
  return {
    sent,
    completed,
    seconds,
    lost: number('Queries lost') ?? sent - completed,
    perSecond: completed / seconds,
    rcodes: Object.fromEntries(rcodes),
    reconnections: number('Reconnections') ?? 0,
  }
}
