// What a scripted upstream says to a question: out of its records, or as a rule has it.

import type { Decoded } from '../support/dns-message.ts'
import { typeNumber } from '../support/dns-question.ts'
import { type Rule, readOption, type UpstreamScript } from './cases.ts'
import { dataPieces, MessageWriter, parseRecord, type ZoneRecord } from './rdata.ts'

/** Records by lower-case name and type. */
export type Table = ReadonlyMap<string, ReadonlyMap<string, readonly ZoneRecord[]>>

// biome-ignore format: a table
const HEADER_BITS: Readonly<Record<string, number>> = {
  QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, AD: 0x0020, CD: 0x0010,
}
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN']
const NXDOMAIN = 3
const EXTENDED_ERROR = 15
/** What a reply may have without EDNS, and what an upstream announces with it. */
const PLAIN_OCTETS = 512
const UDP_OCTETS = 1232
const STREAM_OCTETS = 0xffff
const NUMBER_TTL = 5

/** A reply before it is octets. */
interface Draft {
  bits: number
  rcode: number
  answer: readonly ZoneRecord[]
  authority: readonly ZoneRecord[]
  additional: readonly ZoneRecord[]
}

/** The records of an upstream's zone-file lines. Throws TypeError. */
export function readTable(lines: string): Table {
  const table = new Map<string, Map<string, ZoneRecord[]>>()
  for (const record of lines
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(parseRecord)) {
    const key = record.owner.toLowerCase()
    const types = table.get(key) ?? new Map<string, ZoneRecord[]>()
    types.set(record.type, [...(types.get(record.type) ?? []), record])
    table.set(key, types)
  }
  return table
}

/** The reply's octets. */
export function replyOctets(
  asked: Decoded,
  octets: Uint8Array,
  { rule, table, script }: { readonly rule: Rule; readonly table: Table; readonly script: UpstreamScript },
  transport: 'udp' | 'tcp',
): Uint8Array {
  if (rule.garbage !== undefined)
    return Buffer.from([...octets.subarray(0, 2), ...Buffer.from(rule.garbage, 'hex')])
  const [name = '', , type = ''] = asked.question[0]!.split(' ')
  const draft = draftReply(asked, rule, table, transport)
  const question = rule.noquestion ? undefined : (rule.question ?? `${name} ${type}`)
  const opt = asked.edns && !script.quiet_edns ? new Uint8Array(0) : undefined
  const options = rule.ede || rule.options ? Buffer.concat(optionsOf(rule)) : opt
  const reply = encode(asked.id, draft, question, options)
  const udpLimit = asked.edns
    ? Math.max(PLAIN_OCTETS, asked.edns.udpSize)
    : rule.big
      ? STREAM_OCTETS
      : PLAIN_OCTETS
  const limit = transport === 'tcp' ? STREAM_OCTETS : udpLimit
  const none = { bits: draft.bits | HEADER_BITS.TC!, answer: [], authority: [], additional: [] }
  const sent = reply.length > limit ? encode(asked.id, { ...draft, ...none }, question, options) : reply
  if (rule.wrongid) sent[0]! ^= 255
  return sent
}

function draftReply(asked: Decoded, rule: Rule, table: Table, transport: 'udp' | 'tcp'): Draft {
  const [name = '', , type = ''] = asked.question[0]!.split(' ')
  const isTruncated = rule.tc === true && transport === 'udp'
  let bits = HEADER_BITS.QR! | HEADER_BITS.RA! | (asked.opcode << 11)
  if (asked.flags.rd) bits |= HEADER_BITS.RD!
  if (isTruncated) bits |= HEADER_BITS.TC!
  for (const flag of rule.flags?.split(' ') ?? []) {
    const bit = HEADER_BITS[flag.replace('-', '').toUpperCase()]!
    bits = flag.startsWith('-') ? bits & ~bit : bits | bit
  }
  const draft: Draft = {
    bits,
    rcode: rule.rcode === undefined ? 0 : RCODES.indexOf(rule.rcode),
    answer: (rule.answer ?? []).map(parseRecord),
    authority: (rule.authority ?? []).map(parseRecord),
    additional: (rule.additional ?? []).map(parseRecord),
  }
  const isScripted = (['rcode', 'answer', 'authority', 'additional', 'empty'] as const).some(
    key => key in rule,
  )
  if (rule.number !== undefined) return { ...draft, answer: [numbered(name, type, rule)] }
  return isScripted || isTruncated ? draft : { ...draft, ...answerFrom(table, name, type) }
}

