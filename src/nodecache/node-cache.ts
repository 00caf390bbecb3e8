// The cache on every node: what `node-cache` of kubernetes/dns does around CoreDNS. It fills in the template of the Corefile and
// follows it, has an interface with the cache's addresses, and keeps DNS out of connection tracking once it is served.
//
//   start     interface → Corefile of the template → (the server starts)
//   serving   rules; every -syncinterval both are looked after, every 10 s the template and the ConfigMap kube-dns
//   stop      rules and interface go, unless another server has the addresses by now: then they are its own

import { writeFileSync } from 'node:fs'
import { portHolder } from '../listen/held-ports.ts'
import type { Counter, Meters } from '../observe/meters.ts'
import type { ThreadLog } from '../observe/thread-log.ts'
import type { Clock } from '../shared/clock.ts'
import { Polled } from '../shared/polled.ts'
import { readRegular, SETTINGS_MAX_OCTETS } from '../shared/regular-file.ts'
import { type KubeDnsConfig, NO_KUBE_DNS_CONFIG, readKubeDnsConfig } from './config-map.ts'
import { fillTemplate, serviceVariable } from './corefile.ts'
import { ensureInterface, removeInterface } from './interface.ts'
import { ensureNotrack, removeNotrack } from './notrack.ts'
import type { NodeCacheOptions } from './options.ts'

/** As node-cache looks at both of its ConfigMaps. */
const CONFIG_INTERVAL_MS = 10_000
const FROM = 'node-cache'

/** What can go wrong, as the label `errortype` of node-cache's metric has it. */
const FAULTS = ['iptables', 'iptables_lock', 'interface_add', 'interface_check', 'configmap'] as const
type Fault = (typeof FAULTS)[number]

export interface NodeCacheParts {
  readonly log: Pick<ThreadLog, 'write'>
  readonly meters: Meters
  readonly clock: Clock
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The Corefile is another one now. */
  readonly changed: () => void
}

export class NodeCache {
  readonly #options: NodeCacheOptions
  readonly #parts: NodeCacheParts
  readonly #faults: ReadonlyMap<Fault, Counter>
  #kubeDns: KubeDnsConfig = NO_KUBE_DNS_CONFIG
  #corefile = ''
  #wrongConfiguration: string | undefined
  readonly #polled: Polled[] = []

  constructor(options: NodeCacheOptions, parts: NodeCacheParts) {
    this.#options = options
    this.#parts = parts
    const { meters } = parts
    this.#faults = new Map(
      FAULTS.map(errortype => [
        errortype,
        meters.counter('coredns_nodecache_setup_errors_total', { errortype }),
      ]),
    )
    for (const fault of this.#faults.values()) fault.add(0)
  }

  /** The Corefile as it is to be served now. */
  get corefile(): string {
    return this.#corefile
  }

