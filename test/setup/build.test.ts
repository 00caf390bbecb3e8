// From a parsed Corefile to what is served: blocks in the order of the chain, listeners with their zones, and what is said
// of words that are not served.

import t from 'tap'
import { formatProblem, Problems } from '../../src/corefile/problem.ts'
import { buildSetup } from '../../src/setup/build.ts'
import type { Setup } from '../../src/setup/setup.ts'
import { read } from '../corefile/read-corefile.ts'

function setupOf(text: string, port = 53): { setup: Setup; complaints: string[] } {
  const problems = new Problems()
  const setup = buildSetup(read(text), problems, { port, file: 'Corefile', env: {} })
  return { setup, complaints: problems.list.map(problem => formatProblem(problem).slice('Corefile:'.length)) }
}

/** Each listener as `SERVER: ZONE→BLOCK …`. */
const listensOf = (text: string, port?: number): string[] =>
  setupOf(text, port).setup.listens.map(
    ({ server, zones }) => `${server}: ${zones.map(({ zone, block }) => `${zone}→${block}`).join(' ')}`,
  )

t.test('directives stand in the order of the chain', async t => {
  const { setup, complaints } = setupOf(
    '.:53 {\n whoami\n loadbalance\n kubernetes cluster.local\n cache 30\n errors\n ready\n prometheus :9153\n}',
  )
  t.same(complaints, [])
  t.same(
    setup.blocks[0]?.plugins.map(({ word }) => word),
    ['ready', 'prometheus', 'errors', 'loadbalance', 'cache', 'kubernetes', 'whoami'],
  )
  t.equal(setup.kubernetes[0]?.primaryZone, 'cluster.local.')
  t.same(
    [setup.ready.length, setup.prometheus.length, setup.health.length, setup.reload],
    [1, 1, 0, undefined],
  )
  t.strictSame(structuredClone(setup), setup, 'plain data')
})

t.test('listeners', async t => {
  const cases: [text: string, listens: string[], port?: number][] = [
    ['. {\n whoami\n}', ['dns://:53: .→0']],
    ['. {\n whoami\n}', ['dns://:1053: .→0'], 1053],
    ['.:5353 {\n whoami\n}', ['dns://:5353: .→0'], 1053],
    ['a.org b.org {\n whoami\n}\n. {\n whoami\n}', ['dns://:53: a.org.→0 b.org.→0 .→1']],
    ['a.org:54 b.org {\n whoami\n}', ['dns://:54: a.org.→0', 'dns://:53: b.org.→0']],
    ['. {\n bind 127.0.0.1 ::1\n whoami\n}', ['dns://127.0.0.1:53: .→0', 'dns://[::1]:53: .→0']],
  ]
  for (const [text, listens, port] of cases) t.same(listensOf(text, port), listens, text)
})

t.test('words that are not served', async t => {
  const cases: [text: string, complaint: RegExp][] = [
    [
      '. {\n  kubernets cluster.local\n}',
      /^2:3: error: unknown directive \(found "kubernets"; allowed: kubernetes/,
    ],
    ['. {\n  whoami x\n}', /^2:10: error: /],
    ['. {\n  proxy . 8.8.8.8\n}', /^2:3: error: proxy was removed from CoreDNS: write forward FROM TO…$/],
    [
      '. {\n  slog\n}',
      /^2:3: error: slog is not offered, a plugin that others add to CoreDNS; it prints queries as JSON: write log/,
    ],
    [
      '. {\n  k8s_gateway a.test\n}',
      /^2:3: error: k8s_gateway is not offered, .*: write k8s_external for Services/,
    ],
    ['. {\n  pprof\n}', /^2:3: warning: pprof does nothing here/],
    ['. {\n  kubernetes cluster.local {\n    ttl x\n  }\n}', /^3:9: error: the TTL in seconds must be /],
  ]
  for (const [text, complaint] of cases) {
    const { complaints } = setupOf(text)
    t.equal(complaints.length, 1, text)
    t.match(complaints[0], complaint)
  }
})

t.test('placeholders that nobody has filled in', async t => {
  const placeholder = /error: a placeholder that nobody has filled in/
  const cases: [text: string, ...places: string[]][] = [
    ['__PILLAR__DNS__DOMAIN__:53 {\n whoami\n}', '1:1'],
    ['. {\n forward . __PILLAR__CLUSTER__DNS__ __PILLAR__UPSTREAM__SERVERS__:53\n}', '2:12', '2:37'],
    ['. {\n bind __PILLAR__LOCAL__DNS__\n whoami\n}', '2:7'],
    ['. {\n forward . UPSTREAMNAMESERVER {\n  except __DNS__DOMAIN__\n }\n}', '2:12', '3:10'],
    ['. {\n kubernetes CLUSTER_DOMAIN REVERSE_CIDRS\n}', '2:13', '2:28'],
    ['. {\n template IN A a.test {\n  answer "{{ .Name }} 5 IN TXT __PILLAR__X__"\n }\n}'],
    ['_dns._udp.a.test {\n whoami\n}'],
    ['a__b.test {\n forward . 127.0.0.1\n}'],
  ]
  for (const [text, ...places] of cases) {
    const found = setupOf(text).complaints.filter(complaint => placeholder.test(complaint))
    t.same(
      found.map(complaint => complaint.split(': ')[0]),
      places,
      text,
    )
  }
})
