// Server blocks with one zone: which takes a query, and what its plugins, metrics and log make of it.

import t, { type Test } from 'tap'
import { Problems } from '../../../src/corefile/problem.ts'
import { counterMemory, ThreadMeters } from '../../../src/observe/counters.ts'
import { QueryMetersTable } from '../../../src/observe/query-meters.ts'
import { sourceKey } from '../../../src/plugin/kubernetes/config.ts'
import { Serving } from '../../../src/serving/blocks.ts'
import { buildSetup } from '../../../src/setup/build.ts'
import { read } from '../../corefile/read-corefile.ts'
import { ask, isChained } from '../../support/asking.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion, type Question } from '../../support/dns-question.ts'
import { extendedError } from '../../support/extended-error.ts'
import { external, SlimCluster, slimService } from '../../support/slim-cluster.ts'
import { lasting, testThread } from '../../support/words.ts'

const LOCAL = { address: '10.96.0.10', port: 53, family: 4 } as const

/** A thread that serves a Corefile over a cluster with demo/web and demo/out, an ExternalName of www.example.net. */
function serve(t: Test, corefile: string) {
  const problems = new Problems()
  const setup = buildSetup(read(corefile), problems, { port: 53, file: 'Corefile', env: {} })
  t.same(problems.list, [])
  const thread = testThread()
  const { reader } = new SlimCluster().list(
    ['demo'],
    [slimService('demo/web', '10.0.0.1'), external('demo/out', 'www.example.net')],
  )
  const tables = new Map(setup.kubernetes.map(config => [sourceKey(config), reader]))
  const meters = new ThreadMeters(counterMemory(), () => {})
  const serving = new Serving(
    setup,
    { ...thread.context, tables },
    new QueryMetersTable(meters),
    lasting(thread),
  )
  t.teardown(() => serving.stop())
  const road = serving.road(setup.listens[0]!)
  const asking = async (question: string, address = '10.0.0.7', more: Partial<Question> = {}) => {
    const [name = '', type = 'A'] = question.split(' ')
    const packet = encodeQuestion({ name, type, ...more })
    const client = { address, port: 40212, family: 4 } as const
    const octets = await ask(road, packet, { client, local: LOCAL })
    const { rcode, answer, edns } = decodeMessage(octets!)
    return { rcode, answer: answer.map(line => line.replace(/^\S+ \d+ IN /, '')), edns }
  }
  const isFast = (name: string): boolean => {
    return !isChained(road, encodeQuestion({ name, type: 'A' }))
  }
  return { ask: asking, isFast, lines: thread.lines }
}

const hosts = (address: string, more = ''): string => `hosts {\n${address} a.test\n${more}\n}`
const view = (name: string, expression: string): string => `view ${name} {\nexpr ${expression}\n}`
const office = view('office', "incidr(client_ip(), '10.0.0.0/8')")
const lab = view('lab', "incidr(client_ip(), '10.1.0.0/16') && type() == 'A'")

t.test('the first block in the file that takes the query answers it', async t => {
  const { ask } = serve(
    t,
    `test {\n${lab}\n${hosts('192.0.2.1')}\n}\ntest {\n${office}\n${hosts('192.0.2.2')}\n}\ntest {\n${hosts('192.0.2.3')}\n}`,
  )
  t.same((await ask('a.test.', '10.1.0.1')).answer, ['A 192.0.2.1'])
  t.same((await ask('a.test.', '10.2.0.1')).answer, ['A 192.0.2.2'])
  t.same((await ask('a.test.', '192.0.2.7')).answer, ['A 192.0.2.3'])
  t.same((await ask('b.test.', '10.1.0.1')).rcode, 'SERVFAIL', 'another block is not asked for a name')
})

t.test('where no view of the longest zone takes the query, a shorter zone does, or nobody', async t => {
  const { ask } = serve(
    t,
    `a.test {\n${office}\n${hosts('192.0.2.1')}\n}\ntest {\n${lab}\n${hosts('192.0.2.2')}\n}\n`,
  )
  t.same((await ask('a.test.', '10.2.0.1')).answer, ['A 192.0.2.1'])
  const shorter = serve(
    t,
    `a.test {\n${lab}\n${hosts('192.0.2.1')}\n}\ntest {\n${office}\n${hosts('192.0.2.2')}\n}\n`,
  )
  t.same((await shorter.ask('a.test.', '10.2.0.1')).answer, ['A 192.0.2.2'])
  const nobody = await ask('a.test.', '192.0.2.7', { edns: true })
  t.equal(nobody.rcode, 'REFUSED')
  t.equal(extendedError(nobody.edns), '20 no view of the Corefile is for this query')
})

t.test('a look-up on behalf of a query is sent to the block that takes it', async t => {
  const target = 'hosts {\n192.0.2.80 www.example.net\n}'
  const { ask } = serve(
    t,
    `cluster.local {\n${office}\nkubernetes cluster.local\n}\nexample.net {\n${view('net', "name() startsWith 'www.'")}\n${target}\n}`,
  )
  t.same((await ask('out.demo.svc.cluster.local.')).answer, ['CNAME www.example.net.', 'A 192.0.2.80'])
})

t.test('a block without a view keeps its fast path, also behind one with a view', async t => {
  const { isFast } = serve(
    t,
    `other {\n${office}\nwhoami\n}\ncluster.local {\nmetadata\nkubernetes cluster.local\n}`,
  )
  t.ok(isFast('web.demo.svc.cluster.local.'))
  t.notOk(isFast('a.other.'))
  const behind = serve(t, `cluster.local {\n${lab}\nwhoami\n}\ncluster.local {\nkubernetes cluster.local\n}`)
  t.ok(behind.isFast('web.demo.svc.cluster.local.'))
  t.same((await behind.ask('web.demo.svc.cluster.local.')).answer, ['A 10.0.0.1'])
})

t.test('other classes than IN are for blocks that speak them, view or not', async t => {
  const chaos = `. {\n${view('ch', "class() == 'CH'")}\nchaos 1.0\n}`
  const { ask } = serve(t, `${chaos}\n. {\n${office}\nwhoami\n}`)
  t.same((await ask('version.bind. TXT', '10.0.0.1', { class: 'CH' })).rcode, 'NOERROR')
  t.same((await ask('version.bind. TXT', '10.0.0.1', { class: 'HS' })).rcode, 'REFUSED')
})

t.test('a view asks for labels of its own plugins, and the log shows them', async t => {
  const block = (name: string, expression: string): string =>
    `. {\nmetadata cluster.local\n${view(name, expression)}\nlog . "{/view/name} {/kubernetes/service} {rcode}"\nkubernetes cluster.local\n}`
  const { ask, lines } = serve(
    t,
    `${block('web', "metadata('kubernetes/service') == 'web'")}\n${block('rest', "metadata('view/name') != 'web'")}`,
  )
  await ask('web.demo.svc.cluster.local.')
  await ask('nope.demo.svc.cluster.local.')
  t.same(lines, ['[INFO] web web NOERROR', '[INFO] rest nope NXDOMAIN'])
  t.equal((await ask('a.org.')).rcode, 'SERVFAIL')
  t.equal(lines.at(-1), '[INFO] - - SERVFAIL', 'no labels outside the zones of metadata')
})

t.test('labels of a block that does not take the query do not reach the next one', async t => {
  const { ask, lines } = serve(
    t,
    `. {\nmetadata\n${view('no', 'false')}\nwhoami\n}\n. {\nmetadata\nlog . "{/view/name}."\nwhoami\n}`,
  )
  await ask('a.org.')
  t.same(lines, ['[INFO] -.'])
})
