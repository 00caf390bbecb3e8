// Where the table of `hosts` comes from: the file, looked at from time to time, and the lines of the Corefile. Every
// serving thread reads for itself: a file is small, and read in pieces between which queries are answered. What cannot be
// read keeps the table as it was and is logged once.

import { type BigIntStats, readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { Polled } from '../../shared/polled.ts'
import { name } from '../../wire/name.ts'
import type { ServingContext } from '../plugin.ts'
import type { HostsConfig } from './config.ts'
import { ENTRIES_MAX, type HostsRules, type HostTable, readTable } from './table.ts'

/** Octets of a hosts file; a larger one is not read. */
export const FILE_MAX_OCTETS = 8 * 1024 * 1024

const PLUGIN = 'plugin/hosts'

/** Why there is nothing to read, in words; undefined where there is. */
export function fileProblem(file: string): string | undefined {
  try {
    return statsProblem(file, statSync(file, { bigint: true }))
  } catch (error) {
    return errorProblem(file, error)
  }
}

function statsProblem(file: string, stats: BigIntStats): string | undefined {
  if (!stats.isFile()) return `the hosts file ${file} is not a file`
  if (stats.size > FILE_MAX_OCTETS)
    return `the hosts file ${file} has ${stats.size} octets, more than ${FILE_MAX_OCTETS}`
  return undefined
}

const errorProblem = (file: string, error: unknown): string =>
  (error as NodeJS.ErrnoException).code === 'ENOENT'
    ? `the hosts file ${file} does not exist`
    : `reading the hosts file ${file}: ${(error as Error).message}`

/** Another file, or another state of it: a ConfigMap's files are links that come to lead elsewhere. */
const identity = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ')

export class HostsSource {
  /** The latest good state. */
  table: HostTable
  readonly #config: HostsConfig
  readonly #context: ServingContext
  readonly #rules: HostsRules
  /** Which state of the file was read last, and what was wrong with it. */
  #seen = ''
  #seenProblem: string | undefined
  readonly #polled: Polled

  /** Reads the file before the first query comes. What keeps it from that, the Corefile's reader has told. */
  constructor(config: HostsConfig, context: ServingContext) {
    this.#config = config
    this.#context = context
    this.#rules = { zones: config.zones.map(name), reverse: config.reverse }
    this.table = atOnce(readTable(Buffer.alloc(0), config.inline, this.#rules))
    let problem = fileProblem(config.file)
    if (problem === undefined) {
      problem = this.#readNow()
      if (problem !== undefined) this.#warn(problem)
    }
    this.#count()
    this.#polled = new Polled({
      clock: context.clock,
      look: () => this.#look(),
      intervalMs: () => config.reloadMs,
      known: problem,
      trouble: text => this.#warn(text),
      well: () => this.#log('INFO', `the hosts file ${config.file} is there again`),
    })
    this.#polled.start()
  }

  stop(): void {
    void this.#polled.stop()
  }

  #readNow(): string | undefined {
    const { file, inline } = this.#config
    try {
      const stats = statSync(file, { bigint: true })
      return this.#take(atOnce(readTable(readFileSync(file), inline, this.#rules)), stats)
    } catch (error) {
      return errorProblem(file, error)
    }
  }

  /** Reads the file again where it is another one; what is wrong with it. */
  async #look(): Promise<string | undefined> {
    const { file, inline } = this.#config
    try {
      const stats = await stat(file, { bigint: true })
      const problem = statsProblem(file, stats)
      if (problem !== undefined) return problem
      if (identity(stats) === this.#seen) return this.#seenProblem
      const table = await inTurns(readTable(await readFile(file), inline, this.#rules))
      return this.#polled.stopped ? undefined : this.#take(table, stats)
    } catch (error) {
      return errorProblem(file, error)
    }
  }

  /** Takes what was read, unless something is wrong with it. */
  #take(table: HostTable, stats: BigIntStats): string | undefined {
    this.#seen = identity(stats)
    const { file } = this.#config
    this.#seenProblem = table.overfull
      ? `the hosts file ${file} has more than ${ENTRIES_MAX} entries`
      : undefined
    if (table.overfull) return this.#seenProblem
    this.table = table
    const modifiedSeconds = Number(stats.mtimeNs / 1_000_000n) / 1000
    this.#context.meters.gauge('coredns_hosts_reload_timestamp_seconds').set(modifiedSeconds)
    this.#count()
    this.#log('DEBUG', `Parsed hosts file into ${table.entries} entries`)
    return undefined
  }

  #count(): void {
    const { file } = this.#config
    this.#context.meters.gauge('coredns_hosts_entries', { hostsfile: file }).set(this.table.entries)
  }

  #warn(problem: string): void {
    this.#log('WARNING', `${problem}; what was read before goes on being served`)
  }

  /** Every serving thread reads the file; one of them tells. */
  #log(level: 'DEBUG' | 'INFO' | 'WARNING', text: string): void {
    if (this.#context.thread === 0) this.#context.log.write(level, PLUGIN, text)
  }
}

function atOnce(reading: Generator<undefined, HostTable>): HostTable {
  for (;;) {
    const step = reading.next()
    if (step.done === true) return step.value
  }
}

/** Lets the event loop go round at every pause. */
async function inTurns(reading: Generator<undefined, HostTable>): Promise<HostTable> {
  for (;;) {
    const step = reading.next()
    if (step.done === true) return step.value
    await turn()
  }
}
