// Which names are searched for, in what order, and what becomes of the reply that is found.

import { join } from 'node:path'
import t from 'tap'
import { autopathWord } from '../../../src/plugin/autopath/autopath.ts'
import type { AutopathConfig } from '../../../src/plugin/autopath/config.ts'
import { type KubernetesConfig, sourceKey } from '../../../src/plugin/kubernetes/config.ts'
import { KubernetesHandler } from '../../../src/plugin/kubernetes/handler.ts'
import type { Handler } from '../../../src/plugin/plugin.ts'
import { formatName } from '../../../src/wire/name.ts'
import { RCODE } from '../../../src/wire/rcode.ts'
import { Scan } from '../../../src/wire/scan.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import type { Query } from '../../support/query.ts'
import { DROP, nxdomain, type Outcome, servfail } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { KUBERNETES, SlimCluster, slimPod, slimService } from '../../support/slim-cluster.ts'
import { parseWord, query, record, reply, shortForm, testThread } from '../../support/words.ts'

const SOA = record('cluster.local. 5 SOA ns.dns.cluster.local. hostmaster.cluster.local.')
const NXDOMAIN = nxdomain('kubernetes', SOA)
const VERIFIED = {
  ...KUBERNETES,
  pods: 'verified',
  clients: { podNames: false, hosts: false, labels: [] },
} as const

/** A server block with autopath; what is behind it knows `answers` by name and denies all else. */
function serve(
  config: Partial<AutopathConfig>,
  answers: Readonly<Record<string, Outcome>> = {},
  kubernetes: KubernetesConfig | undefined = undefined,
) {
  const thread = testThread()
  const handlers: Handler[] = []
  const cluster = new SlimCluster(kubernetes).list(['demo'], [slimService('demo/web', '10.96.0.7')])
  cluster.cluster.replace('Pod', [
    slimPod('demo/a', '10.0.0.7'),
    slimPod('demo/node', '10.0.0.8', { hostNetwork: true }),
    slimPod('demo/b', '10.0.0.9'),
    slimPod('other/b', '10.0.0.9'),
  ])
  const context = { ...thread.context, handlers }
  const handler = autopathWord.create!({ zones: ['.'], of: 'file', search: [], ...config }, context)
  if (kubernetes) {
    const tables = new Map([[sourceKey(kubernetes), cluster.reader]])
    handlers.push(new KubernetesHandler(kubernetes, { ...context, tables }))
  }
  const asked: string[] = []
  const ask = async (question: string, rest: Partial<Query> = {}): Promise<string> => {
    asked.length = 0
    const outcome = await askHandler(handler, query(question, rest), ({ question: { qname } }) => {
      asked.push(formatName(qname))
      return answers[formatName(qname)] ?? NXDOMAIN
    })
    if (outcome === DROP) return 'drop'
    return [outcome.rcode, ...shortForm(outcome.answer)].join(' ')
  }
  const concerns = (name: string): boolean => {
    const scan = new Scan()
    const packet = encodeQuestion({ name })
    scan.read(packet, 0, packet.length)
    return handler.concerns!(scan)
  }
  return { ask, asked, concerns, counted: thread.counted, handler }
}

const a = (owner: string, ttl = 60): Outcome =>
  reply({ plugin: 'forward', authenticData: true, answer: [record(`${owner} ${ttl} A 192.0.2.1`)] })

const FILE = { search: ['one.test.', 'two.test.'] }
const SUCCESS = 'coredns_autopath_success_total{server=dns://:53}'

t.test(
  'a name below the first domain is searched for; the first that exists answers behind a CNAME',
  async t => {
    const cases: [question: string, answers: Record<string, Outcome>, asked: string[], answer: string][] = [
      ['www.one.test. A', { 'www.one.test.': a('www.one.test.') }, ['www.one.test.'], '0 A 192.0.2.1'],
      [
        'www.one.test. A',
        { 'www.two.test.': a('www.two.test.'), 'www.': a('www.') },
        ['www.one.test.', 'www.two.test.'],
        '0 CNAME www.two.test. A 192.0.2.1',
      ],
      [
        'a.b.ONE.Test. A',
        { 'a.b.': a('a.b.') },
        ['a.b.ONE.Test.', 'a.b.two.test.', 'a.b.'],
        '0 CNAME a.b. A 192.0.2.1',
      ],
      ['a.one.test. A', {}, ['a.one.test.', 'a.two.test.', 'a.'], '3'],
      // NODATA is an answer: the name exists.
      ['a.one.test. A', { 'a.two.test.': reply({ plugin: 'file' }) }, ['a.one.test.', 'a.two.test.'], '0'],
      // So is a failure that an upstream wrote; one that nobody wrote is not.
      [
        'a.one.test. A',
        { 'a.two.test.': reply({ rcode: RCODE.SERVFAIL, plugin: 'forward' }) },
        ['a.one.test.', 'a.two.test.'],
        '2',
      ],
      [
        'a.one.test. A',
        { 'a.two.test.': reply({ rcode: RCODE.REFUSED }), 'a.': a('a.') },
        ['a.one.test.', 'a.two.test.', 'a.'],
        '0 CNAME a. A 192.0.2.1',
      ],
      ['a.one.test. A', { 'a.one.test.': servfail() }, ['a.one.test.', 'a.two.test.', 'a.'], '2'],
      // An error ends the search, and so does silence.
      ['a.one.test. A', { 'a.two.test.': servfail(undefined, 'dial') }, ['a.one.test.', 'a.two.test.'], '2'],
      ['a.one.test. A', { 'a.one.test.': DROP }, ['a.one.test.'], 'drop'],
      // What is not below the first domain is not searched for.
      ['one.test. A', {}, ['one.test.'], '3'],
      ['a.two.test. A', {}, ['a.two.test.'], '3'],
      ['a.xone.test. A', {}, ['a.xone.test.'], '3'],
    ]
    for (const [question, answers, asked, answer] of cases) {
      const { ask, asked: names } = serve(FILE, answers)
      t.equal(await ask(question), answer, question)
      t.same(names, asked, question)
    }
  },
)

