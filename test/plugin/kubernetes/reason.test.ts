// Why a name of the cluster gives nothing, as a client with EDNS is told (RFC 8914).

import t from 'tap'
import { packAge } from '../../../src/table/layout.ts'
import { extendedError } from '../../support/extended-error.ts'
import { external, headless, SlimCluster, slimService, slimSlice } from '../../support/slim-cluster.ts'

const cluster = (...args: ConstructorParameters<typeof SlimCluster>): SlimCluster =>
  new SlimCluster(...args).list(
    ['demo'],
    [
      slimService('demo/web', '10.0.0.1'),
      slimService('demo/six', 'fd00::6'),
      slimService('demo/portless', '10.0.0.6', { ports: [] }),
      headless('demo/hl'),
      headless('demo/empty'),
      external('demo/ext', 'www.example.net'),
      external('demo/extip', '192.0.2.1'),
    ],
    [slimSlice('demo/hl-1', 'hl', ['10.1.0.2 p0']), slimSlice('demo/empty-1', 'empty', [])],
  )

const told = (of: SlimCluster, question: string, edns: boolean | object = true): string => {
  const reply = of.ask(question, { edns })
  return typeof reply === 'string' ? reply : `${reply.rcode}: ${extendedError(reply.edns)}`
}

t.test('why there is no such name, or no such record', async t => {
  const cases = [
    ['nope.demo.svc A', 'NXDOMAIN: 0 no service nope in namespace demo'],
    ['NoPe.demo.svc A', 'NXDOMAIN: 0 no service nope in namespace demo'],
    ['web.gone.svc A', 'NXDOMAIN: 0 no namespace gone'],
    ['gone.svc A', 'NXDOMAIN: 0 no namespace gone'],
    ['empty.demo.svc A', 'NXDOMAIN: 0 headless service empty in namespace demo has no ready endpoints'],
    ['extip.demo.svc A', 'NXDOMAIN: 0 the externalName of service extip in namespace demo is no host name'],
    ['x.ext.demo.svc A', 'NXDOMAIN: 0 service ext in namespace demo is an ExternalName: no name is below it'],
    ['p1.hl.demo.svc A', 'NXDOMAIN: 0 no ready endpoint p1 of service hl in namespace demo'],
    ['_x._tcp.web.demo.svc SRV', 'NXDOMAIN: 0 no port _x of that protocol in service web in namespace demo'],
    ['blah.demo.pod A', 'NXDOMAIN: 0 blah is no address of a Pod'],
    ['www A', 'NXDOMAIN: 0 names of this zone end in svc or pod: SERVICE.NAMESPACE.svc'],
    ['4.3.2.1.in-addr.arpa. PTR', 'NXDOMAIN: 0 no service and no ready endpoint has this address'],
    ['cart.shop.svc.cluster.local.demo.svc A', 'NXDOMAIN: 0 cart.shop.svc.cluster.local with the search domain demo.svc.cluster.local behind it is no name of the cluster'],
    ['web.demo.svc.cluster.local A', 'NXDOMAIN: 0 web.demo.svc.cluster.local with the search domain cluster.local behind it is no name of the cluster'],
    ['google.com A', 'NXDOMAIN: 0 google.com with the search domain cluster.local behind it is no name of the cluster'],
    ['google.com.demo.svc A', 'NXDOMAIN: 0 no service com in namespace demo: is it google.com with the search domain demo.svc.cluster.local behind it?'],
    ['www.google.com.demo.svc A', 'NXDOMAIN: 0 no service com in namespace demo: is it www.google.com with the search domain demo.svc.cluster.local behind it?'],
    ['a.b.google.com.demo.svc A', 'NXDOMAIN: 0 a.b.google.com with the search domain demo.svc.cluster.local behind it is no name of the cluster'],
    ['www.google.com.svc A', 'NXDOMAIN: 0 no namespace com: is it www.google.com with the search domain svc.cluster.local behind it?'],
    ['google.com.svc A', 'NXDOMAIN: 0 no namespace com'],
    ['_http._tcp.nope.demo.svc SRV', 'NXDOMAIN: 0 no service nope in namespace demo'],
    ['web.demo.svc AAAA', 'NOERROR: 0 service web in namespace demo has no IPv6 address'],
    ['six.demo.svc A', 'NOERROR: 0 service six in namespace demo has no IPv4 address'],
    ['portless.demo.svc SRV', 'NOERROR: 0 service portless in namespace demo has no ports'],
    ['web.demo.svc MX', 'NOERROR: 0 the name exists, and has no record of this type'],
    ['demo.svc A', 'NOERROR: 0 the name exists, and has no record of this type'],
    ['web.demo.svc A', 'NOERROR:'],
  ] as const // biome-ignore format: a table
  for (const [question, answer] of cases) t.equal(told(cluster(), question).trimEnd(), answer, question)
  t.equal(
    told(cluster({ pods: 'disabled' }), 'a.demo.pod A'),
    'NXDOMAIN: 0 names of Pods are disabled (pods disabled)',
  )
  t.equal(
    told(cluster({ pods: 'verified' }), '10-1-1-1.demo.pod A'),
    'NXDOMAIN: 0 no Pod with the address 10-1-1-1 runs in namespace demo',
  )
  t.equal(
    told(cluster({ ignoreEmptyService: true }), 'web.demo.svc A'),
    'NXDOMAIN: 0 service web in namespace demo has no ready endpoints, and ignore empty_service hides it',
  )
  t.equal(
    told(cluster({ zonal: true }), 'a.pin._zone.web.demo.svc A'),
    'NXDOMAIN: 0 service web in namespace demo is not headless: only headless services have zonal names',
  )
})

