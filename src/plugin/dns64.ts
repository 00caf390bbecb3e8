// `dns64 [PREFIX] { prefix PREFIX; translate_all; allow_ipv4 }`: gives clients that have IPv6 only an AAAA record for every
// host that has IPv4 only, behind a NAT64 (RFC 6147; CoreDNS plugin/dns64). The address is the prefix with the IPv4 address
// put behind it around octet 8, which stays zero (RFC 6052 2.2):
//
//   /96  64:ff9b::/96      192.0.2.33   64:ff9b::c000:221
//   /40  2001:db8:100::/40 192.0.2.33   2001:db8:1c0:2:21::

import { type Line, readLine } from '../corefile/arguments.ts'
import { parseKey } from '../corefile/key.ts'
import { parseNetwork } from '../corefile/zone.ts'
import type { Query } from '../query/query.ts'
import { answer, DROP, type MaybePromise, type Outcome, type Reply } from '../query/reply.ts'
import { ZoneTable } from '../query/zone-table.ts'
import { isWithinAny, type Name, name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import type { Rr } from '../wire/record.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import type { Scan } from '../wire/scan.ts'
import type { BlockContext, Next, ServingContext, TreeHandler, Word } from './plugin.ts'

const PLUGIN = 'dns64'
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
  word: PLUGIN,
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

/** The IPv6 address of an IPv4 one behind a prefix of 4 to 12 octets (RFC 6052 2.2). */
export function embed(prefix: Uint8Array, ipv4: Uint8Array): Uint8Array {
  const ipv6 = new Uint8Array(16)
  ipv6.set(prefix)
  let at = prefix.length
  for (const octet of ipv4) {
    if (at === RESERVED_OCTET) at++
    ipv6[at++] = octet
  }
  return ipv6
}

class Dns64Handler implements TreeHandler {
  readonly trees = true
  readonly #config: Dns64Config
  readonly #context: ServingContext
  readonly #except: ZoneTable<{ readonly zone: Name }>
  readonly #exceptZones: readonly Name[]

  constructor(config: Dns64Config, context: ServingContext) {
    this.#config = config
    this.#context = context
    this.#except = new ZoneTable(config.except.map(zone => ({ zone: name(zone) })))
    this.#exceptZones = config.except.map(zone => name(zone))
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { question, client } = query
    if (question.qtype !== TYPE.AAAA || question.qclass !== CLASS.IN) return next(query)
    if (client.family === 4 && !this.#config.allowIpv4) return next(query)
    if (isWithinAny(question.qname, this.#exceptZones)) return next(query)
    const outcome = next(query)
    return outcome instanceof Promise
      ? outcome.then(late => this.#translate(query, late))
      : this.#translate(query, outcome)
  }

  /** Whoever asks: addresses are known to the chain only. */
  concerns(scan: Scan): boolean {
    return scan.qtype === TYPE.AAAA && this.#except.indexOf(scan) < 0
  }

  #translate(query: Query, outcome: Outcome): MaybePromise<Outcome> {
    return outcome !== DROP && this.#isToTranslate(outcome) ? this.#synthesize(query, outcome) : outcome
  }

  /** A name that does not exist has no IPv4 address either (RFC 6147 5.1.2); what no plugin answered fails as it is. */
  #isToTranslate({ rcode, plugin, answer: records }: Reply): boolean {
    if (rcode === RCODE.NXDOMAIN || plugin === '') return false
    return this.#config.translateAll || !records.some(record => record.type === TYPE.AAAA)
  }

  /** The reply about A with each address put behind the prefix; the reply about AAAA where there is none. */
  async #synthesize(query: Query, reply: Reply): Promise<Reply> {
    const { prefix } = this.#config
    const {
      answer: records,
      authority,
      additional,
      truncated,
    } = await query.lookup(query.question.qname, TYPE.A)
    this.#context.meters.counter('coredns_dns64_requests_translated_total', { server: query.server }).add()
    if (!records.some(record => record.type === TYPE.A)) return reply
    const soa = reply.authority.findLast(record => record.type === TYPE.SOA)
    const ttlMaxSeconds = soa?.ttlSeconds ?? TTL_MAX_SECONDS
    const translated = records.map(record =>
      record.type === TYPE.A ? translate(record, prefix, ttlMaxSeconds) : record,
    )
    return { ...answer(PLUGIN, translated, additional), authoritative: false, authority, truncated }
  }
}

const translate = (record: Rr, prefix: Uint8Array, ttlMaxSeconds: number): Rr => ({
  ...record,
  type: TYPE.AAAA,
  ttlSeconds: Math.min(record.ttlSeconds, ttlMaxSeconds),
  rdata: embed(prefix, record.rdata),
})
