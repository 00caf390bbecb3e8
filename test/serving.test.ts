// Which questions the fast paths answer, and which they leave to the chain because a plugin before `kubernetes` or
// `cache` may change the answer.

import t from 'tap'
import { Problems } from '../src/corefile/problem.ts'
import { LATER } from '../src/listen/responder.ts'
import { counterMemory, ThreadMeters } from '../src/observe/counters.ts'
import { QueryMetersTable } from '../src/observe/query-meters.ts'
import { sourceKey } from '../src/plugin/kubernetes/config.ts'
import type { QueryProcess } from '../src/query/process.ts'
import { Serving } from '../src/serving.ts'
import { buildSetup } from '../src/setup.ts'
import { read } from './corefile/fixture.ts'
import { encodeQuestion } from './support/dns-question.ts'
import { testThread } from './support/serving.ts'
import { SlimCluster, slimService } from './support/slim-cluster.ts'

/** The road of the queries of a Corefile with one server block for `.`, in front of a cluster with the Service demo/web. */
function roadOf(directives: string): QueryProcess {
  const problems = new Problems()
  const text = `. {\n kubernetes cluster.local in-addr.arpa\n${directives}\n}`
  const setup = buildSetup(read(text), problems, { port: 53, file: 'Corefile', env: {} })
  t.equal(problems.errors, 0, directives)
  const { reader } = new SlimCluster().list(['demo'], [slimService('demo/web', '10.96.0.1')])
  const meters = new ThreadMeters(counterMemory(), () => {})
  const tables = new Map([[sourceKey(setup.kubernetes[0]!), reader]])
  const serving = new Serving(setup, { ...testThread().context, tables }, new QueryMetersTable(meters))
  return serving.process(setup.listens[0]!)
}

/** The types of questions for a name that are answered at once, of A, AAAA, SRV and ANY. */
const fastTypes = (road: QueryProcess, name: string): string[] =>
  ['A', 'AAAA', 'SRV', 'ANY'].filter(type => {
    const packet = encodeQuestion({ name, type }, 1)
    road.enter()
    const length = road.answerNow(packet, 0, packet.length, new Uint8Array(1232), 0, 'udp', 4, 1232)
    road.leave()
    return length !== LATER
  })

const ALL = ['A', 'AAAA', 'SRV', 'ANY']

t.test("the cluster's names", async t => {
  const cases: [what: string, directives: string, fast: string[]][] = [
    ['nothing in the way', 'errors\ncache 30\nloadbalance', ALL],
    ['a log', 'log', []],
    [
      'the templates of AKS',
      'template ANY ANY reddog.microsoft.com {\nrcode NXDOMAIN\n}\ntemplate ANY ANY internal.cloudapp.net {\nmatch x\nrcode NXDOMAIN\nfallthrough\n}',
      ALL,
    ],
    ['a template against AAAA', 'template IN AAAA', ['A', 'SRV']],
    ['the same in front of a cache', 'template ANY AAAA .\ncache 30', ['A', 'SRV']],
    ['two templates', 'template IN AAAA\ntemplate IN A local', ['SRV']],
    [
      'templates for AAAA here and for all types elsewhere',
      'template IN AAAA\ntemplate IN ANY example.org',
      ['A', 'SRV'],
    ],
    ['a template for all types', 'template IN ANY', []],
    ['a template for a part of the zone', 'template IN ANY demo.svc.cluster.local', []],
    ['a template for a zone above', 'template IN TXT local', ['A', 'AAAA', 'SRV']],
    ['dns64', 'dns64\ncache 30', ['A', 'SRV', 'ANY']],
    ['a template for another class', 'template CH ANY', ALL],
  ]
  for (const [what, directives, fast] of cases) {
    t.same(fastTypes(roadOf(directives), 'web.demo.svc.cluster.local.'), fast, what)
  }
})
