// The formats of the query log (CoreDNS plugin/log and plugin/pkg/replacer): text with placeholders, compiled once.
//
//   {remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}
//   [::1]:50759 - 29008 "A IN example.org. udp 41 false 4096" NOERROR qr,rd,ra,ad 68 0.037990251s
//
// `{/LABEL}` is a metadata label, or `-` where nobody set it. What is no placeholder is text, braces and all.

import type { Query } from '../../query/query.ts'
import { DROP, type Outcome, type Reply } from '../../query/reply.ts'
import { formatSeconds } from '../../shared/duration.ts'
import { HEADER_OCTETS, MESSAGE_MAX, PAYLOAD_MIN } from '../../wire/header.ts'
import { foldName, formatName } from '../../wire/name.ts'
import { rcodeName } from '../../wire/rcode.ts'
import { className, typeName } from '../../wire/rrtype.ts'

/** CoreDNS's default format. */
export const COMMON_FORMAT =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}'
/** The common format with the operation code. */
export const COMBINED_FORMAT = `${COMMON_FORMAT} "{>opcode}"`

/** What is nothing. */
const EMPTY = '-'

/** One query with what became of it. */
export interface LogEntry {
  readonly query: Query
  readonly outcome: Outcome
  readonly durationMs: number
}

type Part = (entry: LogEntry) => string

/** Every placeholder but metadata. The server answers no operation but QUERY, which is 0. */
const PLACEHOLDERS: Readonly<Record<string, Part>> = {
  '{type}': ({ query }) => typeName(query.question.qtype),
  '{name}': ({ query }) => formatName(foldName(query.question.qname)),
  '{class}': ({ query }) => className(query.question.qclass),
  '{proto}': ({ query }) => (query.transport === 'udp' ? 'udp' : 'tcp'),
  '{size}': ({ query }) => String(query.requestOctets),
  '{remote}': ({ query }) => bracketed(query.client.address),
  '{port}': ({ query }) => String(query.client.port),
  '{local}': ({ query }) => bracketed(query.local.address),
  '{>id}': ({ query }) => String(query.id),
  '{>opcode}': () => '0',
  '{>do}': ({ query }) => String(query.edns?.dnssecOk ?? false),
  '{>bufsize}': ({ query }) => String(bufferSize(query)),
  '{rcode}': ({ outcome }) => (outcome === DROP ? EMPTY : rcodeText(outcome.rcode)),
  '{rsize}': ({ query, outcome }) => String(outcome === DROP ? 0 : uncompressedOctets(query, outcome)),
  '{duration}': ({ durationMs }) => `${formatSeconds(durationMs)}s`,
  '{>rflags}': ({ query, outcome }) => (outcome === DROP ? EMPTY : flags(query, outcome)),
}

/** Compiles a format. */
export function compileFormat(format: string): (entry: LogEntry) => string {
  const parts: (Part | string)[] = []
  let at = 0
  for (const match of format.matchAll(/\{[^{}]*\}/g)) {
    const part = partOf(match[0])
    if (part === undefined) continue
    if (match.index > at) parts.push(format.slice(at, match.index))
    parts.push(part)
    at = match.index + match[0].length
  }
  if (at < format.length) parts.push(format.slice(at))
  return entry => {
    let text = ''
    for (const part of parts) text += typeof part === 'string' ? part : part(entry)
    return text
  }
}

/** Puts the named formats in the place of `{common}` and `{combined}`. */
export const expandFormat = (format: string): string =>
  format.replaceAll('{common}', COMMON_FORMAT).replaceAll('{combined}', COMBINED_FORMAT)

function partOf(written: string): Part | undefined {
  if (Object.hasOwn(PLACEHOLDERS, written)) return PLACEHOLDERS[written]
  if (!written.startsWith('{/')) return undefined
  const label = written.slice(2, -1)
  return ({ query }) => query.metadata.get(label) ?? EMPTY
}

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** What the client takes: over TCP any message, without EDNS 512 octets (CoreDNS plugin/pkg/edns). */
export const bufferSize = ({ transport, edns }: Query): number =>
  transport === 'udp' ? Math.max(PAYLOAD_MIN, edns?.payloadSize ?? 0) : MESSAGE_MAX

const rcodeText = (rcode: number): string => {
  const name = rcodeName(rcode)
  return name.startsWith('RCODE') ? String(rcode) : name
}

function flags({ recursionDesired, checkingDisabled }: Query, reply: Reply): string {
  const set = ['qr']
  if (reply.authoritative) set.push('aa')
  if (reply.truncated) set.push('tc')
  if (reply.recursionDesired ?? recursionDesired) set.push('rd')
  if (reply.recursionAvailable) set.push('ra')
  if (reply.authenticData) set.push('ad')
  if (checkingDisabled) set.push('cd')
  return set.join(',')
}

/** The octets of a reply before names are compressed and records left out, without OPT: CoreDNS's response sizes. */
export function uncompressedOctets({ question }: Pick<Query, 'question'>, reply: Reply): number {
  let octets = HEADER_OCTETS + question.qname.length + 4
  for (const section of [reply.answer, reply.authority, reply.additional]) {
    for (const { owner, rdata } of section) octets += owner.length + 10 + rdata.length
  }
  return octets
}
