// The last good state on a volume, so that a restart while the API server is away has something to serve. One JSON
// value a line, each object as it is in memory, and a last line by which a whole file is known from half of one:
//
//   {"seamark":"snapshot","version":1,"savedAtMs":1767225600000}
//   ["Namespace",{"name":"default"}]
//   ["Service",{"namespace":"default","name":"web",…}]
//   {"objects":2,"sha256":"…"}                            the digest of all octets before this line
//
// The file takes the old one's place in one step. Objects are written and read in pieces; neither file nor state is ever held twice.

import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { checkedSlim } from '../objects/checked.ts'
import { KIND_NAMES, type Kind, type Kinds } from '../objects/objects.ts'
import type { KindSet } from '../objects/source.ts'
import type { Clock } from '../shared/clock.ts'
import { openRegular } from '../shared/regular-file.ts'
import { replaceFile } from '../shared/replace-file.ts'
import { isRecord, messageOf } from './api-error.ts'
import { LineSplitter } from './line-splitter.ts'

const FORMAT_VERSION = 2
/** Whose objects are read: in those of version 1 every endpoint says its texts. */
const READABLE_VERSIONS: readonly unknown[] = [1, 2]
/** More than any cluster has, and no more than half of what a container may have. */
const SNAPSHOT_MAX_OCTETS = 256 * 2 ** 20
const MEMORY_SHARE = 0.5
/** A volume that does not answer is not waited for longer. */
const READ_MAX_MS = 30_000
/** The last moment that has a date (ECMA-262 21.4.1.1). */
const DATE_MAX_MS = 8.64e15
const PIECE_CHARACTERS = 256 * 1024

/** A snapshot that was read. */
export interface Snapshot {
  /** Wall time in ms since 1970. */
  readonly savedAtMs: number
  /** Of every kind that was saved, an empty list included. */
  readonly sets: ReadonlyMap<Kind, readonly Kinds[Kind][]>
  /** Lines that held no object which could have been saved. */
  readonly skipped: number
}

/** Why there is no snapshot to use. */
export interface SnapshotProblem {
  readonly problem: 'absent' | 'damaged' | 'too-old' | 'unreadable'
  readonly message: string
}

/**
 * Writes all sets to `file`, replacing what is there in one step. Rejects with the file system's error (no space, no
 * permission) and leaves the old file as it was. Sets are copied by reference before the first octet is written, so
 * that changes made meanwhile do not tear the snapshot.
 */
export async function writeSnapshot(file: string, sets: Iterable<KindSet>, savedAtMs: number): Promise<void> {
  const kept = Array.from(sets, ([kind, objects]) => [kind, [...objects]] as const)
  await replaceFile(file, async handle => {
    const lines = new LineWriter(handle)
    const kinds = kept.map(([kind]) => kind)
    await lines.write(JSON.stringify({ seamark: 'snapshot', version: FORMAT_VERSION, savedAtMs, kinds }))
    let objects = 0
    for (const [kind, list] of kept) {
      objects += list.length
      for (const object of list) await lines.write(JSON.stringify([kind, object]))
    }
    await lines.end(sha256 => JSON.stringify({ objects, sha256 }))
  })
}

/**
 * Reads a snapshot and checks it to the last octet. `maxAgeMs` refuses one that was saved longer ago than that by the
 * wall clock; one from the future is taken (clocks of nodes differ). Never rejects.
 */
export async function readSnapshot(
  file: string,
  nowMs: number,
  maxAgeMs = Infinity,
): Promise<Snapshot | SnapshotProblem> {
  try {
    const snapshot = await readWithin(file, READ_MAX_MS)
    const ageMs = nowMs - snapshot.savedAtMs
    if (ageMs <= maxAgeMs) return snapshot
    const message = `snapshot ${file} is ${Math.round(ageMs / 1000)} s old, allowed are ${maxAgeMs / 1000} s`
    return { problem: 'too-old', message }
  } catch (error) {
    if (error instanceof Damage)
      return { problem: 'damaged', message: `snapshot ${file} is damaged: ${error.message}` }
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const message = absent ? `no snapshot at ${file}` : `reading snapshot ${file}: ${messageOf(error)}`
    return { problem: absent ? 'absent' : 'unreadable', message }
  }
}

