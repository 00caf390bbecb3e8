// Namespaces, and their labels where selectors need them.

import { fieldAt, labelsOf, quote, textAt } from './field.ts'
import { internList, internText } from './intern.ts'
import type { Labels } from './label-selector.ts'
import type { SlimNamespace } from './objects.ts'
import type { ObjectOptions } from './options.ts'
import { isDnsLabel, type SlimProblem } from './slim.ts'

/** What of a Namespace is wanted. */
export type NamespaceOptions = Partial<Pick<ObjectOptions, 'labelledNamespaces'>>

/** A Namespace. */
export function slimNamespace(
  raw: unknown,
  { labelledNamespaces }: NamespaceOptions = {},
): SlimNamespace | SlimProblem {
  const name = textAt(raw, 'metadata', 'name').toLowerCase()
  if (!isDnsLabel(name))
    return {
      problem: `${quote(fieldAt(raw, 'metadata', 'name'))} is no valid namespace`,
      path: ['metadata', 'name'],
    }
  return labelledNamespaces ? { name, labels: namespaceLabels(name, labelsOf(raw)) } : { name }
}

/** The labels of a Namespace as they are kept, its name among them as the API server has it there. */
export const namespaceLabels = (name: string, labels: Labels): readonly string[] =>
  internList(
    [...new Map([...labels, ['kubernetes.io/metadata.name', name]])]
      .map(([key, value]) => internText(`${key}=${value}`))
      .sort(),
  )
