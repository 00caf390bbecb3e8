// What the process says of itself in its metrics, whatever it is asked: its build, the plugins in use, what it consumes and,
// where there is `health`, how fast it answers itself.

import { HealthProbe, healthUrl } from '../observe/health.ts'
import { ProcessStats } from '../observe/process-stats.ts'
import type { Registry } from '../observe/registry.ts'
import type { ThreadLog } from '../observe/thread-log.ts'
import { servedWord } from '../plugin/registry.ts'
import { viewWord } from '../plugin/view/view.ts'
import { configsOf, type PluginSetup, type Setup } from '../setup/setup.ts'
import { systemClock } from '../shared/clock.ts'
import { VERSION } from '../shared/version.ts'

export interface FactsOptions {
  readonly registry: Registry
  readonly log: ThreadLog
  /** The port that an address of `health` has come to listen at. */
  readonly portOf: (address: Setup['health'][number]['address']) => number | undefined
}

export class Facts {
  readonly #options: FactsOptions
  readonly #stats: ProcessStats
  #probes: readonly HealthProbe[] = []

  constructor(options: FactsOptions) {
    this.#options = options
    this.#stats = new ProcessStats(options.registry)
  }

  start(): void {
    this.#stats.start()
  }

  stop(): void {
    for (const probe of this.#probes) probe.stop()
    this.#stats.stop()
  }

  /** Publishes what a configuration is made of. */
  publish(setup: Setup): void {
    const { registry } = this.#options
    const goversion = `node ${process.versions.node}`
    registry.publish('coredns_build_info', [
      { labels: { version: VERSION, revision: '', goversion }, value: 1 },
    ])
    registry.publish(
      'coredns_plugin_enabled',
      setup.listens.flatMap(({ server, zones }) =>
        zones.flatMap(({ zone, block }) => {
          const { plugins } = setup.blocks[block]!
          const view = configsOf({ plugins }, viewWord)[0]?.name ?? ''
          return plugins
            .filter(isHandler)
            .map(({ word }) => ({ labels: { server, zone, view, name: word }, value: 1 }))
        }),
      ),
    )
    this.#stats.detailed = setup.prometheus.some(({ runtimeMetrics }) => runtimeMetrics)
  }

  /** Asks /health from time to time, once it is served. */
  probe(setup: Setup): void {
    for (const probe of this.#probes) probe.stop()
    const { log, registry, portOf } = this.#options
    this.#probes = setup.health.slice(0, 1).map(({ address }) => {
      const url = healthUrl(address.host, portOf(address) ?? address.port)
      return new HealthProbe({ url, clock: systemClock, meters: registry.meters, log })
    })
    for (const probe of this.#probes) probe.start()
  }
}

/** Whether the plugin stands in the chain, which CoreDNS's metric of enabled plugins is about. */
const isHandler = ({ word }: PluginSetup): boolean =>
  word === 'prometheus' || servedWord(word)?.create !== undefined
