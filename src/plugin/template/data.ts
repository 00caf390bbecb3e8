// What a template knows of a question (coredns plugin/template/template.go): the fields of its data.

import type { Query } from '../../query/query.ts'
import { formatName } from '../../wire/name.ts'
import { CLASS, className, TYPE, typeName } from '../../wire/rrtype.ts'
import type { TemplateRule } from './config.ts'
import type { Method, Struct, Value } from './go/value.ts'

/** A question that a directive takes. */
export interface Taken {
  readonly query: Query
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
export function classAndType({ query, rule }: Taken): { readonly class: string; readonly type: string } {
  const { qclass, qtype } = query.question
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
  Question: ({ query }) => questionOf(query),
  Message: ({ query }) => struct('*dns.Msg', () => '', MESSAGE, query),
  Remote: ({ query }) => query.client.address,
  Meta:
    ({ query }) =>
    label =>
      query.metadata.get(label) ?? '',
}

const QUESTION: Readers<Query> = {
  Name: ({ question }) => formatName(question.qname),
  Qtype: ({ question }) => BigInt(question.qtype),
  Qclass: ({ question }) => BigInt(question.qclass),
}

/** The head of the message that a query came in; its records are not there. */
const MESSAGE: Readers<Query> = {
  Id: ({ id }) => BigInt(id),
  Opcode: () => 0n,
  Rcode: () => 0n,
  Response: () => false,
  Authoritative: () => false,
  Truncated: () => false,
  RecursionDesired: query => query.recursionDesired,
  RecursionAvailable: () => false,
  Zero: () => false,
  AuthenticatedData: query => query.authenticData,
  CheckingDisabled: query => query.checkingDisabled,
  Question: query => [questionOf(query)],
}

/** The fields of the data, and the fields below them; those of Group are the groups of the regular expressions. */
export const FIELDS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.keys(DATA).map(field => [field, []])),
  Question: Object.keys(QUESTION),
  Message: Object.keys(MESSAGE),
}

/** The data of a taken question. */
export const templateData = (taken: Taken): Struct => struct('*template.templateData', () => '', DATA, taken)

function questionOf(query: Query): Struct {
  const { qname, qtype, qclass } = query.question
  const text = (): string => `;${formatName(qname)}\t${className(qclass)}\t ${typeName(qtype)}`
  return struct('*dns.Question', text, QUESTION, query)
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
