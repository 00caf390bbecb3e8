// Reads a Go template (text/template) into its tree. The language is Go's but for `define`, `template` and `block`, decimal
// numbers and the functions that DNS records have no use for.
//
//   pipeline  =  [ $name { , $name } ( := | = ) ] command { | command }
//   command   =  operand { blank operand }
//   operand   =  ( literal | nil | . | .Field | $name | function | "(" pipeline ")" ) { .Field }

import { SyntaxFault } from '../../../corefile/go-syntax.ts'
import { FUNCTION_NAMES } from './functions.ts'
import { characterValue, integerOf, unquote } from './literal.ts'
import type { Branch, Command, Operand, Pipeline, TemplateNode } from './syntax.ts'
import { type TemplateToken, type TokenKind, tokenizeTemplate } from './token.ts'

/** Branches and parentheses inside one another. */
const DEPTH_MAX = 100

/** A template that can be rendered. */
export interface Template {
  readonly nodes: readonly TemplateNode[]
}

/** Why a text is no template, and where. */
export interface TemplateFault {
  /** Lower case, without a full stop. */
  readonly reason: string
  /** In UTF-16 units from the template's beginning. */
  readonly at: number
}

/** Reads a template. */
export function compileTemplate(text: string): Template | TemplateFault {
  try {
    return { nodes: new Parser(text).template() }
  } catch (error) {
    if (error instanceof SyntaxFault) return { reason: error.message, at: error.at }
    throw error
  }
}

/** Words that begin an action of their own; the last three are not offered. */
const KEYWORDS: ReadonlySet<string> = new Set([
  'if',
  'with',
  'range',
  'else',
  'end',
  'break',
  'continue',
  'define',
  'template',
  'block',
])

/** What ended a list of nodes. */
type ListEnd = 'end' | 'else' | 'text'

class Parser {
  readonly #tokens: readonly TemplateToken[]
  readonly #endAt: number
  #next = 0
  #depth = 0
  #ranges = 0
  /** The variables in scope; `$` is the data. */
  #variables: string[] = ['$']

  constructor(text: string) {
    this.#tokens = tokenizeTemplate(text)
    this.#endAt = text.length
  }

  template(): readonly TemplateNode[] {
    const { nodes, end, at } = this.#list()
    if (end !== 'text') throw new SyntaxFault(`{{${end}}} without an action that it belongs to`, at)
    return nodes
  }

