// Label selectors as the API server reads them in `?labelSelector=` and CoreDNS in `labels` and `namespace_labels`:
// requirements joined by commas, all of which must hold (Kubernetes "Labels and Selectors").
//
//   app=web,tier!=cache   env in (prod, test)   env notin (dev)   canary   !canary   weight>10   weight<20

/** An object's labels; a Map, so that a label called `constructor` is only a label. */
export type Labels = ReadonlyMap<string, string>

/** Whether an object with these labels is selected. */
export type LabelPredicate = (labels: Labels) => boolean

/** Why a selector cannot be read; the column counts characters from 1. */
export interface SelectorProblem {
  readonly problem: string
  readonly column: number
}

/** A selector longer than this is refused. */
const SELECTOR_MAX_CHARACTERS = 4096

interface Token {
  /** A word (key or value), or one of the signs. */
  readonly text: string
  readonly word: boolean
  readonly column: number
}

const NAME = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$/
const PREFIX = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

/** Whether the text may be a label's key: NAME or PREFIX/NAME (name at most 63 characters, prefix a DNS subdomain). */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf('/')
  return NAME.test(text.slice(slash + 1)) && (slash < 0 || PREFIX.test(text.slice(0, slash)))
}

/** Whether the text may be a label's value: empty or at most 63 characters of [-A-Za-z0-9_.]. */
export const isLabelValue = (text: string): boolean => text === '' || NAME.test(text)

/**
 * Reads a selector. An empty one selects everything; `!=` and `notin` also select objects that lack the key. Gives a
 * problem, with its column, for text that the API server would refuse.
 */
export function parseSelector(text: string): LabelPredicate | SelectorProblem {
  if (text.length > SELECTOR_MAX_CHARACTERS) {
    return { problem: `selector is longer than ${SELECTOR_MAX_CHARACTERS} characters`, column: 1 }
  }
  const reader = new SelectorReader(text)
  const requirements: LabelPredicate[] = []
  if (reader.done) return () => true
  do {
    const requirement = reader.requirement()
    if (typeof requirement !== 'function') return requirement
    requirements.push(requirement)
  } while (reader.take(','))
  if (!reader.done) return reader.expected("','")
  return labels => requirements.every(requirement => requirement(labels))
}

class SelectorReader {
  readonly #tokens: Token[]
  readonly #end: number
  #at = 0

  constructor(text: string) {
    this.#end = text.length + 1
    this.#tokens = Array.from(text.matchAll(/==|!=|[=!<>(),]|[^\s=!<>(),]+/g), match => ({
      text: match[0],
      word: !/^[=!<>(),]/.test(match[0]),
      column: match.index + 1,
    }))
  }

  get done(): boolean {
    return this.#at === this.#tokens.length
  }

  take(sign: string): boolean {
    if (this.done || this.#tokens[this.#at]!.text !== sign) return false
    this.#at++
    return true
  }

  expected(what: string): SelectorProblem {
    const token = this.#tokens[this.#at]
    const found = token ? `'${token.text}'` : 'the end'
    return { problem: `found ${found}, expected ${what}`, column: token?.column ?? this.#end }
  }

  requirement(): LabelPredicate | SelectorProblem {
    const negated = this.take('!')
    const key = this.#word()
    if (key === undefined) return this.expected(negated ? 'a label key' : "a label key or '!'")
    if (!isLabelKey(key.text)) return { problem: `'${key.text}' is no label key`, column: key.column }
    if (negated) return labels => !labels.has(key.text)
    if (this.done || this.#tokens[this.#at]!.text === ',') return labels => labels.has(key.text)
    const column = this.#tokens[this.#at]!.column
    const operator = this.#tokens[this.#at++]!.text
    switch (operator) {
      case '=':
      case '==':
        return this.#exact(value => labels => labels.get(key.text) === value)
      case '!=':
        return this.#exact(value => labels => labels.get(key.text) !== value)
      case '>':
        return this.#ordered(bound => labels => (integer(labels.get(key.text)) ?? bound) > bound)
      case '<':
        return this.#ordered(bound => labels => (integer(labels.get(key.text)) ?? bound) < bound)
      case 'in':
        return this.#set(values => labels => values.has(labels.get(key.text)))
      case 'notin':
        return this.#set(values => labels => !values.has(labels.get(key.text)))
      default:
        return { problem: `found '${operator}', expected one of = == != in notin < >`, column }
    }
  }

  #word(): Token | undefined {
    return this.#tokens[this.#at]?.word ? this.#tokens[this.#at++] : undefined
  }

  #exact(make: (value: string) => LabelPredicate): LabelPredicate | SelectorProblem {
    const value = this.#word()
    if (value && !isLabelValue(value.text)) return badValue(value)
    return make(value?.text ?? '')
  }

  #ordered(make: (bound: number) => LabelPredicate): LabelPredicate | SelectorProblem {
    const value = this.#word()
    if (!value) return this.expected('an integer')
    const bound = integer(value.text)
    return bound === undefined
      ? { problem: `'${value.text}' is no integer`, column: value.column }
      : make(bound)
  }

  #set(make: (values: ReadonlySet<string | undefined>) => LabelPredicate): LabelPredicate | SelectorProblem {
    if (!this.take('(')) return this.expected("'('")
    const values = new Set<string | undefined>()
    do {
      const value = this.#word()
      if (value && !isLabelValue(value.text)) return badValue(value)
      values.add(value?.text ?? '')
    } while (this.take(','))
    return this.take(')') ? make(values) : this.expected("',' or ')'")
  }
}

const badValue = (token: Token): SelectorProblem => ({
  problem: `'${token.text}' is no label value`,
  column: token.column,
})

/** A label's value as a whole number that a double holds exactly, or undefined. */
function integer(text: string | undefined): number | undefined {
  if (text === undefined || !/^[-+]?\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
