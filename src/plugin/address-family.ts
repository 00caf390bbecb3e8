// What `ipv6` and `ipv4` have in common: a family of addresses that clients are not told of, for clusters that have the other
// one only. A question for its addresses is denied at once, without asking anybody; where another question's reply would
// tell them (HTTPS and SVCB hints, ANY, the additional records of SRV, MX, NS), they are taken out.
//
//   www.example.org AAAA             NODATA with an SOA, whether or not the name exists
//   web.demo.svc.cluster.local AAAA  what the cluster says of a type that it has no records of: NODATA, or NXDOMAIN
//   www.example.org HTTPS            without ipv6hint
//
// What is looked up on the way of another query (dns64 asks for A, ExternalName for its target) is left to pass: it is judged
// in the reply that the client gets.

import { type Line, readLine } from '../corefile/arguments.ts'
import type { WordDoc } from '../corefile/doc.ts'
import { pluginIndex } from '../observe/query-meters.ts'
import { BACK, DONE, type Kept, NEXT, type Packet, type Step } from '../query/packet.ts'
import { ZoneTable } from '../query/zone-table.ts'
import { EDE } from '../wire/extended-error.ts'
import { readU16, writeU16 } from '../wire/header.ts'
import { copyName } from '../wire/message-name.ts'
import { foldName, isWithin, isWithinAny, NAME_MAX_OCTETS, type Name, name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import { soaRdata } from '../wire/record.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import { type RecordWalk, SECTION } from '../wire/walk.ts'
import { KubernetesHandler } from './kubernetes/handler.ts'
import type { Handler, ServingContext, Word } from './plugin.ts'

const MODES = ['off', 'cluster-only', 'on'] as const
export type FamilyMode = (typeof MODES)[number]

/** The configuration of `ipv6`, or `ipv4`. */
export interface FamilyConfig {
  readonly rules: readonly { readonly zone: string; readonly mode: FamilyMode }[]
}

/** What differs between the two. */
export interface Family {
  readonly word: 'ipv4' | 'ipv6'
  readonly type: number
  /** The service parameter with its addresses (RFC 9460 7.3). */
  readonly hintKey: number
}

/** How long a denial may be kept. */
const DENIAL_TTL_SECONDS = 300
/** A type that the cluster has no records of, whatever the name. */
const UNKNOWN_TYPE = TYPE.NULL
const MANDATORY_KEY = 0

/** Types whose replies may tell of addresses beside the answer, or in it. */
const TELLING: ReadonlySet<number> = new Set([
  TYPE.ANY,
  TYPE.HTTPS,
  TYPE.MX,
  TYPE.NAPTR,
  TYPE.NS,
  TYPE.SRV,
  TYPE.SVCB,
])

/** The word of a family. */
export function familyWord(family: Family, doc: WordDoc): Word<FamilyConfig> {
  const { word } = family
  return {
    word,
    doc,
    parse(directives, problems, block) {
      const rules = new Map<string, FamilyMode>()
      for (const directive of directives) {
        readLine(directive, problems, line => {
          const mode = line.choice('off, cluster-only or on', MODES)
          for (const zone of line.zones(block.zones)) addRule(rules, zone, mode, line)
        })
      }
      if ([...rules.values()].includes('cluster-only') && !block.words.has('kubernetes')) {
        const message = `without kubernetes in this server block ${word} cluster-only is ${word} off`
        problems.warning(directives[0]!.word, message)
      }
      return { rules: [...rules].map(([zone, mode]) => ({ zone, mode })) }
    },
    create: (config, context) => new FamilyHandler(family, config, context),
  }
}

function addRule(
  rules: Map<string, FamilyMode>,
  zone: string,
  mode: FamilyMode | undefined,
  line: Line,
): void {
  if (mode === undefined) return
  if (rules.has(zone))
    line.error(line.word, `${line.word.text} is given twice for this zone`, { found: zone })
  else rules.set(zone, mode)
}

interface Rule {
  readonly zone: Name
  readonly mode: FamilyMode
}

class FamilyHandler implements Handler {
  readonly #family: Family
  readonly #plugin: number
  readonly #reason: string
  readonly #rules: ZoneTable<Rule>
  /** The longest first. */
  readonly #byLength: readonly Rule[]
  readonly #context: ServingContext
  #clusterZones: readonly Name[] | undefined
  readonly #owner = new Uint8Array(NAME_MAX_OCTETS)

  constructor(family: Family, { rules }: FamilyConfig, context: ServingContext) {
    this.#family = family
    this.#plugin = pluginIndex(family.word)
    this.#reason = `the directive ${family.word} lets nobody have such addresses of this name`
    const all = rules.map(({ zone, mode }) => ({ zone: name(zone), mode }))
    this.#rules = new ZoneTable(all)
    this.#byLength = all.toSorted((a, b) => b.zone.length - a.zone.length)
    this.#context = context
  }

  /** Those of the block's `kubernetes`, which is made behind this one. */
  get #cluster(): readonly Name[] {
    if (this.#clusterZones === undefined) {
      const handler = this.#context.handlers.find(each => each instanceof KubernetesHandler)
      this.#clusterZones = handler?.cluster.config.zones.map(zone => name(zone)) ?? []
    }
    return this.#clusterZones
  }

  handle(packet: Packet): Step {
    const { scan } = packet
    if (scan.qclass !== CLASS.IN || packet.isLookUp) return NEXT
    const { type } = this.#family
    if (scan.qtype !== type) return TELLING.has(scan.qtype) ? BACK : NEXT
    const at = this.#rules.indexOf(scan)
    if (at < 0) return NEXT
    const { mode, zone } = this.#rules.at(at)
    if (mode === 'on') return NEXT
    const { qname } = packet
    if (!isWithinAny(qname, this.#cluster)) return this.#deny(packet, zone)
    if (mode === 'off') {
      packet.ask(qname, 0, qname.length, UNKNOWN_TYPE)
      packet.keep(true)
    }
    return BACK
  }

  back(packet: Packet, wasAsked: Kept): Step {
    if (wasAsked === true) {
      packet.unask()
      if (packet.rcode === RCODE.NOERROR) packet.setReason(EDE.FILTERED, this.#reason)
      return DONE
    }
    if (!this.#tells(packet)) return DONE
    const composer = packet.composeAnew()
    for (const walk = packet.records(); walk.next(); ) {
      if (this.#isKept(walk)) continue
      if (!isService(walk.type)) composer.copy(walk)
      else {
        const data = walk.octets.slice(walk.rdataAt, walk.rdataEnd)
        const length = takeHint(data, this.#family.hintKey)
        copyName(walk.octets, walk.ownerAt, walk.start, this.#owner, 0)
        composer.record(walk.section, this.#owner, 0, walk.type, walk.rrclass, walk.ttl, data, 0, length)
      }
    }
    packet.endAnew()
    packet.clearAuthentic()
    return DONE
  }

  /** NODATA, with an SOA of the rule's zone so that it may be kept. */
  #deny(packet: Packet, zone: Name): Step {
    const { AUTHORITY } = SECTION
    packet.compose().record(AUTHORITY, zone, 0, TYPE.SOA, CLASS.IN, DENIAL_TTL_SECONDS, SOA, 0, SOA.length)
    packet.composed(RCODE.NOERROR, this.#plugin)
    packet.setReason(EDE.FILTERED, this.#reason)
    return DONE
  }

  /** Whether the reply holds something that is kept from the client. */
  #tells(packet: Packet): boolean {
    for (const walk = packet.records(); walk.next(); )
      if (this.#isKept(walk) || (isService(walk.type) && this.#isHidden(walk))) return true
    return false
  }

  #isKept(walk: RecordWalk): boolean {
    return walk.type === this.#family.type && this.#isHidden(walk)
  }

  /** Whether the addresses of the record's owner are kept from clients. */
  #isHidden(walk: RecordWalk): boolean {
    const octets = copyName(walk.octets, walk.ownerAt, walk.start, this.#owner, 0)
    const owner = foldName(this.#owner.subarray(0, octets))
    const mode = this.#byLength.find(({ zone }) => isWithin(owner, zone))?.mode ?? 'on'
    return mode === 'off' || (mode === 'cluster-only' && !isWithinAny(owner, this.#cluster))
  }
}

const SOA = soaRdata(name('ns.dns.invalid.'), name('hostmaster.dns.invalid.'), [
  1,
  7200,
  1800,
  86_400,
  DENIAL_TTL_SECONDS,
])

const isService = (type: number): boolean => type === TYPE.HTTPS || type === TYPE.SVCB

/**
 * Takes a parameter out of the data of an SVCB or HTTPS record, also from among the mandatory ones; returns the octets that
 * are left. Data that is broken stays as it is.
 */
export function takeHint(data: Uint8Array, key: number): number {
  let at = 2
  while (at < data.length && data[at] !== 0) at += data[at]! + 1
  at++
  let to = at
  while (at + 4 <= data.length) {
    const end = at + 4 + readU16(data, at + 2)
    if (end > data.length) return data.length
    const found = readU16(data, at)
    const length = found === key ? 0 : found === MANDATORY_KEY ? takeKey(data, at, end, key) : end - at
    data.copyWithin(to, at, at + length)
    to += length
    at = end
  }
  return at === data.length ? to : data.length
}

/** Takes a key out of the mandatory ones in data[at … end); returns the parameter's octets, none where it was the only one. */
function takeKey(data: Uint8Array, at: number, end: number, key: number): number {
  let to = at + 4
  for (let from = to; from + 2 <= end; from += 2) {
    if (readU16(data, from) === key) continue
    data.copyWithin(to, from, from + 2)
    to += 2
  }
  if (to === at + 4) return 0
  writeU16(data, at + 2, to - at - 4)
  return to - at
}
