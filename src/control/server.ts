// The control thread at work: builds the parts, and owns the order of start, reload, drain and stop.
//
//   start    configuration → HTTP sites → sources, waited for → serving threads → banner
//   reload   the same beside what serves, then one commit; any error keeps the old configuration
//   stop     /ready says 503 → lameduck, still watching and answering → threads drain → sources and sites close

import { availableParallelism } from 'node:os'
import { Clusters } from '../cluster/clusters.ts'
import type { PodEvents } from '../cluster/pod-events.ts'
import { REUSE_PORT } from '../listen/reuse-port.ts'
import { watchBusy } from '../observe/busy.ts'
import { HttpListenError, HttpSites } from '../observe/http.ts'
import { Readiness } from '../observe/ready.ts'
import { Traffic } from '../observe/traffic.ts'
import { sourceKey } from '../plugin/kubernetes/config.ts'
import { threadsOf } from '../plugin/multisocket.ts'
import { type Configuration, readChanged, readConfiguration } from '../setup/configuration.ts'
import { lookUpHosts } from '../setup/hosts.ts'
import { publicText } from '../setup/public-text.ts'
import type { Setup } from '../setup/setup.ts'
import { systemClock } from '../shared/clock.ts'
import { formatDuration } from '../shared/duration.ts'
import { Admin, adminAddresses } from './admin.ts'
import { CorefileState, errorsOf } from './corefile-state.ts'
import { cpuQuotaCores } from './cpu-quota.ts'
import { Descriptors } from './descriptors.ts'
import type { Served } from './explaining.ts'
import { Facts } from './facts.ts'
import { HostsFiles } from './hosts-files.ts'
import { Notifier } from './notify.ts'
import { ownAddressesOf, Ports } from './ports.ts'
import { Reloader } from './reloader.ts'
import { ResidentMemory } from './resident-memory.ts'
import type { ServerOptions } from './server-options.ts'
import { type Shown, sitesOf } from './sites.ts'
import { Status } from './status.ts'
import { Taps } from './taps.ts'
import { Threads } from './threads.ts'
import { ZoneFiles } from './zone-files.ts'

/** Under such a limit of processor time, one thread serves and controls: a second one takes 100 ms of it to start, and 24 MiB. */
const ONE_THREAD_CORES = 0.5

const hasHttp = ({ listens }: Setup): boolean => listens.some(({ scheme }) => scheme === 'https')

const explaining = () => import('./explaining.ts')

/** The server could not start; everything it began is undone. */
export class StartError extends Error {
  readonly code = 'START_FAILED'
}

export class Server {
  readonly #options: ServerOptions
  readonly #clusters: Clusters
  readonly #threads: Threads
  readonly #traffic: Traffic
  readonly #taps: Taps
  readonly #sites: HttpSites
  readonly #readiness: Readiness
  readonly #facts: Facts
  readonly #status: Status
  readonly #shown: Shown
  readonly #notifier: Notifier
  readonly #zoneFiles: ZoneFiles
  readonly #hostsFiles: HostsFiles
  readonly #admin: Admin
  readonly #corefile: CorefileState
  readonly #ports: Ports
  readonly #descriptors: Descriptors
  readonly #memory: ResidentMemory
  #events: PodEvents | undefined
  #reloader: Reloader | undefined
  /** Why the last reload failed. */
  #reloadError: string | undefined
  #current: Configuration | undefined
  #endBusy: (() => void) | undefined
  readonly #quotaCores = cpuQuotaCores()

