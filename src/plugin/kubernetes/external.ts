// ExternalName services: where their targets lead, from one to the next inside the cluster, as a reply that is yet to be made
// (query/draft.ts; docs/coredns.md 1.6).

import { pluginIndex } from '../../observe/query-meters.ts'
import type { Draft, Part } from '../../query/draft.ts'
import type { Packet } from '../../query/packet.ts'
import { writeQuestion } from '../../query/question.ts'
import type { TableReader } from '../../table/reader.ts'
import { FLAG_AA, FLAG_TC, HEADER_OCTETS, MESSAGE_MAX, readU16 } from '../../wire/header.ts'
import { equalNames, isWithin, NAME_MAX_OCTETS, type Name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { cname } from '../../wire/record.ts'
import { CLASS } from '../../wire/rrtype.ts'
import { Scan } from '../../wire/scan.ts'
import { SECTION } from '../../wire/walk.ts'
import { CHASE, type ClusterAnswers, PASS } from './answers.ts'

/** A link is refused when more than this many stand before it. */
const LINKS_MAX = 10
const KUBERNETES = pluginIndex('kubernetes')

/** The chains of one `kubernetes` directive. */
export class ExternalNames {
  readonly #table: TableReader
  readonly #ttlSeconds: number
  readonly #scan = new Scan()
  readonly #question = new Uint8Array(HEADER_OCTETS + NAME_MAX_OCTETS + 4)
  readonly #out = new Uint8Array(MESSAGE_MAX)

  constructor(table: TableReader, ttlSeconds: number) {
    this.#table = table
    this.#ttlSeconds = ttlSeconds
  }

  /**
   * The chain from the ExternalName service that the packet asks for, with the records of the cluster at its end, or the name outside that is
   * to be looked up; undefined where it leads to nothing. Of records no more are read than `maxOctets` hold.
   */
  follow(answers: ClusterAnswers, packet: Packet, maxOctets: number): Draft | undefined {
    const { qname } = packet
    const { qtype } = packet.scan
    const names = [qname]
    const out = this.#out
    for (let owner = qname; ; owner = names.at(-1)!) {
      this.#ask(owner, qtype)
      this.#table.enter()
      const target = answers.externalTarget(this.#scan)
      this.#table.leave()
      if (!target || isWithin(target, owner) || names.length > LINKS_MAX + 1) return undefined
      if (names.some((link, i) => i > 0 && equalNames(link, target))) return undefined
      names.push(target)
      if (!isWithin(target, answers.zone)) return this.#draft(names, qtype, undefined)
      this.#ask(target, qtype)
      this.#table.enter()
      answers.asker?.comes(packet.from, packet.fromAt)
      const length = answers.answer(this.#scan, this.#question, out, 0, maxOctets)
      this.#table.leave()
      if (length === PASS) return undefined
      if (length === CHASE) continue
      // In the zone a target without an answer is NODATA without a link, as in CoreDNS, unless nobody knows yet.
      const hasEnd = readU16(out, 6) > 0 || (out[3]! & 15) === RCODE.SERVFAIL
      return hasEnd ? this.#draft(names, qtype, out.slice(0, length)) : undefined
    }
  }

  #draft(names: readonly Name[], qtype: number, inside: Uint8Array | undefined): Draft {
    const parts: Part[] = []
    for (let i = 1; i < names.length; i++)
      parts.push({ section: SECTION.ANSWER, record: cname(names[i - 1]!, this.#ttlSeconds, names[i]!) })
    parts.push({ section: SECTION.ANSWER, qname: names.at(-1)!, qtype })
    return {
      rcode: RCODE.NOERROR,
      plugin: KUBERNETES,
      bits2: FLAG_AA,
      endsInAlias: true,
      reasonOf: (_, end) => end,
      parts,
      found: inside ? [{ ...NOTHING_BESIDE, octets: inside, rcode: inside[3]! & 15 }] : [],
      truncated: inside !== undefined && (inside[2]! & FLAG_TC) !== 0,
    }
  }

  #ask(qname: Name, qtype: number): void {
    const end = writeQuestion(this.#question, qname, 0, qname.length, qtype, CLASS.IN)
    this.#scan.readQuestion(this.#question, 0, end)
  }
}

const NOTHING_BESIDE = {
  plugin: KUBERNETES,
  error: undefined,
  reasonCode: -1,
  reason: new Uint8Array(0),
  recursionDesired: undefined,
}
