// The Corefiles that clusters are set up with: started, asked, reloaded, given a broken change, and stopped. Ports, addresses and
// files are moved to free ones, the cluster comes from a folder; nothing else is changed.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Query, query, type Reply } from '../support/dns-client.ts'
import { type FixedUpstream, startFixedUpstream } from '../support/fixed-upstream.ts'
import { type FileText, type Served, serveCorefile } from '../support/served-corefile.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const EXAMPLES = join(ROOT, 'config', 'examples')
const HEADLESS = 'my-linkedin-headless-service.default.svc.cluster.local'
const UPSTREAM = ['www.example.com. 300 IN A 192.0.2.53', 'db.corp.example. 300 IN A 192.0.2.54']

/** A question, and its answers or its rcode. */
type Case = readonly [name: string, type: string, expected: readonly string[] | string]

/** What a Corefile has beside what all have. */
interface Variant {
  /** Files beside the Corefile; absolute names in it are moved there. */
  readonly files?: Readonly<Record<string, string>>
  readonly cases?: readonly Case[]
  /** The TTL of a forwarded record, 300 at its origin. */
  readonly cachedSeconds?: number
}

const NODE_HOSTS = '10.1.2.3 node-1\n'

const VARIANTS: Readonly<Record<string, Variant>> = {
  aks: {
    files: {
      'custom/log.override': 'log\nhosts {\n 10.9.9.9 intranet.example\n fallthrough\n}\n',
      'custom/corp.server': 'corp.example:53 {\n errors\n cache 30\n forward . /etc/resolv.conf\n}\n',
    },
    cases: [
      ['intranet.example', 'A', ['intranet.example. 30 IN A 10.9.9.9']],
      ['db.corp.example', 'A', ['db.corp.example. 30 IN A 192.0.2.54']],
      ['x.reddog.microsoft.com', 'A', 'NXDOMAIN'],
      ['a.b.c.d.internal.cloudapp.net', 'A', 'NXDOMAIN'],
    ],
  },
  k3s: {
    files: {
      NodeHosts: NODE_HOSTS,
      'custom/corp.server': 'corp.example:53 {\n forward . /etc/resolv.conf\n}\n',
      'custom/rewrite.override': 'rewrite name exact old.example www.example.com\n',
    },
    cases: [
      ['node-1', 'A', ['node-1. 30 IN A 10.1.2.3']],
      ['db.corp.example', 'A', ['db.corp.example. 300 IN A 192.0.2.54']],
      ['old.example', 'A', ['old.example. 30 IN A 192.0.2.53']],
    ],
  },
  openshift: {
    cachedSeconds: 300,
    cases: [
      ['db.corp.example', 'A', ['db.corp.example. 300 IN A 192.0.2.54']],
      ['hostname.bind', 'A', 'SERVFAIL'],
    ],
  },
  gardener: {
    files: { 'custom/corp.server': 'corp.example:8053 {\n forward . /etc/resolv.conf\n}\n' },
    cases: [
      // What the search path made of a name that was whole before is answered at once, under the name that was asked for.
      [`${HEADLESS}.svc.cluster.local`, 'SRV', 'NOERROR'],
      ['www.example.com.svc.cluster.local', 'A', ['www.example.com.svc.cluster.local. 30 IN A 192.0.2.53']],
      ['db.corp.example', 'A', ['db.corp.example. 300 IN A 192.0.2.54']],
    ],
  },
  vcluster: {
    files: {
      NodeHosts: NODE_HOSTS,
      'custom/corp.server': 'corp.example:1053 {\n forward . /etc/resolv.conf\n}\n',
    },
    cases: [
      ['node-1', 'A', ['node-1. 30 IN A 10.1.2.3']],
      ['n1.nodes.vcluster.com', 'A', 'NOERROR'],
      ['n1.nodes.example.com', 'A', 'NXDOMAIN'],
      ['db.corp.example', 'A', ['db.corp.example. 300 IN A 192.0.2.54']],
    ],
  },
}

const NODE_LOCAL = 'nodelocaldns.Corefile'
const stock = readdirSync(import.meta.dirname).filter(file => file.endsWith('.Corefile'))
for (const file of stock.filter(name => name !== NODE_LOCAL)) {
  const variant = VARIANTS[file.replace('.Corefile', '')] ?? {}
  t.test(file, test => walk(test, readFileSync(join(import.meta.dirname, file), 'utf8'), variant))
}

interface Moved extends Served {
  readonly text: string
  ask(name: string, options?: Omit<Query, 'name'>): Promise<Reply>
}

/** The same Corefile on free loopback ports, with a folder for a cluster and upstreams of the test's own. */
async function start(
  test: Test,
  corefile: string,
  files: Readonly<Record<string, string>>,
  upstream: number,
  clusterDns = upstream,
): Promise<Moved> {
  const moved =
    (text: string): FileText =>
    (ports, folder) =>
      withBind(
        text
          .replace(/^(\S+:)(?:53|5353|8053|1053)(?= \{$)/gm, `$1${ports.dns}`)
          .replace(/^( *)bind .*$/gm, '$1bind 127.0.0.1')
          .replace(/^( *)health(?: 169\S+)?( \{)?$/gm, `$1health 127.0.0.1:${ports.health}$2`)
          .replace(/^( *)ready$/gm, `$1ready 127.0.0.1:${ports.ready}`)
          .replace(/prometheus \S+/g, `prometheus 127.0.0.1:${ports.metrics}`)
          .replace('ip6.arpa {', `ip6.arpa {\n      manifests ${EXAMPLES}`)
          .replace(/\/etc\/(?:coredns\/)?(?=custom|NodeHosts)/g, `${folder}/`)
          .replace(/\/etc\/resolv\.conf|192\.0\.2\.53$/gm, `127.0.0.1:${upstream}`)
          .replace(/forward \. 192\.0\.2\.53/, `forward . 127.0.0.1:${upstream}`)
          .replace(/10\.96\.34\.1/g, `127.0.0.1:${clusterDns}`),
      )
  const served = await serveCorefile(test, moved(corefile), {
    files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, moved(text)])),
  })
  return {
    ...served,
    text: readFileSync(served.file, 'utf8'),
    ask: (name, options = {}) => query(served.port, { ...options, name }),
  }
}

