// Server blocks that CoreDNS 1.14.7 takes or refuses at its start, with the files that they name. Whether Seamark judges alike
// is asked in judged-corefiles.test.ts, whether the table is true of the real CoreDNS in the end-to-end run.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeAuthority } from '../support/certificates.ts'

/** One Corefile of one block. */
export interface Judged {
  readonly title: string
  /** The lines of the block. */
  readonly lines: string
  /** The keys before its brace, `.` unless given; PORT is put behind every one. */
  readonly keys?: readonly string[]
  readonly coredns: 'taken' | 'refused'
  /** Where Seamark judges otherwise: why. */
  readonly otherwise?: string
}

const ZONE = `$ORIGIN a.test.
@ 60 IN SOA ns hostmaster 1 2 3 4 5
@ 60 IN NS ns
ns 60 IN A 192.0.2.1
`

/** Writes the files that the blocks name. */
export function writeJudgedFiles(folder: string): void {
  const { cert, key } = makeAuthority().issue('dns.test')
  const files = { 'resolv.conf': 'search a.test\n', hosts: '', 'a.zone': ZONE, 'c.pem': cert, 'k.pem': key }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

/** The Corefile, with its keys on `port`. */
export const corefileOf = ({ keys = ['.'], lines }: Judged, port: number): string =>
  `${keys.map(key => `${key}:${port}`).join(' ')} {\n${lines}\n}\n`

const KUBERNETES = 'kubernetes cluster.local {\n endpoint http://127.0.0.1:1\n startup_timeout 1ms\n}'

/** Every word of CoreDNS that Seamark serves, in two lines that say different things where they can. */
const TWICE: Readonly<Record<string, readonly [verdict: Judged['coredns'], lines: string]>> = {
  acl: ['taken', 'acl {\n allow net 127.0.0.0/8\n}\nacl {\n block\n}'],
  any: ['taken', 'any\nany'],
  autopath: ['taken', 'autopath resolv.conf\nautopath a.test resolv.conf'],
  bind: ['taken', 'bind 127.0.0.1\nbind 127.0.0.2'],
  bufsize: ['taken', 'bufsize 1000\nbufsize 1100'],
  cache: ['refused', 'cache 10\ncache 20'],
  cancel: ['taken', 'cancel 1s\ncancel 2s'],
  chaos: ['taken', 'chaos 1\nchaos 2'],
  debug: ['taken', 'debug\ndebug'],
  dns64: ['taken', 'dns64 64:ff9b::/96\ndns64 {\n allow_ipv4\n}'],
  dnstap: ['taken', 'dnstap tcp://127.0.0.1:16000\ndnstap tcp://127.0.0.1:16001 full'],
  errors: ['refused', 'errors\nerrors'],
  file: ['taken', 'file a.zone a.test\nfile a.zone a.test'],
  forward: ['taken', 'forward a.test 127.0.0.1\nforward b.test 127.0.0.1'],
  header: ['taken', 'header {\n response set aa\n}\nheader {\n response clear ra\n}'],
  health: ['taken', 'health 127.0.0.1:18080\nhealth {\n lameduck 0s\n}'],
  hosts: ['refused', 'hosts hosts\nhosts hosts'],
  https: ['taken', 'tls c.pem k.pem\nhttps {\n max_connections 5\n}\nhttps {\n max_connections 6\n}'],
  k8s_external: ['taken', `k8s_external a.test\nk8s_external b.test\n${KUBERNETES}`],
  kubernetes: ['refused', `${KUBERNETES}\n${KUBERNETES}`],
  loadbalance: ['taken', 'loadbalance\nloadbalance round_robin'],
  local: ['taken', 'local\nlocal'],
  log: ['taken', 'log\nlog a.test'],
  loop: ['refused', 'loop\nloop'],
  metadata: ['refused', 'metadata\nmetadata a.test'],
  minimal: ['taken', 'minimal\nminimal'],
  multisocket: ['refused', 'multisocket 1\nmultisocket 2'],
  nsid: ['refused', 'nsid a\nnsid b'],
  prometheus: ['refused', 'prometheus 127.0.0.1:19153\nprometheus 127.0.0.1:19153'],
  ready: ['refused', 'ready 127.0.0.1:18181\nready 127.0.0.1:18181'],
  reload: ['taken', 'reload 10s\nreload 20s'],
  rewrite: ['taken', 'rewrite name a.test b.test\nrewrite name c.test d.test'],
  root: ['taken', 'root /\nroot .'],
  template: [
    'taken',
    'template IN A a.test {\n rcode NXDOMAIN\n}\ntemplate IN A b.test {\n rcode NXDOMAIN\n}',
  ],
  timeouts: ['taken', 'timeouts {\n read 5s\n}\ntimeouts {\n write 6s\n}'],
  tls: ['taken', 'tls c.pem k.pem\ntls c.pem k.pem'],
  trace: ['taken', 'trace 127.0.0.1:19411\ntrace zipkin 127.0.0.1:19412'],
  transfer: ['taken', 'transfer a.test {\n to 192.0.2.1\n}\ntransfer b.test {\n to 192.0.2.2\n}'],
  view: ['refused', 'view a {\n expr true\n}\nview b {\n expr true\n}'],
  whoami: ['taken', 'whoami\nwhoami'],
}

/** The words of the table. */
export const WORDS_TWICE: readonly string[] = Object.keys(TWICE)

const SCHEME: Readonly<Record<string, string>> = { https: 'https://.', tls: 'tls://.' }

const twice = Object.entries(TWICE).map(
  ([word, [coredns, lines]]): Judged => ({
    title: `${word} twice`,
    lines,
    coredns,
    ...(SCHEME[word] !== undefined && { keys: [SCHEME[word]] }),
  }),
)

const NO_NAME = 'no query has such a name: a mistake that CoreDNS serves in silence'

/** Keys before a block. */
const keys = (
  [
    [['%', '.'], 'taken'],
    [['%', '%'], 'refused'],
    [['a%b'], 'taken'],
    [['a@b'], 'taken'],
    [['*.test'], 'taken'],
    [['_x.test'], 'taken'],
    [['a/b'], 'taken'],
    [['10.0.0.0/12'], 'taken'],
    [['1.2.3.4'], 'taken'],
    [['a..b'], 'refused'],
    [['.a'], 'refused'],
    [['ü'], 'taken', NO_NAME],
    [['(a'], 'taken', NO_NAME],
    [['::1'], 'taken', NO_NAME],
    [['http://x'], 'taken', NO_NAME],
  ] as const
).map(
  ([names, coredns, otherwise]): Judged => ({
    title: `the key ${names.join(' ')}`,
    keys: names,
    lines: 'whoami',
    coredns,
    ...(otherwise !== undefined && { otherwise }),
  }),
)

const lines = (
  [
    ['reload 10s 0s', 'taken'],
    ['reload 10s 500ms', 'refused'],
    ['reload 10s -1s', 'refused'],
    ['reload 10s 25h', 'taken'],
    ['reload 48h', 'taken'],
    ['reload 1s', 'refused'],
    ['transfer {\n to [fe80::1%lo]:53\n}', 'taken'],
    ['transfer {\n to fe80::1%lo\n}', 'taken'],
    ['transfer {\n to dns.test\n}', 'refused'],
    ['forward . localhost', 'taken'],
    ['forward . 192.0.2.1 no.such.invalid', 'refused'],
    ['forward . tls://no.such.invalid', 'refused'],
    ['forward . __PILLAR__CLUSTER__DNS__', 'refused'],
    ['proxy . 8.8.8.8', 'refused'],
    ['reverse 10.0.0.0/24 {\n hostname x\n}', 'refused'],
    ['federation cluster.local', 'refused'],
    ['upstream', 'refused'],
    ['startup true', 'refused'],
    ['fanout . 8.8.8.8', 'refused'],
  ] as const
).map(([text, coredns]): Judged => ({ title: text.replaceAll('\n', ' '), lines: text, coredns }))

/** All of them. */
export const JUDGED: readonly Judged[] = [...twice, ...keys, ...lines]
