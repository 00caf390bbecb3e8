// A whole server block: which zones keep the fast path beside rewrite, and what the plugins before it see.

import t from 'tap'
import { Problems } from '../../../src/corefile/problem.ts'
import type { QueryMetersTable } from '../../../src/observe/query-meters.ts'
import { sourceKey } from '../../../src/plugin/kubernetes/config.ts'
import { Serving } from '../../../src/serving/blocks.ts'
import { buildSetup } from '../../../src/setup/build.ts'
import { read } from '../../corefile/read-corefile.ts'
import { answerNow, ask, isChained } from '../../support/asking.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion, type Question } from '../../support/dns-question.ts'
import { SlimCluster, slimService } from '../../support/slim-cluster.ts'
import { lasting, testThread } from '../../support/words.ts'

/** No block of these tests counts its queries. */
const NO_METERS = {} as QueryMetersTable

/** A thread that serves one block over a cluster with one Service, demo/web. */
function serve(block: string) {
  const setup = buildSetup(read(`. {\n${block}\n}`), new Problems(), { port: 53, file: 'Corefile', env: {} })
  const thread = testThread()
  const { reader } = new SlimCluster().list(['demo'], [slimService('demo/web', '10.0.0.1')])
  const tables = new Map(setup.kubernetes.map(config => [sourceKey(config), reader]))
  const road = new Serving(setup, { ...thread.context, tables }, NO_METERS, lasting(thread)).road(
    setup.listens[0]!,
  )
  /** The answer of the fast path; undefined where the query takes the chain. */
  const now = (question: Question): ReturnType<typeof decodeMessage> | undefined => {
    const octets = encodeQuestion(question)
    return isChained(road, octets) ? undefined : decodeMessage(answerNow(road, octets)!)
  }
  const later = async (question: Question): Promise<ReturnType<typeof decodeMessage>> =>
    decodeMessage((await ask(road, encodeQuestion(question)))!)
  return { now, later, lines: thread.lines }
}

const WEB = { name: 'web.demo.svc.cluster.local.' }
const REVERSE = { name: '1.0.0.10.in-addr.arpa.', type: 'PTR' }

t.test('which zones keep the fast path', async t => {
  const cases: [rules: string, web: boolean, reverse: boolean][] = [
    ['', true, true],
    ['rewrite name exact foo.example.com web.demo.svc.cluster.local', true, true],
    ['rewrite name suffix .example.com .demo.svc.cluster.local answer auto', true, true],
    ['rewrite name regex ^(.*)\\.example\\.com\\.$ {1}.demo.svc.cluster.local answer auto', true, true],
    ['rewrite type ANY HINFO', true, true],
    ['rewrite class CH IN', true, true],
    ['rewrite ttl suffix cluster.local 9', false, true],
    ['rewrite name suffix .arpa .arpa answer value a b', true, false],
    ['rewrite name substring foo bar', true, true],
    ['rewrite name substring web bar', false, true],
    ['rewrite name prefix web. x.', false, true],
    ['rewrite name regex ^(web|foo)[.] x.org', false, true],
    ['rewrite continue name prefix 1. x.\nrewrite name prefix x. web.', true, false],
    ['rewrite edns0 local set 0xffee 0x61', false, false],
    ['rewrite edns0 local set 0xffee 0x61 revert', true, true],
    ['rewrite cname a.org b.org', false, false],
    ['rewrite name a.org b.org\nrewrite name exact web.demo.svc.cluster.local x.org', false, true],
    ['rewrite name a.org b.org\nlog', true, true],
  ]
  for (const [rules, web, reverse] of cases) {
    const { now } = serve(`${rules}\nkubernetes cluster.local in-addr.arpa`)
    t.equal(now(WEB) !== undefined, web, `${rules}: the forward zone`)
    t.equal(now(REVERSE) !== undefined, reverse, `${rules}: the reverse zone`)
    t.equal(now({ name: 'foo.example.com.' }), undefined, `${rules}: other names take the chain`)
  }
})

t.test('which names keep the fast path of the cache', async t => {
  const hosts = 'cache 30\nhosts /nowhere {\n192.0.2.1 a.org b.org\n}'
  const cases: [rules: string, cached: boolean][] = [
    ['', true],
    ['rewrite name b.org a.org', true],
    ['rewrite name a.org b.org', false],
    ['rewrite type AAAA A', true],
    ['rewrite type A AAAA', false],
    ['rewrite rcode a.org NXDOMAIN NOERROR', false],
    ['rewrite edns0 local set 0xffee 0x61 revert', false],
    ['rewrite edns0 subnet replace 24 56', false],
    ['rewrite edns0 local unset 0xffee', true],
  ]
  for (const [rules, cached] of cases) {
    const { now, later } = serve(`${rules}\n${hosts}`)
    await later({ name: 'a.org.' })
    t.equal(now({ name: 'a.org.' }) !== undefined, cached, rules)
  }
})

t.test('into the cluster and back, with the question as it was asked', async t => {
  const { later } = serve('rewrite name Foo.example.com web.demo.svc.cluster.local\nkubernetes cluster.local')
  const { question, answer, flags } = await later({ name: 'fOO.example.com.' })
  t.same(question, ['fOO.example.com. IN A'])
  t.same(answer, ['foo.example.com. 5 IN A 10.0.0.1'])
  t.equal(flags.aa, true)
})

t.test('log and errors see the question as it was asked', async t => {
  const block =
    'log . "{name} {type} {class} {rcode} {size} {rsize}"\nerrors\nrewrite continue name a.org web.demo.svc.cluster.local\nrewrite type A SRV\nrewrite name suffix .b.org ..\nkubernetes cluster.local'
  const { later, lines } = serve(block)
  await later({ name: 'a.org.', type: 'A' })
  await later({ name: 'x.b.org.', type: 'MX' })
  t.match(lines, [
    /^\[INFO\] a\.org\. A IN NOERROR 23 \d+$/,
    '[INFO] x.b.org. MX IN SERVFAIL 25 25',
    '[ERROR] plugin/errors: 2 x.b.org. MX: invalid name after rewrite: x..',
  ])
})

t.test('other classes', async t => {
  const chaos = { ...WEB, class: 'CH' }
  t.equal(serve('kubernetes cluster.local').now(chaos)!.rcode, 'REFUSED', 'refused at once without a rule')
  const { now, later } = serve('rewrite class CH IN\nkubernetes cluster.local')
  t.equal(now(chaos), undefined, 'comes down the chain with one')
  const { answer, question } = await later(chaos)
  t.same(
    [question, answer],
    [['web.demo.svc.cluster.local. CH A'], ['web.demo.svc.cluster.local. 5 IN A 10.0.0.1']],
  )
  t.equal((await later({ ...WEB, class: 'HS' })).rcode, 'REFUSED', 'the cluster has no data of another class')
})
