// What a template knows of a question (coredns plugin/template/template.go): the fields of its data.

import type { Packet } from '../../query/packet.ts'
import { formatName } from '../../wire/name.ts'
import { CLASS, className, TYPE, typeName } from '../../wire/rrtype.ts'
import type { TemplateRule } from './config.ts'
import type { Method, Struct, Value } from './go/value.ts'

/** A question that a directive takes. */
export interface Taken {
  readonly packet: Packet
  readonly rule: TemplateRule
  /** The zone of the directive that it lies in. */
  readonly zone: string
  /** The name in lower case. */
  readonly name: string
  readonly match: Match
}

/** The regular expression that was found in a name, and what its groups hold, the whole of it first. */
export interface Match {
  readonly regex: string
  readonly groups: readonly string[]
  readonly names: Readonly<Record<string, number>>
}

/** The class and the type of the question by name, those of the directive where all were asked; '' for one without a name. */
export function classAndType({ packet, rule }: Taken): { readonly class: string; readonly type: string } {
  const { qclass, qtype } = packet.scan
  const named = (name: string): string => (/^(?:CLASS|TYPE)\d+$/.test(name) ? '' : name)
  return {
    class: named(className(qclass === CLASS.ANY ? rule.qclass : qclass)),
    type: named(typeName(qtype === TYPE.ANY ? rule.qtype : qtype)),
  }
}

/** How each field is read when a template asks for it. */
type Readers<T> = Readonly<Record<string, (source: T) => Value | Method>>

const DATA: Readers<Taken> = {
  Zone: ({ zone }) => zone,
  Name: ({ name }) => name,
  Class: taken => classAndType(taken).class,
  Type: taken => classAndType(taken).type,
  Match: ({ match }) => match.groups,
  Group: ({ match }) => groupsOf(match),
  Regex: ({ match }) => match.regex,
  Question: ({ packet }) => questionOf(packet),
  Message: ({ packet }) => struct('*dns.Msg', () => '', MESSAGE, packet),
  Remote: ({ packet }) => packet.client.address,
  Meta:
    ({ packet }) =>
    label =>
      packet.label(label) ?? '',
}

const QUESTION: Readers<Packet> = {
  Name: ({ qname }) => formatName(qname),
  Qtype: ({ scan }) => BigInt(scan.qtype),
  Qclass: ({ scan }) => BigInt(scan.qclass),
}

/** The head of the message that a query came in; its records are not there. */
const MESSAGE: Readers<Packet> = {
  Id: ({ asked }) => BigInt(asked.id),
  Opcode: () => 0n,
  Rcode: () => 0n,
  Response: () => false,
  Authoritative: () => false,
  Truncated: () => false,
  RecursionDesired: ({ asked, recursionDesired }) => asked.recursionDesired && recursionDesired,
  RecursionAvailable: () => false,
  Zero: () => false,
  AuthenticatedData: packet => packet.authenticData,
  CheckingDisabled: ({ asked }) => asked.checkingDisabled,
  Question: packet => [questionOf(packet)],
}

/** The fields of the data, and the fields below them; those of Group are the groups of the regular expressions. */
export const FIELDS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.keys(DATA).map(field => [field, []])),
  Question: Object.keys(QUESTION),
  Message: Object.keys(MESSAGE),
}

/** The data of a taken question. */
export const templateData = (taken: Taken): Struct => struct('*template.templateData', () => '', DATA, taken)

function questionOf(packet: Packet): Struct {
  const { qtype, qclass } = packet.scan
  const text = (): string => `;${formatName(packet.qname)}\t${className(qclass)}\t ${typeName(qtype)}`
  return struct('*dns.Question', text, QUESTION, packet)
}

/** Groups by number and by name. */
function groupsOf({ groups, names }: Match): ReadonlyMap<string, string> {
  const byName = Object.entries(names).map(([name, i]) => [name, groups[i] ?? ''] as const)
  return new Map([...groups.map((text, i) => [String(i), text] as const), ...byName])
}

function struct<T>(type: string, text: () => string, readers: Readers<T>, source: T): Struct {
  return {
    type,
    text,
    has: field => Object.hasOwn(readers, field),
    get: field => readers[field]?.(source),
  }
}
