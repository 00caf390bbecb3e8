// One record of a reply, written as a Go template of a line in a zone file.

import { ROOT } from '../../wire/name.ts'
import { parseRecord } from '../../wire/presentation/record.ts'
import type { Rr } from '../../wire/record.ts'
import { compileTemplate, type Template } from './go/parse.ts'
import { renderTemplate } from './go/render.ts'
import { templateText } from './go/syntax.ts'
import type { Struct } from './go/value.ts'

/** Of records without one, as CoreDNS has it. */
const TTL_DEFAULT_SECONDS = 3600
/** Of a text that is no record, in the log. */
const SHOWN_CHARACTERS = 200

/** Why there is no record, and which counter counts it. */
export interface Failure {
  readonly family: 'coredns_template_template_failures_total' | 'coredns_template_rr_failures_total'
  readonly reason: string
}

export class RecordTemplate {
  /** The template as CoreDNS's metrics name it. */
  readonly label: string
  readonly #template: Template
  /** What was made last: most templates in use depend on nothing that changes from one question to the next. */
  #last: { readonly text: string; readonly record: Rr } | undefined

  /** The text is one that the configuration was read with; another throws. */
  constructor(text: string) {
    const template = compileTemplate(text)
    if ('reason' in template) throw new TypeError(`not a template: ${template.reason}`)
    this.#template = template
    this.label = templateText(template.nodes)
  }

  /** The record for the data of one question. */
  make(data: Struct): Rr | Failure {
    const rendered = renderTemplate(this.#template, data)
    if ('reason' in rendered)
      return { family: 'coredns_template_template_failures_total', reason: rendered.reason }
    const { text } = rendered
    if (this.#last?.text === text) return this.#last.record
    const record = parseRecord(text, { origin: ROOT, ttlSeconds: TTL_DEFAULT_SECONDS })
    if ('reason' in record) {
      const reason = `${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}: ${record.reason}`
      return { family: 'coredns_template_rr_failures_total', reason }
    }
    this.#last = { text, record }
    return record
  }
}
