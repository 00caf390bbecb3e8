// Corefiles that are served and surprise, and what `seamark check` says about them.

import t from 'tap'
import { parseCorefileText } from '../../../src/corefile/parser.ts'
import { lint } from '../../../src/setup/lint/lint.ts'

const DIRECTORY = t.testdir({ 'resolv.conf': 'nameserver 127.0.0.53\n', 'lan.conf': 'nameserver 10.0.0.2\n' })

/** `LINE:COLUMN message` of each warning. */
function warnings(text: string): string[] {
  const { blocks, problems } = parseCorefileText(text, 'Corefile')
  t.strictSame(problems, [], 'parses')
  return lint(blocks, 53, DIRECTORY).map(({ line, column, message }) => `${line}:${column} ${message}`)
}

const SOUND = 'errors\n health {\n lameduck 5s\n }\n ready\n reload\n'

/** What the case is, the Corefile, and its warnings, each by its place and the beginning of its message. */
type Case = readonly [what: string, corefile: string, ...warnings: readonly (string | RegExp)[]]

function table(name: string, cases: readonly Case[]): void {
  t.test(name, async test => {
    for (const [what, corefile, ...expected] of cases) {
      const found = warnings(corefile)
      test.equal(found.length, expected.length, `${what}: ${found.join(' | ')}`)
      expected.forEach((warning, i) => {
        test.match(found[i], warning, what)
      })
    }
  })
}

table('directives that no query reaches', [
  [
    'a zone that the block does not serve',
    'a.test {\n file db b.test\n}',
    '2:10 no query for this zone comes here: the server block serves a.test.',
  ],
  ["a zone below the block's", 'test {\n file db a.test\n}'],
  ["a zone above the block's", 'a.test {\n file db test\n}'],
  ['labels, not letters', 'a.test {\n file db xa.test\n}', '2:10 no query for this zone comes here'],
  [
    'another block takes it',
    '. {\n hosts f cluster.local {\n fallthrough\n }\n whoami\n}\ncluster.local {\n whoami\n}',
    '2:10 no query for this zone comes here: the server block at Corefile:7:1 takes it',
  ],
  [
    'another block takes what is above it',
    '. {\n hosts f a.b.test {\n fallthrough\n }\n whoami\n}\nb.test {\n whoami\n}',
    '2:10 no query',
  ],
  ['another port', '. {\n hosts f a.test {\n fallthrough\n }\n whoami\n}\na.test:54 {\n whoami\n}'],
  ['another scheme', '. {\n hosts f a.test {\n fallthrough\n }\n whoami\n}\ntls://a.test:53 {\n whoami\n}'],
  [
    'one of two ports',
    '.:53 .:54 {\n hosts f a.test {\n fallthrough\n }\n whoami\n}\na.test:54 {\n whoami\n}',
  ],
  [
    'a view decides',
    '. {\n view v {\n expr true\n }\n hosts f a.test {\n fallthrough\n }\n whoami\n}\na.test {\n whoami\n}',
  ],
  [
    'a forward for another zone',
    'a.test {\n forward b.test 192.0.2.1\n}',
    '2:10 no query for this zone comes here',
  ],
  ['a forward for everything', 'a.test {\n forward . 192.0.2.1\n}'],
])

table('directives behind one that answers everything', [
  [
    'hosts',
    '. {\n hosts\n forward . 192.0.2.1\n}',
    '3:2 never asked: hosts at Corefile:2:2 answers whatever this server block serves and has no fallthrough',
  ],
  [
    'hosts in another order',
    '. {\n forward . 192.0.2.1\n hosts\n}',
    '2:2 never asked: hosts at Corefile:3:2',
  ],
  ['hosts that falls through', '. {\n hosts {\n fallthrough\n }\n forward . 192.0.2.1\n}'],
  ['hosts for one zone', '. {\n hosts f a.test\n forward . 192.0.2.1\n}'],
  [
    'a file for all zones of the block',
    'a.test b.test {\n file db test\n whoami\n}',
    '3:2 never asked: file at Corefile:2:2',
  ],
  [
    "files for each zone of the block: either passes the other's on",
    'a.test b.test {\n file db a.test\n file db b.test\n}',
  ],
])

