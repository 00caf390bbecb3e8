// The command line as CoreDNS has it: what each line asks for, and what is said about a wrong one.

import t from 'tap'
import type { Command } from '../src/command.ts'
import { parseFlags } from '../src/flags.ts'

const serve = {
  command: 'serve',
  conf: '',
  port: 53,
  pidfile: '',
  lastGood: '',
  overlap: false,
  events: false,
  quiet: false,
  logForm: 'text',
} as const
const check = { command: 'check', file: '', json: false, offline: false, port: 53 } as const

t.test('what is asked for', async t => {
  const cases: [line: string, expected: Command][] = [
    ['', serve],
    ['-conf /etc/coredns/Corefile', { ...serve, conf: '/etc/coredns/Corefile' }],
    ['--conf=/etc/Corefile -dns.port=1053', { ...serve, conf: '/etc/Corefile', port: 1053 }],
    ['-conf=a=b', { ...serve, conf: 'a=b' }],
    ['-conf=', serve],
    ['-events', { ...serve, events: true }],
    ['-overlap', { ...serve, overlap: true }],
    ['-p 5353', { ...serve, port: 5353 }],
    ['-dns.port 1 -p 65535', { ...serve, port: 65535 }],
    ['-last-good /data/corefile', { ...serve, lastGood: '/data/corefile' }],
    ['-pidfile /run/pid -quiet', { ...serve, pidfile: '/run/pid', quiet: true }],
    ['-log-format=json', { ...serve, logForm: 'json' }],
    ['-log-format text', serve],
    ['-conf stdin', { ...serve, conf: 'stdin' }],
    ['-version', { command: 'version' }],
    ['--plugins', { command: 'plugins' }],
    ['-h', { command: 'help', about: '' }],
    ['-help -version', { command: 'help', about: '' }],
    ['check --help', { command: 'help', about: 'check' }],
    [
      'diff --with 10.96.0.10 --server [::1]:1053 --zone K8S.example. --most 5 --timeout 0.5 queries.log',
      {
        command: 'diff',
        here: { host: '::1', port: 1053 },
        there: { host: '10.96.0.10', port: 53 },
        of: 'queries.log',
        zone: 'k8s.example',
        most: 5,
        timeoutMs: 500,
        json: false,
      },
    ],
    [
      'diff --with fd00::a --json -',
      {
        command: 'diff',
        here: { host: '127.0.0.1', port: 53 },
        there: { host: 'fd00::a', port: 53 },
        of: '-',
        zone: 'cluster.local',
        most: 10_000,
        timeoutMs: 5000,
        json: true,
      },
    ],
    ['completion fish', { command: 'completion', shell: 'fish' }],
    ['check', check],
    ['check Corefile', { ...check, file: 'Corefile' }],
    ['check --json -p 1053 Corefile', { ...check, file: 'Corefile', json: true, port: 1053 }],
    ['check -conf Corefile', { ...check, file: 'Corefile' }],
    ['check --offline -', { ...check, file: '-', offline: true }],
  ]
  for (const [line, expected] of cases) {
    t.strictSame(parseFlags(line === '' ? [] : line.split(' ')), expected, line)
  }
})

t.test('what is wrong', async t => {
  const cases: [line: string, message: RegExp][] = [
    ['-cpu 2', /^unknown flag -cpu \(known: conf, dns\.port, /],
    ['--confs=x', /^unknown flag --confs=x /],
    ['-conf', /^the flag -conf needs a value$/],
    ['-quiet -p', /^the flag -p needs a value$/],
    ['-p 0', /^the port 0 is not a number from 1 to 65535$/],
    ['-p 65536', /^the port 65536 is not/],
    ['-p dns', /^the port dns is not/],
    ['-dns.port 53.5', /^the port 53\.5 is not/],
    ['Corefile', /^extra arguments: Corefile$/],
    ['-log-format xml', /^-log-format xml: text or json is allowed$/],
    ['check a b', /^check takes one file, not a b$/],
    ['check -overlap', /^unknown flag -overlap of check \(known: json, offline, conf, /],
    ['-offline', /^unknown flag -offline \(known: conf, /],
    ['diff queries.log', /^diff needs --with ADDRESS$/],
    ['diff --with 10.96.0.10', /^diff takes a file, a folder or -$/],
    ['diff --with kube-dns a', /^--with kube-dns: an address is allowed, with :PORT$/],
    ['diff --with 10.0.0.1:0 a', /^--with 10\.0\.0\.1:0: an address/],
    ['diff --with 10.0.0.1 --most 0 a', /^--most 0 is no number from 1 on$/],
    ['diff --with 10.0.0.1 --timeout 61 a', /^--timeout 61 is no number up to 60$/],
    ['completion', /^completion takes one of bash, zsh, fish$/],
    ['completion csh', /^completion takes one of bash, zsh, fish, not csh$/],
  ]
  for (const [line, message] of cases) {
    t.match(parseFlags(line.split(' ')), { command: 'error', message }, line)
  }
})
