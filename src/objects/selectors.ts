// Selectors of namespaces as texts, in a Corefile and in a DNSPolicy alike: a name with `*` for any characters, or labels as
// Kubernetes selects by them.
//
//   web-*   name:web-*        by name
//   team=a  !legacy  k in (a,b)   label:team        by labels; `label:` where it could be a name

import { field, isJson, type Path, quote } from './field.ts'
import { isLabelKey, isLabelValue, type Labels, parseSelector } from './label-selector.ts'

/** Every namespace; of clients everybody. */
export const EVERY = '*'
/** What a selector by labels begins with. */
const LABEL = 'label:'
const NAME = 'name:'

const GLOB = /^[a-z0-9*](?:[-a-z0-9*]{0,61}[a-z0-9*])?$/

/** Whether it is the name of a namespace, perhaps with `*`. */
export const isNamespaceGlob = (text: string): boolean => GLOB.test(text)

/** Whether a selector, as `selectorOf` gives it, is one by labels. */
export const isByLabels = (selector: string): boolean => selector.startsWith(LABEL)

/** Whether a namespace with these labels is selected; the selector is one by labels that can be read. */
export function labelTest(selector: string): (labels: Labels) => boolean {
  const predicate = parseSelector(selector.slice(LABEL.length))
  return typeof predicate === 'function' ? predicate : () => false
}

/** The selector that a person has written, in the one form that it has inside; a problem where it is none. */
export function selectorOf(text: string): string | { readonly problem: string } {
  if (isNamespaceGlob(text)) return text
  if (text.startsWith(NAME)) {
    const glob = text.slice(NAME.length)
    return isNamespaceGlob(glob) ? glob : { problem: 'this is no name of a namespace, perhaps with *' }
  }
  const labels = isByLabels(text) ? text.slice(LABEL.length) : text
  if (!isByLabels(text) && !/[=!<>(,/._]/.test(text))
    return { problem: 'this is neither a name of a namespace, perhaps with *, nor a selector of labels' }
  const read = parseSelector(labels)
  return 'problem' in read ? { problem: `not a label selector: ${read.problem}` } : `${LABEL}${labels}`
}

/** Whether a text out of a file is a selector as it is inside. */
export const isSelector = (text: string): boolean =>
  isByLabels(text) ? typeof parseSelector(text.slice(LABEL.length)) === 'function' : isNamespaceGlob(text)

/** Labels and expressions of one metav1.LabelSelector, and values of one expression. */
export const REQUIREMENTS_MAX = 32
export const VALUES_MAX = 64

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const

/** A metav1.LabelSelector in the form that selectors have inside; what is wrong with it is told, and gives undefined. */
export function selectorOfObject(
  raw: unknown,
  wrong: (path: Path, text: string) => void,
): string | undefined {
  if (!isJson(raw)) return told(wrong, [], `${quote(raw)} is no label selector`)
  for (const key of Object.keys(raw))
    if (key !== 'matchLabels' && key !== 'matchExpressions')
      return told(wrong, [key], 'a label selector has matchLabels and matchExpressions')
  const labels = field(raw, 'matchLabels') ?? {}
  const expressions = field(raw, 'matchExpressions') ?? []
  if (!isJson(labels)) return told(wrong, ['matchLabels'], 'these are no labels')
  if (!Array.isArray(expressions)) return told(wrong, ['matchExpressions'], 'this is no list')
  const entries = Object.entries(labels)
  if (entries.length + expressions.length > REQUIREMENTS_MAX)
    return told(wrong, [], `more than ${REQUIREMENTS_MAX} labels and expressions`)
  const parts: string[] = []
  for (const [key, value] of entries) {
    if (!isLabelKey(key)) return told(wrong, ['matchLabels'], `${quote(key)} is no label key`)
    if (typeof value !== 'string' || !isLabelValue(value))
      return told(wrong, ['matchLabels', key], `${quote(value)} is no label value`)
    parts.push(`${key}=${value}`)
  }
  for (const [i, expression] of expressions.entries()) {
    const part = partOf(expression, (path, text) => wrong(['matchExpressions', i, ...path], text))
    if (part === undefined) return undefined
    parts.push(part)
  }
  const selector = `${LABEL}${parts.join(',')}`
  return isSelector(selector) ? selector : told(wrong, [], 'this selector is too long')
}

/** One of matchExpressions. */
function partOf(raw: unknown, wrong: (path: Path, text: string) => void): string | undefined {
  const key = field(raw, 'key')
  if (typeof key !== 'string' || !isLabelKey(key))
    return told(wrong, ['key'], `${quote(key)} is no label key`)
  const operator = OPERATORS.find(known => known === field(raw, 'operator'))
  if (operator === undefined)
    return told(wrong, ['operator'], `the operator is none of ${OPERATORS.join(', ')}`)
  const values = field(raw, 'values') ?? []
  const isList =
    Array.isArray(values) && values.every(value => typeof value === 'string' && isLabelValue(value))
  if (!isList) return told(wrong, ['values'], 'these are no label values')
  if (values.length > VALUES_MAX) return told(wrong, ['values'], `more than ${VALUES_MAX} values`)
  const hasValues = operator === 'In' || operator === 'NotIn'
  if (hasValues !== values.length > 0)
    return told(wrong, ['values'], hasValues ? `${operator} needs values` : `${operator} has no values`)
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`
}

function told(wrong: (path: Path, text: string) => void, path: Path, text: string): undefined {
  wrong(path, text)
}
