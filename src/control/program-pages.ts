// The pages of the program that are mapped: a start goes through 50 MiB of Node's code and constants, of which a server that
// answers uses a third. They come from its file, so the kernel need not keep them for the process: unmapped, they stay in its
// cache for as long as it has room, and come back with a page fault where they are used again.
//
// A page that the process has changed, as the loader does where it relocates and a debugger where it stops, exists nowhere else
// and would be lost. So nothing is touched of a mapping that can be written to, or has one such page (`Anonymous`, or swapped
// out; proc_pid_smaps(5)). Nor is anything that may be unmapped meanwhile and leave its addresses to somebody else, whose memory
// would be lost: a library, or the copy of its built-in functions that V8 maps from the same file beside the code of each thread and
// that ends with the thread. What the loader has mapped, for good, is as far from the file's beginning as in the file, or nearly.
//
//   0074a000-03044000 r-xp 0034a000 00:2f 1234    /usr/local/bin/node
//   Rss:               33120 kB
//   Anonymous:             0 kB
//   Swap:                  0 kB

import { type FileHandle, open, readlink } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import type { Library } from '../shared/koffi.ts'

/** Linux: asm-generic/mman-common.h. */
const MADV_DONTNEED = 4
const READ_OCTETS = 16 * 1024
/** What is unmapped at once: less than a millisecond, for which another thread's page fault may wait. */
const SLICE_OCTETS = 8 * 2 ** 20

/** How much farther from its beginning a segment may be in memory than in the file: each is aligned to a page, 64 KiB or 2 MiB. */
const SHIFT_OCTETS = 16 * 2 ** 20

const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ \d+\s*(.*)$/
const FIELD = /^(Rss|Anonymous|Swap):\s+(\d+) kB$/

/** Addresses that are mapped, in octets: from `start` to before `end`. */
export interface Mapping {
  readonly start: number
  readonly end: number
  readonly residentKib: number
}

/** Takes the lines of /proc/self/smaps; finds what the loader mapped of the file `path`, cannot be written to, and was never changed. */
export class CleanMappings {
  readonly found: Mapping[] = []
  readonly #path: string
  /** Where the file's beginning is mapped; the addresses come in order, and it is the first. */
  #base: number | undefined
  #range: Pick<Mapping, 'start' | 'end'> | undefined
  readonly #kib = new Map<string, number>()

  constructor(path: string) {
    this.#path = path
  }

  take(line: string): void {
    const [, name, kib] = FIELD.exec(line) ?? []
    if (name !== undefined) {
      this.#kib.set(name, Number(kib))
      return
    }
    const [, start, end, permissions, offset, path] = HEAD.exec(line) ?? []
    if (start === undefined || end === undefined || offset === undefined) return
    this.end()
    if (path !== this.#path) return
    const range = { start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }
    const fileStart = range.start - Number.parseInt(offset, 16)
    if (fileStart === range.start) this.#base ??= fileStart
    const isLoaded = this.#base !== undefined && Math.abs(fileStart - this.#base) < SHIFT_OCTETS
    if (isLoaded && (permissions === 'r--p' || permissions === 'r-xp')) this.#range = range
  }

  /** The mapping before is whole. One of which anything is not said is left alone. */
  end(): void {
    const residentKib = this.#kib.get('Rss') ?? 0
    const isClean = this.#kib.get('Anonymous') === 0 && this.#kib.get('Swap') === 0
    if (this.#range && isClean && residentKib > 0) this.found.push({ ...this.#range, residentKib })
    this.#range = undefined
    this.#kib.clear()
  }
}

/** The kernel counts the pages while a thread of libuv reads: no thread that runs JavaScript waits for it. */
async function readMappings(smaps: FileHandle, path: string): Promise<readonly Mapping[]> {
  const mappings = new CleanMappings(path)
  const octets = Buffer.allocUnsafeSlow(READ_OCTETS)
  let rest = ''
  for (;;) {
    const { bytesRead } = await smaps.read(octets, 0, READ_OCTETS)
    if (bytesRead === 0) break
    const lines = (rest + octets.toString('latin1', 0, bytesRead)).split('\n')
    rest = lines.pop()!
    for (const line of lines) mappings.take(line)
  }
  mappings.end()
  return mappings.found
}

/**
 * Unmaps the program's pages that nothing was written to, a slice in each turn of the event loop.
 * @returns how many MiB of them were mapped
 * @throws what the system says where /proc cannot be read
 */
export async function unmapProgramPages(library: Library): Promise<number> {
  const madvise = library.func('madvise', 'int', ['uintptr_t', 'size_t', 'int'])
  const path = await readlink('/proc/self/exe')
  const smaps = await open('/proc/self/smaps')
  const mappings = await readMappings(smaps, path).finally(() => smaps.close())
  let unmappedKib = 0
  for (const { start, end, residentKib } of mappings) {
    let isUnmapped = true
    for (let at = start; at < end; at += SLICE_OCTETS) {
      await turn()
      // It fails where the mapping is locked into memory, which then is somebody's wish.
      isUnmapped &&= madvise(at, Math.min(SLICE_OCTETS, end - at), MADV_DONTNEED) === 0
    }
    if (isUnmapped) unmappedKib += residentKib
  }
  return unmappedKib / 1024
}
