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
import { pluginIndex } from '../observe/query-meters.ts'
import { DONE, NEXT, type Packet, type Step } from '../query/packet.ts'
import { EDE } from '../wire/extended-error.ts'
import { countLabels, formatName, type Name, name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import { soaRdata } from '../wire/record.ts'
import { CLASS, TYPE, typeName } from '../wire/rrtype.ts'
import { type Scan, zoneInScan } from '../wire/scan.ts'
import { SECTION } from '../wire/walk.ts'
import type { Handler, ServingContext, Word } from './plugin.ts'

/** The configuration of `local`. */
export interface LocalConfig {
  /** Whether names that begin with localhost are answered, too. */
  readonly prefix: boolean
}

interface Zone {
  readonly name: Name
  readonly labels: number
}

const zone = (text: string): Zone => ({ name: name(text), labels: countLabels(name(text)) })

const PLUGIN = pluginIndex('local')
const TTL_SECONDS = 604_800
const LOCALHOST = zone('localhost.')
const ZONES = [LOCALHOST, ...['0', '127', '255'].map(octet => zone(`${octet}.in-addr.arpa.`))]
const LOOPBACK_REVERSE = name('1.0.0.127.in-addr.arpa.')
const LOOPBACK_LABELS = countLabels(LOOPBACK_REVERSE)
const SOA = soaRdata(LOCALHOST.name, name('root.localhost.'), [1, 0, 0, 0, TTL_SECONDS])
const LOOPBACK_V4 = Uint8Array.of(127, 0, 0, 1)
const LOOPBACK_V6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

const ONLY_ADDRESSES = 'localhost has addresses only, of this host'
const ONLY_APEX = 'this reverse zone has an SOA and an NS record only, and no host beyond loopback is in it'
const ONLY_PTR = 'the reverse name of loopback has a PTR record only'
const NO_SUCH_NAME = 'no host has an address of this reverse zone but loopback'

/** `local`; several in a block add up. */
export const localWord: Word<LocalConfig> = {
  word: 'local',
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

class LocalHandler implements Handler {
  readonly #prefix: boolean
  readonly #context: ServingContext
  readonly #requests: Counter

  constructor({ prefix }: LocalConfig, context: ServingContext) {
    this.#prefix = prefix
    this.#context = context
    this.#requests = context.meters.counter('coredns_local_localhost_requests_total')
  }

  handle(packet: Packet): Step {
    const { scan } = packet
    if (scan.qclass !== CLASS.IN) return NEXT
    const zone = zoneIn(scan)
    const isApex = zone !== undefined && zone.name.length === scan.foldedLength
    // localhost itself is a zone's apex.
    if (zone === LOCALHOST ? !isApex : this.#prefix && zone === undefined && beginsWithLocalhost(scan)) {
      this.#requests.add()
      if (this.#context.log.debug) this.#tell(packet)
      return localhost(packet)
    }
    if (zone === undefined) return NEXT
    if (isApex) return apex(packet, zone)
    // The zone as the client spells it.
    const zoneAt = scan.foldedLength - zone.name.length
    if (zoneInScan(scan, LOOPBACK_REVERSE, LOOPBACK_LABELS) !== 0)
      return negative(packet, RCODE.NXDOMAIN, zoneAt, NO_SUCH_NAME)
    return scan.qtype === TYPE.PTR
      ? positive(packet, LOCALHOST.name)
      : negative(packet, RCODE.NOERROR, zoneAt, ONLY_PTR)
  }

  #tell(packet: Packet): void {
    const asked = `"${formatName(packet.qname)}" ${typeName(packet.scan.qtype)}, from ${packet.client.address}`
    this.#context.log.write('DEBUG', 'plugin/local', `Intercepting localhost query for ${asked}`)
  }
}

/** The zone that the name is in. */
function zoneIn(scan: Scan): Zone | undefined {
  for (let i = 0; i < ZONES.length; i++)
    if (zoneInScan(scan, ZONES[i]!.name, ZONES[i]!.labels) >= 0) return ZONES[i]
  return undefined
}

/** Whether the first label is `localhost`. */
function beginsWithLocalhost({ folded }: Scan): boolean {
  for (let i = 0; i < LOCALHOST.name.length - 1; i++) if (folded[i] !== LOCALHOST.name[i]) return false
  return true
}

function localhost(packet: Packet): Step {
  const { qtype } = packet.scan
  if (qtype === TYPE.A) return positive(packet, LOOPBACK_V4)
  if (qtype === TYPE.AAAA) return positive(packet, LOOPBACK_V6)
  return negative(packet, RCODE.NOERROR, 0, ONLY_ADDRESSES)
}

function apex(packet: Packet, zone: Zone): Step {
  const { qtype } = packet.scan
  if (qtype === TYPE.SOA) return positive(packet, SOA)
  if (qtype === TYPE.NS) return positive(packet, LOCALHOST.name)
  return zone === LOCALHOST ? localhost(packet) : negative(packet, RCODE.NOERROR, 0, ONLY_APEX)
}

/** One record of the type that was asked; CoreDNS sets no AA here. */
function positive(packet: Packet, data: Uint8Array): Step {
  const { question, qnameAt, scan } = packet
  const { ANSWER } = SECTION
  packet.compose().record(ANSWER, question, qnameAt, scan.qtype, CLASS.IN, TTL_SECONDS, data, 0, data.length)
  return packet.composed(RCODE.NOERROR, PLUGIN)
}

/** Nothing, with an SOA of what begins so many octets into the name. */
function negative(packet: Packet, rcode: number, ownerAt: number, reason: string): Step {
  const { question, qnameAt } = packet
  const { AUTHORITY } = SECTION
  packet
    .compose()
    .record(AUTHORITY, question, qnameAt + ownerAt, TYPE.SOA, CLASS.IN, TTL_SECONDS, SOA, 0, SOA.length)
  packet.composed(rcode, PLUGIN)
  packet.setReason(EDE.OTHER, reason)
  return DONE
}
