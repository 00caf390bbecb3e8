// Objects of Seamark's own kinds in a folder of manifests: served and refused as those of an API server, each refusal in the log,
// what is malformed with its place.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { WatchedCluster } from '../../src/cluster/watched-cluster.ts'
import type { ManifestSource } from '../../src/manifest/source.ts'
import { ProcessLog } from '../../src/observe/log.ts'
import { Registry } from '../../src/observe/registry.ts'
import type { KubernetesConfig } from '../../src/plugin/kubernetes/config.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { TableReader } from '../../src/table/reader.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { ServerBlock } from '../support/server-block.ts'
import { KUBERNETES, type SlimCluster } from '../support/slim-cluster.ts'
import { until } from '../support/until.ts'
import { a, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'

const manifest = (kind: string, name: string, spec: object, namespace?: string): string =>
  JSON.stringify({ apiVersion: 'seamark.dev/v1alpha1', kind, metadata: { name, namespace }, spec })

const RECORDS = {
  kinds: ['DNSRecord'],
  own: ['cluster.local'],
  zones: ['example.org'],
  delegations: [{ suffix: 'example.org', to: ['team'] }],
  ttlSeconds: 60,
} as const

/** A folder with that file, what is logged of it, and a server block that answers from it. */
async function folder(t: Test, config: Partial<KubernetesConfig>, lines: string, text: string) {
  const directory = t.testdir({ 'objects.yaml': text })
  const registry = new Registry()
  const logged: string[] = []
  const output = { write: (line: string) => logged.push(line.trim()) > 0, flush: async () => true }
  const log = new ProcessLog(output, systemClock, registry.meters)
  const source = { kind: 'manifests' as const, directory }
  const watched = await WatchedCluster.start(
    { ...KUBERNETES, ...config, source },
    { log, meters: registry.meters },
  )
  if (typeof watched === 'string') throw new Error(watched)
  await watched.whenUsable
  const reader = new TableReader(watched.table.buffer, 0)
  const block = new ServerBlock(lines, { reader } as SlimCluster)
  t.teardown(async () => {
    await block.stop()
    await watched.stop()
  })
  /** As a client of that address asks, of some address where it does not matter. */
  const ask = async (name: string, address?: string): Promise<string> => {
    const how = address === undefined ? {} : { client: { address, port: 5353, family: 4 } as const }
    const { rcode, records } = decodeMessage((await block.late(encodeQuestion({ name, type: 'A' }), how))!)
    return [rcode, ...records.answer.map(({ data }) => data)].join(' ')
  }
  return {
    ask,
    /** Lines of the log since the last call. */
    logged: () =>
      logged.splice(0).map(line => line.replace('plugin/kubernetes: ', '').replace(`${directory}/`, '')),
    /** Writes the file anew and waits until what is said of the name has changed to that. */
    async becomes(after: string, name: string, said: string, address?: string): Promise<void> {
      writeFileSync(join(directory, 'objects.yaml'), after)
      await until(`${said} for ${name}`, async () => {
        await (watched.source as ManifestSource).look()
        return (await ask(name, address)) === said
      })
    },
  }
}

t.test('DNSRecords come, change and go', async t => {
  const record = (name: string, values: readonly string[], namespace = 'team'): string =>
    manifest('DNSRecord', name, { name: `${name}.example.org`, type: 'A', values }, namespace)
  const { ask, becomes, logged } = await folder(
    t,
    { records: RECORDS },
    `k8s_records example.org {\nfrom dnsrecords\ndelegate example.org to team\n}\nkubernetes cluster.local`,
    [record('www', ['192.0.2.1']), record('bad', ['nowhere']), record('stolen', ['192.0.2.2'], 'other'), manifest('DNSRecord', 'none', { name: 'a..b', type: 'A', values: ['192.0.2.3'] }, 'team')].join('\n---\n'),
  ) // biome-ignore format: one list
  t.equal(await ask('www.example.org'), 'NOERROR 192.0.2.1')
  t.equal(await ask('bad.example.org'), 'NOERROR')
  t.equal(await ask('stolen.example.org'), 'NXDOMAIN')
  t.match(logged().filter(line => line.startsWith('[WARNING]')).sort(), [
    /^\[WARNING\] DNSRecord other\/stolen: stolen\.example\.org A: example\.org is delegated to team and not to namespace other$/,
    /^\[WARNING\] DNSRecord team\/bad: bad\.example\.org A: .*: nowhere$/,
    /^\[WARNING\] objects\.yaml:7:\d+: DNSRecord team\/none: no name that records can have: left out$/,
  ]) // biome-ignore format: a table
  await becomes(record('www', ['192.0.2.9']), 'www.example.org', 'NOERROR 192.0.2.9')
  await becomes(record('ftp', ['192.0.2.8']), 'www.example.org', 'NXDOMAIN')
  t.equal(await ask('ftp.example.org'), 'NOERROR 192.0.2.8')
})

t.test('StubDomains come, change and go', async t => {
  const upstream = async (address: string): Promise<string> => {
    const started = await UpstreamStub.start((asked, back) =>
      back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, address)] })),
    )
    t.teardown(() => started.pause())
    return started.to
  }
  const [one, two] = [await upstream('192.0.2.1'), await upstream('192.0.2.2')]
  const stub = (name: string, zone: string, ...upstreams: string[]): string =>
    manifest('StubDomain', name, { zone, upstreams })
  const { ask, becomes, logged } = await folder(
    t,
    { stubs: { within: [''], own: ['cluster.local'] } },
    'kubernetes cluster.local\nstubdomains',
    [stub('a', 'corp.example', one), stub('b', 'corp.example', two), stub('own', 'x.cluster.local', two), stub('host', 'h.example', 'ns.example.org')].join('\n---\n'),
  ) // biome-ignore format: one list
  t.equal(await ask('www.corp.example'), 'NOERROR 192.0.2.1')
  t.match(logged().filter(line => line.startsWith('[WARNING]')).sort(), [
    /^\[WARNING\] StubDomain b: StubDomain a has corp\.example, and is older$/,
    /^\[WARNING\] StubDomain host: upstream 'ns\.example\.org': this is no IP address$/,
    /^\[WARNING\] StubDomain own: x\.cluster\.local is the cluster's own, which has cluster\.local$/,
    /^\[WARNING\] objects\.yaml:7:\d+: StubDomain host: upstream 'ns\.example\.org': this is no IP address$/,
  ]) // biome-ignore format: a table
  await becomes(stub('a', 'corp.example', two), 'www.corp.example', 'NOERROR 192.0.2.2')
  await becomes(stub('a', 'lab.example', two), 'ftp.corp.example', 'NOERROR')
  t.equal(await ask('www.lab.example'), 'NOERROR 192.0.2.2')
})

