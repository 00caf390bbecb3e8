import t from 'tap'
import { describeChange, describeNames, describeQueries } from '../../src/manifest/describe.ts'
import { compileFiles, compileText, documents, manifest, service, workload } from './manifest-texts.ts'

const zone = 'cluster.local'
const pod = (name: string, ip: string): string =>
  manifest('Pod', { name, labels: { app: 'hl' } }, { status: { podIP: ip } })
const hosts = manifest('Endpoints', 'hand', {
  subsets: [{ addresses: [{ ip: '192.0.2.1', hostname: 'one' }] }],
})
const folder = {
  'a.yaml': documents(
    service('web', {
      clusterIPs: ['10.96.3.1', 'fd00:10:96::1'],
      ports: [{ name: 'http', port: 80 }, { port: 81 }],
    }),
    service('ext', { type: 'ExternalName', externalName: 'cn.bing.com' }),
    service('hl', { clusterIP: 'None', selector: { app: 'hl' }, ports: [{ port: 1 }] }),
    service('none', { clusterIP: 'None' }),
    service('hand', { clusterIP: '10.96.3.2' }),
  ),
  'b.yaml': documents(hosts, ...[1, 2, 3, 4, 5].map(i => pod(`p${i}`, `10.1.0.${i}`))),
}

t.test('the table of names', async t => {
  t.same(
    describeNames(compileFiles(folder).state, zone),
    [
      'ext.default.svc.cluster.local            CNAME     cn.bing.com',
      'hand.default.svc.cluster.local           A         10.96.3.2',
      'one.hand.default.svc.cluster.local       A         192.0.2.1',
      'hl.default.svc.cluster.local             A         10.1.0.1 10.1.0.2 10.1.0.3 … 5 in all  1/tcp',
      'kubernetes.default.svc.cluster.local     A         10.96.0.1                              https 443/tcp',
      'none.default.svc.cluster.local           NXDOMAIN  no ready endpoint',
      'web.default.svc.cluster.local            A         10.96.3.1                              http 80/tcp, 81/tcp',
      'web.default.svc.cluster.local            AAAA      fd00:10:96::1                          http 80/tcp, 81/tcp',
      'kube-dns.kube-system.svc.cluster.local   A         10.96.0.10                             dns 53/udp, dns-tcp 53/tcp, metrics 9153/tcp',
    ].map(line => line.replace(/^(\S+) {2,}/, (_, name: string) => `${name.padEnd(40)}`)),
  )
})

t.test('a long table is cut', async t => {
  const many = documents(...Array.from({ length: 100 }, (_, i) => service(`s${i}`, {})))
  const lines = describeNames(compileText(many).state, zone)
  t.equal(lines.length, 41)
  t.equal(lines[40], '… and 62 more')
})

t.test('the queries to try', async t => {
  const { state } = compileFiles(folder)
  t.same(describeQueries(state, zone, { host: '127.0.0.1', port: 1053 }), [
    'dig @127.0.0.1 -p 1053 web.default.svc.cluster.local',
    'dig @127.0.0.1 -p 1053 hl.default.svc.cluster.local',
    'dig @127.0.0.1 -p 1053 one.hand.default.svc.cluster.local',
    'dig @127.0.0.1 -p 1053 ext.default.svc.cluster.local',
    'dig @127.0.0.1 -p 1053 web.default.svc.cluster.local AAAA',
    'dig @127.0.0.1 -p 1053 _http._tcp.web.default.svc.cluster.local SRV',
    'dig @127.0.0.1 -p 1053 -x 10.96.3.1',
  ])
  t.same(describeQueries(compileFiles({}).state, zone, { host: '::1', port: 53 }), [
    'dig @::1 kubernetes.default.svc.cluster.local',
    'dig @::1 _https._tcp.kubernetes.default.svc.cluster.local SRV',
    'dig @::1 -x 10.96.0.1',
  ])
})

t.test('one line a change', async t => {
  const { state: before } = compileFiles(folder)
  const cases: [title: string, files: Record<string, string>, lines: string[]][] = [
    ['nothing', {}, []],
    [
      'a Service more',
      { 'c.yaml': service('new', { clusterIP: '10.96.3.4' }) },
      ['+ new.default.svc.cluster.local A 10.96.3.4'],
    ],
    [
      'Pods fewer and Endpoints gone',
      { 'b.yaml': documents(pod('p1', '10.1.0.1'), pod('p9', '10.1.0.9')) },
      ['~ hl.default.svc.cluster.local A: 5 → 2 addresses', '- one.hand.default.svc.cluster.local A'],
    ],
    [
      'everything else',
      {
        'a.yaml': documents(
          service('web', { clusterIP: '10.96.3.7', ports: [{ name: 'http', port: 8080 }] }),
          service('ext', { type: 'ExternalName', externalName: 'bing.com' }),
        ),
        'b.yaml': '',
      },
      [
        '~ _http._tcp.web.default.svc.cluster.local SRV: port 80 → port 8080',
        '~ ext.default.svc.cluster.local CNAME: cn.bing.com → bing.com',
        '- hand.default.svc.cluster.local A',
        '- hl.default.svc.cluster.local A',
        '- none.default.svc.cluster.local NXDOMAIN',
        '- one.hand.default.svc.cluster.local A',
        '~ web.default.svc.cluster.local A: 10.96.3.1 → 10.96.3.7',
        '- web.default.svc.cluster.local AAAA',
      ],
    ],
  ]
  for (const [title, files, lines] of cases) {
    t.same(describeChange(before, compileFiles({ ...folder, ...files }).state, zone), lines, title)
  }
  const many = documents(
    ...Array.from({ length: 50 }, (_, i) => service(`s${i}`, {})),
    workload('StatefulSet', 'x', 1),
  )
  t.equal(
    describeChange(before, compileFiles({ ...folder, 'z.yaml': many }).state, zone).at(-1),
    '… and 10 more',
  )
})
