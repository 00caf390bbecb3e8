// The Corefiles that clusters are set up with, and the ones that the README prints: started, asked, reloaded, given a broken
// change, and stopped. Ports and files are moved to free ones, the cluster comes from a folder; nothing else is changed.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { query } from '../support/dns-client.ts'
import { startFixedUpstream } from '../support/fixed-upstream.ts'
import { freePort, startSeamark } from '../support/seamark.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const EXAMPLES = join(ROOT, 'config', 'examples')
const HEADLESS = 'my-linkedin-headless-service.default.svc.cluster.local'

interface Ports {
  readonly dns: number
  readonly health: number
  readonly ready: number
  readonly metrics: number
}

const stock = readdirSync(import.meta.dirname).filter(file => file.endsWith('.Corefile'))
for (const file of stock) {
  t.test(file, test => walk(test, readFileSync(join(import.meta.dirname, file), 'utf8')))
}

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const printed = [...readme.matchAll(/(?:^ {4}.*\n)*^ {4}\.:53 \{\n(?:^ {4}.*\n)+/gm)].map(match =>
  match[0].replace(/^ {4}/gm, ''),
)
t.ok(printed.length > 0, 'the README prints a Corefile')
printed.forEach((text, i) => {
  t.test(`Corefile ${i + 1} of the README`, test => walk(test, text))
})

async function walk(test: Test, text: string): Promise<void> {
  const upstream = await startFixedUpstream(['www.example.com. 300 IN A 192.0.2.53'], false)
  test.teardown(upstream.close)
  const ports = {
    dns: await freePort(),
    health: await freePort(),
    ready: await freePort(),
    metrics: await freePort(),
  }
  const here = moved(text, ports, upstream.port)
  const file = join(test.testdir({ Corefile: here }), 'Corefile')
  const server = await startSeamark(file, ports.dns)
  const get = async (port: number, path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return `${response.status} ${await response.text()}`
  }

  const ttl = /ttl 30/.test(text) ? 30 : 5
  const cluster = await query(ports.dns, { name: HEADLESS })
  test.equal(cluster.answer.length, 4, 'four addresses of the headless Service')
  test.match(cluster.answer[0], new RegExp(` ${ttl} IN A 10\\.244\\.`), 'with the TTL of the directive')
  test.equal(
    (await query(ports.dns, { name: 'nope.default.svc.cluster.local', tcp: true })).rcode,
    'NXDOMAIN',
  )
  const forwarded = await query(ports.dns, { name: 'www.example.com' })
  test.strictSame(
    forwarded.answer,
    ['www.example.com. 30 IN A 192.0.2.53'],
    'forwarded, with the TTL that cache allows',
  )
  test.ok(forwarded.flags.ra, 'with RA')
  test.equal(
    (await query(ports.dns, { name: '1.0.0.127.in-addr.arpa', type: 'PTR' })).rcode,
    'NXDOMAIN',
    'falls through',
  )
  test.equal(await get(ports.health, '/health'), '200 OK')
  test.match(await get(ports.ready, '/ready'), /^200 OK/)
  test.match(
    await get(ports.metrics, '/metrics'),
    /coredns_dns_responses_total\{plugin="kubernetes",rcode="NOERROR"/,
  )

  writeFileSync(
    file,
    here.replace(/pods insecure|fallthrough in-addr/, line => `ttl 7\n${line}`).replace(/^ *ttl 30\n/m, ''),
  )
  server.child.kill('SIGUSR1')
  await server.printed('Reloading complete')
  const reloaded = await query(ports.dns, { name: HEADLESS })
  test.match(reloaded.answer[0], / 7 IN A /, 'the new TTL after a reload')

  writeFileSync(file, here.replace('loadbalance', 'loadbalnce'))
  server.child.kill('SIGUSR1')
  await server.printed('Restart failed')
  test.match(
    server.output(),
    /Corefile:\d+:\d+: error: unknown directive .*loadbalance/,
    'says where and what was meant',
  )
  test.equal((await query(ports.dns, { name: HEADLESS })).answer.length, 4, 'the old configuration serves on')
  test.match(await get(ports.metrics, '/metrics'), /coredns_reload_failed_total 1\n/)
  test.match(await get(ports.ready, '/ready?verbose'), /Corefile refused/)

  test.equal(await server.stop('SIGINT'), 0, 'ends with status 0')
}

/** The same Corefile on free loopback ports, with a folder for a cluster and an upstream of the test's own. */
function moved(text: string, ports: Ports, upstreamPort: number): string {
  return text
    .replace('.:53 {', `.:${ports.dns} {\n    bind 127.0.0.1`)
    .replace(/^( *)health( \{)?$/m, `$1health 127.0.0.1:${ports.health}$2`)
    .replace(/^( *)ready$/m, `$1ready 127.0.0.1:${ports.ready}`)
    .replace(/prometheus \S+/, `prometheus 127.0.0.1:${ports.metrics}`)
    .replace('ip6.arpa {', `ip6.arpa {\n      manifests ${EXAMPLES}`)
    .replace('/etc/resolv.conf', `127.0.0.1:${upstreamPort}`)
}
