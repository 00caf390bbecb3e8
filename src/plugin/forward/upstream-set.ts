// The upstreams of a rule, which may change while serving: addresses stay, files and host names are read again from time
// to time. An upstream that stays keeps its connections and its health. A source that cannot be read changes nothing.

import { Polled } from '../../shared/polled.ts'
import { readRegularSoon, SETTINGS_MAX_OCTETS } from '../../shared/regular-file.ts'
import { addressText, type RuleConfig, type To, UPSTREAMS_MAX, type UpstreamAddress } from './config.ts'
import { type LookupHost, lookupHost } from './lookup-host.ts'
import { parseResolvConf } from './resolv-conf.ts'
import type { Upstream, UpstreamContext } from './upstream.ts'

/** How often a file is read again. */
export const FILE_INTERVAL_MS = 5000
/** How often a host name is looked up again. */
export const HOST_INTERVAL_MS = 60_000
/** The same while nothing is known of it. */
export const HOST_RETRY_MS = 2000

interface Source {
  readonly to: To
  addresses: readonly UpstreamAddress[]
}

/** The upstreams of one rule on one serving thread. */
export class UpstreamSet {
  readonly #context: UpstreamContext
  readonly #make: (address: UpstreamAddress) => Upstream
  readonly #resolvers: readonly string[]
  readonly #lookupHost: LookupHost
  readonly #sources: readonly Source[]
  readonly #polled: readonly Polled[]
  readonly #known = new Map<string, Upstream>()
  #list: readonly Upstream[] = []

  constructor(
    { to, resolvers }: Pick<RuleConfig, 'to' | 'resolvers'>,
    context: UpstreamContext,
    make: (address: UpstreamAddress) => Upstream,
    lookup: LookupHost = lookupHost,
  ) {
    this.#context = context
    this.#make = make
    this.#resolvers = resolvers
    this.#lookupHost = lookup
    this.#sources = to.map(one => ({
      to: one,
      addresses: knownOf(one),
    }))
    this.#update()
    this.#polled = this.#sources.flatMap(source =>
      source.to.kind === 'address' ? [] : [this.#watch(source)],
    )
  }

  /** In the order of the Corefile; empty while no host name is known yet. */
  get list(): readonly Upstream[] {
    return this.#list
  }

  /** Ends when what is under way has ended: they are asked nothing new. */
  retire(): void {
    for (const polled of this.#polled) void polled.stop()
    for (const upstream of this.#known.values()) upstream.retire()
  }

  /** Upstreams are neither looked up nor checked any more. */
  rest(): void {
    for (const polled of this.#polled) void polled.stop()
    for (const upstream of this.#known.values()) upstream.rest()
  }

  stop(): void {
    this.rest()
    for (const upstream of this.#known.values()) upstream.stop()
  }

  /** A file was read with the Corefile, and a host name looked up; one that is not known yet is looked up now. */
  #watch(source: Source): Polled {
    const { to } = source
    const polled = new Polled({
      clock: this.#context.clock,
      look: () => this.#read(source, polled),
      intervalMs: () =>
        to.kind === 'file'
          ? FILE_INTERVAL_MS
          : source.addresses.length > 0
            ? HOST_INTERVAL_MS
            : HOST_RETRY_MS,
      trouble: text => this.#log('WARNING', `${nameOf(to)}: ${text}; upstreams stay ${this.#names()}`),
    })
    if (source.addresses.length > 0 || to.kind === 'file') polled.start()
    else void polled.look()
    return polled
  }

  async #read(source: Source, polled: Polled): Promise<undefined> {
    const { to } = source
    const addresses = to.kind === 'file' ? await readServers(to.path) : await this.#readHost(to)
    if (polled.stopped) return
    if (textOf(addresses) === textOf(source.addresses)) {
      if (polled.trouble !== undefined) this.#log('INFO', `${nameOf(to)} is as it was before`)
      return
    }
    source.addresses = addresses
    this.#update()
    this.#log('INFO', `${nameOf(to)} has changed: upstreams are now ${this.#names()}`)
  }

  async #readHost(to: To): Promise<readonly UpstreamAddress[]> {
    if (to.kind !== 'host') return []
    return upstreamsAt(to, await this.#lookupHost(to.host, this.#resolvers))
  }

  #update(): void {
    const wanted = new Map<string, UpstreamAddress>()
    for (const { addresses } of this.#sources) {
      for (const address of addresses) {
        const key = `${address.protocol} ${addressText(address)}`
        if (!wanted.has(key)) wanted.set(key, address)
      }
    }
    const dropped = wanted.size - UPSTREAMS_MAX
    if (dropped > 0) this.#log('WARNING', `${dropped} upstreams above ${UPSTREAMS_MAX} are not used`)
    const list: Upstream[] = []
    for (const [key, address] of [...wanted].slice(0, UPSTREAMS_MAX)) {
      const upstream = this.#known.get(key) ?? this.#make(address)
      this.#known.set(key, upstream)
      list.push(upstream)
    }
    for (const [key, upstream] of this.#known) {
      if (list.includes(upstream)) continue
      this.#known.delete(key)
      upstream.retire()
    }
    this.#list = list
  }

  #names(): string {
    return this.#list.length === 0 ? 'none' : this.#list.map(({ to }) => to).join(', ')
  }

  #log(level: 'INFO' | 'WARNING', text: string): void {
    this.#context.log.write(level, 'plugin/forward', text)
  }
}

/** What a TO means before it is looked at again. */
function knownOf(to: To): readonly UpstreamAddress[] {
  if (to.kind === 'address') return [to]
  return to.kind === 'file' ? to.upstreams : upstreamsAt(to, to.addresses)
}

const upstreamsAt = (
  { protocol, port, serverName, host }: Extract<To, { kind: 'host' }>,
  addresses: readonly string[],
): readonly UpstreamAddress[] =>
  addresses.map(address => ({ protocol, address, port, serverName: serverName ?? host }))

/** An empty file is a file being written: it takes nothing away. */
async function readServers(path: string): Promise<readonly UpstreamAddress[]> {
  const addresses = parseResolvConf(await readRegularSoon(path, SETTINGS_MAX_OCTETS))
  if (addresses.length === 0) throw new Error('no nameserver in it')
  return addresses
}

const nameOf = (to: To): string =>
  to.kind === 'file' ? to.path : to.kind === 'host' ? to.host : addressText(to)

const textOf = (addresses: readonly UpstreamAddress[]): string => addresses.map(addressText).join(' ')