t.test('the CNAME has the TTL of what it leads to, and nothing is validated behind it', async t => {
  const { handler } = serve(FILE)
  const outcome = await askHandler(handler, query('WWW.one.test. A'), ({ question: { qname } }) =>
    formatName(qname) === 'WWW.' ? a('WWW.', 7) : NXDOMAIN,
  )
  if (outcome === DROP) throw new Error('dropped')
  t.same(
    outcome.answer.map(({ owner, ttlSeconds }) => `${formatName(owner)} ${ttlSeconds}`),
    ['WWW.one.test. 7', 'WWW. 7'],
  )
  t.equal(outcome.authenticData, false)
})

t.test('each answer that was found is counted', async t => {
  const { ask, counted } = serve(FILE, { 'a.one.test.': a('a.one.test.'), 'b.': a('b.') })
  for (const name of ['a.one.test. A', 'b.one.test. A', 'gone.one.test. A', 'a.two.test. A']) await ask(name)
  t.equal(counted.get(SUCCESS), 2)
})

t.test('only in its zones', async t => {
  const { ask, asked } = serve({ ...FILE, zones: ['a.one.test.', 'two.test.'] }, { 'x.a.': a('x.a.') })
  t.equal(await ask('x.a.one.test. A'), '0 CNAME x.a. A 192.0.2.1')
  await ask('x.b.one.test. A')
  t.same(asked, ['x.b.one.test.'])
})

t.test('names that get too long are left out', async t => {
  const label = 'x'.repeat(60)
  const base = `${label}.${label}.${label}.${label}.`
  const { ask, asked } = serve({ search: ['a.', 'much.longer.than.that.test.'] })
  await ask(`${base}a. A`)
  t.same(asked, [`${base}a.`, base])
})

t.test('the search path of the Pod that asks', async t => {
  const { ask, asked, concerns } = serve({ of: 'pod', search: ['corp.test.'] }, {}, VERIFIED)
  const from = (address: string): Partial<Query> => ({ client: { address, port: 1, family: 4 } })
  await ask('www.demo.svc.cluster.local. A', from('10.0.0.7'))
  t.same(asked, [
    'www.demo.svc.cluster.local.',
    'www.svc.cluster.local.',
    'www.cluster.local.',
    'www.corp.test.',
    'www.',
  ])
  const alone: [what: string, name: string, address: string][] = [
    ['of another namespace', 'www.other.svc.cluster.local.', '10.0.0.7'],
    ['the namespace itself', 'demo.svc.cluster.local.', '10.0.0.7'],
    ['another zone', 'www.corp.test.', '10.0.0.7'],
    ['nobody with that address', 'www.demo.svc.cluster.local.', '10.0.0.1'],
    ["a node's address", 'www.demo.svc.cluster.local.', '10.0.0.8'],
    ['an address of two namespaces', 'www.demo.svc.cluster.local.', '10.0.0.9'],
  ]
  for (const [what, name, address] of alone) {
    await ask(`${name} A`, from(address))
    t.same(asked, [name], what)
  }
  const names = ['a.demo.svc.cluster.local.', 'a.b.demo.SVC.cluster.local.', 'a.other.svc.cluster.local.']
  for (const name of names) t.ok(concerns(name), name)
  for (const name of ['demo.svc.cluster.local.', 'a.demo.pod.cluster.local.', 'cluster.local.', 'a.b.c.org.'])
    t.notOk(concerns(name), name)
})

