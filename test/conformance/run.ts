// Runs the cases of a suite (FORMAT.md) against the real server: one process for each group of cases, each case asked over
// UDP and over TCP.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startFixedUpstream } from '../support/fixed-upstream.ts'
import { serveCorefile } from '../support/served-corefile.ts'
import { ask } from './ask.ts'
import { type Case, type Config, differences } from './compare.ts'

export interface Group {
  readonly config: Config
  readonly cases: Case[]
}

/** The groups of the suite in the folder of that name. */
export function readSuite(suite: string): {
  readonly folder: string
  readonly groups: ReadonlyMap<string, Group>
} {
  const folder = join(import.meta.dirname, suite)
  const groups = new Map<string, Group>()
  for (const line of readFileSync(join(folder, 'cases.jsonl'), 'utf8').split('\n')) {
    if (line.trim() === '') continue
    const one = JSON.parse(line) as Case
    const group = groups.get(one.group) ?? { config: one.config, cases: [] }
    group.cases.push(one)
    groups.set(one.group, group)
  }
  return { folder, groups }
}

/** Declares one test for each group of the suite in the folder of that name, which must have this number of cases. */
export function runSuite(suite: string, count: number): void {
  const { folder, groups } = readSuite(suite)
  const found = [...groups.values()].reduce((sum, { cases }) => sum + cases.length, 0)
  t.equal(found, count, `${suite} has ${count} cases`)
  for (const [name, group] of groups) t.test(`${suite}, ${name}`, test => runGroup(test, folder, group))
}

async function runGroup(test: Test, folder: string, { config, cases }: Group): Promise<void> {
  const { server, port } = await serveCorefile(test, await buildCorefile(test, config), {
    files: { 'manifests/objects.yaml': readFileSync(join(folder, 'objects.yaml'), 'utf8') },
  })
  for (const one of cases) {
    for (const tcp of one.q.tcp ? [true] : [false, true]) {
      const name = `${one.id} ${one.q.name} ${one.q.type} over ${tcp ? 'TCP' : 'UDP'}`
      const found = differences(one, await ask(port, one, tcp))
      test.strictSame(found, [], one.note === undefined ? name : `${name}: ${one.note}`)
    }
  }
  test.equal(await server.stop(), 0, 'ends with status 0')
}

/** The Corefile of a group; `more` are further lines of its server block. */
export async function buildCorefile(test: Test, config: Config, more = ''): Promise<string> {
  const lines = [
    config.api_synced === false ? await silentApi(test) : 'manifests manifests',
    `pods ${config.pods ?? 'disabled'}`,
    ...(config.namespaces ? [`namespaces ${config.namespaces.join(' ')}`] : []),
    ...(config.ttl === undefined ? [] : [`ttl ${config.ttl}`]),
    ...(config.ignore_empty_service ? ['ignore empty_service'] : []),
    ...(config.endpoint_pod_names ? ['endpoint_pod_names'] : []),
    ...(config.zonal ? ['zonal'] : []),
    ...(config.fallthrough ? [`fallthrough ${config.fallthrough.join(' ')}`] : []),
    ...(config.local_ips ? [`local_ips ${config.local_ips.join(' ')}`] : []),
  ]
  const forward = config.upstream ? await forwardLines(test, config.upstream) : ''
  const zones = config.zones.join(' ')
  return `. {\n  bind 127.0.0.1\n  errors\n${more}  kubernetes ${zones} {\n    ${lines.join('\n    ')}\n  }\n${forward}}\n`
}

async function forwardLines(test: Test, upstream: NonNullable<Config['upstream']>): Promise<string> {
  const { port, close } = await startFixedUpstream(upstream.records, upstream.truncated === true)
  test.teardown(close)
  return upstream.zones.map(zone => `  forward ${zone} 127.0.0.1:${port}\n`).join('')
}

/** An API server that takes every request and never answers. */
async function silentApi(test: Test): Promise<string> {
  const server = createServer(() => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  test.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `endpoint http://127.0.0.1:${port}\n    startup_timeout 100ms`
}
