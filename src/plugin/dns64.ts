// `dns64 [PREFIX] { prefix PREFIX; translate_all; allow_ipv4 }`: gives clients that have IPv6 only an AAAA record for every
// host that has IPv4 only, behind a NAT64 (RFC 6147; CoreDNS plugin/dns64). The address is the prefix with the IPv4 address
// put behind it around octet 8, which stays zero (RFC 6052 2.2):
//
//   /96  64:ff9b::/96      192.0.2.33   64:ff9b::c000:221
//   /40  2001:db8:100::/40 192.0.2.33   2001:db8:1c0:2:21::

import { type Line, readLine } from '../corefile/arguments.ts'
import { parseKey } from '../corefile/key.ts'
import { parseNetwork } from '../corefile/zone.ts'
import type { Counter } from '../observe/meters.ts'
import { pluginIndex } from '../observe/query-meters.ts'
import { BACK, DONE, type Kept, LOOKUP, NEXT, type Packet, type Step } from '../query/packet.ts'
import { type Zoned, ZoneTable } from '../query/zone-table.ts'
import { FLAG_TC } from '../wire/header.ts'
import { copyName } from '../wire/message-name.ts'
import { NAME_MAX_OCTETS, name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import { SECTION } from '../wire/walk.ts'
import type { BlockContext, Handler, ServingContext, Word } from './plugin.ts'

const WORD = 'dns64'
const PLUGIN = pluginIndex(WORD)
/** Of answers about which no SOA record says how long their lack of AAAA lasts (RFC 6147 5.1.7). */
const TTL_MAX_SECONDS = 600
/** The octet of an address that RFC 6052 reserves. */
const RESERVED_OCTET = 8
/** 64:ff9b::/96 (RFC 6052 2.1). */
const WELL_KNOWN_PREFIX = Uint8Array.of(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0)
const PREFIX_MIN_BITS = 32
const PREFIX_MAX_BITS = 96

/** The configuration of `dns64`. */
export interface Dns64Config {
  /** 4 to 12 octets. */
  readonly prefix: Uint8Array
  /** Translates hosts that have AAAA records, too. */
  readonly translateAll: boolean
  /** Translates for clients that ask over IPv4, too. */
  readonly allowIpv4: boolean
  /** Zones whose names are left alone. */
  readonly except: readonly string[]
}

/** `dns64`; of several in a server block the last word counts. */
export const dns64Word: Word<Dns64Config> = {
  word: WORD,
  doc: {
    usage: 'dns64 [PREFIX]',
    meaning:
      'answers AAAA with IPv4 addresses behind an IPv6 prefix where a name has none, for clients that ask over IPv6',
    default: '64:ff9b::/96',
    range: `a network of IPv6 of ${PREFIX_MIN_BITS} to ${PREFIX_MAX_BITS} bits, in whole octets`,
    options: [
      { usage: 'prefix PREFIX', meaning: 'the same as the argument' },
      {
        usage: 'translate_all',
        meaning: 'translates the IPv4 addresses of names that have AAAA records, too',
      },
      { usage: 'allow_ipv4', meaning: 'answers clients that ask over IPv4 so, too' },
      {
        usage: 'except [ZONE…]',
        meaning: 'leaves names in the zones alone (Seamark only)',
        default: 'no zones; those of kubernetes in the block where none is named',
      },
    ],
    notes: [
      "A Service that has only an IPv4 address is translated like any other name, and no NAT64 leads to it; `translate_all` hides the IPv6 address of a dual-stack one. `except` keeps the cluster's names out of it.",
      'Where a name has no IPv4 address, or asking for it fails, the answer about AAAA stands as it is; CoreDNS makes an empty NOERROR of it, which hides failures, and with `translate_all` the AAAA records of hosts with IPv6 only.',
      'CoreDNS ignores a block behind a PREFIX; here its options count.',
    ],
    example: `
      . {
          dns64 {
              except
          }
          kubernetes cluster.local
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems, block) {
    let prefix: Uint8Array = WELL_KNOWN_PREFIX
    let translateAll = false
    let allowIpv4 = false
    const except = new Set<string>()
    for (const directive of directives) {
      readLine(directive, problems, line => {
        if (line.has) prefix = readPrefix(line) ?? prefix
        line.options({
          prefix: option => {
            prefix = readPrefix(option) ?? prefix
          },
          translate_all: () => {
            translateAll = true
          },
          allow_ipv4: () => {
            allowIpv4 = true
          },
          except: option => {
            for (const zone of option.zones(clusterZones(option, block))) except.add(zone)
          },
        })
      })
    }
    return { prefix, translateAll, allowIpv4, except: [...except] }
  },
  create: (config, context) => new Dns64Handler(config, context),
}

/** The zones of the block's `kubernetes`. */
function clusterZones(option: Line, { directives, zones }: BlockContext): readonly string[] {
  const [kubernetes] = directives.get('kubernetes') ?? []
  if (kubernetes === undefined) {
    if (!option.has)
      option.error(option.word, 'except needs a zone where no kubernetes is in this server block')
    return []
  }
  const named = kubernetes.args.flatMap(({ text }) => {
    const key = parseKey(text)
    return 'value' in key ? key.value.zones : []
  })
  return named.length > 0 ? named : zones
}

function readPrefix(line: Line): Uint8Array | undefined {
  const token = line.token('a prefix such as 64:ff9b::/96')
  if (token === undefined) return undefined
  const network = parseNetwork(token.text)
  if (network?.family === 6) {
    const { octets, prefixLength } = network
    const isWhole = prefixLength % 8 === 0
    if (isWhole && prefixLength >= PREFIX_MIN_BITS && prefixLength <= PREFIX_MAX_BITS) {
      return octets.slice(0, prefixLength / 8)
    }
  }
  const message = `the prefix is a network of IPv6 of ${PREFIX_MIN_BITS} to ${PREFIX_MAX_BITS} bits, in whole octets`
  return line.error(token, message, { found: token.text })
}

/** Puts the IPv4 address at ipv4[at …) behind the prefix that `ipv6` begins with, of 4 to 12 octets (RFC 6052 2.2). */
export function embed(ipv6: Uint8Array, prefixOctets: number, ipv4: Uint8Array, at: number): void {
  let to = prefixOctets
  for (let i = 0; i < 4; i++) {
    if (to === RESERVED_OCTET) to++
    ipv6[to++] = ipv4[at + i]!
  }
}

const owner = new Uint8Array(NAME_MAX_OCTETS + 1)

class Dns64Handler implements Handler {
  readonly #config: Dns64Config
  readonly #context: ServingContext
  readonly #except: ZoneTable<Zoned>
  readonly #counters = new Map<string, Counter>()
  /** The prefix, and room for what stands behind it; what is not written stays zero. */
  readonly #ipv6 = new Uint8Array(16)

  constructor(config: Dns64Config, context: ServingContext) {
    this.#config = config
    this.#context = context
    this.#except = new ZoneTable(config.except.map(zone => ({ zone: name(zone) })))
    this.#ipv6.set(config.prefix)
  }

  handle({ scan, family }: Packet): Step {
    if (scan.qtype !== TYPE.AAAA || scan.qclass !== CLASS.IN) return NEXT
    if (family === 4 && !this.#config.allowIpv4) return NEXT
    return this.#except.indexOf(scan) >= 0 ? NEXT : BACK
  }

  back(packet: Packet): Step {
    if (!this.#isToTranslate(packet)) return DONE
    packet.wishName = packet.qname
    packet.wishType = TYPE.A
    return LOOKUP
  }

  /** The reply about A with each address put behind the prefix; the reply about AAAA where there is none. */
  found(packet: Packet, _kept: Kept, asked: Packet): Step {
    this.#count(packet.served.server)
    if (!hasInAnswer(asked, TYPE.A)) return DONE
    const ttlMaxSeconds = lastSoaTtl(packet)
    const composer = packet.compose()
    for (const walk = asked.records(); walk.next(); ) {
      if (walk.type !== TYPE.A || walk.section !== SECTION.ANSWER) {
        composer.copy(walk)
        continue
      }
      copyName(walk.octets, walk.ownerAt, walk.start, owner, 0)
      embed(this.#ipv6, this.#config.prefix.length, walk.octets, walk.rdataAt)
      const ttlSeconds = Math.min(walk.ttl, ttlMaxSeconds)
      composer.record(SECTION.ANSWER, owner, 0, TYPE.AAAA, walk.rrclass, ttlSeconds, this.#ipv6, 0, 16)
    }
    packet.error = undefined
    packet.setReason(-1)
    return packet.composed(RCODE.NOERROR, PLUGIN, asked.truncated ? FLAG_TC : 0)
  }

  /** A name that does not exist has no IPv4 address either (RFC 6147 5.1.2); what no plugin answered fails as it is. */
  #isToTranslate(packet: Packet): boolean {
    if (packet.rcode === RCODE.NXDOMAIN || packet.plugin === 0) return false
    return this.#config.translateAll || !hasInAnswer(packet, TYPE.AAAA)
  }

  #count(server: string): void {
    let counter = this.#counters.get(server)
    if (counter === undefined) {
      counter = this.#context.meters.counter('coredns_dns64_requests_translated_total', { server })
      this.#counters.set(server, counter)
    }
    counter.add()
  }
}

function hasInAnswer(packet: Packet, type: number): boolean {
  for (const walk = packet.records(); walk.next() && walk.section === SECTION.ANSWER; )
    if (walk.type === type) return true
  return false
}

/** How long the lack of AAAA lasts at most: the TTL of the last SOA beside it. */
function lastSoaTtl(packet: Packet): number {
  let ttlSeconds = TTL_MAX_SECONDS
  for (const walk = packet.records(); walk.next(); )
    if (walk.section === SECTION.AUTHORITY && walk.type === TYPE.SOA) ttlSeconds = walk.ttl
  return ttlSeconds
}
