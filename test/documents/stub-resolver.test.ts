// What docs/stub-resolver.md has other resolvers do, as it is printed there: dnsmasq asks Seamark for the cluster's names alone,
// and the Corefile for systemd-resolved has nothing for other names, which come to it, too.

import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { serveCorefile } from '../support/served-corefile.ts'
import { absent, programPath, startServer } from '../support/system-program.ts'
import { blocksOf, corefilesOf, documentNamed, ROOT } from './document.ts'

const STUB = documentNamed('docs/stub-resolver.md')
const NAME = 'kubia-service.default.svc.cluster.local'
const ADDRESS = /\s10\.97\.25\.37$/

const corefile = corefilesOf(STUB).find(text => text.startsWith('cluster.local:1053 {'))!
const served = await serveCorefile(t, ({ dns }) =>
  corefile
    .replace(':1053', `:${dns}`)
    .replace(/kubeconfig .*/, `manifests ${join(ROOT, 'config', 'examples')}`),
)

t.test('the Corefile beside systemd-resolved', async t => {
  t.match((await query(served.port, { name: NAME })).answer[0], ADDRESS)
  t.equal((await query(served.port, { name: 'nope.default.svc.cluster.local' })).rcode, 'NXDOMAIN')
  t.equal((await query(served.port, { name: 'example.org' })).rcode, 'REFUSED', 'nothing is asked in turn')
})

t.test('dnsmasq', { skip: absent('dnsmasq') }, async t => {
  const line = blocksOf(STUB).find(block => block.startsWith('server='))!
  const folder = t.testdir({})
  const conf = join(folder, 'dnsmasq.conf')
  writeFileSync(conf, line.replace('#1053', `#${served.port}`))
  const port = await freePort()
  const flags = [
    '--keep-in-foreground',
    '--no-resolv',
    '--no-hosts',
    `--conf-file=${conf}`,
    '--log-facility=-',
    `--user=${userInfo().username}`,
    '--pid-file=',
    `--port=${port}`,
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
  ]
  await startServer(t, programPath('dnsmasq')!, flags, port, NAME)
  t.match((await query(port, { name: NAME })).answer[0], ADDRESS)
  t.match((await query(port, { name: NAME, tcp: true })).answer[0], ADDRESS)
  t.equal((await query(port, { name: 'nope.default.svc.cluster.local' })).rcode, 'NXDOMAIN')
})
