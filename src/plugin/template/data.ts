// What a template knows of a question (coredns plugin/template/template.go): the fields of its data.

import type { Query } from '../../query/query.ts'
import { formatName } from '../../wire/name.ts'
import { CLASS, className, TYPE, typeName } from '../../wire/rrtype.ts'
import type { TemplateRule } from './config.ts'
import type { Struct } from './go/value.ts'

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

const QUESTION_FIELDS = ['Name', 'Qtype', 'Qclass'] as const
const FLAGS = ['Response', 'Authoritative', 'Truncated', 'RecursionAvailable', 'Zero'] as const
const MESSAGE_FIELDS = [
  'Id',
  'Opcode',
  'Rcode',
  'RecursionDesired',
  'AuthenticatedData',
  'CheckingDisabled',
  'Question',
  ...FLAGS,
] as const

/** The fields of the data, and of those that have some the fields below. */
export const FIELDS: Readonly<Record<string, readonly string[] | undefined>> = {
  Zone: [],
  Name: [],
  Class: [],
  Type: [],
  Match: [],
  Group: undefined,
  Regex: [],
  Question: QUESTION_FIELDS,
  Message: MESSAGE_FIELDS,
  Remote: [],
  Meta: [],
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

/** The data of a taken question. */
export function templateData(taken: Taken): Struct {
  const { query, zone, name, match } = taken
  const question = questionData(query)
  const names = classAndType(taken)
  const byNumber = match.groups.map((text, i) => [String(i), text] as const)
  const byName = Object.entries(match.names).map(([group, i]) => [group, match.groups[i] ?? ''] as const)
  return {
    type: '*template.templateData',
    text: '',
    fields: new Map<string, ReturnType<Struct['fields']['get']>>([
      ['Zone', zone],
      ['Name', name],
      ['Class', names.class],
      ['Type', names.type],
      ['Match', match.groups],
      ['Group', new Map([...byNumber, ...byName])],
      ['Regex', match.regex],
      ['Question', question],
      ['Message', messageData(query, question)],
      ['Remote', query.client.address],
      ['Meta', label => query.metadata.get(label) ?? ''],
    ]),
  }
}

function questionData({ question: { qname, qtype, qclass } }: Query): Struct {
  const name = formatName(qname)
  return {
    type: '*dns.Question',
    text: `;${name}\t${className(qclass)}\t ${typeName(qtype)}`,
    fields: new Map<(typeof QUESTION_FIELDS)[number], string | bigint>([
      ['Name', name],
      ['Qtype', BigInt(qtype)],
      ['Qclass', BigInt(qclass)],
    ]),
  }
}

/** The head of the question's message; its records are not there. */
function messageData(query: Query, question: Struct): Struct {
  return {
    type: '*dns.Msg',
    text: '',
    fields: new Map<(typeof MESSAGE_FIELDS)[number], bigint | boolean | readonly Struct[]>([
      ['Id', BigInt(query.id)],
      ['Opcode', 0n],
      ['Rcode', 0n],
      ['RecursionDesired', query.recursionDesired],
      ['AuthenticatedData', query.authenticData],
      ['CheckingDisabled', query.checkingDisabled],
      ['Question', [question]],
      ...FLAGS.map(flag => [flag, false] as const),
    ]),
  }
}
