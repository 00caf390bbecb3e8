// Renders a template with data, in a bounded number of steps and octets: a loop over the data is the only thing that takes
// longer than the template is long.

import { callFunction } from './functions.ts'
import type { Template } from './parse.ts'
import type { Branch, Command, Operand, Pipeline, TemplateNode } from './syntax.ts'
import {
  byKey,
  isList,
  isMap,
  isStruct,
  isTrue,
  RenderFault,
  type Struct,
  TEXT_MAX_CHARACTERS,
  typeOf,
  type Value,
  valueText,
} from './value.ts'

/** Nodes and commands that are looked at for one text. */
const STEPS_MAX = 10_000

/** The text, or why there is none (lower case, no full stop). */
export type Rendered = { readonly text: string } | { readonly reason: string }

/** Renders a template; the same data may be used again. */
export function renderTemplate({ nodes }: Template, data: Struct): Rendered {
  try {
    const renderer = new Renderer(data)
    renderer.walk(nodes, data)
    return { text: renderer.text }
  } catch (error) {
    if (error instanceof RenderFault) return { reason: error.message }
    throw error
  }
}

/** How a list of nodes ended; undefined at its end. */
type Leap = 'break' | 'continue' | undefined

/** A value that a pipe hands to the next command; undefined where nothing comes. */
type Piped = { readonly value: Value } | undefined

class Renderer {
  text = ''
  readonly #variables: { readonly name: string; value: Value }[]
  #steps = 0

  constructor(data: Struct) {
    this.#variables = [{ name: '$', value: data }]
  }

  walk(nodes: readonly TemplateNode[], dot: Value): Leap {
    for (const node of nodes) {
      this.#step()
      if (node.kind === 'text') this.#write(node.text)
      else if (node.kind === 'action') this.#action(node.pipeline, dot)
      else if (node.kind === 'break' || node.kind === 'continue') return node.kind
      else {
        const outside = this.#variables.length
        const leap = node.kind === 'range' ? this.#range(node, dot) : this.#branch(node, dot)
        this.#variables.length = outside
        if (leap !== undefined) return leap
      }
    }
    return undefined
  }

