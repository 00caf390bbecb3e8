// Finds fields in a template that its data never has: Go notices them when a question comes, for each question anew.

import { FIELDS } from './data.ts'
import type { Template } from './go/parse.ts'
import type { Operand, Pipeline, TemplateNode } from './go/syntax.ts'

/** A field that is not there. */
export interface UnknownField {
  /** Where it stands in the template. */
  readonly at: number
  readonly found: string
  readonly message: string
}

/** A path that begins at the data. */
interface FieldPath {
  readonly path: readonly string[]
  readonly at: number
}

/** The fields that do not exist, and the groups that none of the regular expressions has. */
export function unknownFields({ nodes }: Template, groups: ReadonlySet<string>): readonly UnknownField[] {
  return [...pathsOf(nodes, true)].flatMap(({ path, at }) => {
    const message = complaintAbout(path, groups)
    return message === undefined ? [] : [{ at, found: `.${path.join('.')}`, message }]
  })
}

function complaintAbout(path: readonly string[], groups: ReadonlySet<string>): string | undefined {
  const [first = '', second] = path
  const below = Object.hasOwn(FIELDS, first) ? FIELDS[first]! : undefined
  if (below === undefined) {
    return `the data of a template has no such field, which is SERVFAIL; it has ${Object.keys(FIELDS).join(', ')}`
  }
  if (second === undefined || (first === 'Group' ? groups.has(second) : below.includes(second)))
    return undefined
  return first === 'Group'
    ? `no regular expression here has a group of the name ${second}: it is written <no value>`
    : `${first} has no such field, which is SERVFAIL`
}

/** Every path from the data; `atData` is whether the dot is the data itself. */
function* pathsOf(nodes: readonly TemplateNode[], atData: boolean): Generator<FieldPath> {
  for (const node of nodes) {
    if (!('pipeline' in node)) continue
    yield* pathsOfPipeline(node.pipeline, atData)
    if (node.kind === 'action') continue
    yield* pathsOf(node.body, atData && node.kind === 'if')
    yield* pathsOf(node.otherwise ?? [], atData)
  }
}

function* pathsOfPipeline({ commands }: Pipeline, atData: boolean): Generator<FieldPath> {
  for (const operand of commands.flat()) yield* pathsOfOperand(operand, atData)
}

function* pathsOfOperand(operand: Operand, atData: boolean): Generator<FieldPath> {
  if (operand.kind === 'pipeline') yield* pathsOfPipeline(operand.pipeline, atData)
  else if (operand.kind === 'field' && atData) yield operand
  else if (operand.kind === 'variable' && operand.name === '$' && operand.path.length > 0) yield operand
}