async function readWithin(file: string, limitMs: number): Promise<Snapshot> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not read after ${limitMs / 1000} s`)), limitMs)
  })
  try {
    return await Promise.race([readWhole(file), late])
  } finally {
    clearTimeout(timer)
  }
}

async function readWhole(file: string): Promise<Snapshot> {
  const constrained = process.constrainedMemory()
  const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  const handle = await openRegular(file, Math.min(SNAPSHOT_MAX_OCTETS, memory * MEMORY_SHARE))
  const reader = new SnapshotReader(file)
  for await (const chunk of handle.createReadStream()) reader.push(chunk)
  return reader.end()
}

/** What a writer of snapshots is made of. */
export interface SnapshotWriterOptions {
  readonly file: string
  /** At least so long between two writes. */
  readonly intervalMs: number
  readonly clock: Clock
  /** The state to save, asked for at each write; undefined while it is not complete, and then nothing is written. */
  readonly collect: () => Iterable<KindSet> | undefined
  readonly log?: ((level: 'info' | 'error', message: string) => void) | undefined
}

/** Saves a state now and then while it changes, and once more at the end. */
export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions
  #dirty = false
  #scheduled = false
  #stopped = false
  #writing: Promise<void> = Promise.resolve()
  #savedAtMs: number | undefined
  #failures = 0
  #lastError: string | undefined

  constructor(options: SnapshotWriterOptions) {
    this.#options = options
  }

  /** Notes that the state has changed; cheap, to be called as often as one likes. */
  touch(): void {
    this.#dirty = true
    if (this.#scheduled || this.#stopped) return
    this.#scheduled = true
    this.#options.clock.after(this.#options.intervalMs, () => {
      this.#scheduled = false
      if (!this.#stopped) void this.#save()
    })
  }

  /** Saves what has changed since and ends; resolves when it is on the disk or has failed. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#save()
  }

  /** For metrics: wall time of the last write in ms (undefined before), failed writes, and what is wrong now. */
  status(): {
    readonly savedAtMs: number | undefined
    readonly failures: number
    readonly lastError: string | undefined
  } {
    return { savedAtMs: this.#savedAtMs, failures: this.#failures, lastError: this.#lastError }
  }

  #save(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#saveNow())
    return this.#writing
  }

  async #saveNow(): Promise<void> {
    const { file, clock, collect, log } = this.#options
    const sets = this.#dirty ? collect() : undefined
    if (sets === undefined) return
    this.#dirty = false
    const savedAtMs = clock.wallMs()
    try {
      await writeSnapshot(file, sets, savedAtMs)
      this.#savedAtMs = savedAtMs
      if (this.#lastError !== undefined) log?.('info', `writing snapshot ${file} works again`)
      this.#lastError = undefined
    } catch (error) {
      const message = `writing snapshot ${file}: ${messageOf(error)}`
      this.#failures++
      // A full disk stays full for a while: said once.
      if (this.#lastError === undefined) log?.('error', message)
      this.#lastError = message
      // Not saved is still to be saved.
      this.touch()
    }
  }
}

/** Lines into a file in large pieces, and their digest. */
class LineWriter {
  readonly #handle: FileHandle
  readonly #hash = createHash('sha256')
  #piece = ''

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(line: string): Promise<void> {
    this.#piece += `${line}\n`
    if (this.#piece.length >= PIECE_CHARACTERS) await this.#flush()
  }

  async end(lastLine: (sha256: string) => string): Promise<void> {
    await this.#flush()
    await this.#handle.writeFile(`${lastLine(this.#hash.digest('hex'))}\n`)
  }

  async #flush(): Promise<void> {
    const octets = Buffer.from(this.#piece)
    this.#piece = ''
    this.#hash.update(octets)
    await this.#handle.writeFile(octets)
  }
}

/** What is wrong with the contents of a file. */
class Damage extends Error {}

class SnapshotReader {
  readonly #file: string
  readonly #lines = new LineSplitter(line => this.#line(line))
  readonly #hash = createHash('sha256')
  readonly #sets = new Map<Kind, Kinds[Kind][]>()
  /** A line is held back until the next one comes: the last is not part of the digest. */
  #held: string | undefined
  #objects = 0
  #skipped = 0
  #savedAtMs: number | undefined

  constructor(file: string) {
    this.#file = file
  }

  push(chunk: Buffer): void {
    try {
      this.#lines.push(chunk)
    } catch (error) {
      throw error instanceof Damage ? error : new Damage(messageOf(error))
    }
  }

  end(): Snapshot {
    const last = this.#held === undefined ? undefined : parse(this.#held)
    if (!isRecord(last) || typeof last.sha256 !== 'string') throw new Damage('its last line is missing')
    if (last.sha256 !== this.#hash.digest('hex')) throw new Damage('its digest is another')
    if (last.objects !== this.#objects || this.#savedAtMs === undefined)
      throw new Damage('objects are missing')
    return { savedAtMs: this.#savedAtMs, sets: this.#sets, skipped: this.#skipped }
  }

  #line(line: string): void {
    const held = this.#held
    this.#held = line
    if (held === undefined) return
    this.#hash.update(`${held}\n`)
    const value = parse(held)
    if (this.#savedAtMs === undefined) this.#header(value)
    else this.#object(value)
  }

  #header(value: unknown): void {
    if (!isRecord(value) || value.seamark !== 'snapshot') throw new Damage(`${this.#file} is no snapshot`)
    if (!READABLE_VERSIONS.includes(value.version))
      throw new Damage(`it has the format ${JSON.stringify(value.version)}`)
    const isDate = Number.isSafeInteger(value.savedAtMs) && Math.abs(Number(value.savedAtMs)) <= DATE_MAX_MS
    if (!isDate) throw new Damage('it has no date')
    this.#savedAtMs = Number(value.savedAtMs)
    for (const kind of KIND_NAMES)
      if (Array.isArray(value.kinds) && value.kinds.includes(kind)) this.#sets.set(kind, [])
  }

  #object(value: unknown): void {
    const [kind, object]: unknown[] = Array.isArray(value) ? value : []
    const known = KIND_NAMES.find(name => name === kind)
    const set = known && this.#sets.get(known)
    // The digest is anybody's who writes the file: it says that the file is whole, and nothing of what is in it.
    const slim = set && checkedSlim(known, object)
    if (slim) set.push(slim)
    else this.#skipped++
    this.#objects++
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new Damage(messageOf(error))
  }
}