  /** Nodes up to the template's end, `{{end}}` or `{{else`. */
  #list(): { nodes: readonly TemplateNode[]; end: ListEnd; at: number } {
    const nodes: TemplateNode[] = []
    for (;;) {
      const token = this.#tokens[this.#next++]
      if (token === undefined) return { nodes, end: 'text', at: this.#endAt }
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text })
        continue
      }
      const word = this.#peek()
      const keyword = word?.kind === 'identifier' && KEYWORDS.has(word.text) ? word.text : undefined
      if (keyword !== undefined) this.#next++
      if (keyword === 'end' || keyword === 'else') {
        if (keyword === 'end') this.#expect('right')
        return { nodes, end: keyword, at: token.at }
      }
      nodes.push(this.#action(keyword, token))
    }
  }

  #action(keyword: string | undefined, { at }: TemplateToken): TemplateNode {
    switch (keyword) {
      case undefined:
        return { kind: 'action', pipeline: this.#pipeline('right', 1) }
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(keyword, at)
      case 'break':
      case 'continue':
        if (this.#ranges === 0) throw new SyntaxFault(`{{${keyword}}} outside {{range}}`, at)
        this.#expect('right')
        return { kind: keyword }
      default:
        throw new SyntaxFault(`{{${keyword}}} is not offered`, at)
    }
  }

  #branch(kind: Branch['kind'], at: number): Branch {
    return this.#deeper(at, () => {
      const outside = this.#variables.length
      const pipeline = this.#pipeline('right', kind === 'range' ? 2 : 1)
      if (kind === 'range') this.#ranges++
      const { nodes: body, end } = this.#list()
      if (kind === 'range') this.#ranges--
      if (end === 'text') throw new SyntaxFault(`this {{${kind}}} has no {{end}}`, at)
      const otherwise = end === 'else' ? this.#otherwise(kind, at) : undefined
      this.#variables.length = outside
      return { kind, pipeline, body, otherwise }
    })
  }

  /** Behind `{{else`: `{{else if …` and `{{else with …` end with the branch that they are in. */
  #otherwise(kind: Branch['kind'], at: number): readonly TemplateNode[] {
    const word = this.#peek()
    if (word?.kind === 'identifier' && word.text === kind && kind !== 'range') {
      this.#next++
      return [this.#branch(kind, word.at)]
    }
    this.#expect('right')
    const { nodes, end, at: endAt } = this.#list()
    if (end === 'text') throw new SyntaxFault(`this {{${kind}}} has no {{end}}`, at)
    if (end === 'else') throw new SyntaxFault(`a second {{else}} of one {{${kind}}}`, endAt)
    return nodes
  }

  /** A pipeline and the token that ends it. */
  #pipeline(end: 'right' | 'close', variablesMax: number): Pipeline {
    const variables: string[] = []
    const assigns = this.#declarations(variables, variablesMax)
    const commands: Command[] = []
    do {
      const at = this.#peek()?.at ?? this.#endAt
      const command = this.#command()
      const { kind } = command[0]
      if (commands.length > 0 && (kind === 'literal' || kind === 'dot' || kind === 'nil'))
        throw new SyntaxFault('a value cannot take what comes through the pipe', at)
      commands.push(command)
    } while (this.#take('pipe'))
    this.#expect(end)
    if (!assigns) this.#variables.push(...variables)
    return { variables, assigns, commands }
  }

  /** `$a :=`, `$a =` or `$i, $a :=` before a pipeline: fills `variables` and tells whether it assigns. */
  #declarations(variables: string[], variablesMax: number): boolean {
    const start = this.#next
    while (this.#peek()?.kind === 'variable') {
      const { text, at } = this.#tokens[this.#next++]!
      variables.push(text)
      const sign = this.#peek()?.kind
      if (sign === 'comma' && variables.length < variablesMax) {
        this.#next++
        continue
      }
      if (sign === 'comma') throw new SyntaxFault('too many variables', at)
      if (sign !== 'declare' && sign !== 'assign') break
      this.#next++
      if (sign === 'assign') for (const name of variables) this.#known(name, at)
      return sign === 'assign'
    }
    variables.length = 0
    this.#next = start
    return false
  }

  #known(name: string, at: number): void {
    if (!this.#variables.includes(name)) throw new SyntaxFault(`the variable ${name} is not declared`, at)
  }

  #command(): Command {
    const operands: [Operand, ...Operand[]] = [this.#operand()]
    for (;;) {
      const token = this.#peek()
      if (token === undefined || ['right', 'close', 'pipe'].includes(token.kind)) return operands
      if (!token.spaced) throw new SyntaxFault(`${JSON.stringify(token.text)} means nothing here`, token.at)
      operands.push(this.#operand())
    }
  }

  #operand(): Operand {
    const token = this.#tokens[this.#next++]
    if (token === undefined) throw new SyntaxFault('a value is missing', this.#endAt)
    const term = this.#term(token)
    const path = this.#path()
    if (path.length === 0) return term
    if (term.kind === 'field' || term.kind === 'variable' || term.kind === 'pipeline') {
      return { ...term, path: [...term.path, ...path] }
    }
    throw new SyntaxFault(`${token.text} has no fields`, token.at)
  }

  /** The fields that follow without a blank. */
  #path(): string[] {
    const path: string[] = []
    for (let token = this.#peek(); token?.kind === 'field' && !token.spaced; token = this.#peek()) {
      path.push(token.text.slice(1))
      this.#next++
    }
    return path
  }

  #term({ kind, text, at }: TemplateToken): Operand {
    switch (kind) {
      case 'dot':
        return { kind: 'dot' }
      case 'field':
        return { kind: 'field', path: [text.slice(1)], at }
      case 'variable':
        this.#known(text, at)
        return { kind: 'variable', name: text, path: [], at }
      case 'open':
        return { kind: 'pipeline', pipeline: this.#deeper(at, () => this.#pipeline('close', 1)), path: [] }
      case 'identifier':
        return identifier(text, at)
      case 'number':
        return { kind: 'literal', value: integerOf(text, at), written: text }
      case 'character':
        return { kind: 'literal', value: characterValue(text, at), written: text }
      case 'string':
      case 'raw':
        return { kind: 'literal', value: unquote(text, at), written: text }
      default:
        throw new SyntaxFault(
          kind === 'right' ? 'a value is missing' : `${JSON.stringify(text)} means nothing here`,
          at,
        )
    }
  }

  #deeper<T>(at: number, read: () => T): T {
    if (this.#depth === DEPTH_MAX)
      throw new SyntaxFault(`more than ${DEPTH_MAX} levels inside one another`, at)
    this.#depth++
    const result = read()
    this.#depth--
    return result
  }

  #peek(): TemplateToken | undefined {
    return this.#tokens[this.#next]
  }

  #take(kind: TokenKind): boolean {
    if (this.#peek()?.kind !== kind) return false
    this.#next++
    return true
  }

  #expect(kind: 'right' | 'close'): void {
    if (this.#take(kind)) return
    const token = this.#peek()
    throw new SyntaxFault(`${kind === 'right' ? '}}' : ')'} is missing`, token?.at ?? this.#endAt)
  }
}

function identifier(text: string, at: number): Operand {
  if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', written: text }
  if (text === 'nil') return { kind: 'nil' }
  if (FUNCTION_NAMES.has(text)) return { kind: 'function', name: text }
  throw new SyntaxFault(
    `there is no function ${text}; there are ${[...FUNCTION_NAMES].sort().join(', ')}`,
    at,
  )
}
