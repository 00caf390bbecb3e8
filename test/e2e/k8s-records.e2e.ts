// Records as objects on a real API server: the definition of DNSRecord is installed, what is no record is refused by the API
// server with words that help, and the others are answered as they come, change and go.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ApiError, type KubeObject } from './api-client.ts'
import { eventually } from './processes.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const DEFINITION = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  'config',
  'crds',
  'dnsrecords.yaml',
)

const record = (name: string, spec: object): KubeObject => ({
  apiVersion: 'seamark.dev/v1alpha1',
  kind: 'DNSRecord',
  metadata: { name, namespace: 'team-a' },
  spec: { name: `${name}.team-a.example.org`, ...spec },
})

const REFUSED: readonly [what: string, spec: object, words: RegExp][] = [
  [
    'an IPv6 address of A',
    { type: 'A', values: ['2001:db8::1'] },
    /the values of an A record are IPv4 addresses/,
  ],
  ['a name of AAAA', { type: 'AAAA', values: ['www'] }, /the values of an AAAA record are IPv6 addresses/],
  ['two targets of an alias', { type: 'CNAME', values: ['a', 'b'] }, /an alias \(CNAME\) has one target/],
  ['MX without a preference', { type: 'MX', values: ['mail.example.org'] }, /a preference and a host/],
  ['a type that is not served', { type: 'NS', values: ['ns.example.org'] }, /Unsupported value: "NS"/],
  ['no values', { type: 'A', values: [] }, /spec\.values/],
  [
    'a name that is none',
    { name: 'a..b', type: 'A', values: ['192.0.2.1'] },
    /spec\.name: .*a name is in lower case/,
  ],
  [
    'a name in upper case',
    { name: 'Www.example.org', type: 'A', values: ['192.0.2.1'] },
    /a name is in lower case/,
  ],
  [
    'a star in the middle',
    { name: 'a.*.example.org', type: 'A', values: ['192.0.2.1'] },
    /\* may be its first label alone/,
  ],
  [
    'a name that is too long',
    { name: `${'a.'.repeat(127)}org`, type: 'A', values: ['192.0.2.1'] },
    /spec\.name/,
  ],
  [
    'an alias of no name',
    { type: 'CNAME', values: ['not a name'] },
    /the value of an alias \(CNAME\) is a name/,
  ],
  [
    'SRV without a port',
    { type: 'SRV', values: ['0 100 www.example.org'] },
    /priority, weight, port and host/,
  ],
  ['CAA without a tag', { type: 'CAA', values: ['0'] }, /flags, a tag and a text/],
  ['a TTL of nothing', { type: 'A', ttlSeconds: 0, values: ['192.0.2.1'] }, /spec\.ttlSeconds/],
  [
    'more values than a reply has',
    { type: 'A', values: Array<string>(101).fill('192.0.2.1') },
    /spec\.values/,
  ],
]

async function refusals(context: Context): Promise<void> {
  const { client } = context.world.plane
  for (const [what, spec, words] of REFUSED) {
    await context.check(`refused: ${what}`, async () => {
      const error = await client.applyObject(record('bad', spec)).then(
        () => undefined,
        cause => cause,
      )
      holds(error instanceof ApiError && error.status === 422, `not refused: ${String(error)}`)
      holds(words.test(error.message), error.message)
    })
  }
}

export const suite: Suite = {
  name: 'k8s-records',
  async run(context) {
    if (context.world.subject === 'coredns') {
      context.skip('records as objects', 'CoreDNS has none')
      return
    }
    const { client } = context.world.plane
    await client.apply(readFileSync(DEFINITION, 'utf8'))
    await client.applyObject({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } })
    await eventually('the definition is at work', async () => {
      await client.list({ apiVersion: 'seamark.dev/v1alpha1', kind: 'DNSRecord', namespace: 'team-a' })
      return true
    })
    await refusals(context)
    const server = await context.serve('seamark', {
      server: [
        'k8s_records example.org {',
        'from dnsrecords ingresses services',
        'delegate team-a.example.org to team-a',
        '}',
      ],
    })
    const seen = (name: string, expected: string): Promise<unknown> =>
      eventually(
        `${expected} for ${name}`,
        async () => (await server.data(`${name}.team-a.example.org`)).join(' ') === expected,
      )
    await context.check('records come, change and go', async () => {
      same(await server.data('www.team-a.example.org'), ['NXDOMAIN'], 'before')
      await client.applyObject(
        record('www', { type: 'A', ttlSeconds: 30, values: ['192.0.2.1', '192.0.2.2'] }),
      )
      await seen('www', '192.0.2.1 192.0.2.2')
      await client.applyObject(record('www', { type: 'A', values: ['192.0.2.3'] }))
      await seen('www', '192.0.2.3')
      await client.delete({ ...record('www', {}), namespace: 'team-a', name: 'www' })
      await seen('www', 'NXDOMAIN')
    })
    await context.check('every type is taken, and served', async () => {
      const types: readonly (readonly [type: string, value: string, served: string])[] = [
        ['AAAA', '2001:db8::1', '2001:db8::1'],
        ['CAA', '0 issue "ca.example.org"', '0 issue "ca.example.org"'],
        ['CNAME', 'www.example.com', 'www.example.com.'],
        ['MX', '10 mail.example.com', '10 mail.example.com.'],
        ['SRV', '0 100 443 www.example.com', '0 100 443 www.example.com.'],
        ['TXT', 'v=spf1 -all', '"v=spf1 -all"'],
      ]
      for (const [type, value, served] of types) {
        const name = `of-${type.toLowerCase()}`
        await client.applyObject(record(name, { type, values: [value] }))
        await eventually(type, async () => {
          const { records } = await server.ask(`${name}.team-a.example.org`, type)
          return records.answer.some(each => each.data === served)
        })
      }
    })
    await context.check('a name that is not delegated stays unknown', async () => {
      await client.applyObject(
        record('stolen', { name: 'stolen.example.org', type: 'A', values: ['192.0.2.1'] }),
      )
      await client.applyObject(record('own', { type: 'A', values: ['192.0.2.4'] }))
      await seen('own', '192.0.2.4')
      same(await server.data('stolen.example.org'), ['NXDOMAIN'], 'stolen')
    })
    await context.check('the host of an Ingress has the addresses of its load balancer', async () => {
      const ingress = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        namespace: 'team-a',
        name: 'shop',
      }
      await client.applyObject({
        apiVersion: ingress.apiVersion,
        kind: ingress.kind,
        metadata: { name: 'shop', namespace: 'team-a' },
        spec: {
          rules: [
            {
              host: 'shop.team-a.example.org',
              http: {
                paths: [
                  {
                    path: '/',
                    pathType: 'Prefix',
                    backend: { service: { name: 'shop', port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      })
      await client.patch(ingress, { status: { loadBalancer: { ingress: [{ ip: '192.0.2.80' }] } } }, 'status')
      await seen('shop', '192.0.2.80')
    })
    await context.check('so has a name in the annotation of a Service', async () => {
      const annotations = { 'coredns.io/hostname': 'lb.team-a.example.org' }
      const balanced = { apiVersion: 'v1', kind: 'Service', namespace: 'team-a', name: 'balanced' }
      await client.applyObject({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'balanced', namespace: 'team-a', annotations },
        spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
      })
      await client.patch(
        balanced,
        { status: { loadBalancer: { ingress: [{ ip: '192.0.2.81' }] } } },
        'status',
      )
      await seen('lb', '192.0.2.81')
      await client.delete(balanced)
      await seen('lb', 'NXDOMAIN')
    })
  },
}