  constructor(options: ServerOptions) {
    const { log, registry, quiet, logForm } = options
    this.#options = options
    this.#corefile = new CorefileState({
      ...options,
      refusal: text => this.#events?.tell('CorefileRefused', text),
    })
    this.#ports = new Ports(options)
    this.#descriptors = new Descriptors({ clock: systemClock, log })
    this.#memory = new ResidentMemory({ clock: systemClock, log })
    this.#clusters = new Clusters({
      log,
      meters: registry.meters,
      registry,
      forbidden: text => this.#events?.tell('WatchForbidden', text),
    })
    this.#traffic = new Traffic({
      clock: systemClock,
      log,
      registry,
      podsOf: addresses => this.#clusters.podsOf(addresses),
    })
    this.#threads = new Threads({
      registry,
      log,
      quiet,
      logForm,
      passed: options.passed ?? [],
      traffic: this.#traffic,
      operatorEvent: ({ reason, text }) => this.#events?.tell(reason, text),
      tapped: batches => this.#taps.take(batches),
    })
    this.#taps = new Taps({
      tell: filters => this.#threads.tap(filters),
      podsOf: addresses => this.#clusters.podsOf(addresses),
      addressesOf: pods => this.#clusters.addressesOf(pods),
    })
    this.#sites = new HttpSites(registry.meters, options.overlap && REUSE_PORT)
    this.#readiness = new Readiness(
      log,
      () => this.#corefile.refusals,
      text => publicText(text, this.#current?.hidden),
    )
    this.#facts = new Facts({ registry, log, portOf: address => this.#sites.portOf(address) })
    this.#notifier = new Notifier({
      clock: systemClock,
      random: Math.random,
      log,
      meters: registry.meters,
      clusterSerial: (key, imported) => this.#clusters.serialOf(key, imported),
    })
    this.#hostsFiles = new HostsFiles({
      clock: systemClock,
      log,
      meters: registry.meters,
      publish: (key, image) => this.#threads.publishImage(key, image),
    })
    this.#admin = new Admin({
      log,
      meters: registry.meters,
      clock: systemClock,
      commands: new Map([
        ['explain', async request => (await explaining()).explainRequest(request, this.#served)],
      ]),
      streams: new Map([['tap', (request, write) => this.#taps.follow(request, write)]]),
    })
    this.#status = new Status({
      clock: systemClock,
      registry,
      traffic: this.#traffic,
      clusters: this.#clusters,
      threads: () => [
        { name: 'control', utilization: () => performance.eventLoopUtilization() },
        ...this.#threads.busy(),
      ],
      problems: () => this.#corefile.problems(this.#current),
      explain: async (name, type, from) =>
        (await explaining()).explainText({ name, type, from }, this.#served),
    })
    this.#shown = { registry, metrics: options.metrics, readiness: this.#readiness, status: this.#status }
    this.#zoneFiles = new ZoneFiles({
      clock: systemClock,
      log,
      publish: (key, image) => this.#threads.publishImage(key, image),
      changed: origin => this.#notifier.changed(origin),
    })
  }

  get setup(): Setup | undefined {
    return this.#current?.setup
  }

  /** For whoever explains a name. */
  get #served(): Served {
    return {
      setup: this.setup,
      clusters: this.#clusters,
      threads: this.#threads,
      refused: this.#corefile.refused,
    }
  }

  get clusters(): Clusters {
    return this.#clusters
  }

  /** Starts serving. Throws StartError with everything that is wrong. */
  async start(): Promise<void> {
    if (this.#options.events) await this.#openEvents()
    const error = await this.#start()
    if (error === undefined) return
    await this.#events?.stop()
    throw new StartError(error)
  }

  /** Its code is loaded where there are Events only. */
  async #openEvents(): Promise<void> {
    const { log, registry } = this.#options
    const { openPodEvents } = await import('../cluster/pod-events.ts')
    const events = await openPodEvents({ clock: systemClock, log, meters: registry.meters }, process.env)
    if (typeof events === 'string') log.write('WARNING', 'events', events)
    else this.#events = events
  }

  /** Gives what is wrong where nothing is served. */
  async #start(): Promise<string | undefined> {
    const configuration = await lookUpHosts(readConfiguration(this.#options.configuration))
    this.#corefile.warn(configuration)
    const usable = configuration.errors === 0 ? configuration : this.#corefile.fallBack(configuration)
    if (typeof usable === 'string') {
      this.#corefile.tell()
      return usable
    }
    this.#facts.start()
    this.#endBusy = watchBusy(this.#options.registry, () => this.#threads.busy())
    const threads = this.#threadsWanted(usable.setup)
    await this.#threads.start(threads, {
      here: threads === 1 && this.#servesHere(usable.setup),
      hasHttp: hasHttp(usable.setup),
    })
    const error = await this.#serve(usable)
    if (error !== undefined) {
      this.#corefile.judge(usable, error)
      await this.#close()
      return error
    }
    this.#corefile.tell()
    if (usable === configuration) this.#corefile.keep(usable)
    this.#reloader = new Reloader({
      clock: systemClock,
      random: Math.random,
      log: this.#options.log,
      read: async unlessHash => {
        const changed = readChanged(this.#options.configuration, unlessHash)
        if (changed === undefined) return undefined
        this.#corefile.warn(changed)
        return lookUpHosts(changed)
      },
      apply: (next, isRetry) => this.#reload(next, isRetry),
    })
    this.#reloader.start(usable, configuration)
    this.#descriptors.start()
    this.#memory.start()
    return undefined
  }

  /** Reads the Corefile again now (SIGUSR1). */
  async reload(): Promise<void> {
    await this.#reloader?.look(true)
  }

  /** Takes a changed configuration, and whether it could; the error keeps the old one, and is told once. */
  async #reload(next: Configuration, isRetry: boolean): Promise<boolean> {
    const { log, registry } = this.#options
    if (!isRetry) log.write('INFO', '', 'Reloading')
    const error = next.errors > 0 ? errorsOf(next) : await this.#serve(next)
    if (isRetry && error !== undefined && error === this.#reloadError) return false
    this.#reloadError = error
    this.#corefile.judge(next, error)
    if (error === undefined) {
      this.#corefile.keep(next)
      this.#warnOfThreads(next.setup)
      registry.publish('coredns_reload_version_info', [
        { labels: { hash: 'sha512', value: next.hash }, value: 1 },
      ])
      log.write('INFO', 'plugin/reload', `Running configuration SHA512 = ${next.hash}`)
      log.write('INFO', '', 'Reloading complete')
      return true
    }
    registry.meters.counter('coredns_reload_failed_total').add()
    log.write('ERROR', '', `Restart failed: ${error}`)
    log.write(
      'ERROR',
      'plugin/reload',
      'Corefile changed but reload failed; the configuration before it goes on being served',
    )
    return false
  }

  #threadsWanted({ multisocket }: Setup): number {
    const cores = Math.min(availableParallelism(), Math.max(1, Math.floor(this.#quotaCores)))
    return threadsOf(multisocket, this.#options.lean ? 1 : cores)
  }

  /** A cluster's changes would keep queries waiting; under a small limit either waits for the other anyway. */
  #servesHere({ kubernetes }: Setup): boolean {
    if (kubernetes.length === 0 && this.#options.lean === true) return true
    return this.#quotaCores <= ONE_THREAD_CORES
  }

  #warnOfThreads(setup: Setup): void {
    const wanted = this.#threadsWanted(setup)
    const { log } = this.#options
    const { count, haveRoomForHttp } = this.#threads
    if (wanted !== count)
      log.write(
        'WARNING',
        'plugin/multisocket',
        `${wanted} serving threads need a restart; the ${count} that were started go on`,
      )
    if (hasHttp(setup) && !haveRoomForHttp)
      log.write(
        'WARNING',
        '',
        'queries over HTTPS are served, and cost less after a restart: the serving threads were started without room for them',
      )
  }

  /** Brings everything to a configuration, or leaves everything as it was and says why. */
  async #serve(configuration: Configuration): Promise<string | undefined> {
    const { setup } = configuration
    const held = await this.#ports.held(setup.listens, this.setup?.listens ?? [])
    if (held !== undefined) return held
    const sourceErrors = await this.#clusters.prepare(setup.kubernetes)
    if (sourceErrors.length > 0) return sourceErrors.join('\n')
    const sites = await this.#sites.prepare(sitesOf(setup, this.#shown))
    if (sites instanceof HttpListenError) {
      await this.#keepSources()
      return sites.message
    }
    // The first start says how it stands while it waits; a reload goes on being what it was until it is whole.
    const first = this.#current === undefined
    if (first) {
      await sites.commit()
      this.#watchReadiness(setup)
      // One thread answers already while the next one is prepared.
      this.#facts.publish(setup)
    }
    await this.#clusters.settle(setup.kubernetes)
    const work = { setup, tables: this.#clusters.tables, ownAddresses: ownAddressesOf(setup) }
    const errors = await this.#threads.prepare(work)
    if (errors.length > 0) {
      await sites.abandon()
      await this.#keepSources()
      return errors.join('\n')
    }
    if (!first) this.#facts.publish(setup)
    this.#options.log.debug = setup.debug
    this.#hostsFiles.count(setup)
    await this.#threads.commit(work)
    this.#current = configuration
    this.#ports.tellUnasked(setup.listens)
    if (!first) {
      await sites.commit()
      this.#watchReadiness(setup)
    }
    const { addresses, problem } = adminAddresses(setup, process.env)
    if (problem !== undefined)
      this.#options.log.write('WARNING', 'plugin/admin', `no socket for commands: ${problem}`)
    await this.#admin.listen(addresses)
    this.#facts.probe(setup)
    this.#zoneFiles.watch(setup)
    this.#hostsFiles.watch(setup)
    this.#notifier.watch(setup)
    await this.#clusters.keepOnly(setup.kubernetes)
    return undefined
  }

  async #keepSources(): Promise<void> {
    await this.#clusters.keepOnly(this.#current?.setup.kubernetes ?? [])
  }

  #watchReadiness(setup: Setup): void {
    const keys = new Set(setup.kubernetes.map(sourceKey))
    const watched = this.#clusters.all.filter(source => keys.has(source.key))
    this.#readiness.watch(watched, setup.ready[0]?.monitor ?? 'until-ready')
  }

  /** Says 503 on /ready, serves on for the lameduck time, finishes what is in flight and closes. */
  async stop(lameduck: boolean): Promise<void> {
    this.#readiness.end()
    this.#reloader?.stop()
    const lameduckMs = Math.max(0, ...(this.setup?.health ?? []).map(health => health.lameduckMs))
    if (lameduck && lameduckMs > 0) {
      this.#options.log.write(
        'INFO',
        'plugin/health',
        `Going into lameduck mode for ${formatDuration(lameduckMs)}`,
      )
      await new Promise<void>(resolve => setTimeout(resolve, lameduckMs))
    }
    await this.#close()
  }

  /** Ends the threads at once, whatever is in flight. */
  async abort(): Promise<void> {
    await this.#threads.terminate()
  }

  async #close(): Promise<void> {
    this.#descriptors.stop()
    this.#memory.stop()
    this.#admin.stop()
    this.#zoneFiles.stop()
    this.#hostsFiles.stop()
    this.#notifier.stop()
    await this.#threads.drain()
    this.#traffic.stop()
    await this.#corefile.kept
    await this.#events?.stop()
    await this.#clusters.stop()
    await this.#sites.stop(0)
    this.#endBusy?.()
    this.#facts.stop()
  }
}
