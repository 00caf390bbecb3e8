// What `ipv6` and `ipv4` have in common: a family of addresses that clients are not told of, for clusters that have the other
// one only. A question for its addresses is denied at once, without asking anybody; where another question's reply would
// tell them (HTTPS and SVCB hints, ANY, the additional records of SRV, MX, NS), they are taken out.
//
//   www.example.org AAAA             NODATA with an SOA, whether or not the name exists
//   web.demo.svc.cluster.local AAAA  what the cluster says of a type that it has no records of: NODATA, or NXDOMAIN
//   www.example.org HTTPS            without ipv6hint
//
// What is looked up on the way of another query (dns64 asks for A, ExternalName for its target) is left to pass: it is judged
// in the reply that the client gets, by the names that its addresses have: an alias tells nobody what its target may not.
// Behind autopath a name of the cluster exists for both families or for none: there the other family is asked in place of this
// one, and its addresses are left out.

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
import { AutopathHandler } from './autopath/handler.ts'
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
  /** The type of the addresses of the other one. */
  readonly otherType: number
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
  /** Whether any zone is kept from anybody at all. */
  readonly #hides: boolean
  /** The longest first. */
  readonly #byLength: readonly Rule[]
  readonly #context: ServingContext
  #clusterZones: readonly Name[] | undefined
  #walked: boolean | undefined
  readonly #owner = new Uint8Array(NAME_MAX_OCTETS)

  constructor(family: Family, { rules }: FamilyConfig, context: ServingContext) {
    this.#family = family
    this.#plugin = pluginIndex(family.word)
    this.#reason = `the directive ${family.word} lets nobody have such addresses of this name`
    const all = rules.map(({ zone, mode }) => ({ zone: name(zone), mode }))
    this.#rules = new ZoneTable(all)
    this.#hides = all.some(({ mode }) => mode !== 'on')
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

  /** Whether an `autopath` behind this one answers for other names. */
  get #isWalked(): boolean {
    this.#walked ??= this.#context.handlers.some(each => each instanceof AutopathHandler)
    return this.#walked
  }

  handle(packet: Packet): Step {
    const { scan } = packet
    if (!this.#hides || scan.qclass !== CLASS.IN || packet.isLookUp) return NEXT
    const { type } = this.#family
    if (scan.qtype !== type) return TELLING.has(scan.qtype) ? BACK : NEXT
    const at = this.#rules.indexOf(scan)
    const rule = at < 0 ? undefined : this.#rules.at(at)
    if (rule === undefined || rule.mode === 'on') return BACK
    const { qname } = packet
    if (!isWithinAny(qname, this.#cluster)) return this.#deny(packet, rule.zone)
    if (rule.mode === 'off') {
      packet.becomesSmaller ||= this.#isWalked
      packet.ask(qname, 0, qname.length, this.#isWalked ? this.#family.otherType : UNKNOWN_TYPE)
      packet.keep(rule)
    }
    return BACK
  }

  back(packet: Packet, kept: Kept): Step {
    if (kept !== undefined) {
      packet.unask()
      if (packet.rcode !== RCODE.NOERROR) return DONE
      if (packet.countOf(SECTION.ANSWER) > 0) this.#denyEnd(packet, (kept as Rule).zone)
      packet.setReason(EDE.FILTERED, this.#reason)
      return DONE
    }
    if (!this.#tells(packet)) return DONE
    const hidden = packet.scan.qtype === this.#family.type ? this.#zoneOfHidden(packet) : undefined
    if (hidden !== undefined) {
      this.#denyEnd(packet, hidden)
      packet.setReason(EDE.FILTERED, this.#reason)
      return DONE
    }
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

  /** Leaves of an answer the aliases that lead to its addresses, and says that there are none. */
  #denyEnd(packet: Packet, zone: Name): void {
    const composer = packet.composeAnew()
    for (const walk = packet.records(); walk.next() && walk.section === SECTION.ANSWER; )
      if (walk.type === TYPE.CNAME || walk.type === TYPE.DNAME) composer.copy(walk)
    composer.record(SECTION.AUTHORITY, zone, 0, TYPE.SOA, CLASS.IN, DENIAL_TTL_SECONDS, SOA, 0, SOA.length)
    packet.endAnew()
    packet.clearAuthentic()
  }

  /** The zone of the rule that keeps all addresses of an answer from the client; undefined where some are left. */
  #zoneOfHidden(packet: Packet): Name | undefined {
    let zone: Name | undefined
    for (const walk = packet.records(); walk.next() && walk.section === SECTION.ANSWER; ) {
      if (walk.type !== this.#family.type) continue
      if (!this.#isHidden(walk)) return undefined
      zone ??= this.#ruleOf(walk)?.zone
    }
    return zone
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
    const mode = this.#ruleOf(walk)?.mode
    return mode === 'off' || (mode === 'cluster-only' && !isWithinAny(this.#ownerOf(walk), this.#cluster))
  }

  #ruleOf(walk: RecordWalk): Rule | undefined {
    const owner = this.#ownerOf(walk)
    return this.#byLength.find(({ zone }) => isWithin(owner, zone))
  }

  #ownerOf(walk: RecordWalk): Name {
    const octets = copyName(walk.octets, walk.ownerAt, walk.start, this.#owner, 0)
    return foldName(this.#owner.subarray(0, octets))
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
