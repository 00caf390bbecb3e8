// The tree of a Go template, and its text in the one spelling that text/template gives it: CoreDNS's metrics name a failed
// template by it.

/** A value written in a template: text, integer or truth. */
export type Literal = string | bigint | boolean

/** One word of a command. */
export type Operand =
  | { readonly kind: 'literal'; readonly value: Literal; readonly written: string }
  | { readonly kind: 'nil' }
  | { readonly kind: 'dot' }
  /** `.A.B` */
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly at: number }
  /** `$name.A.B`; the name has its dollar. */
  | {
      readonly kind: 'variable'
      readonly name: string
      readonly path: readonly string[]
      readonly at: number
    }
  | { readonly kind: 'function'; readonly name: string }
  /** `(pipeline).A.B` */
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly path: readonly string[] }

/** A function, method or value with its arguments. */
export type Command = readonly [Operand, ...Operand[]]

/** Commands, each the last argument of the next, and the variables that take the result. */
export interface Pipeline {
  readonly variables: readonly string[]
  /** `=` instead of `:=`. */
  readonly assigns: boolean
  readonly commands: readonly Command[]
}

export interface Branch {
  readonly kind: 'if' | 'with' | 'range'
  readonly pipeline: Pipeline
  readonly body: readonly TemplateNode[]
  readonly otherwise: readonly TemplateNode[] | undefined
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | Branch

/** The text of a tree. */
export const templateText = (nodes: readonly TemplateNode[]): string => nodes.map(nodeText).join('')

function nodeText(node: TemplateNode): string {
  switch (node.kind) {
    case 'text':
      return node.text
    case 'action':
      return `{{${pipelineText(node.pipeline)}}}`
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`
    default: {
      const { kind, pipeline, body, otherwise } = node
      const rest = otherwise === undefined ? '' : `{{else}}${templateText(otherwise)}`
      return `{{${kind} ${pipelineText(pipeline)}}}${templateText(body)}${rest}{{end}}`
    }
  }
}

function pipelineText({ variables, assigns, commands }: Pipeline): string {
  const sign = assigns ? ' = ' : ' := '
  const head = variables.length > 0 ? variables.join(', ') + sign : ''
  return head + commands.map(command => command.map(operandText).join(' ')).join(' | ')
}

function operandText(operand: Operand): string {
  const dotted = (path: readonly string[]): string => path.map(name => `.${name}`).join('')
  switch (operand.kind) {
    case 'literal':
      return operand.written
    case 'nil':
      return 'nil'
    case 'dot':
      return '.'
    case 'function':
      return operand.name
    case 'field':
      return dotted(operand.path)
    case 'variable':
      return operand.name + dotted(operand.path)
    case 'pipeline':
      return `(${pipelineText(operand.pipeline)})${dotted(operand.path)}`
  }
}