/** A record of the asked name and type that tells which upstream it is from, or as close to that as the type allows. */
function numbered(owner: string, type: string, { number = '', ttl = NUMBER_TTL }: Rule): ZoneRecord {
  const address = { A: '192.0.2.1', AAAA: '2001:db8::1' }[type]
  const text = address ?? (['PTR', 'NS', 'CNAME'].includes(type) ? `${number}.upstream.` : number)
  return { owner, type, text, ttlSeconds: ttl, class: 1, data: dataPieces(type, text) }
}

/** What the records say: aliases followed, NODATA and NXDOMAIN with the SOA of the closest zone. */
function answerFrom(table: Table, name: string, type: string): Partial<Draft> {
  const hasNamesBelow = (text: string): boolean => [...table.keys()].some(other => other.endsWith(`.${text}`))
  const answer: ZoneRecord[] = []
  const passed = new Set<string>()
  let owner = name
  for (;;) {
    const text = owner.toLowerCase()
    const types = table.get(text) ?? table.get(`*.${parentOf(text)}`)
    const wanted = [...(types?.keys() ?? [])].filter(each => each === type || type === 'ANY')
    for (const each of wanted) answer.push(...types!.get(each)!.map(record => ({ ...record, owner })))
    if (wanted.length > 0) return { answer }
    const alias = types?.get('CNAME')?.[0]
    if (!alias || passed.has(text)) {
      const rcode = types || hasNamesBelow(text) ? 0 : NXDOMAIN
      return { answer, authority: soaAbove(table, text), rcode }
    }
    passed.add(text)
    answer.push({ ...alias, owner })
    owner = alias.text
  }
}

const parentOf = (name: string): string => name.slice(name.indexOf('.') + 1)

function soaAbove(table: Table, name: string): readonly ZoneRecord[] {
  for (let zone = name; ; zone = parentOf(zone) || '.') {
    const soa = table.get(zone)?.get('SOA')
    if (soa || zone === '.') return soa ?? []
  }
}

function optionsOf({ ede, options = [] }: Rule): Buffer[] {
  const option = (code: number, data: Uint8Array): Buffer =>
    Buffer.from([code >> 8, code & 255, data.length >> 8, data.length & 255, ...data])
  if (ede) return [option(EXTENDED_ERROR, Buffer.from([0, ede[0], ...Buffer.from(ede[1])]))]
  return options.map(readOption).map(({ code, data }) => option(code, data))
}

/** @param question - `NAME TYPE`; undefined for none. @param options - of an OPT record; undefined for none. */
function encode(
  id: number,
  draft: Draft,
  question: string | undefined,
  options: Uint8Array | undefined,
): Buffer {
  const { bits, rcode, answer, authority, additional } = draft
  const counts = [answer.length, authority.length, additional.length + (options ? 1 : 0)]
  const writer = new MessageWriter().u16(id, bits | rcode, question === undefined ? 0 : 1, ...counts)
  if (question !== undefined) {
    const [name = '', type = ''] = question.split(' ')
    writer.name(name).u16(typeNumber(type), 1)
  }
  for (const record of [...answer, ...authority, ...additional]) writer.record(record)
  if (options) writer.raw([0]).u16(typeNumber('OPT'), UDP_OCTETS, 0, 0, options.length).raw(options)
  return writer.octets()
}
