// The definitions of Seamark's own kinds on a real API server: installed with kubectl, invalid objects refused by the API server
// itself in words that help, valid ones served as they come, and told in their status what became of them.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { programPath as systemProgram } from '../support/system-program.ts'
import { ApiError, type KubeObject } from './api-client.ts'
import { eventually } from './processes.ts'
import { isBuilt, programFolder } from './programs.ts'
import { type Context, holds, type Suite, same } from './suite.ts'
import { startUpstream } from './upstream.ts'

const run = promisify(execFile)
const CRDS = join(import.meta.dirname, '..', '..', 'config', 'crds')
const NAMESPACE = 'team-b'
/** Has the same suffix. */
const OTHER = 'team-c'

const stub = (name: string, spec: Readonly<Record<string, unknown>>): KubeObject => ({
  apiVersion: 'seamark.dev/v1alpha1',
  kind: 'StubDomain',
  metadata: { name },
  spec,
})

const record = (
  name: string,
  spec: Readonly<Record<string, unknown>>,
  namespace: string = NAMESPACE,
): KubeObject => ({
  apiVersion: 'seamark.dev/v1alpha1',
  kind: 'DNSRecord',
  metadata: { name, namespace },
  spec,
})

const policy = (name: string, spec: Readonly<Record<string, unknown>>): KubeObject => ({
  apiVersion: 'seamark.dev/v1alpha1',
  kind: 'DNSPolicy',
  metadata: { name, namespace: NAMESPACE },
  spec,
})

const REFUSED: readonly [what: string, object: KubeObject, words: RegExp][] = [
  [
    'a zone with a final dot',
    stub('bad', { zone: 'corp.example.', upstreams: ['10.0.0.1'] }),
    /a zone is a name in lower case without a final dot: corp\.example/,
  ],
  ['a zone that is the root', stub('bad', { zone: '.', upstreams: ['10.0.0.1'] }), /a zone is a name in lower case/],
  [
    'a host name as upstream',
    stub('bad', { zone: 'corp.example', upstreams: ['10.0.0.1', 'ns.corp.example'] }),
    /spec\.upstreams\[1\]: .*an upstream is an address, perhaps with a port: 10\.0\.0\.1, 10\.0\.0\.1:5353/,
  ],
  ['an upstream that is nearly one', stub('bad', { zone: 'corp.example', upstreams: ['10.0.0.256'] }), /this is not an IP address/],
  ['no upstreams', stub('bad', { zone: 'corp.example', upstreams: [] }), /spec\.upstreams/],
  ['a policy that is none', stub('bad', { zone: 'corp.example', upstreams: ['10.0.0.1'], policy: 'best' }), /Unsupported value: "best"/],
  ['a policy without lists', policy('bad', {}), /write names or namespaces, or this narrows nothing/],
  ['half a list', policy('bad', { names: {} }), /write allow or block, with a list/],
  ['a name with a final dot', policy('bad', { names: { block: ['ads.example.'] } }), /a name is in lower case without a final dot/],
  ['a selector that is none', policy('bad', { namespaces: { allow: ['team b'] } }), /a namespace is a name, perhaps with \*: team-\*/],
  ['labels that are none', policy('bad', { namespaces: { allowSelectors: [{ matchLabels: { team: 'a b' } }] } }), /spec\.namespaces\.allowSelectors\[0\]\.matchLabels\.team: Invalid value: "a b"/],
  ['In without values', policy('bad', { namespaces: { blockSelectors: [{ matchExpressions: [{ key: 'team', operator: 'In' }] }] } }), /In and NotIn need values, Exists and DoesNotExist have none/],
  ['an IPv6 address of A', record('bad', { name: 'bad.example.org', type: 'A', values: ['::1'] }), /the values of an A record are IPv4 addresses/],
] // biome-ignore format: a table

const TAKEN: readonly string[] = [
  '10.0.0.1', '10.0.0.1:5353', 'dns://10.0.0.1', 'fd00::1', '[fd00::1]:53', 'tls://9.9.9.9%dns.quad9.net',
  'tls://[2620:fe::fe%dns.quad9.net]:853', 'https://9.9.9.9%dns.quad9.net:443',
] // biome-ignore format: a list

/** Runs kubectl as the administrator, who sees its table on the way. */
async function kubectl(context: Context, ...args: string[]): Promise<string> {
  const PATH = `${process.env.PATH}:${programFolder()}`
  const env = { ...process.env, PATH, KUBECONFIG: context.world.plane.kubeconfigFile }
  return (await run('kubectl', args, { env })).stdout
}