table('falling through', [
  [
    'to nothing',
    'a.test {\n hosts {\n fallthrough\n }\n}',
    '3:2 nothing in this server block comes after hosts',
  ],
  [
    'to what stands before it in the chain',
    '. {\n template IN A a.test\n file db {\n fallthrough\n }\n}',
    '4:2 nothing in this server block comes after file',
  ],
  [
    'from a template to the next',
    '. {\n template IN A a.test {\n match a\n fallthrough\n }\n template IN A a.test\n}',
  ],
  [
    'from the last template',
    '. {\n template IN A a.test {\n match a\n fallthrough\n }\n}',
    '4:2 nothing in this server block comes after template',
  ],
  [
    'for a zone that it does not have',
    'test {\n file db a.test {\n fallthrough b.test\n }\n whoami\n}',
    '3:14 file has no such zone: nothing falls through',
  ],
])

table('upstreams', [
  [
    'the server itself',
    '. {\n forward . 127.0.0.1\n}',
    '2:12 a loop: 127.0.0.1, where the server block at Corefile:1:1 listens itself',
  ],
  ['the server itself by another loopback address', '. {\n forward . 127.9.9.9:53\n}', '2:12 a loop'],
  ['the server itself over IPv6', '.:1053 {\n forward . [::1]:1053\n}', '2:12 a loop'],
  [
    'a resolv.conf of systemd-resolved',
    '. {\n forward . resolv.conf\n}',
    /^2:12 a loop: resolv.conf names 127\.0\.0\.53, .*\/run\/systemd\/resolve\/resolv.conf/,
  ],
  ['a resolv.conf below root', `. {\n root ${DIRECTORY}/none\n forward . ../resolv.conf\n}`, '3:12 a loop'],
  ['another address of this host', '. {\n bind 192.0.2.9\n forward . 127.0.0.1\n}'],
  ['its own bound address', '. {\n bind 192.0.2.9\n forward . 192.0.2.9\n}', '3:12 a loop'],
  ['another port of this host', '. {\n forward . 127.0.0.1:5300\n}'],
  ['another zone of its own', 'a.test {\n forward b.a.test 127.0.0.1\n}', '2:19 a loop'],
  ['over TLS to itself', '. {\n forward . tls://127.0.0.1\n}'],
  [
    'private and public',
    '. {\n forward . 10.0.0.2 8.8.8.8\n}',
    '2:2 10.0.0.2 and 8.8.8.8 are asked at random',
  ],
  [
    'private and public, from a file',
    '. {\n forward . lan.conf 2001:4860:4860::8888\n}',
    '2:2 10.0.0.2 and 2001:4860:4860::8888 are asked at random',
  ],
  ['private and public, in order', '. {\n forward . 10.0.0.2 8.8.8.8 {\n policy sequential\n }\n}'],
  ['two private', '. {\n forward . 10.0.0.2 fd00::2\n}'],
  ['two public', '. {\n forward . 1.1.1.1 8.8.8.8\n}'],
  [
    'a name of the cluster itself',
    `. {\n forward . kube-dns.kube-system.svc.Cluster.Local:53\n kubernetes cluster.local {\n manifests .\n }\n}`,
    '2:12 this server itself answers for cluster.local. (Corefile:3:13), and must know its upstreams before',
  ],
  [
    'a name of the cluster in another block, over TLS',
    `a.test {\n forward . tls://dns.x.svc.cluster.local\n}\ncluster.local {\n kubernetes {\n manifests .\n }\n}`,
    '2:12 this server itself answers for cluster.local. (Corefile:5:2)',
  ],
  [
    'other names',
    '. {\n forward . dns.example.org cluster.local.example.org\n kubernetes cluster.local {\n manifests .\n }\n}',
  ],
  [
    'a name of a certificate in clear text',
    '. {\n forward . 9.9.9.9 {\n tls_servername dns.quad9.net\n }\n}',
    '3:2 tls_servername means nothing here: no upstream begins with tls:// or https://',
  ],
  ['authorities in clear text', '. {\n forward . dns://9.9.9.9 {\n tls\n }\n}', '3:2 tls means nothing here'],
  [
    'a name of a certificate',
    '. {\n forward . 9.9.9.9 TLS://9.9.9.9 {\n tls_servername dns.quad9.net\n }\n}',
  ],
])