  /** Makes the interface and the Corefile; why there is none, in words. What else is wrong is logged, and tried again. */
  async start(): Promise<string | undefined> {
    const { upstreamService, localIps, baseCorefile } = this.#options
    const variable = serviceVariable(upstreamService)
    if (!this.#parts.environment[variable])
      this.#warn(`the cluster IP of the Service ${upstreamService} is not known: ${variable} is not set`)
    const wrong = this.#readConfiguration()
    if (this.#corefile.trim() === '') return wrong ?? `the template ${baseCorefile} is empty`
    this.#tell(wrong)
    this.#tell(await this.#lookAfterInterface())
    this.#parts.log.write('INFO', FROM, `listening on ${localIps.join(', ')}, behind ${upstreamService}`)
    return undefined
  }

  /** To be called when the server answers: from here on, Pods may be sent to it. */
  async serving(): Promise<void> {
    const { syncIntervalMs, setupInterface, setupNotrack } = this.#options
    if (setupInterface || setupNotrack) {
      const known = await this.#lookAfterNetwork()
      this.#tell(known)
      this.#poll(syncIntervalMs, () => this.#lookAfterNetwork(), known)
    }
    this.#poll(CONFIG_INTERVAL_MS, () => this.#lookAtConfiguration(), this.#wrongConfiguration)
  }

  #poll(intervalMs: number, look: () => Promise<string | undefined>, known: string | undefined): void {
    const polled = new Polled({
      clock: this.#parts.clock,
      look,
      intervalMs: () => intervalMs,
      trouble: text => this.#tell(text),
      known,
    })
    polled.start()
    this.#polled.push(polled)
  }

  async #lookAtConfiguration(): Promise<string | undefined> {
    const before = this.#corefile
    const trouble = this.#readConfiguration()
    if (this.#corefile !== before) this.#parts.changed()
    return trouble
  }

  /** Takes away what was made, when nothing of this process answers any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#polled.map(polled => polled.stop()))
    const { skipTeardown, setupInterface, setupNotrack, localIps, port, family, interfaceName } =
      this.#options
    if (skipTeardown || !(setupInterface || setupNotrack)) return
    if ((await portHolder(localIps[0]!, port, ['udp'])) !== undefined) {
      this.#parts.log.write('INFO', FROM, 'another server has the addresses: interface and rules stay')
      return
    }
    this.#parts.log.write('INFO', FROM, 'taking away interface and rules')
    try {
      if (setupNotrack) await removeNotrack(family)
      if (setupInterface) await removeInterface({ name: interfaceName, addresses: localIps, family })
    } catch (error) {
      this.#parts.log.write('ERROR', FROM, (error as Error).message)
    }
  }

  /** What is wrong, in words. */
  async #lookAfterNetwork(): Promise<string | undefined> {
    const { setupNotrack, localIps, family, port, healthPort } = this.#options
    const wrong = await this.#lookAfterInterface()
    if (!setupNotrack) return wrong
    try {
      const added = await ensureNotrack({ addresses: localIps, family, port, healthPort })
      if (added) this.#parts.log.write('INFO', FROM, 'DNS to and from the cache is not tracked now')
      return wrong
    } catch (error) {
      this.#count('iptables')
      return [wrong, (error as Error).message].filter(text => text !== undefined).join('; ')
    }
  }

  async #lookAfterInterface(): Promise<string | undefined> {
    const { setupInterface, interfaceName, localIps, family } = this.#options
    if (!setupInterface) return undefined
    try {
      const { name, added } = await ensureInterface({ name: interfaceName, addresses: localIps, family })
      if (!added) return undefined
      if (name === interfaceName) this.#parts.log.write('INFO', FROM, `added the interface ${name}`)
      else this.#warn(`this kernel has no dummy interfaces: the addresses are on ${name}`)
      return undefined
    } catch (error) {
      this.#count('interface_add')
      return (error as Error).message
    }
  }

  /** Makes the Corefile anew; what is wrong, in words, and then the former one stays. */
  #readConfiguration(): string | undefined {
    const { baseCorefile, kubeDnsFolder, corefile, localIps, port, upstreamService } = this.#options
    const wrong: string[] = []
    try {
      this.#kubeDns = readKubeDnsConfig(kubeDnsFolder)
    } catch (error) {
      wrong.push(`the ConfigMap kube-dns in ${kubeDnsFolder}: ${(error as Error).message}`)
    }
    try {
      const clusterDns = this.#parts.environment[serviceVariable(upstreamService)] || undefined
      const template = readRegular(baseCorefile, SETTINGS_MAX_OCTETS)
      const text = fillTemplate(template, { localIps, port, clusterDns, kubeDns: this.#kubeDns })
      if (text !== this.#corefile) this.#show(corefile, text)
      this.#corefile = text
    } catch (error) {
      wrong.push(`the template ${baseCorefile}: ${(error as Error).message}`)
    }
    this.#wrongConfiguration = wrong.length === 0 ? undefined : wrong.join('; ')
    if (wrong.length > 0) this.#count('configmap')
    return this.#wrongConfiguration
  }

  /** For people: what is served is in memory, so that the root may be read-only. */
  #show(file: string, text: string): void {
    const { stubDomains, upstreamNameservers } = this.#kubeDns
    const upstreams = upstreamNameservers.join(' ') || '/etc/resolv.conf'
    this.#parts.log.write(
      'INFO',
      FROM,
      `a Corefile with ${stubDomains.size} stub domains and the upstreams ${upstreams}`,
    )
    try {
      writeFileSync(file, text)
    } catch (error) {
      this.#warn(`the Corefile is not shown in ${file}: ${(error as Error).message}`)
    }
  }

  #tell(wrong: string | undefined): void {
    if (wrong !== undefined) this.#parts.log.write('ERROR', FROM, wrong)
  }

  #count(fault: Fault): void {
    this.#faults.get(fault)!.add()
  }

  #warn(text: string): void {
    this.#parts.log.write('WARNING', FROM, text)
  }
}