  #action(pipeline: Pipeline, dot: Value): void {
    const value = this.#pipeline(pipeline, dot)
    if (pipeline.variables.length > 0) return
    this.#write(value === undefined ? '<no value>' : valueText(value))
  }

  #branch({ kind, pipeline, body, otherwise }: Branch, dot: Value): Leap {
    const value = this.#pipeline(pipeline, dot)
    if (isTrue(value)) return this.walk(body, kind === 'with' ? value : dot)
    return otherwise === undefined ? undefined : this.walk(otherwise, dot)
  }

  #range({ pipeline, body, otherwise }: Branch, dot: Value): Leap {
    const value = this.#evaluate(pipeline, dot)
    const { variables, assigns } = pipeline
    let empty = true
    for (const [key, element] of elementsOf(value, variables.length)) {
      empty = false
      this.#step()
      const outside = this.#variables.length
      const values = variables.length > 1 ? [key, element] : [element]
      for (const [i, name] of variables.entries()) this.#set(name, values[i], assigns)
      const leap = this.walk(body, element)
      this.#variables.length = outside
      if (leap === 'break') break
    }
    return empty && otherwise !== undefined ? this.walk(otherwise, dot) : undefined
  }

  #set(name: string, value: Value, assigns: boolean): void {
    if (assigns) this.#variables.findLast(variable => variable.name === name)!.value = value
    else this.#variables.push({ name, value })
  }

  #pipeline(pipeline: Pipeline, dot: Value): Value {
    const value = this.#evaluate(pipeline, dot)
    for (const name of pipeline.variables) this.#set(name, value, pipeline.assigns)
    return value
  }

  #evaluate({ commands }: Pipeline, dot: Value): Value {
    let piped: Piped
    for (const command of commands) piped = { value: this.#command(command, dot, piped) }
    return piped?.value
  }

  #command([first, ...rest]: Command, dot: Value, piped: Piped): Value {
    this.#step()
    if (first.kind === 'function') return this.#function(first.name, rest, dot, piped)
    const args = [
      ...rest.map(operand => () => this.#operand(operand, dot)),
      ...(piped ? [() => piped.value] : []),
    ]
    if (first.kind === 'nil') throw new RenderFault('nil is not a command')
    return this.#operand(first, dot, args)
  }

  #function(name: string, rest: readonly Operand[], dot: Value, piped: Piped): Value {
    if (name !== 'and' && name !== 'or') {
      return callFunction(name, [
        ...rest.map(operand => this.#operand(operand, dot)),
        ...(piped ? [piped.value] : []),
      ])
    }
    if (rest.length === 0 && !piped) throw new RenderFault(`wrong number of args for ${name}: 0`)
    let value: Value
    for (const operand of rest) {
      value = this.#operand(operand, dot)
      if (isTrue(value) === (name === 'or')) return value
    }
    return piped ? piped.value : value
  }

  /** The value of a word, with the arguments behind it where it begins a command. */
  #operand(operand: Operand, dot: Value, args: readonly (() => Value)[] = []): Value {
    switch (operand.kind) {
      case 'field':
        return this.#fields(dot, operand.path, args)
      case 'variable': {
        const { value } = this.#variables.findLast(({ name }) => name === operand.name)!
        return this.#fields(value, operand.path, args)
      }
      case 'pipeline':
        return this.#fields(this.#pipeline(operand.pipeline, dot), operand.path, args)
      default:
        break
    }
    if (args.length > 0) throw new RenderFault("can't give argument to non-function")
    this.#step()
    if (operand.kind === 'function') return this.#function(operand.name, [], dot, undefined)
    if (operand.kind === 'literal') return operand.value
    return operand.kind === 'dot' ? dot : undefined
  }

  /** Follows `.A.B`; the arguments belong to the last one. */
  #fields(start: Value, path: readonly string[], args: readonly (() => Value)[]): Value {
    if (path.length === 0 && args.length > 0) throw new RenderFault("can't give argument to non-function")
    return path.reduce((value, name, i) => {
      this.#step()
      return field(value, name, i === path.length - 1 ? args.map(value => value()) : [])
    }, start)
  }

  #write(text: string): void {
    if (this.text.length + text.length > TEXT_MAX_CHARACTERS) {
      throw new RenderFault(`more than ${TEXT_MAX_CHARACTERS} characters`)
    }
    this.text += text
  }

  #step(): void {
    if (++this.#steps > STEPS_MAX) throw new RenderFault(`more than ${STEPS_MAX} steps`)
  }
}

/** A field of a struct, a method called with its argument, or a key of a map. */
function field(value: Value, name: string, args: readonly Value[]): Value {
  if (value === undefined) return undefined
  if (isMap(value) && args.length === 0) return value.get(name)
  if (!isStruct(value) || !value.has(name)) {
    throw new RenderFault(`can't evaluate field ${name} in type ${typeOf(value)}`)
  }
  const found = value.get(name)
  if (typeof found === 'function') {
    const [text] = args
    if (args.length === 1 && typeof text === 'string') return found(text)
    throw new RenderFault(`${name} takes one string`)
  }
  if (args.length > 0) throw new RenderFault(`${name} has arguments but cannot be invoked as function`)
  return found
}

/** What a loop runs over: a list with indexes, a map in the order of its keys, the integers below a number. */
function* elementsOf(value: Value, variables: number): Generator<[Value, Value]> {
  if (value === undefined) return
  if (isList(value)) for (const [i, element] of value.entries()) yield [BigInt(i), element]
  else if (isMap(value)) yield* [...value].sort(byKey)
  else if (typeof value === 'bigint' && variables < 2) for (let i = 0n; i < value; i++) yield [i, i]
  else throw new RenderFault(`range can't iterate over ${valueText(value)}`)
}
