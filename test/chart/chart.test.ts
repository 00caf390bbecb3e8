// The chart's files against one another, without Helm: what Helm itself makes of them is for test/e2e/chart.e2e.ts.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { readChartCases } from '../e2e/chart/expected.ts'

const CHART = join(import.meta.dirname, '..', '..', 'charts', 'seamark')
const read = (file: string): string => readFileSync(join(CHART, file), 'utf8')

interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly $ref?: string
  readonly definitions?: Readonly<Record<string, Schema>>
}

const schema = JSON.parse(read('values.schema.json')) as Schema
const resolved = (one: Schema): Schema =>
  one.$ref === undefined ? one : schema.definitions![one.$ref.replace('#/definitions/', '')]!

/** Paths of values that the schema does not know; maps without named keys are the operator's own. */
function unknownPaths(value: unknown, known: Schema, path = ''): string[] {
  const { properties } = resolved(known)
  if (properties === undefined || typeof value !== 'object' || value === null || Array.isArray(value))
    return []
  return Object.entries(value).flatMap(([key, inner]) =>
    properties[key] === undefined
      ? [`${path}${key}`]
      : unknownPaths(inner, properties[key], `${path}${key}.`),
  )
}

t.test('the versions are those of the package', async t => {
  const chart = parse(read('Chart.yaml')) as { version: string; appVersion: string }
  t.equal(chart.appVersion, manifest.version)
  t.equal(chart.version, manifest.version)
})

t.test('the schema knows every value that has a default', async t => {
  t.same(unknownPaths(parse(read('values.yaml')), schema), [])
  const others = globSync('values-*.yaml', { cwd: CHART })
  t.ok(others.length > 2, others.join())
  for (const file of others) t.same(unknownPaths(parse(read(file)), schema), [], file)
})

t.test('every value of the schema is in values.yaml, with a default or in a comment', async t => {
  const text = read('values.yaml')
  for (const [key, one] of Object.entries(schema.properties!))
    for (const name of [key, ...Object.keys(one.properties ?? {})])
      t.match(text, new RegExp(`^[ #]*${name}:`, 'm'), `${key}: ${name}`)
})

/** The values that are given, by their paths. */
function givenPaths(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    `${path}${key}`,
    ...givenPaths(inner, `${path}${key}.`),
  ])
}

/** The values of a schema, by their paths. */
const knownPaths = (known: Schema, path = ''): string[] =>
  Object.entries(resolved(known).properties ?? {}).flatMap(([key, inner]) => [
    `${path}${key}`,
    ...knownPaths(inner, `${path}${key}.`),
  ])

t.test('every value is rendered by a case, other than with its default', async t => {
  const given = new Set(readChartCases().flatMap(({ values }) => givenPaths(values)))
  t.same(
    knownPaths(schema).filter(path => !given.has(path)),
    [],
  )
})

t.test('the notes know the names of the schema', async t => {
  const [, json = ''] = /define "seamark\.knownValues" -\}\}\n([\s\S]*?)\n\{\{- end/.exec(
    read('templates/_known-values.tpl'),
  )!
  const known = JSON.parse(json) as Readonly<Record<string, readonly string[]>>
  for (const [key, names] of Object.entries(known)) {
    const { properties } = key === '*' ? schema : resolved(schema.properties![key]!)
    t.same([...names].sort(), Object.keys(properties!).sort(), key)
  }
})

t.test('every value is used by a template', async t => {
  const templates = globSync('templates/*', { cwd: CHART })
    .map(file => read(file))
    .join('\n')
  const accepted = ['pspEnable']
  for (const [key, one] of Object.entries(schema.properties!))
    for (const name of [key, ...Object.keys(one.properties ?? {})])
      if (!accepted.includes(name)) t.match(templates, new RegExp(`[.$"]${name}\\b`), `${key}: ${name}`)
})