/** Every server block on loopback alone. */
const withBind = (text: string): string =>
  /^ *bind /m.test(text) ? text : text.replace(/^(\S+:\d+ \{)$/gm, '$1\n    bind 127.0.0.1')

async function upstreamOf(test: Test): Promise<FixedUpstream> {
  const upstream = await startFixedUpstream(UPSTREAM, false)
  test.teardown(upstream.close)
  return upstream
}

async function walk(test: Test, corefile: string, variant: Variant): Promise<void> {
  const { files = {}, cases = [], cachedSeconds = 30 } = variant
  const { file, text, server, ask, get, reload } = await start(
    test,
    corefile,
    files,
    (await upstreamOf(test)).port,
  )

  const ttl = /ttl 30/.test(corefile) ? 30 : 5
  const cluster = await ask(HEADLESS)
  test.equal(cluster.answer.length, 4, 'four addresses of the headless Service')
  test.match(cluster.answer[0], new RegExp(` ${ttl} IN A 10\\.244\\.`), 'with the TTL of the directive')
  test.equal((await ask('nope.default.svc.cluster.local', { tcp: true })).rcode, 'NXDOMAIN')
  const forwarded = await ask('www.example.com')
  test.strictSame(
    forwarded.answer,
    [`www.example.com. ${cachedSeconds} IN A 192.0.2.53`],
    'forwarded, with the TTL that cache allows',
  )
  test.ok(forwarded.flags.ra, 'with RA')
  test.equal((await ask('9.2.0.192.in-addr.arpa', { type: 'PTR' })).rcode, 'NXDOMAIN', 'falls through')
  for (const [name, type, expected] of cases) {
    const { rcode, answer } = await ask(name, { type })
    test.strictSame(typeof expected === 'string' ? rcode : answer, expected, `${name} ${type}`)
  }
  test.equal(await get('health', '/health'), '200 OK')
  test.match(await get('ready', '/ready'), /^200 OK/)
  test.match(
    await get('metrics', '/metrics'),
    /coredns_dns_responses_total\{plugin="kubernetes",rcode="NOERROR"/,
  )

  await reload(
    text.replace(/pods insecure|fallthrough in-addr/, line => `ttl 7\n${line}`).replace(/^ *ttl 30\n/m, ''),
  )
  test.match((await ask(HEADLESS)).answer[0], / 7 IN A /, 'the new TTL after a reload')

  writeFileSync(file, text.replace(/^( *)errors$/m, '$1erors'))
  server.child.kill('SIGUSR1')
  await server.printed('Restart failed')
  test.match(
    server.output(),
    /Corefile:\d+:\d+: error: unknown directive .*errors/,
    'where, and what was meant',
  )
  test.equal((await ask(HEADLESS)).answer.length, 4, 'the old configuration serves on')
  test.match(await get('metrics', '/metrics'), /coredns_reload_failed_total 1\n/)
  test.match(await get('ready', '/ready?verbose'), /Corefile refused/)

  test.equal(await server.stop('SIGINT'), 0, 'ends with status 0')
}

/** From many ports: every serving thread has a cache of its own, and its share of them. */
const askAll = (node: Moved): Promise<Reply[]> =>
  Promise.all(Array.from({ length: 32 }, () => node.ask(HEADLESS)))

t.test(NODE_LOCAL, async test => {
  const upstream = await upstreamOf(test)
  const kubeadm = readFileSync(join(import.meta.dirname, 'kubeadm.Corefile'), 'utf8')
  const clusterDns = await start(test, kubeadm, {}, upstream.port)
  const text = readFileSync(join(import.meta.dirname, NODE_LOCAL), 'utf8')
  const node = await start(test, text, {}, upstream.port, clusterDns.ports.dns)

  test.strictSame((await node.ask('www.example.com')).answer, ['www.example.com. 30 IN A 192.0.2.53'])
  const [first] = await askAll(node)
  test.equal(first!.answer.length, 4, 'four addresses of the headless Service')
  test.equal((await node.ask('nope.default.svc.cluster.local')).rcode, 'NXDOMAIN')
  const address = first!.answer[0]!.split(' ').at(-1)!
  const reverse = `${address.split('.').reverse().join('.')}.in-addr.arpa`
  test.equal(
    (await node.ask(reverse, { type: 'PTR' })).answer.length,
    1,
    'an address of the cluster has a name',
  )
  const counted = await clusterDns.get('metrics', '/metrics')
  test.match(
    counted,
    /coredns_dns_requests_total\{[^}]*proto="tcp"[^}]*type="A"/,
    'the cluster is asked over TCP',
  )
  test.notMatch(counted, /coredns_dns_requests_total\{[^}]*proto="udp"[^}]*type="A"/, 'and never over UDP')

  test.equal(await clusterDns.server.stop('SIGINT'), 0)
  for (const { answer } of await askAll(node))
    test.equal(answer.length, 4, 'cached while the cluster DNS is away')

  await node.reload(node.text.replace('success 9984 30', 'success 9984 20'))
  test.strictSame((await node.ask('www.example.com')).answer, ['www.example.com. 30 IN A 192.0.2.53'])
  test.equal(await node.get('health', '/health'), '200 OK')
  test.equal(await node.server.stop('SIGINT'), 0)
})
