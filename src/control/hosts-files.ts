// The files of `hosts` while serving: looks at each from time to time, reads one that changed beside the state that is served,
// and publishes its image to the serving threads. What cannot be read, or is too much, changes nothing and is logged once.

import type { Meters } from '../observe/meters.ts'
import type { ThreadLog } from '../observe/thread-log.ts'
import type { HostsConfig, LoadedHosts } from '../plugin/hosts/config.ts'
import { hostsWord } from '../plugin/hosts/hosts.ts'
import { hostsKey, reloadHosts } from '../plugin/hosts/load.ts'
import { configsOf, type Setup } from '../setup/setup.ts'
import type { Clock } from '../shared/clock.ts'
import { Polled } from '../shared/polled.ts'

const LOG_FROM = 'plugin/hosts'

export interface HostsFilesOptions {
  readonly clock: Clock
  readonly log: Pick<ThreadLog, 'write'>
  readonly meters: Meters
  /** Takes the new image of a file to the serving threads. */
  readonly publish: (key: string, image: SharedArrayBuffer) => void
}

export class HostsFiles {
  readonly #options: HostsFilesOptions
  #watches: readonly HostsWatch[] = []

  constructor(options: HostsFilesOptions) {
    this.#options = options
  }

  /** Counts what a configuration that is about to serve has read of its files. */
  count(setup: Pick<Setup, 'blocks'>): void {
    for (const config of configsIn(setup)) countHosts(config, config.loaded, this.#options)
  }

  /** Watches the files of a configuration that serves, in place of those before. */
  watch(setup: Pick<Setup, 'blocks'>): void {
    this.stop()
    this.#watches = configsIn(setup).map(config => new HostsWatch(config, this.#options))
  }

  stop(): void {
    for (const watch of this.#watches) watch.stop()
    this.#watches = []
  }
}

/** Each file once. */
function configsIn({ blocks }: Pick<Setup, 'blocks'>): HostsConfig[] {
  const configs = blocks.flatMap(block => configsOf(block, hostsWord))
  return [...new Map(configs.map(config => [hostsKey(config), config])).values()]
}

function countHosts(
  { file }: HostsConfig,
  { entries, state, modifiedSeconds }: LoadedHosts,
  { meters, log }: HostsFilesOptions,
): void {
  meters.gauge('coredns_hosts_entries', { hostsfile: file }).set(entries)
  if (state === '') return
  meters.gauge('coredns_hosts_reload_timestamp_seconds').set(modifiedSeconds)
  log.write('DEBUG', LOG_FROM, `Parsed hosts file into ${entries} entries`)
}

class HostsWatch {
  readonly #config: HostsConfig
  readonly #options: HostsFilesOptions
  readonly #polled: Polled
  /** Which state of the file was read last, and what was wrong with it. */
  #state: string
  #problem: string | undefined

  constructor(config: HostsConfig, options: HostsFilesOptions) {
    this.#config = config
    this.#options = options
    this.#state = config.loaded.state
    this.#polled = new Polled({
      clock: options.clock,
      look: () => this.#look(),
      intervalMs: () => config.reloadMs,
      // The Corefile's reader has told it.
      known: config.loaded.problem,
      trouble: problem => this.#log('WARNING', `${problem}; what was read before goes on being served`),
      well: () => this.#log('INFO', `the hosts file ${config.file} is there again`),
    })
    this.#polled.start()
  }

  stop(): void {
    void this.#polled.stop()
  }

  /** Reads the file again where it is another one; what is wrong with it. */
  async #look(): Promise<string | undefined> {
    const read = await reloadHosts(this.#config, this.#state)
    if (read === undefined || this.#polled.stopped) return this.#problem
    if ('problem' in read) {
      this.#state = read.state ?? this.#state
      // What cannot be read now may be as it was in a moment; what is too much stays so until the file changes.
      this.#problem = read.state === undefined ? undefined : read.problem
      return read.problem
    }
    this.#state = read.state
    this.#problem = undefined
    this.#options.publish(hostsKey(this.#config), read.image)
    countHosts(this.#config, read, this.#options)
    return undefined
  }

  #log(level: 'DEBUG' | 'INFO' | 'WARNING', text: string): void {
    this.#options.log.write(level, LOG_FROM, text)
  }
}
