// Who a client is to `policy`: the namespace of its Pod by each of its addresses, a node for who has a node's address, else nobody.

import t from 'tap'
import { isProblem, slimPod as podOf } from '../../../src/objects/slim.ts'
import { slimPod, slimService } from '../../support/slim-cluster.ts'
import { policy, policyWorld } from './policy-world.ts'

const [DUAL, DUAL6, NODE, NODE6, SHARED, MIXED] = [
  '10.1.5.1', 'fd00::51', '192.168.0.9', 'fd00::9', '10.1.6.1', '192.168.0.8',
] as const // biome-ignore format: a list

/** A Pod as the API has it. */
function pod(key: string, ips: readonly string[], hostNetwork = false) {
  const [namespace, name] = key.split('/')
  const slim = podOf(
    {
      metadata: { namespace, name },
      spec: { hostNetwork },
      status: { phase: 'Running', podIP: ips[0], podIPs: ips.map(ip => ({ ip })) },
    },
    { clients: { podNames: false, hosts: false, labels: [] } },
  )
  if (slim === undefined || isProblem(slim)) throw new Error('no Pod')
  return slim
}

t.test('a Pod is its namespace by all of its addresses, and a node whatever runs on it', async t => {
  const { ask, cluster, block } = policyWorld({
    policy: 'deny from red to blue\ndeny from @host to red\nobjects',
    namespaces: { red: {}, blue: {} },
    services: [slimService('red/web', '10.0.0.1'), slimService('blue/web', '10.0.0.2')],
  })
  cluster.replace('Pod', [
    pod('red/dual', [DUAL, DUAL6]),
    pod('red/proxy', [NODE, NODE6], true),
    pod('blue/agent', [NODE, NODE6], true),
    slimPod('red/one', SHARED),
    slimPod('blue/one', SHARED),
    pod('red/left', [MIXED]),
    pod('blue/host', [MIXED], true),
  ])
  cluster.upsert('DNSPolicy', policy('blue/all', { namespaces: { allow: [] } }))
  const web = async (address: string, namespace: string): Promise<boolean> => {
    const client = { address, port: 5353, family: address.includes(':') ? 6 : 4 } as const
    const said = await ask('nobody', `web.${namespace}.svc.cluster.local`, { client })
    t.match(said, /^(?:NXDOMAIN|NOERROR 10\.0\.0\.[12])$/)
    return said !== 'NXDOMAIN'
  }
  const rows: [what: string, address: string, red: boolean, blue: boolean][] = [
    ['a Pod', DUAL, true, false],
    ['its other address', DUAL6, true, false],
    ['a node, with Pods of two namespaces on its network', NODE, false, true],
    ['its other address', NODE6, false, true],
    ['an address of Pods of two namespaces', SHARED, true, true],
    ['an address of a Pod and of a node', MIXED, true, true],
  ]
  for (const [what, address, red, blue] of rows)
    t.same([await web(address, 'red'), await web(address, 'blue')], [red, blue], what)
  cluster.remove('Pod', 'blue/one')
  t.same([await web(SHARED, 'red'), await web(SHARED, 'blue')], [true, false], 'one of the two is gone')
  cluster.upsert('Pod', pod('red/dual', [DUAL]))
  t.same([await web(DUAL6, 'red'), await web(DUAL6, 'blue')], [true, true], 'an address that it lost')
  cluster.replace('Pod', [])
  t.same([await web(DUAL, 'red'), await web(NODE, 'red')], [true, true], 'nobody any more')
  await block.stop()
})
