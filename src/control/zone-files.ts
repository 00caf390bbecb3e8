// The zone files of `file` while serving: looks at each from time to time, reads one that changed beside the one that is
// served, and publishes its image to the serving threads (CoreDNS plugin/file reload.go). A broken file changes nothing.

import { formatProblem, Problems } from '../corefile/problem.ts'
import type { ThreadLog } from '../observe/thread-log.ts'
import { type FileZone, zoneKey } from '../plugin/file/config.ts'
import { fileWord } from '../plugin/file/file.ts'
import { isUnchanged, type LoadedZone, type LoadFailure, reloadZone } from '../plugin/file/load.ts'
import { configsOf, type Setup } from '../setup/setup.ts'
import type { Clock, Timer } from '../shared/clock.ts'

const LOG_FROM = 'plugin/file'
/** Mistakes of one file that are logged. */
const SHOWN_MAX = 5

export interface ZoneFilesOptions {
  readonly clock: Clock
  readonly log: ThreadLog
  /** Takes a zone's new image to the serving threads. */
  readonly publish: (key: string, image: SharedArrayBuffer) => void
  /** The zone of that name has changed. */
  readonly changed: (origin: string) => void
}

export class ZoneFiles {
  readonly #options: ZoneFilesOptions
  #watches: readonly ZoneWatch[] = []

  constructor(options: ZoneFilesOptions) {
    this.#options = options
  }

  /** Watches the files of a configuration that serves, in place of those before. */
  watch({ blocks }: Pick<Setup, 'blocks'>): void {
    this.stop()
    const zones = blocks.flatMap(block => configsOf(block, fileWord)).flatMap(({ zones }) => zones)
    const watched = new Map(zones.filter(({ reloadMs }) => reloadMs > 0).map(zone => [zoneKey(zone), zone]))
    this.#watches = [...watched.values()].map(zone => new ZoneWatch(zone, this.#options))
  }

  stop(): void {
    for (const watch of this.#watches) watch.stop()
    this.#watches = []
  }
}

class ZoneWatch {
  readonly #zone: FileZone
  readonly #options: ZoneFilesOptions
  #loaded: LoadedZone | undefined
  #timer: Timer | undefined
  #stopped = false
  /** What was wrong at the last look: it is told once. */
  #trouble = ''

  constructor(zone: FileZone, options: ZoneFilesOptions) {
    this.#zone = zone
    this.#options = options
    this.#loaded = zone.loaded
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#timer = this.#options.clock.after(this.#zone.reloadMs, () => {
      void this.#look().finally(() => this.#schedule())
    })
  }

  async #look(): Promise<void> {
    if (this.#loaded && isUnchanged(this.#loaded)) return
    const { file, origin } = this.#zone
    const problems = new Problems()
    const read = await reloadZone(file, origin, problems)
    // A file that changes while it is read is looked at again: it may not have been whole.
    if (this.#stopped || (typeof read === 'object' && 'image' in read && !isUnchanged(read))) return
    if (read === 'mistakes' || 'unreadable' in read) return this.#fail(read, problems)
    this.#trouble = ''
    for (const problem of problems.list) this.#log('WARNING', formatProblem(problem))
    this.#take(read)
  }

  #fail(failure: LoadFailure, problems: Problems): void {
    const { file, origin } = this.#zone
    const lines =
      failure === 'mistakes'
        ? problems.list
            .filter(({ severity }) => severity === 'error')
            .slice(0, SHOWN_MAX)
            .map(problem => `Parsing zone "${origin}": ${formatProblem(problem)}`)
        : [`Failed to open zone "${origin}" in "${file}": ${failure.unreadable}`]
    const trouble = lines.join('\n')
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    for (const line of lines) this.#log('ERROR', line)
  }

  #take(read: LoadedZone): void {
    const { file, origin, byModification } = this.#zone
    const before = this.#loaded
    if (before?.serial === read.serial && !byModification) {
      this.#loaded = { ...before, stamps: read.stamps }
      this.#log(
        'WARNING',
        `"${file}" changed, but not its SOA serial ${read.serial}: zone "${origin}" stays as it was`,
      )
      return
    }
    this.#loaded = read
    this.#options.publish(zoneKey(this.#zone), read.image)
    this.#log('INFO', `Successfully reloaded zone "${origin}" in "${file}" with ${read.serial} SOA serial`)
    this.#options.changed(origin)
  }

  #log(level: 'INFO' | 'WARNING' | 'ERROR', text: string): void {
    this.#options.log.write(level, LOG_FROM, text)
  }
}
