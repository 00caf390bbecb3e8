// The zone files of `file` while serving: looks at each from time to time, reads one that changed beside the one that is
// served, and publishes its image to the serving threads (CoreDNS plugin/file reload.go). A broken file changes nothing.

import { formatProblem, Problems } from '../corefile/problem.ts'
import type { ThreadLog } from '../observe/thread-log.ts'
import { type FileZone, zoneKey } from '../plugin/file/config.ts'
import { fileWord } from '../plugin/file/file.ts'
import { isUnchanged, type LoadedZone, type LoadFailure, reloadZone } from '../plugin/file/load.ts'
import { configsOf, type Setup } from '../setup/setup.ts'
import type { Clock } from '../shared/clock.ts'
import { Polled } from '../shared/polled.ts'

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
    for (const watch of this.#watches) void watch.stop()
    this.#watches = []
  }
}

class ZoneWatch {
  readonly #zone: FileZone
  readonly #options: ZoneFilesOptions
  readonly #polled: Polled
  #loaded: LoadedZone | undefined

  constructor(zone: FileZone, options: ZoneFilesOptions) {
    this.#zone = zone
    this.#options = options
    this.#loaded = zone.loaded
    this.#polled = new Polled({
      clock: options.clock,
      look: () => this.#look(),
      intervalMs: () => zone.reloadMs,
      trouble: lines => {
        for (const line of lines.split('\n')) this.#log('ERROR', line)
      },
      well: () => this.#log('INFO', `Zone "${zone.origin}" in "${zone.file}" can be read again`),
    })
    this.#polled.start()
  }

  stop(): Promise<void> {
    return this.#polled.stop()
  }

  async #look(): Promise<string | undefined> {
    if (this.#loaded && isUnchanged(this.#loaded)) return undefined
    const { file, origin } = this.#zone
    const problems = new Problems()
    const read = await reloadZone(file, origin, problems)
    if (read === 'mistakes' || 'unreadable' in read) return this.#failure(read, problems)
    // A file that changes while it is read is looked at again: it may not have been whole.
    if (this.#polled.stopped || !isUnchanged(read)) return this.#polled.trouble
    for (const problem of problems.list) this.#log('WARNING', formatProblem(problem))
    this.#take(read)
    return undefined
  }

  /** What is wrong, in lines. */
  #failure(failure: LoadFailure, problems: Problems): string {
    const { file, origin } = this.#zone
    if (failure !== 'mistakes') return `Failed to open zone "${origin}" in "${file}": ${failure.unreadable}`
    return problems.list
      .filter(({ severity }) => severity === 'error')
      .slice(0, SHOWN_MAX)
      .map(problem => `Parsing zone "${origin}": ${formatProblem(problem)}`)
      .join('\n')
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
