// One record of a reply, written as a Go template of a line in a zone file.

import { readIp } from '../../shared/ip.ts'
import { parseName, ROOT } from '../../wire/name.ts'
import { parseRecord } from '../../wire/presentation/record.ts'
import { type Rr, rr } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { type Taken, templateData } from './data.ts'
import { compileTemplate, type Template } from './go/parse.ts'
import { renderTemplate } from './go/render.ts'
import { templateText } from './go/syntax.ts'
import { plainTemplate } from './plain.ts'

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
  readonly #plain: ((taken: Taken) => string | undefined) | undefined
  /** What was made last: most templates in use depend on nothing that changes from one question to the next. */
  #last: { readonly text: string; readonly record: Rr } | undefined

  /** The text is one that the configuration was read with; another throws. */
  constructor(text: string) {
    const template = compileTemplate(text)
    if ('reason' in template) throw new TypeError(`not a template: ${template.reason}`)
    this.#template = template
    this.#plain = plainTemplate(template)
    this.label = templateText(template.nodes)
  }

  /** The record for one question. */
  make(taken: Taken): Rr | Failure {
    const text = this.#plain?.(taken)
    return text === undefined ? this.#render(taken) : this.#recordOf(text)
  }

  #render(taken: Taken): Rr | Failure {
    const rendered = renderTemplate(this.#template, templateData(taken))
    if ('reason' in rendered)
      return { family: 'coredns_template_template_failures_total', reason: rendered.reason }
    return this.#recordOf(rendered.text)
  }

  #recordOf(text: string): Rr | Failure {
    if (this.#last?.text === text) return this.#last.record
    const record = addressRecord(text) ?? parseRecord(text, { origin: ROOT, ttlSeconds: TTL_DEFAULT_SECONDS })
    if ('reason' in record) {
      const reason = `${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}: ${record.reason}`
      return { family: 'coredns_template_rr_failures_total', reason }
    }
    this.#last = { text, record }
    return record
  }
}

const ADDRESS = /^[\w.-]+ \d{1,8} IN (?:A|AAAA) [\da-f.:]+$/
const IN_OCTETS = ' IN '.length

/** HOT: a record of the kind that most templates make, in their usual spelling; undefined for any other text. */
function addressRecord(text: string): Rr | undefined {
  if (!ADDRESS.test(text)) return undefined
  const ownerEnd = text.indexOf(' ')
  const ttlEnd = text.indexOf(' ', ownerEnd + 1)
  const valueAt = text.lastIndexOf(' ') + 1
  const isV4 = valueAt - ttlEnd - IN_OCTETS === 'A '.length
  const length = readIp(text.slice(valueAt), address, 0)
  const owner = parseName(text.slice(0, ownerEnd))
  if (owner === undefined || length !== (isV4 ? 4 : 16)) return undefined
  const ttlSeconds = Number(text.slice(ownerEnd + 1, ttlEnd))
  return rr(owner, isV4 ? TYPE.A : TYPE.AAAA, ttlSeconds, address.slice(0, length))
}

const address = new Uint8Array(16)