async function refusals(context: Context): Promise<void> {
  const { client } = context.world.plane
  for (const [what, object, words] of REFUSED) {
    await context.check(`refused: ${what}`, async () => {
      const error = await client.applyObject(object).then(
        () => undefined,
        cause => cause,
      )
      holds(error instanceof ApiError && error.status === 422, `not refused: ${String(error)}`)
      holds(words.test(error.message), error.message)
      context.note(error.message)
    })
  }
  await context.check('every way to write an upstream is taken', async () => {
    await client.applyObject(stub('ways', { zone: 'ways.example', upstreams: TAKEN }), { dryRun: true })
  })
}

/** Installs every definition and role of config/crds, and waits until the kinds are there. */
async function install(context: Context): Promise<void> {
  const { client } = context.world.plane
  for (const name of [NAMESPACE, OTHER])
    await client.applyObject({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  await kubectl(context, 'apply', '--server-side', '--force-conflicts', '-f', CRDS)
  await kubectl(context, 'wait', '--for=condition=Established', '--timeout=60s', '-f', join(CRDS, 'stubdomains.yaml'), '-f', join(CRDS, 'dnsrecords.yaml'), '-f', join(CRDS, 'dnspolicies.yaml')) // biome-ignore format: one command
}

export const suite: Suite = {
  name: 'own-objects',
  async run(context) {
    if (context.world.subject !== 'seamark') {
      context.skip('objects of its own', 'CoreDNS has none')
      return
    }
    if (systemProgram('kubectl') === undefined && !isBuilt('kubectl')) {
      context.skip('objects of its own', 'kubectl is neither installed nor built')
      return
    }
    const { client } = context.world.plane
    await context.check('kubectl installs the definitions and roles', () => install(context))
    await refusals(context)
    const server = await context.serve('seamark', {
      kubernetes: ['pods verified'],
      server: [
        'policy {',
        'objects',
        '}',
        'stubdomains',
        'k8s_records example.org {',
        'from dnsrecords',
        `delegate ${NAMESPACE}.example.org to ${NAMESPACE} ${OTHER}`,
        `delegate local to ${OTHER}`,
        '}',
      ],
    })
    const corp = await startUpstream(context.scope)
    const served = async (name: string, expected: string): Promise<void> => {
      const since = performance.now()
      await eventually(
        `${expected} for ${name}`,
        async () => (await server.data(name)).join(' ') === expected,
      )
      context.note(`${name} after ${(performance.now() - since).toFixed(0)} ms`)
    }
    const shows = async (kind: string, rows: readonly RegExp[], namespace = NAMESPACE): Promise<void> => {
      let table = ''
      await eventually(`${kind} with ${rows.join(' ')}`, async () => {
        table = await kubectl(context, 'get', kind, '-n', namespace, '-o', 'wide')
        return rows.every(row => row.test(table))
      })
      for (const line of table.trimEnd().split('\n')) context.note(line)
    }
    await context.check('objects are served as they come', async () => {
      same(await server.data('www.team-b.example.org'), ['NXDOMAIN'], 'before')
      await client.applyObject(
        record('www', { name: 'www.team-b.example.org', type: 'A', values: ['192.0.2.1'] }),
      )
      await served('www.team-b.example.org', '192.0.2.1')
      await client.applyObject(stub('corp', { zone: 'example.net', upstreams: [`127.0.0.1:${corp}`] }))
      await served('www.example.net', '192.0.2.80')
    })
    await context.check('kubectl get -o wide tells what became of them', async () => {
      await client.applyObject(stub('younger', { zone: 'example.net', upstreams: ['10.0.0.1'] }))
      await client.applyObject(stub('own', { zone: 'x.cluster.local', upstreams: ['10.0.0.1'] }))
      await client.applyObject(
        record('stolen', { name: 'stolen.example.org', type: 'A', values: ['192.0.2.2'] }),
      )
      await shows('stubdomains', [
        /^NAME +ZONE +UPSTREAMS +ACCEPTED +REASON +AGE +MESSAGE +SERVED$/m,
        /^corp +example\.net +\["127\.0\.0\.1:\d+"\] +True +Served .*queries for example\.net are sent to its upstreams +\d+s$/m,
        /^younger .* False +Conflict .*StubDomain corp has example\.net, and is older/m,
        /^own .* False +OwnZone .*x\.cluster\.local is the cluster's own/m,
      ])
      await client.applyObject(
        record('six', { name: 'www.team-b.example.org', type: 'AAAA', values: ['2001:db8::66'] }, OTHER),
      )
      await client.applyObject(
        record(
          'hijack',
          { name: 'kubernetes.default.svc.cluster.local', type: 'A', values: ['192.0.2.66'] },
          OTHER,
        ),
      )
      await shows(
        'dnsrecords',
        [
          /^six .* False +Conflict .*DNSRecord team-b\/www has the name, and is older/m,
          /^hijack .* False +OwnZone .*cluster\.local is the cluster's own/m,
        ],
        OTHER,
      )
      same(await server.data('kubernetes.default.svc.cluster.local'), ['10.96.0.1'], 'a Service is its own')
      await shows('dnsrecords', [
        /^www .* True +Served .*www\.team-b\.example\.org has 1 A record/m,
        /^stolen .* False +NotDelegated .*no `delegate` of the Corefile has this name/m,
      ])
    })
    await context.check('a tenant may write its own objects, and nothing else', async () => {
      await client.applyObject({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'tenants', namespace: NAMESPACE },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'seamark:records:edit' },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'tenant' }],
      })
      const may = async (verb: string, what: string, namespace: string): Promise<string> => {
        const [resource = '', subresource] = what.split('/')
        const asks = ['auth', 'can-i', verb, resource, '-n', namespace, '--as', 'tenant']
        if (subresource !== undefined) asks.push(`--subresource=${subresource}`)
        return (await kubectl(context, ...asks).catch(error => String(error.stdout))).trim()
      }
      const rows: readonly (readonly [verb: string, what: string, namespace: string, answer: string])[] = [
        ['create', 'dnsrecords.seamark.dev', NAMESPACE, 'yes'],
        ['delete', 'dnspolicies.seamark.dev', NAMESPACE, 'yes'],
        ['create', 'dnsrecords.seamark.dev', OTHER, 'no'],
        ['create', 'dnspolicies.seamark.dev', OTHER, 'no'],
        ['patch', 'dnsrecords.seamark.dev/status', NAMESPACE, 'no'],
        ['create', 'stubdomains.seamark.dev', NAMESPACE, 'no'],
      ]
      for (const [verb, what, namespace, answer] of rows)
        same(await may(verb, what, namespace), answer, `${verb} ${what} in ${namespace}`)
    })
    await context.check('a tenant narrows what its own Pods resolve', async () => {
      const pod = { apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE, name: 'asker' }
      await client.applyObject({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'default', namespace: NAMESPACE },
      })
      await client.applyObject({
        apiVersion: 'v1',
        kind: 'Pod',
        // Its address is the kubelet's to write, which would write another one over ours.
        metadata: { name: 'asker', namespace: NAMESPACE, annotations: { 'e2e/ip': '127.0.0.1' } },
        spec: { containers: [{ name: 'asker', image: 'none' }] },
      })
      await client.applyObject(policy('outside', { names: { block: ['example.net'] } }))
      await served('www.example.net', 'NXDOMAIN')
      await shows('dnspolicies', [/^outside +True +Served .*it narrows what Pods of team-b may resolve/m])
      await client.delete({ ...policy('outside', {}), namespace: NAMESPACE, name: 'outside' })
      await served('www.example.net', '192.0.2.80')
      // By labels of namespaces, which the administrator changes.
      const api = 'kubernetes.default.svc.cluster.local'
      const label = (tier: string): Promise<string> =>
        kubectl(context, 'label', '--overwrite', 'namespace', 'default', `seamark-tier=${tier}`)
      await client.applyObject(
        policy('inside', { namespaces: { blockSelectors: [{ matchLabels: { 'seamark-tier': 'kept' } }] } }),
      )
      await label('kept')
      await served(api, 'NXDOMAIN')
      await label('open')
      await served(api, '10.96.0.1')
      await client.delete({ ...policy('inside', {}), namespace: NAMESPACE, name: 'inside' })
      // Other suites ask from this address, too.
      await client.delete(pod)
    })
    await context.check('the older one is deleted, and the younger one has its turn', async () => {
      await client.delete({ apiVersion: 'seamark.dev/v1alpha1', kind: 'StubDomain', name: 'corp' })
      await eventually('the younger one', async () =>
        /^younger .* True +Served/m.test(await kubectl(context, 'get', 'stubdomains')),
      )
    })
  },
}
