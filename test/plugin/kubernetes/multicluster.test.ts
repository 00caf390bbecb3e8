// Imported Services (KEP-1645) in a zone of their own: beside the cluster's Services of the same names, endpoints with the
// name of their cluster in their own (docs/coredns.md 1.12).

import t from 'tap'
import { headless, portsOf, SlimCluster, slimService, slimSlice } from '../../support/slim-cluster.ts'

const imported = (name: string, clusterIPs: readonly string[], isHeadless = false) => ({
  namespace: 'demo',
  name,
  headless: isHeadless,
  clusterIPs,
  ports: portsOf('http/80'),
})
const importedSlice = (
  name: string,
  of: string,
  cluster: string,
  endpoints: readonly string[],
  serviceName = '',
) => ({
  ...slimSlice(`demo/${name}`, serviceName, endpoints),
  imported: { name: of, cluster },
})

function clusterset(): SlimCluster {
  const zones = ['cluster.local.', 'clusterset.local.', 'in-addr.arpa.']
  const world = new SlimCluster({ zones, multiclusterZones: ['clusterset.local.'] }).list(
    ['demo'],
    [slimService('demo/web', '10.0.0.1'), headless('demo/derived')],
    [
      slimSlice('demo/web-1', 'web', ['10.1.0.1']),
      importedSlice('hl-east', 'hl', 'east', ['10.6.0.1 p0', '10.6.0.2']),
      importedSlice('hl-west', 'hl', 'west', ['10.6.1.1 p0'], 'derived'),
    ],
  )
  world.cluster.replace('ServiceImport', [
    imported('web', ['10.100.0.1']),
    imported('hl', [], true),
    imported('bare', [], true),
    imported('pending', []),
  ])
  return world
}

const at = (name: string, type = 'A'): string => `${name}.demo.svc.clusterset.local. ${type}`

t.test('imported services', async t => {
  const cases: [question: string, answer: string][] = [
    ['web.demo.svc A', 'NOERROR A 10.0.0.1'],
    [at('web'), 'NOERROR A 10.100.0.1'],
    [at('web', 'SRV'), 'NOERROR SRV 0 100 80 web.demo.svc.clusterset.local. + A 10.100.0.1'],
    [at('hl'), 'NOERROR A 10.6.0.1, A 10.6.0.2, A 10.6.1.1'],
    [at('p0.east.hl'), 'NOERROR A 10.6.0.1'],
    [at('P0.West.hl'), 'NOERROR A 10.6.1.1'],
    [at('10-6-0-2.east.hl'), 'NOERROR A 10.6.0.2'],
    [at('10-6-0-2.west.hl'), 'NXDOMAIN'],
    [at('p0.hl'), 'NXDOMAIN'],
    [at('p0.north.hl'), 'NXDOMAIN'],
    [at('p0.west.hl', 'SRV'), 'NOERROR SRV 0 100 8080 p0.west.hl.demo.svc.clusterset.local. + A 10.6.1.1'],
    [at('_http._tcp.hl', 'TXT'), 'NOERROR'],
    [at('_x._tcp.hl'), 'NXDOMAIN'],
    [at('bare'), 'NXDOMAIN'],
    [at('pending'), 'NOERROR'],
    ['hl.demo.svc A', 'NXDOMAIN'],
    ['derived.demo.svc A', 'NOERROR A 10.6.1.1'],
    ['p0.derived.demo.svc A', 'NOERROR A 10.6.1.1'],
    ['p0.west.derived.demo.svc A', 'NXDOMAIN'],
    ['1.0.100.10.in-addr.arpa. PTR', 'NXDOMAIN'],
  ]
  for (const [question, answer] of cases) t.equal(clusterset().short(question), answer, question)
})

t.test('an import, its slice and its namespace go', async t => {
  const world = clusterset()
  world.cluster.remove('EndpointSlice', 'demo/hl-west')
  t.equal(world.short(at('hl')), 'NOERROR A 10.6.0.1, A 10.6.0.2')
  t.equal(world.short('derived.demo.svc A'), 'NXDOMAIN')
  world.cluster.remove('ServiceImport', 'demo/web')
  t.equal(world.short(at('web')), 'NXDOMAIN')
  t.equal(world.short('web.demo.svc A'), 'NOERROR A 10.0.0.1')
  world.cluster.remove('Namespace', 'demo')
  t.equal(world.short(at('hl')), 'NXDOMAIN')
  world.cluster.upsert('Namespace', { name: 'demo' })
  t.equal(world.short(at('hl')), 'NOERROR A 10.6.0.1, A 10.6.0.2')
})
