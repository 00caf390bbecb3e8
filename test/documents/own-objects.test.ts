// The objects of Seamark's own kinds that a document prints: the definitions in config/crds have all of their fields, and a folder
// of manifests with them is served without a complaint.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { WatchedCluster } from '../../src/cluster/watched-cluster.ts'
import { ProcessLog } from '../../src/observe/log.ts'
import { Registry } from '../../src/observe/registry.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { KUBERNETES } from '../support/slim-cluster.ts'
import { documents, ROOT } from './document.ts'

/** As far as config/crds goes; what CEL says of values is the folder's reader's to say here. */
interface Schema {
  readonly type: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly pattern?: string
}

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string }
    readonly scope: 'Cluster' | 'Namespaced'
    readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }]
  }
}

interface Printed {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: unknown
}

const definitions = globSync('config/crds/dns*.yaml config/crds/stub*.yaml'.split(' '), { cwd: ROOT }).map(
  file => parse(readFileSync(join(ROOT, file), 'utf8')) as Definition,
)
const printed = documents.flatMap(({ text }) =>
  [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)]
    .map(([, block = '']) => block)
    .filter(block => block.includes('seamark.dev/')),
)

/** What is wrong with a value, each with its place. */
function wrongOf(value: unknown, schema: Schema, at: string): string[] {
  if (Array.isArray(value))
    return schema.type === 'array'
      ? value.flatMap((item, i) => wrongOf(item, schema.items!, `${at}.${i}`))
      : [`${at}: a list`]
  if (typeof value === 'object' && value !== null) {
    const missing = (schema.required ?? []).filter(name => !(name in value))
    const wrong = Object.entries(value).flatMap(([name, inner]) => {
      const known = schema.properties?.[name] ?? schema.additionalProperties
      return known === undefined ? [`${at}.${name}: unknown`] : wrongOf(inner, known, `${at}.${name}`)
    })
    return [...missing.map(name => `${at}.${name}: missing`), ...wrong]
  }
  const type = Number.isInteger(value) ? 'integer' : typeof value
  if (type !== schema.type) return [`${at}: ${type} and not ${schema.type}`]
  const fits = schema.enum?.includes(value) ?? new RegExp(schema.pattern ?? '').test(String(value))
  return fits ? [] : [`${at}: ${value}`]
}

t.test('the definitions have all of their fields', async t => {
  const kinds = new Set<string>()
  for (const text of printed) {
    const { kind, metadata, spec } = parse(text) as Printed
    const definition = definitions.find(({ spec }) => spec.names.kind === kind)!.spec
    const schema = definition.versions[0].schema.openAPIV3Schema.properties!.spec!
    t.same(wrongOf(spec, schema, 'spec'), [], `${kind} ${metadata.name}`)
    t.equal(metadata.namespace !== undefined, definition.scope === 'Namespaced', `${kind}: its namespace`)
    kinds.add(kind)
  }
  t.same(
    [...kinds].sort(),
    definitions.map(({ spec }) => spec.names.kind).sort(),
    'one of each kind is printed',
  )
  t.same(wrongOf({ zone: 7, more: 1 }, definitions.find(({ spec }) => spec.names.kind === 'StubDomain')!.spec.versions[0].schema.openAPIV3Schema.properties!.spec!, 'spec'), [
    'spec.upstreams: missing',
    'spec.zone: integer and not string',
    'spec.more: unknown',
  ]) // biome-ignore format: a list
})

t.test('a folder with them is served without a complaint', async t => {
  const directory = t.testdir({ 'objects.yaml': printed.join('---\n') })
  const registry = new Registry()
  const logged: string[] = []
  const output = { write: (line: string) => logged.push(line.trim()) > 0, flush: async () => true }
  const delegations = [{ suffix: 'team-a.example.org', to: ['team-a'] }]
  const watched = await WatchedCluster.start(
    {
      ...KUBERNETES,
      verifiedPods: true,
      policies: true,
      records: {
        kinds: ['DNSRecord'],
        delegations,
        own: ['cluster.local'],
        zones: ['example.org'],
        ttlSeconds: 60,
      },
      stubs: { within: [''], own: ['cluster.local'] },
      source: { kind: 'manifests', directory },
    },
    { log: new ProcessLog(output, systemClock, registry.meters), meters: registry.meters },
  )
  if (typeof watched === 'string') throw new Error(watched)
  t.teardown(() => watched.stop())
  await watched.whenUsable
  t.same(
    logged.filter(line => !line.startsWith('[INFO]')),
    [],
  )
})
