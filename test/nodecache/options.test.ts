// node-cache's flags, read as in the DaemonSets that clusters have.

import t from 'tap'
import { parseFlags } from '../../src/flags.ts'

const options = (line: string) => {
  const command = parseFlags(line.split(' '))
  return command.command === 'serve' ? command.nodeCache : command
}

t.test('the arguments of the DaemonSet node-local-dns, with the command and without', async t => {
  const args =
    '-localip 169.254.20.10,10.96.0.10 -conf /etc/Corefile -upstreamsvc kube-dns-upstream -pidfile /tmp/node-cache.pid'
  const wanted = {
    localIps: ['169.254.20.10', '10.96.0.10'],
    family: 4,
    port: 53,
    setupInterface: true,
    interfaceName: 'nodelocaldns',
    setupNotrack: true,
    syncIntervalMs: 60_000,
    skipTeardown: false,
    metrics: { host: '0.0.0.0', port: 9353 },
    healthPort: 8080,
    upstreamService: 'kube-dns-upstream',
    baseCorefile: '/etc/coredns/Corefile.base',
    corefile: '/etc/Corefile',
    kubeDnsFolder: '',
  }
  t.strictSame(options(args), wanted)
  t.strictSame(options(`node-cache ${args}`), wanted)
  t.match(parseFlags(args.split(' ')), { command: 'serve', pidfile: '/tmp/node-cache.pid', overlap: false })
})

t.test('every flag', async t => {
  t.match(
    options(
      'node-cache -localip=fd00::a -setupinterface=false -interfacename dns0 -setupiptables=false -skipteardown=true ' +
        '-syncinterval 30s -metrics-listen-address [::1]:9999 -health-port 8090 -basecorefile b -corefile c -kubednscm d',
    ),
    {
      localIps: ['fd00::a'],
      family: 6,
      setupInterface: false,
      interfaceName: 'dns0',
      setupNotrack: false,
      skipTeardown: true,
      syncIntervalMs: 30_000,
      metrics: { host: '::1', port: 9999 },
      healthPort: 8090,
      baseCorefile: 'b',
      corefile: 'c',
      kubeDnsFolder: 'd',
    },
  )
})

t.test('a minute, as node-cache and as people write it', async t => {
  for (const text of ['60', '60s', '1m', '60ns', '60000ms'])
    t.match(options(`-localip 127.0.0.1 -syncinterval ${text}`), { syncIntervalMs: 60_000 }, text)
})

t.test('flags that earlier and later releases have, too', async t => {
  t.match(options('-localip 127.0.0.1 -initialdelay 10s -reloadwithsignal -setupebtables=false'), {
    localIps: ['127.0.0.1'],
  })
})

t.test('what is wrong is said', async t => {
  const cases: [line: string, says: RegExp][] = [
    ['node-cache', /-localip needs addresses/],
    ['-localip 10.0.0.300', /-localip needs addresses .* not "10.0.0.300"/],
    ['-localip 10.0.0.1,fd00::1', /-localip needs addresses of one family/],
    ['-localip 10.0.0.1 -setupinterface=maybe', /-setupinterface is true or false, not maybe/],
    ['-localip 10.0.0.1 -setupebtables=true', /-setupebtables is not served/],
    ['-localip 10.0.0.1 -interfacename a-name-that-is-too-long', /-interfacename is no name/],
    ['-localip 10.0.0.1 -syncinterval soon', /-syncinterval is no duration: soon/],
    ['-localip 10.0.0.1 -initialdelay soon', /-initialdelay is no duration: soon/],
    ['-localip 10.0.0.1 -reloadwithsignal=maybe', /-reloadwithsignal is true or false, not maybe/],
    ['-localip 10.0.0.1 -logtostderr', /logtostderr/],
    ['-localip 10.0.0.1 -health-port 0', /-health-port is no port: 0/],
    [
      '-localip 10.0.0.1 -metrics-listen-address 9353',
      /-metrics-listen-address is no address with a port: 9353/,
    ],
    ['-localip 10.0.0.1 more', /extra arguments: more/],
  ]
  for (const [line, says] of cases) t.match(options(line), { command: 'error', message: says }, line)
})