table('acl', [
  [
    'behind a cache of this server',
    '. {\n cache\n forward . 127.0.0.1:5300\n}\n.:5300 {\n acl {\n allow\n }\n whoami\n}',
    /^6:2 the forward at Corefile:3:12 asks this server block: acl sees that address as the client, and its cache/,
    '6:2 the server block at Corefile:1:1 serves names of . without any acl',
  ],
  [
    'behind rewrite',
    '. {\n rewrite stop name a.test b.test\n acl {\n block\n }\n whoami\n}',
    '3:2 acl sees the name that rewrite at Corefile:2:2 makes',
  ],
  ['with a rewrite of types', '. {\n rewrite type ANY HINFO\n acl {\n block\n }\n whoami\n}'],
  [
    'a more specific block without it',
    '. {\n acl {\n block\n }\n whoami\n}\na.test {\n whoami\n}',
    '2:2 the server block at Corefile:7:1 serves names of . without any acl',
  ],
  [
    'another transport without it',
    '. {\n acl {\n block\n }\n whoami\n}\ntls://. {\n whoami\n}',
    '2:2 the server block at Corefile:7:1 serves names of . without any acl',
  ],
  [
    'another transport with its own',
    '. {\n acl {\n block\n }\n whoami\n}\ntls://. {\n acl {\n block\n }\n whoami\n}',
  ],
  ['another zone', 'a.test {\n acl {\n block\n }\n whoami\n}\nb.test {\n whoami\n}'],
])

table('IPv6 switched off', [
  [
    'by denying the name',
    '. {\n template IN AAAA . {\n rcode NXDOMAIN\n }\n whoami\n}',
    '3:2 NXDOMAIN for AAAA denies the name for every type',
  ],
  ['by an empty answer', '. {\n template IN AAAA . {\n rcode NOERROR\n }\n whoami\n}'],
  [
    'by another question',
    '. {\n rewrite stop type AAAA A\n whoami\n}',
    '2:2 who asks for AAAA gets an A record',
  ],
])

const zones = 'cluster.local in-addr.arpa ip6.arpa'
table('logs', [
  [
    'of a name that is none',
    '. {\n log stdout\n whoami\n}',
    '2:6 queries for names below this one are logged, and no others',
  ],
  ['of names', '. {\n log\n log a.test\n whoami\n}'],
])

table('the Corefile of a cluster', [
  ['nothing missing', `. {\n ${SOUND} kubernetes cluster.local\n prometheus :9153\n}`],
  [
    'nothing there',
    '. {\n kubernetes cluster.local\n}',
    '1:1 no errors here',
    '1:1 no ready here',
    '1:1 no health here',
    '1:1 no reload here',
  ],
  ['probes in another block', `. {\n errors\n kubernetes cluster.local\n}\na.test {\n ${SOUND} whoami\n}`],
  [
    'manifests are no cluster',
    '. {\n kubernetes cluster.local {\n manifests d\n }\n prometheus\n health\n cache\n}',
  ],
  ['no lameduck', '. {\n errors\n ready\n reload\n health\n kubernetes cluster.local\n}', '5:2 no lameduck'],
  [
    'hidden metrics',
    `. {\n prometheus\n ${SOUND} kubernetes cluster.local\n}`,
    '2:2 metrics are shown to this host alone',
  ],
  [
    'metrics on a loopback address',
    `. {\n prometheus 127.0.0.1:9153\n ${SOUND} kubernetes cluster.local\n}`,
    '2:2 metrics are shown',
  ],
  [
    'a page on the DNS port',
    '.:9153 {\n whoami\n prometheus :9153\n}',
    '3:13 the server block at Corefile:1:1 listens on this port',
  ],
  [
    'reverse zones that end here',
    `. {\n kubernetes ${zones}\n forward . 192.0.2.1\n ${SOUND}}`,
    '2:27 addresses outside the cluster have no names',
    '2:40 addresses outside',
  ],
  [
    'reverse zones, one of which ends here',
    `. {\n kubernetes ${zones} {\n fallthrough in-addr.arpa\n }\n forward . 192.0.2.1\n ${SOUND}}`,
    '2:40 addresses outside',
  ],
  [
    'reverse zones that fall through',
    `. {\n kubernetes ${zones} {\n fallthrough\n }\n forward . 192.0.2.1\n ${SOUND}}`,
  ],
  ['a reverse zone of its own', `. {\n kubernetes 10.96.0.0/16\n forward . 192.0.2.1\n ${SOUND}}`],
  [
    'a cached cluster zone',
    `. {\n cache 30\n ${SOUND} kubernetes ${zones}\n}`,
    /^2:2 CoreDNS caches cluster\.local with this.*`disable success cluster\.local`/,
  ],
  [
    'half a cached cluster zone',
    `. {\n cache 30 {\n disable success cluster.local\n }\n ${SOUND} kubernetes cluster.local\n}`,
    '2:2 CoreDNS caches',
  ],
  [
    'a cluster zone that is not cached',
    `. {\n cache 30 {\n disable success cluster.local\n disable denial local\n }\n ${SOUND} kubernetes cluster.local\n}`,
  ],
  [
    'nothing cached',
    `. {\n cache 30 {\n disable success\n disable denial\n }\n ${SOUND} kubernetes cluster.local\n}`,
  ],
])
