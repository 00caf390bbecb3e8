// The ports and addresses of a configuration beside what the machine has: ports that another server holds, sockets that were
// passed and have no block, the addresses by which others reach this server.

import { networkInterfaces } from 'node:os'
import { portHolder } from '../listen/held-ports.ts'
import type { PassedSocket } from '../listen/listener.ts'
import { transportsOf, unasked } from '../listen/passed-sockets.ts'
import type { ProcessLog } from '../observe/log.ts'
import { ownAddresses } from '../plugin/kubernetes/nameservers.ts'
import type { ListenSetup, Setup } from '../setup/setup.ts'

export interface PortsOptions {
  readonly log: ProcessLog
  /** Whether another server of this user may have the same ports. */
  readonly overlap: boolean
  /** Sockets that were opened before the server was. */
  readonly passed?: readonly PassedSocket[] | undefined
}

export class Ports {
  readonly #options: PortsOptions
  /** Passed sockets without a block, as told last. */
  #unasked: readonly string[] = []

  constructor(options: PortsOptions) {
    this.#options = options
  }

  /** A port that another server has, in words; those of what is served already are this one's. */
  async held(listens: readonly ListenSetup[], served: readonly ListenSetup[]): Promise<string | undefined> {
    if (this.#options.overlap) return undefined
    const own = new Set(served.map(({ port }) => port))
    for (const { address, port, scheme, place } of listens) {
      if (own.has(port)) continue
      const holder = await portHolder(address, port, transportsOf(scheme), this.#options.passed)
      if (holder !== undefined)
        return `${holder}, which ${place} asks for; with -overlap it may be shared with a server of this user`
    }
    return undefined
  }

  /** A socket that was passed and has no block is told of when that begins. */
  tellUnasked(listens: readonly ListenSetup[]): void {
    const { passed = [], log } = this.#options
    const texts = unasked(passed, listens)
    for (const text of texts) if (!this.#unasked.includes(text)) log.write('WARNING', '', text)
    this.#unasked = texts
  }
}

/** The addresses by which others reach this server: the bound ones, or all of the machine where one listener is on all. */
export function ownAddressesOf(setup: Setup): Uint8Array[] {
  const bound = setup.listens.map(({ address }) => address)
  const all = bound.some(address => address === '' || address === '0.0.0.0' || address === '::')
  const texts = all
    ? Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ address }) => address))
    : bound
  return ownAddresses([...new Set(texts)])
}
