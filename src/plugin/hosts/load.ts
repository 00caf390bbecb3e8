// From a hosts file and the lines of the Corefile to an image, at once for a start (`loadHosts`) or in slices for a running server
// (`reloadHosts`). What was read is remembered by the state of its file: a Corefile that is read again does not read it again.

import { type BigIntStats, readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { name } from '../../wire/name.ts'
import type { HostsConfig, LoadedHosts } from './config.ts'
import { ENTRIES_MAX, HostTable, type HostTableBuilder, readTable } from './table.ts'

/** Octets of a hosts file. */
export const FILE_MAX_OCTETS = 64 * 1024 * 1024
/** States of files that are remembered. */
const REMEMBERED_MAX = 16

/** Why a file is not served: it is too large, or cannot be read now. */
export interface HostsFault {
  readonly problem: string
  readonly tooMuch: boolean
  /** Of the state that was read. */
  readonly state?: string
}

/** What is read: the file, and what becomes of its lines. */
export type HostsInput = Pick<HostsConfig, 'file' | 'zones' | 'inline' | 'reverse'>

const remembered = new LRUCache<string, LoadedHosts>({ max: REMEMBERED_MAX })

/** What the images of a directive are published under. */
export const hostsKey = ({ file, zones, inline, reverse }: HostsInput): string =>
  JSON.stringify(['hosts', file, zones, inline, reverse])

/** The lines of the Corefile alone: what is served while the file cannot be read. */
export function inlineHosts(input: HostsInput, problem: string): LoadedHosts | HostsFault {
  const table = atOnce(readTable(Buffer.alloc(0), input.inline, rulesOf(input)))
  const hosts = taken(input, table, '', 0)
  return 'image' in hosts ? { ...hosts, problem } : hosts
}

/** Reads the file, or gives what was read before where it has not changed. */
export function loadHosts(input: HostsInput): LoadedHosts | HostsFault {
  const { file, inline } = input
  try {
    const stats = statSync(file, { bigint: true })
    const fault = statsFault(file, stats)
    if (fault !== undefined) return fault
    const known = remembered.get(hostsKey(input))
    if (known?.state === stateOf(stats)) return known
    return take(input, atOnce(readTable(readFileSync(file), inline, rulesOf(input))), stats)
  } catch (error) {
    return errorFault(file, error)
  }
}

/** Reads the file in slices, between which the event loop goes on, where its state is not that one; undefined where it is. */
export async function reloadHosts(
  input: HostsInput,
  state: string,
): Promise<LoadedHosts | HostsFault | undefined> {
  const { file, inline } = input
  try {
    const stats = await stat(file, { bigint: true })
    const fault = statsFault(file, stats)
    if (fault !== undefined) return fault
    if (stateOf(stats) === state) return undefined
    return take(input, await inTurns(readTable(await readFile(file), inline, rulesOf(input))), stats)
  } catch (error) {
    return errorFault(file, error)
  }
}

const rulesOf = ({ zones, reverse }: HostsInput): Parameters<typeof readTable>[2] => ({
  zones: zones.map(name),
  reverse,
})

function statsFault(file: string, stats: BigIntStats): HostsFault | undefined {
  if (!stats.isFile()) return { problem: `the hosts file ${file} is not a file`, tooMuch: false }
  if (stats.size <= FILE_MAX_OCTETS) return undefined
  const problem = `the hosts file ${file} has ${stats.size} octets, more than ${FILE_MAX_OCTETS}`
  return { problem, tooMuch: true }
}

const errorFault = (file: string, error: unknown): HostsFault => ({
  problem:
    (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? `the hosts file ${file} does not exist`
      : `reading the hosts file ${file}: ${(error as Error).message}`,
  tooMuch: false,
})

/** Another file, or another state of it: a ConfigMap's files are links that come to lead elsewhere. */
const stateOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ')

function take(input: HostsInput, table: HostTableBuilder, stats: BigIntStats): LoadedHosts | HostsFault {
  const hosts = taken(input, table, stateOf(stats), Number(stats.mtimeNs / 1_000_000n) / 1000)
  if ('image' in hosts) remembered.set(hostsKey(input), hosts)
  return hosts
}

function taken(
  { file }: HostsInput,
  table: HostTableBuilder,
  state: string,
  modifiedSeconds: number,
): LoadedHosts | HostsFault {
  if (table.overfull)
    return { problem: `the hosts file ${file} has more than ${ENTRIES_MAX} entries`, tooMuch: true, state }
  const image = table.build()
  return { image, entries: new HostTable(image).entries, state, modifiedSeconds }
}

function atOnce<T>(reading: Generator<undefined, T>): T {
  for (;;) {
    const step = reading.next()
    if (step.done === true) return step.value
  }
}

/** Lets the event loop go round at every pause. */
async function inTurns<T>(reading: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const step = reading.next()
    if (step.done === true) return step.value
    await turn()
  }
}
