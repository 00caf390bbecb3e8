// What `bind` and the hosts of zone keys mean: an address, an interface's name, or everything.
//
// A wildcard means both families, whichever way it is spelled, because Go's net.Listen (and so CoreDNS) opens
// 0.0.0.0 and :: alike as one socket for IPv4 and IPv6.

import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { withInterfaceName } from '../query/sockaddr.ts'
import { parseIp } from '../shared/ip.ts'

/** What os.networkInterfaces gives. */
export type Interfaces = NodeJS.Dict<readonly NetworkInterfaceInfo[]>

/** An address of this machine: IPv6 link-local ones with `%interface`, without which they cannot be bound. */
export interface LocalAddress {
  readonly address: string
  readonly family: 4 | 6
  readonly interfaceName: string
}

/** Whether the text means all addresses of one family or of both. */
export const isWildcard = (address: string): boolean =>
  address === '' || address === '0.0.0.0' || address === '::'

/** All addresses of the machine, canonical, each once. */
export function interfaceAddresses(interfaces: Interfaces = networkInterfaces()): LocalAddress[] {
  const found = new Map<string, LocalAddress>()
  for (const [interfaceName, infos] of Object.entries(interfaces)) {
    for (const info of infos ?? []) {
      const ip = parseIp(info.address)
      if (!ip) continue
      const linkLocal = ip.family === 6 && ip.bytes[0] === 0xfe && (ip.bytes[1]! & 0xc0) === 0x80
      const address = linkLocal ? `${ip.text}%${interfaceName}` : ip.text
      if (!found.has(address)) found.set(address, { address, family: ip.family, interfaceName })
    }
  }
  return [...found.values()]
}

/** What a list of `bind` words comes to. */
export interface BindAddresses {
  /** For `ListenOptions.address`, each once: '' is every address of both families. */
  readonly addresses: readonly string[]
  /** Words that are neither an address nor an interface of this machine. */
  readonly unknown: readonly string[]
}

/**
 * The addresses that `bind WORD… { except WORD… }` means on this machine (CoreDNS plugin/bind): an interface
 * stands for all its addresses; without words, or with a wildcard among them, everything. With `except` a
 * wildcard becomes the list of what is left, and does not follow later changes of the machine's addresses.
 */
export function bindAddresses(
  words: readonly string[],
  except: readonly string[] = [],
  interfaces: Interfaces = networkInterfaces(),
): BindAddresses {
  const locals = interfaceAddresses(interfaces)
  const unknown: string[] = []
  const resolve = (word: string): string[] => {
    const [host = '', zone] = unbracket(word).split('%')
    const ip = parseIp(host)
    if (ip) return [zone === undefined ? ip.text : withInterfaceName(`${ip.text}%${zone}`, interfaces)]
    const ofInterface = locals.filter(local => local.interfaceName === word).map(local => local.address)
    if (ofInterface.length === 0) unknown.push(word)
    return ofInterface
  }
  const wanted = words.length === 0 ? [''] : words.flatMap(word => (word === '' ? [''] : resolve(word)))
  const unwanted = new Set(except.flatMap(resolve))
  const all = wanted.some(isWildcard)
  if (all && unwanted.size === 0) return { addresses: [''], unknown }
  const candidates = all ? locals.map(local => local.address) : wanted
  const addresses = [...new Set(candidates)].filter(address => !unwanted.has(address))
  return { addresses, unknown }
}

const unbracket = (word: string): string => (/^\[.*\]$/.test(word) ? word.slice(1, -1) : word)