t.test('octets that nobody can read are shown as question marks', async t => {
  t.equal(told(cluster(), 'a\\000\\255\\032b.demo.svc A'), 'NXDOMAIN: 0 no service a???b in namespace demo')
})

t.test('before the first list', async t => {
  t.equal(told(new SlimCluster(), 'web.demo.svc A'), 'SERVFAIL: 14 the cluster is not listed yet')
})

t.test('how old an answer is, whose watch is behind', async t => {
  const cases = [
    [packAge(170), 'nope.demo.svc A', 'NXDOMAIN: 19 no service nope in namespace demo (the API server was last heard 170 s ago)'],
    [packAge(61.4), 'web.demo.svc AAAA', 'NOERROR: 3 service web in namespace demo has no IPv6 address (the API server was last heard 61 s ago)'],
    [packAge(0), 'web.demo.svc A', 'NOERROR: 3 the API server was last heard 1 s ago'],
    [packAge(1000), 'web.demo.svc SRV', 'NOERROR: 3 the API server was last heard 1000 s ago'],
    [packAge(99), 'demo.svc SOA', 'NOERROR: 3 the name exists, and has no record of this type (the API server was last heard 99 s ago)'],
    [packAge(3_000_000_000), 'web.demo.svc A', 'NOERROR: 3 the API server was last heard 268435455 s ago'],
    [packAge(170, 'Namespace'), 'web.gone.svc A', 'NXDOMAIN: 19 no namespace gone (namespaces were last heard of 170 s ago)'],
    [packAge(7, 'EndpointSlice'), 'empty.demo.svc A', 'NXDOMAIN: 19 headless service empty in namespace demo has no ready endpoints (endpointslices were last heard of 7 s ago)'],
    [packAge(86_400, 'ServiceImport'), 'hl.demo.svc A', 'NOERROR: 3 serviceimports were last heard of 86400 s ago'],
    [0, 'nope.demo.svc A', 'NXDOMAIN: 0 no service nope in namespace demo'],
  ] as const // biome-ignore format: a table
  for (const [age, question, answer] of cases) {
    const old = cluster()
    old.writer.setAge(age)
    t.equal(told(old, question), answer, `${question} at ${age}`)
  }
  const silent = cluster({}, { reasons: false })
  silent.writer.setAge(packAge(170))
  t.equal(told(silent, 'nope.demo.svc A'), 'NXDOMAIN: ', 'nothing where reasons are switched off')
})

t.test('an age that does not fit leaves the reason, and the code says that it is old', async t => {
  const old = cluster()
  old.writer.setAge(packAge(170))
  const seen = new Set<string>()
  for (let maxOctets = 110; maxOctets < 260; maxOctets++) {
    const reply = old.ask('nope.demo.svc A', { edns: true, maxOctets })
    if (typeof reply === 'string') throw new Error(reply)
    if (reply.rcode === 'NXDOMAIN' && reply.authority.length === 1) seen.add(extendedError(reply.edns))
  }
  const short = '19 no service nope in namespace demo'
  t.same([...seen], ['', short, `${short} (the API server was last heard 170 s ago)`])
})

t.test(
  'nothing is told without EDNS, nor where it is switched off, nor where it does not fit (the SOA was one octet too long)',
  async t => {
    t.equal(told(cluster(), 'nope.demo.svc A', false), 'NXDOMAIN: ')
    t.equal(told(cluster({}, { reasons: false }), 'nope.demo.svc A'), 'NXDOMAIN: ')
    const question = `${'x'.repeat(63)}.demo.svc A`
    for (let maxOctets = 150; maxOctets < 260; maxOctets++) {
      const reply = cluster().ask(question, { edns: true, maxOctets })
      if (typeof reply === 'string') throw new Error(reply)
      t.equal(reply.rcode, 'NXDOMAIN')
    }
  },
)