t.test('DNSPolicies come, change and go, for Pods of their namespace', async t => {
  const RED = '10.1.1.1'
  const BLUE = '10.1.2.1'
  const pod = (namespace: string, podIP: string): string =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace }, status: { podIP } })
  const pods = [pod('red', RED), pod('blue', BLUE)]
  const policy = (name: string, names: object): string => manifest('DNSPolicy', name, { names }, 'red')
  const file = (...policies: readonly string[]): string => [...pods, ...policies].join('\n---\n')
  const { ask, becomes, logged } = await folder(
    t,
    { pods: 'verified', verifiedPods: true, policies: true, clients: { podNames: false, hosts: false, labels: [] } },
    'policy {\nobjects\n}\nkubernetes cluster.local {\npods verified\n}\nhosts {\n192.0.2.1 www.test www.example.org\n}',
    file(policy('a', { block: ['test'] }), policy('bad', { block: ['a..b'] })),
  ) // biome-ignore format: one list
  const rows: [name: string, address: string, said: string][] = [
    ['www.test', RED, 'NXDOMAIN'],
    ['www.example.org', RED, 'NOERROR 192.0.2.1'],
    ['www.test', BLUE, 'NOERROR 192.0.2.1'],
  ]
  for (const [name, address, said] of rows) t.equal(await ask(name, address), said, `${address} ${name}`)
  t.match(logged().filter(line => line.startsWith('[WARNING]') && line.includes('DNSPolicy')).sort(), [
    /^\[WARNING\] DNSPolicy red\/bad: spec\.names\.block\.0: "a\.\.b" is no name; it narrows nothing$/,
    /^\[WARNING\] objects\.yaml:7:\d+: DNSPolicy red\/bad: .*"a\.\.b" is no name/,
  ]) // biome-ignore format: a table
  await becomes(file(policy('a', { allow: ['test'] })), 'www.example.org', 'NXDOMAIN', RED)
  t.equal(await ask('www.test', RED), 'NOERROR 192.0.2.1')
  await becomes(file(), 'www.example.org', 'NOERROR 192.0.2.1', RED)
})
