// `prometheus`: /metrics gives everything counted so far (CoreDNS plugin/metrics), as OpenMetrics where a scraper would rather
// have that (RFC 9110 12.5.1).

import { EXPOSITION_TYPES, type ExpositionForm, exposition } from './exposition.ts'
import type { HttpRoute } from './http-answers.ts'
import type { Registry } from './registry.ts'

/** What /metrics answers. */
export const metricsRoute =
  (registry: Registry): HttpRoute =>
  (_query, accept) => {
    const form = expositionForm(accept)
    return { status: 200, contentType: EXPOSITION_TYPES[form], body: exposition(registry.gather(), form) }
  }

/** The form that an Accept header prefers: OpenMetrics where it is named, and not below plain text. */
export function expositionForm(accept: string): ExpositionForm {
  let open = 0
  let text = 0
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim())
    const weight = Number(parameters.find(part => part.startsWith('q='))?.slice(2) ?? 1)
    if (Number.isNaN(weight)) continue
    const version = parameters.find(part => part.startsWith('version='))?.slice('version='.length)
    if (type === 'application/openmetrics-text') {
      if (version === undefined || version === '1.0.0') open = Math.max(open, weight)
    } else if (type === 'text/plain' || type === 'text/*') text = Math.max(text, weight)
  }
  return open > 0 && open >= text ? 'openMetrics' : 'text'
}
