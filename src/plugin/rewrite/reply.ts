// What rules do to a reply. Each rule that was applied to the question leaves its steps; they run in the reverse order of
// the rules, over all three sections (CoreDNS plugin/rewrite/reverter.go):
//
//   names    owners, or the names in CNAME, DNAME, MX, NAPTR, NS, PTR, SOA (the first of its two) and SRV
//   ttl      between two bounds
//   rcode    one code for another
//   cname    another target, and what follows it looked up anew
//
// Steps about names that stand one behind another are one pass over the reply.

import { DONE, LOOKUP, type Packet, type Step } from '../../query/packet.ts'
import type { Composer } from '../../wire/composer.ts'
import { EDE } from '../../wire/extended-error.ts'
import { copyName } from '../../wire/message-name.ts'
import { NAME_MAX_OCTETS, type Name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { boundTtls } from '../../wire/ttls.ts'
import { type RecordWalk, SECTION } from '../../wire/walk.ts'
import type { Renamer } from './match.ts'
import type { Passage } from './passage.ts'
import { nameOf, showText, textOf, writeName } from './text.ts'

/** Of a name that is none; a rule can make a long one. */
const SHOWN_MAX_CHARACTERS = 1024
/** A code above 15 that a client without EDNS cannot be told (RFC 6891 6.1.3). */
const PLAIN_RCODE_MAX = 15

/** The types whose names an answer rule for values changes. */
const VALUE_TYPES: ReadonlySet<number> = new Set([
  TYPE.CNAME,
  TYPE.DNAME,
  TYPE.MX,
  TYPE.NAPTR,
  TYPE.NS,
  TYPE.PTR,
  TYPE.SOA,
  TYPE.SRV,
])

/** The failure of a rule that would make a name that is none; CoreDNS's words. */
export function failIllegal(packet: Packet, text: string): typeof DONE {
  const error = `invalid name after rewrite: ${showText(text.slice(0, SHOWN_MAX_CHARACTERS))}`
  return packet.fail(RCODE.SERVFAIL, EDE.OTHER, 'a rewrite rule made no legal name', error)
}

/** Runs the steps that are left of a passage on the packet's reply: DONE, or LOOKUP before the last of them. */
export function runSteps(packet: Packet, passage: Passage): Step {
  while (passage.left > 0) {
    const step = passage.steps[passage.left - 1]!
    if (step.kind === 'rename') {
      renameRecords(packet, passage)
      continue
    }
    passage.left--
    if (step.kind === 'rcode') {
      if (packet.rcode === step.from && (packet.asked.edns || step.to <= PLAIN_RCODE_MAX))
        packet.setRcode(step.to)
    } else if (step.kind === 'ttl') {
      const { out, outAt, length } = packet
      boundTtls(out, outAt, outAt + length, step.minSeconds, step.maxSeconds)
    } else if (changeTarget(packet, passage, step.rename) === LOOKUP) return LOOKUP
  }
  return DONE
}

/** Takes all steps that rename; the first name that becomes illegal makes the reply a SERVFAIL. */
function renameRecords(packet: Packet, passage: Passage): void {
  owners.begin()
  values.begin()
  for (; passage.left > 0; passage.left--) {
    const step = passage.steps[passage.left - 1]!
    if (step.kind !== 'rename') break
    if (step.part === 'name') owners.renamers.push(step.rename)
    else values.renamers.push(step.rename)
  }
  const composer = packet.composeAnew()
  for (const walk = packet.records(); walk.next(); ) {
    const owner = owners.renamed(walk, walk.ownerAt)
    const valueAt = VALUE_TYPES.has(walk.type) ? walk.nameAt : -1
    const value = valueAt < 0 ? undefined : values.renamed(walk, valueAt)
    const illegal = owners.illegal ?? values.illegal
    if (illegal !== undefined) {
      failIllegal(packet, illegal)
      return
    }
    composer.copy(walk, walk.section, walk.ttl, owner, value)
  }
  packet.endAnew()
}

const scratch = new Uint8Array(NAME_MAX_OCTETS)

/** The names of one kind that a pass meets: what each becomes by all renamers in turn. */
class Names {
  readonly renamers: Renamer[] = []
  illegal: string | undefined
  /** The name that was met last: records of one name stand together. */
  #text: string | undefined
  #name: Name | undefined
  /** What it becomes, and whether that is wanted without what stands behind its end. */
  readonly #made = new Uint8Array(NAME_MAX_OCTETS)
  readonly #isCut: boolean

  constructor(isCut: boolean) {
    this.#isCut = isCut
  }

  /** A pass begins. */
  begin(): void {
    this.renamers.length = 0
    this.illegal = this.#text = this.#name = undefined
  }

  /** What the name at `at` becomes; undefined where that is what it is. */
  renamed(walk: RecordWalk, at: number): Name | undefined {
    if (this.renamers.length === 0) return undefined
    copyName(walk.octets, at, walk.start, scratch, 0)
    const text = textOf(scratch)
    if (text === this.#text) return this.#name
    this.#text = text
    this.#name = undefined
    const { renamers } = this
    const made = this.#made
    let now = text
    let octets = 0
    for (let i = 0; i < renamers.length; i++) {
      const next = renamers[i]!(now)
      if (next === undefined) continue
      octets = writeName(next, made)
      if (octets === 0) {
        this.illegal = next
        return undefined
      }
      if (i + 1 < renamers.length) now = textOf(made)
    }
    if (octets > 0) this.#name = this.#isCut ? made.slice(0, octets) : made
    return this.#name
  }
}

/** Of the pass that is made. */
const owners = new Names(false)
const values = new Names(true)

/**
 * Gives the first CNAME of the answer whose target matches the new one: what follows is what the server finds there. Loops
 * end with the client's budget of look-ups.
 */
function changeTarget(packet: Packet, passage: Passage, rename: Renamer): Step {
  const found = findTarget(packet, passage, rename)
  if (found === undefined) return DONE
  const target = nameOf(found)
  if (target === undefined) return failIllegal(packet, found)
  passage.target = target
  // Whoever asks for the alias itself wants nothing behind it (RFC 1034 3.6.2).
  if (passage.qtype === TYPE.CNAME) {
    const composer = packet.composeAnew()
    copyLinks(packet, passage, composer)
    for (const walk = packet.records(); walk.next(); )
      if (walk.section !== SECTION.ANSWER) composer.copy(walk)
    packet.endAnew()
    packet.clearAuthentic()
    return DONE
  }
  packet.wishName = target
  packet.wishType = passage.qtype
  packet.keep(passage)
  return LOOKUP
}

/** The new target's text; `linksBefore` is then the number of CNAME records before the one that matched. */
function findTarget(packet: Packet, passage: Passage, rename: Renamer): string | undefined {
  passage.linksBefore = 0
  for (const walk = packet.records(); walk.next() && walk.section === SECTION.ANSWER; ) {
    if (walk.type !== TYPE.CNAME || walk.nameAt < 0) continue
    copyName(walk.octets, walk.nameAt, walk.start, scratch, 0)
    const text = rename(textOf(scratch))
    if (text !== undefined) return text
    passage.linksBefore++
  }
  return undefined
}

/** Copies the CNAME records up to the one that matched, which gets its new target. */
function copyLinks(packet: Packet, { linksBefore, target }: Passage, composer: Composer): void {
  let links = 0
  for (const walk = packet.records(); links <= linksBefore && walk.next(); ) {
    if (walk.type !== TYPE.CNAME || walk.nameAt < 0) continue
    composer.copy(walk, SECTION.ANSWER, walk.ttl, undefined, links === linksBefore ? target : undefined)
    links++
  }
}

/** Joins what was found at the new target: answer, authority, code and reason are its. */
export function joinFound(packet: Packet, passage: Passage, asked: Packet): void {
  const composer = packet.composeAnew()
  copyLinks(packet, passage, composer)
  for (const walk = asked.records(); walk.next() && walk.section !== SECTION.ADDITIONAL; ) composer.copy(walk)
  packet.endAnew()
  packet.clearAuthentic()
  packet.truncated ||= asked.truncated
  packet.setRcode(asked.rcode)
  packet.takeReason(asked)
}
