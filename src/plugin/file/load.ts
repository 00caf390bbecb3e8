// From a zone file on disk to an image, at once for a start (`loadZone`) or in slices for a running server (`reloadZone`).
// What was read is remembered by the state of its files: a Corefile that is read again does not read its zones again.

import { statSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Problems } from '../../corefile/problem.ts'
import { readRegular } from '../../shared/regular-file.ts'
import { name } from '../../wire/name.ts'
import { ZoneImage } from './image.ts'
import { ZoneReader } from './reader.ts'

/** A zone's files together. */
export const ZONE_MAX_OCTETS = 128 * 1024 * 1024
/** Zones remembered; more are read again whenever the Corefile is. */
const REMEMBERED_MAX = 1024

/** What tells one state of a file from another. */
interface Stamp {
  readonly file: string
  readonly octets: number
  readonly modifiedMs: number
  readonly inode: number
}

/** A zone as read. */
export interface LoadedZone {
  readonly image: SharedArrayBuffer
  readonly serial: number
  /** The zone file's first, then those it includes. */
  readonly stamps: readonly Stamp[]
}

/** Why there is no zone: the file cannot be read at all, or it has mistakes, which were reported. */
export type LoadFailure = { readonly unreadable: string } | 'mistakes'

const remembered = new LRUCache<string, LoadedZone>({ max: REMEMBERED_MAX })
const keyOf = (file: string, origin: string): string => `${origin} ${file}`

/** Reads a zone, or gives what was read before where no file has changed. Mistakes and warnings go into `problems`. */
export function loadZone(file: string, origin: string, problems: Problems): LoadedZone | LoadFailure {
  const known = remembered.get(keyOf(file, origin))
  if (known && isUnchanged(known)) return known
  const reading = readZone(file, origin, problems)
  for (;;) {
    const step = reading.next()
    if (step.done) return step.value
  }
}

/** The same in slices, between which the event loop goes on, and whatever was remembered. */
export async function reloadZone(
  file: string,
  origin: string,
  problems: Problems,
): Promise<LoadedZone | LoadFailure> {
  const reading = readZone(file, origin, problems)
  for (;;) {
    const step = reading.next()
    if (step.done) return step.value
    await turn()
  }
}

/** Whether all files of a zone are as they were read. */
export const isUnchanged = ({ stamps }: LoadedZone): boolean =>
  stamps.every(stamp => {
    const now = stampOf(stamp.file)
    return typeof now !== 'string' && JSON.stringify(now) === JSON.stringify(stamp)
  })

function stampOf(file: string): Stamp | string {
  try {
    const { size, mtimeMs, ino } = statSync(file)
    return { file, octets: size, modifiedMs: mtimeMs, inode: ino }
  } catch (error) {
    return (error as Error).message
  }
}

function* readZone(
  file: string,
  origin: string,
  problems: Problems,
): Generator<void, LoadedZone | LoadFailure> {
  const stamps: Stamp[] = []
  const read = (path: string): { text: string } | { reason: string } => {
    const stamp = stampOf(path)
    if (typeof stamp === 'string') return { reason: stamp }
    stamps.push(stamp)
    const octets = stamps.reduce((sum, each) => sum + each.octets, 0)
    if (octets > ZONE_MAX_OCTETS)
      return { reason: `the zone's files have more than ${ZONE_MAX_OCTETS} octets` }
    try {
      return { text: readRegular(path, ZONE_MAX_OCTETS) }
    } catch (error) {
      return { reason: (error as Error).message }
    }
  }
  const main = read(file)
  if ('reason' in main) return { unreadable: main.reason }
  const image = yield* new ZoneReader(name(origin), read, problems).read(file, main.text)
  if (image === undefined) return 'mistakes'
  const zone = { image, serial: new ZoneImage(image).serial, stamps }
  remembered.set(keyOf(file, origin), zone)
  return zone
}
