// `local`: answers what should never leave a host (CoreDNS plugin/local; RFC 6761 6.3, RFC 6303): localhost and the names
// below it, names that a search path has grown from it (localhost.default.svc.cluster.local), and the reverse zones of
// this network, of loopback and of broadcast.
//
//   localhost.             A 127.0.0.1, AAAA ::1, NS localhost., SOA
//   *.localhost.           A 127.0.0.1, AAAA ::1
//   localhost.*            the same, unless `localhost_prefix off`
//   0|127|255.in-addr.arpa NS localhost., SOA; below it 1.0.0.127.in-addr.arpa PTR localhost. and nothing else

import { readLine } from '../corefile/arguments.ts'
import type { Counter } from '../observe/meters.ts'
import type { Query } from '../query/query.ts'
import { answer, type MaybePromise, nodata, nxdomain, type Outcome, type Reply } from '../query/reply.ts'
import { ZoneTable } from '../query/zone-table.ts'
import { equalNames, formatName, isWithin, type Name, name } from '../wire/name.ts'
import { type Rr, rr, soaRdata } from '../wire/record.ts'
import { CLASS, TYPE, typeName } from '../wire/rrtype.ts'
import type { Scan } from '../wire/scan.ts'
import type { Next, ServingContext, TreeHandler, Word } from './plugin.ts'

/** The configuration of `local`. */
export interface LocalConfig {
  /** Whether names that begin with localhost are answered, too. */
  readonly prefix: boolean
}

const PLUGIN = 'local'
const TTL_SECONDS = 604_800
const LOCALHOST = name('localhost.')
const ZONES = [LOCALHOST, ...['0', '127', '255'].map(octet => name(`${octet}.in-addr.arpa.`))]
const LOOPBACK_REVERSE = name('1.0.0.127.in-addr.arpa.')
const SOA = soaRdata(LOCALHOST, name('root.localhost.'), [1, 0, 0, 0, TTL_SECONDS])
const LOOPBACK_V4 = Uint8Array.of(127, 0, 0, 1)
const LOOPBACK_V6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

/** `local`; several in a block add up. */
export const localWord: Word<LocalConfig> = {
  word: PLUGIN,
  doc: {
    usage: 'local',
    meaning: 'answers localhost and the reverse zones 0, 127 and 255.in-addr.arpa by itself',
    options: [
      {
        usage: 'localhost_prefix on|off',
        meaning: 'whether names that begin with localhost, as search paths make them, mean this host, too',
        default: 'on',
      },
    ],
    example: `
      . {
          local
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    let prefix = true
    for (const directive of directives) {
      readLine(directive, problems, line => {
        line.options({
          localhost_prefix: option => {
            prefix = option.choice('on or off', ['on', 'off']) !== 'off'
          },
        })
      })
    }
    return { prefix }
  },
  create: (config, context) => new LocalHandler(config, context),
}

class LocalHandler implements TreeHandler {
  readonly trees = true
  readonly #prefix: boolean
  readonly #context: ServingContext
  readonly #requests: Counter
  readonly #zones = new ZoneTable(ZONES.map(zone => ({ zone })))

  constructor({ prefix }: LocalConfig, context: ServingContext) {
    this.#prefix = prefix
    this.#context = context
    this.#requests = context.meters.counter('coredns_local_localhost_requests_total')
  }

  concerns(scan: Scan): boolean {
    return (this.#prefix && beginsWithLocalhost(scan.folded)) || this.#zones.indexOf(scan) >= 0
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { qname, qtype, qclass } = query.question
    if (qclass !== CLASS.IN) return next(query)
    if (this.#isLocalhost(qname)) {
      this.#requests.add()
      const asked = `"${formatName(qname)}" ${typeName(qtype)}, from ${query.client.address}`
      this.#context.log.write('DEBUG', 'plugin/local', `Intercepting localhost query for ${asked}`)
      return localhost(qname, qtype)
    }
    const zone = ZONES.find(zone => isWithin(qname, zone))
    if (zone === undefined) return next(query)
    if (qname.length === zone.length) return apex(qname, qtype)
    // The zone as the client spells it.
    const soa = soaOf(qname.subarray(qname.length - zone.length))
    if (!equalNames(qname, LOOPBACK_REVERSE)) return plain(nxdomain(PLUGIN, soa))
    return qtype === TYPE.PTR
      ? positive(rr(qname, TYPE.PTR, TTL_SECONDS, LOCALHOST))
      : plain(nodata(PLUGIN, soa))
  }

  /** Below localhost, or beginning with it; localhost itself is a zone's apex. */
  #isLocalhost(qname: Name): boolean {
    if (qname.length === LOCALHOST.length) return false
    return isWithin(qname, LOCALHOST) || (this.#prefix && beginsWithLocalhost(qname))
  }
}

/** Whether the first label is `localhost`, in whatever case. */
function beginsWithLocalhost(octets: Uint8Array): boolean {
  if (octets[0] !== LOCALHOST[0]) return false
  for (let i = 1; i <= LOCALHOST[0]!; i++) if ((octets[i]! | 0x20) !== LOCALHOST[i]) return false
  return true
}

function localhost(qname: Name, qtype: number): Reply {
  if (qtype === TYPE.A) return positive(rr(qname, TYPE.A, TTL_SECONDS, LOOPBACK_V4))
  if (qtype === TYPE.AAAA) return positive(rr(qname, TYPE.AAAA, TTL_SECONDS, LOOPBACK_V6))
  return plain(nodata(PLUGIN, soaOf(qname)))
}

function apex(qname: Name, qtype: number): Reply {
  if (qtype === TYPE.SOA) return positive(soaOf(qname))
  if (qtype === TYPE.NS) return positive(rr(qname, TYPE.NS, TTL_SECONDS, LOCALHOST))
  return equalNames(qname, LOCALHOST) ? localhost(qname, qtype) : plain(nodata(PLUGIN, soaOf(qname)))
}

const soaOf = (owner: Name): Rr => rr(owner, TYPE.SOA, TTL_SECONDS, SOA)

const positive = (record: Rr): Reply => plain(answer(PLUGIN, [record]))

/** CoreDNS sets no AA here. */
const plain = (reply: Reply): Reply => ({ ...reply, authoritative: false })
