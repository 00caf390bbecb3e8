// The cases of coredns-chart.yaml and other-values.yaml: what is to be made of values, held against what the chart makes of them.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { KubeObject } from '../api-client.ts'

/** One case, as the head of the file describes it. */
export interface ChartCase {
  readonly title: string
  readonly release?: string
  readonly namespace?: string
  readonly values?: Readonly<Record<string, unknown>>
  readonly expect?: readonly (Readonly<Record<string, unknown>> & { readonly kind: string })[]
  readonly absent?: readonly string[]
  /** Why an API server would refuse the objects. */
  readonly refused?: string
  readonly without?: readonly {
    readonly kind: string
    readonly name?: string
    readonly path: readonly string[]
  }[]
}

/** All cases. */
export const readChartCases = (): ChartCase[] =>
  ['coredns-chart.yaml', 'other-values.yaml'].flatMap(
    file => parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as ChartCase[],
  )

const show = (value: unknown): string => JSON.stringify(value)

/** Where `actual` lacks something of `expected`; of lists, every element. Nothing where it has all. */
export function differences(actual: unknown, expected: unknown, path = ''): string[] {
  if (typeof expected !== 'object' || expected === null)
    return actual === expected ? [] : [`${path}: ${show(actual)}, expected ${show(expected)}`]
  if (typeof actual !== 'object' || actual === null)
    return [`${path}: ${show(actual)}, expected ${show(expected)}`]
  if (Array.isArray(expected)) {
    const list = actual as readonly unknown[]
    if (!Array.isArray(actual) || list.length !== expected.length)
      return [`${path}: ${show(actual)}, expected ${show(expected)}`]
    return expected.flatMap((each, at) => differences(list[at], each, `${path}[${at}]`))
  }
  const fields = actual as Readonly<Record<string, unknown>>
  const wanted = Object.entries(expected)
  if (wanted.length === 0)
    return Object.keys(fields).length === 0 ? [] : [`${path}: ${show(actual)}, expected {}`]
  return wanted.flatMap(([key, value]) => differences(fields[key], value, `${path}.${key}`))
}

const nameOf = (value: unknown): string | undefined =>
  (value as { metadata?: { name?: string } }).metadata?.name

/** What is wrong with the objects; nothing where they are as the case wants them. */
export function faultsOf(
  { expect = [], absent = [], without = [] }: ChartCase,
  objects: readonly KubeObject[],
): string[] {
  const faults: string[] = []
  for (const wanted of expect) {
    const name = nameOf(wanted)
    const found = objects.find(
      ({ kind, metadata }) => kind === wanted.kind && metadata.name === (name ?? metadata.name),
    )
    if (found) faults.push(...differences(found, wanted, `${wanted.kind} ${found.metadata.name}`))
    else faults.push(`no ${wanted.kind} ${name ?? ''}`)
  }
  for (const unwanted of absent)
    if (objects.some(({ kind }) => kind === unwanted)) faults.push(`there is a ${unwanted}`)
  for (const { kind, name, path } of without) {
    const found = objects.find(
      object => object.kind === kind && object.metadata.name === (name ?? object.metadata.name),
    )
    if (!found) faults.push(`no ${kind} ${name ?? ''}`)
    let value: unknown = found
    for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key]
    if (value !== undefined) faults.push(`${kind}.${path.join('.')}: ${show(value)}, expected nothing`)
  }
  return faults
}
