// Templates that are text and fields alone, as most in use are, are not walked like a program: what they make of a question
// is put together at once.

import { classAndType, type Taken } from './data.ts'
import type { Template } from './go/parse.ts'
import type { Command, TemplateNode } from './go/syntax.ts'
import { TEXT_MAX_CHARACTERS } from './go/value.ts'

/** One part of the text; undefined where it has to be rendered to see what is wrong. */
type Part = (taken: Taken) => string | undefined

const FIELDS: Readonly<Record<string, Part>> = {
  Zone: ({ zone }) => zone,
  Name: ({ name }) => name,
  Class: taken => classAndType(taken).class,
  Type: taken => classAndType(taken).type,
  Regex: ({ match }) => match.regex,
  Remote: ({ packet }) => packet.client.address,
}

/** Makes the text of a template as `renderTemplate` would; undefined for one that is more than text and fields. */
export function plainTemplate({ nodes }: Template): Part | undefined {
  const parts = nodes.map(partOf)
  if (!parts.every(part => part !== undefined)) return undefined
  return taken => {
    let text = ''
    for (const part of parts) {
      const made = part(taken)
      if (made === undefined) return undefined
      text += made
    }
    return text.length > TEXT_MAX_CHARACTERS ? undefined : text
  }
}

function partOf(node: TemplateNode): Part | undefined {
  if (node.kind === 'text') return () => node.text
  if (node.kind !== 'action') return undefined
  const { variables, commands } = node.pipeline
  const [command] = commands
  return variables.length > 0 || commands.length > 1 || command === undefined
    ? undefined
    : commandPart(command)
}

function commandPart([first, ...rest]: Command): Part | undefined {
  if (first.kind === 'field' && rest.length === 0) {
    const [field = '', group] = first.path
    if (first.path.length === 1) return Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined
    if (field === 'Group' && group !== undefined && first.path.length === 2) return groupNamed(group)
    return undefined
  }
  const [list, index] = rest
  if (first.kind !== 'function' || first.name !== 'index' || rest.length !== 2) return undefined
  if (list?.kind !== 'field' || list.path.join('.') !== 'Match' || index?.kind !== 'literal') return undefined
  const { value } = index
  return typeof value === 'bigint' ? ({ match }) => match.groups[Number(value)] : undefined
}

const groupNamed =
  (group: string): Part =>
  ({ match: { groups, names } }) => {
    const number = Object.hasOwn(names, group) ? names[group] : undefined
    return number === undefined ? undefined : groups[number]
  }
