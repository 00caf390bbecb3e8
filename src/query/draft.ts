// A reply that a plugin makes of records, and of what the whole server says about names that they lead to: as octets once
// all is known. A handler says what `writeDraft` says, and its `found` what `takeFound` says.

import type { Composer } from '../wire/composer.ts'
import type { ExtendedError } from '../wire/extended-error.ts'
import { FLAG_TC, readU16 } from '../wire/header.ts'
import type { Name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import type { Rr } from '../wire/record.ts'
import { RecordWalk, SECTION } from '../wire/walk.ts'
import { aliasReason } from './alias.ts'
import { DONE, type Kept, LOOKUP, type Packet, type Step } from './packet.ts'
import type { KeptReply } from './reply.ts'

/** What the server answers about a name. */
interface Lookup {
  readonly section: number
  readonly qname: Name
  readonly qtype: number
}

/** A record, or what is found, in a section; parts stand in the order of the message. */
export type Part = { readonly section: number; readonly record: Rr; readonly qname?: undefined } | Lookup

export interface Draft {
  readonly rcode: number
  readonly plugin: number
  /** FLAG_AA, or 0. */
  readonly bits2: number
  /**
   * Whether the last name that is looked up is the end of an alias: where it has nothing, its code and authority section are
   * those of the whole reply (RFC 6604).
   */
  readonly endsInAlias: boolean
  /** The reason for the client; `end` is that of the alias's end. */
  readonly reasonOf: (rcode: number, end: ExtendedError | undefined) => ExtendedError | undefined
  readonly parts: readonly Part[]
  /** What was found so far, in the order of the parts. */
  readonly found: KeptReply[]
  truncated: boolean
}

const walk = new RecordWalk()

/** Looks the next name up, or writes the reply. */
export function writeDraft(packet: Packet, draft: Draft): Step {
  const part = nextLookup(draft)
  if (part === undefined) return write(packet, draft)
  packet.wishName = part.qname
  packet.wishType = part.qtype
  packet.keep(draft)
  return LOOKUP
}

/** Goes on with what was found. What was left out is missed in an answer alone (RFC 2181 9). */
export function takeFound(packet: Packet, kept: Kept, asked: Packet): Step {
  const draft = kept as Draft
  draft.truncated ||= asked.truncated && nextLookup(draft)?.section === SECTION.ANSWER
  draft.found.push(asked.keepReply())
  return writeDraft(packet, draft)
}

function nextLookup({ parts, found }: Draft): Lookup | undefined {
  let known = found.length
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (part.qname !== undefined && known-- === 0) return part
  }
  return undefined
}

function write(packet: Packet, draft: Draft): Step {
  const { plugin, bits2, reasonOf, parts, found, truncated } = draft
  const composer = packet.compose()
  let looked = 0
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    const { section } = part
    if (part.qname === undefined) {
      const { owner, type, class: rrclass, ttlSeconds, rdata } = part.record
      composer.record(section, owner, 0, type, rrclass, ttlSeconds, rdata, 0, rdata.length)
    } else copySection(composer, found[looked++]!, SECTION.ANSWER, section)
  }
  const end = draft.endsInAlias ? found.at(-1) : undefined
  const denial = end && isDenial(end) ? end : undefined
  if (denial) copySection(composer, denial, SECTION.AUTHORITY, SECTION.AUTHORITY)
  const rcode = denial?.rcode ?? draft.rcode
  const reason = reasonOf(rcode, end && reasonOfEnd(draft, end))
  packet.error = undefined
  packet.setReason(reason?.code ?? -1, reason?.text)
  packet.composed(rcode, plugin, bits2 | (truncated ? FLAG_TC : 0))
  return DONE
}

const isDenial = ({ rcode, octets }: KeptReply): boolean =>
  rcode !== RCODE.NOERROR || readU16(octets, 6) === 0

function reasonOfEnd({ parts }: Draft, end: KeptReply): ExtendedError | undefined {
  if (isDenial(end)) return aliasReason(parts.findLast(part => part.qname !== undefined)!.qname!, end)
  const { reasonCode: code, reason } = end
  return code < 0 ? undefined : { code, text: Buffer.from(reason).toString('utf8') }
}

function copySection(composer: Composer, { octets }: KeptReply, from: number, to: number): void {
  for (walk.open(octets, 0, octets.length); walk.next() && walk.section <= from; )
    if (walk.section === from) composer.copy(walk, to)
}
