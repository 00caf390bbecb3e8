// The folders that people see first: the examples, and the clusters that the conformance cases are about.

import t, { type Test } from 'tap'
import type { ClusterState } from '../../src/manifest/compile.ts'
import { formatProblem } from '../../src/manifest/problem.ts'
import { ManifestSource } from '../../src/manifest/source.ts'
import { endpointsOf, own } from './manifest-texts.ts'

const root = new URL('../../', import.meta.url).pathname

/** What a folder of the repository is served as; no problem may be reported. */
async function stateOf(t: Test, folder: string): Promise<ClusterState> {
  const problems: string[] = []
  const source = new ManifestSource({
    directory: `${root}${folder}`,
    sink: { replace() {}, upsert() {}, remove() {} },
    report: problem => problems.push(formatProblem(problem)),
  })
  await source.start()
  await source.stop()
  t.same(problems, [], `${folder} has no problems`)
  return source.state
}

t.test('config/examples', async t => {
  const state = await stateOf(t, 'config/examples')
  const slices = (name: string): string[] => endpointsOf(state, `default/${name}`)
  t.equal(slices('kubia-service')[0]!.split(' ').length, 5, 'three Pods')
  t.match(slices('kubia-service'), [/\/ :8080\/tcp$/])
  t.match(state.Service.get('default/kubia-service'), {
    ports: [{ name: '', port: 9696 }],
    clusterIPs: [/^10\./],
  })
  t.same(slices('external-service-1'), ['180.101.49.11 202.89.233.100 / visit-port:80/tcp test-port:443/tcp'])
  t.equal(state.Service.get('default/external-service-3')?.externalName, 'cn.bing.com')
  t.equal(slices('my-linkedin-headless-service')[0]!.split(' ').length, 6, 'four Pods')
  t.match(slices('my-db'), [/^my-db-0=\S+ my-db-1=\S+ my-db-2=\S+ \/ postgres:5432\/tcp$/])
  t.match(state.Service.get('default/my-dual-stack-service')?.clusterIPs, [/^10\./, /^fd00:10:96::/])
  t.equal(slices('my-dual-stack-service').length, 2)
})

t.test('the seed cluster', async t => {
  const state = await stateOf(t, 'test/conformance/seed')
  t.equal(own(state, 'Service').length, 4)
  t.equal(own(state, 'Pod').length, 7)
  const linkedin = '10.244.1.21 10.244.2.21 10.244.1.22 10.244.2.22 / :8080/tcp'
  t.same(endpointsOf(state, 'default/kubia-service'), ['10.244.1.11 10.244.2.11 10.244.1.12 / :8080/tcp'])
  t.same(endpointsOf(state, 'default/my-linkedin-headless-service'), [linkedin])
  t.same(endpointsOf(state, 'default/external-service-1'), [
    '180.101.49.11 202.89.233.100 / visit-port:80/tcp test-port:443/tcp',
  ])
})

t.test('the cluster of the handler tests', async t => {
  const state = await stateOf(t, 'test/conformance/coredns-handler')
  t.same([...state.Namespace.keys()].sort(), ['default', 'kube-system', 'testns', 'unexposedns'])
  t.equal(own(state, 'Service').length, 10)
  t.equal(own(state, 'EndpointSlice').length, 6)
  t.same(endpointsOf(state, 'testns/svcempty'), [' / http:80/tcp'])
  t.same(endpointsOf(state, 'testns/hdls1'), [
    '172.0.0.2 172.0.0.3 dup-name=172.0.0.4 dup-name=172.0.0.5 / http:80/tcp',
    '5678:abcd::1 5678:abcd::2 / http:80/tcp',
  ])
  t.same(endpointsOf(state, 'testns/hdlsprtls'), ['172.0.0.20 / '])
})

t.test('the cluster of the specification', async t => {
  const state = await stateOf(t, 'test/conformance/dns-spec')
  const cases: [service: string, slices: string[]][] = [
    ['kubernetes', ['192.168.50.10 / https:6443/tcp']],
    ['no-endpoints', [' / ']],
    ['dual', ['10.244.1.10 / https:6443/tcp', '2001:db8:1::11 / https:6443/tcp']],
    ['headless', ['my-pet=10.244.2.1 my-pet-2=10.244.2.2 10.244.2.3 / https:443/tcp']],
    ['headless-dual', ['twin=10.244.2.20 / https:443/tcp', 'twin=2001:db8::20 / https:443/tcp']],
    ['sick', [' / http:80/tcp']],
    ['published', ['early=10.244.2.51 / http:80/tcp']],
    ['unknown-ready', ['k-0=10.244.2.81 / http:80/tcp']],
    ['matrix', ['m-0=10.244.2.61 m-1=10.244.2.62 / http:80/tcp https:443/tcp sync:9000/udp']],
  ]
  for (const [service, slices] of cases) t.same(endpointsOf(state, `default/${service}`), slices, service)
  t.same(state.Service.get('default/dual')?.clusterIPs, ['10.96.4.10', 'fd00:10:96::10'])
  t.same(state.Service.get('default/balanced')?.externalIPs, ['198.51.100.14'])
  t.same(
    [...state.Pod.keys()].filter(key => key.startsWith('default/')),
    [],
    'no Pod is made up',
  )
})