t.test('the search path that a name tells of, without Pods', async t => {
  const answers: Record<string, Outcome> = {
    'www.example.org.': a('www.example.org.'),
    'six.example.org.': reply({ plugin: 'forward' }),
    'db.shop.svc.cluster.local.': a('db.shop.svc.cluster.local.'),
    'api.corp.test.': a('api.corp.test.'),
  }
  const { ask, asked, concerns } = serve({ of: 'query', search: ['corp.test.'] }, answers, KUBERNETES)
  t.equal(await ask('www.example.org.demo.svc.cluster.local. A'), '0 CNAME www.example.org. A 192.0.2.1')
  t.same(asked, [
    'www.example.org.demo.svc.cluster.local.',
    'www.example.org.svc.cluster.local.',
    'www.example.org.cluster.local.',
    'www.example.org.corp.test.',
    'www.example.org.',
  ])
  // One family of addresses does not end the walk earlier than the other.
  t.equal(await ask('six.example.org.demo.svc.cluster.local. AAAA'), '0')
  t.equal(await ask('gone.example.org.demo.svc.cluster.local. A'), '3')
  t.equal(await ask('db.shop.demo.svc.cluster.local. A'), '0 CNAME db.shop.svc.cluster.local. A 192.0.2.1')
  t.equal(
    await ask('db.shop.svc.cluster.local.demo.SVC.cluster.local. A'),
    '0 CNAME db.shop.svc.cluster.local. A 192.0.2.1',
  )

  const alone: [what: string, question: string][] = [
    ['one label', 'www.demo.svc.cluster.local. A'],
    ['a port', '_http._tcp.web.demo.svc.cluster.local. A'],
    ['a label with an underscore', '_dmarc.example.org.demo.svc.cluster.local. A'],
    ['a namespace that is none', 'www.example.org.nowhere.svc.cluster.local. A'],
    ['an endpoint of a service that is there', 'web-0.web.demo.svc.cluster.local. A'],
    ['no addresses', 'www.example.org.demo.svc.cluster.local. MX'],
    ['a Pod by its address', 'www.example.org.demo.pod.cluster.local. A'],
    ['another zone', 'www.example.org.demo.svc.corp.test. A'],
  ]
  for (const [what, question] of alone) {
    await ask(question)
    t.same(asked, [question.split(' ')[0]], what)
  }
  t.ok(concerns('www.example.org.demo.svc.cluster.local.'))
  t.notOk(concerns('web-0.web.demo.svc.cluster.local.'))
  t.notOk(concerns('web.demo.svc.cluster.local.'))
})

t.test('which queries of a fixed path are left to the chain', async t => {
  const { concerns } = serve(FILE)
  t.ok(concerns('a.ONE.test.'))
  t.notOk(concerns('a.two.test.'))
  t.notOk(serve({}).concerns('a.one.test.'), 'no path')
  t.notOk(serve({ of: 'pod' }).concerns('a.demo.svc.cluster.local.'), 'no kubernetes')
})

t.test('reading the directive', async t => {
  const folder = t.testdir({ search: 'search One.test two.test\n', none: 'nameserver 192.0.2.1\n' })
  const parse = (lines: string) => parseWord(autopathWord, lines, { zones: ['a.'], directory: folder })
  t.same(parse('autopath search').config, { zones: ['a.'], of: 'file', search: ['one.test.', 'two.test.'] })
  t.same(parse(`autopath b c ${join(folder, 'search')}`).config?.zones, ['b.', 'c.'])
  t.match(parse('autopath x @kubernetes').config, { zones: ['x.'], of: 'pod' })
  t.match(parse('autopath none\nautopath b search').config, {
    zones: ['b.'],
    search: ['one.test.', 'two.test.'],
  })
  t.match(parse('autopath x @kubernetes\nautopath y search').config, { zones: ['y.'], of: 'pod' })
  t.match(parse('autopath y search\nautopath x @kubernetes').config, { zones: ['x.'], of: 'pod' })
  const cases: [lines: string, complaint: RegExp][] = [
    ['autopath', /^2:1: error: autopath needs @kubernetes, @query or a file$/],
    ['autopath gone', /^2:10: error: no search path: ENOENT.* \(found "gone"\)$/],
    [
      'autopath none',
      /^2:10: warning: this file has no search path: autopath does nothing \(found "none"\)$/,
    ],
    [
      'autopath @erratic',
      /^2:10: error: this plugin knows no search path \(found "@erratic"; allowed: @kubernetes, @query\)$/,
    ],
    [
      'autopath @kubernetes',
      /^2:10: warning: autopath @kubernetes does nothing without the directive kubernetes$/,
    ],
    [
      'autopath a.test search\nautopath search',
      /^2:1: warning: only the last autopath of a server block counts/,
    ],
    ['autopath a..b search', /^2:10: error: a zone name holds no empty label/],
    ['autopath search {\n}', /^2:1: error: autopath takes no block/],
  ]
  for (const [lines, complaint] of cases) {
    const { complaints } = parse(lines)
    t.equal(complaints.length, 1, lines)
    t.match(complaints[0], complaint, lines)
  }
})
