// The server as others see it: dig takes zones, and Knot, where it is installed, is a secondary that hears of changes. Where
// one is not, its test is skipped and says so.

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { query, transfer } from '../../support/dns-client.ts'
import { freePort } from '../../support/free-port.ts'
import { writeKnotConf } from '../../support/knot.ts'
import { type Served, serveCorefile } from '../../support/served-corefile.ts'
import { programPath, startServer } from '../../support/system-program.ts'
import { until } from '../../support/until.ts'

const run = promisify(execFile)

const zone = (serial: number, rest: string): string =>
  `$TTL 60\n@ SOA ns hostmaster ${serial} 3600 60 86400 60\n@ NS ns\nns A 192.0.2.53\n${rest}`
const hosts = Array.from({ length: 5000 }, (_, i) => `host-${i} A 10.0.${i >> 8}.${i & 255}\n`).join('')

const service = (name: string, clusterIP: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  clusterIP: ${clusterIP}\n  ports:\n    - name: http\n      port: 80\n`

/** A server with a zone of file and a cluster in a folder; `to` are its secondaries. */
const serve = (t: Test, to: string): Promise<Served> =>
  serveCorefile(
    t,
    `. {
    bind 127.0.0.1
    transfer example.org cluster.local {
        to ${to}
    }
    kubernetes cluster.local in-addr.arpa {
        manifests manifests
    }
    file db.example.org example.org {
        reload 100ms
    }
    loadbalance
    cache
}
`,
    {
      files: {
        'db.example.org': zone(1, `www A 192.0.2.1\n${hosts}`),
        'manifests/web.yaml': service('web', '10.96.0.80'),
      },
    },
  )

t.test('dig', { skip: programPath('dig') ? false : 'dig is not installed' }, async t => {
  const { port, server } = await serve(t, '*')
  const dig = async (...words: string[]): Promise<string> =>
    (await run('dig', ['@127.0.0.1', '-p', String(port), '+time=3', '+tries=1', ...words])).stdout
  const whole = await dig('example.org', 'AXFR')
  t.match(whole, /;; XFR size: 5005 records \(messages \d\d,/)
  t.match(whole, /\nhost-4999\.example\.org\.\s+60\s+IN\s+A\s+10\.0\.19\.135\n/)
  t.match(await dig('example.org', 'IXFR=1'), /\sSOA\s.*XFR size: 1 records/s, 'the lone SOA')
  t.match(await dig('example.org', 'IXFR=0'), /;; XFR size: 5005 records/)
  t.match(
    await dig('cluster.local', 'AXFR'),
    /\n_http\._tcp\.web\.default\.svc\.cluster\.local\.\s+5\s+IN\s+SRV\s+0 100 80 web\.default/,
  )
  t.match(await dig('in-addr.arpa', 'AXFR'), /Transfer failed/)
  t.match(await dig('example.com', 'AXFR'), /Transfer failed/)
  const overUdp = await query(port, { name: 'example.org', type: 'IXFR', serial: 1 })
  t.equal(overUdp.rcode, 'REFUSED')
  await server.printed(
    /\[INFO\] plugin\/transfer: Outgoing transfer of 5005 records of zone "example.org." to 127.0.0.1 for 1 SOA/,
  )
})

t.test('a zone that changes while it is transferred, and the next transfer', async t => {
  const { port, folder, server } = await serve(t, '*')
  const [first] = await Promise.all([
    transfer(port, { name: 'example.org' }),
    (async () => writeFileSync(`${folder}/db.example.org`, zone(2, 'www A 192.0.2.2\n')))(),
  ])
  t.equal(first.answer.length, 5005, 'all of one version')
  await server.printed('Successfully reloaded zone "example.org."')
  const second = await transfer(port, { name: 'example.org', type: 'IXFR', serial: 1 })
  t.same(
    second.answer.filter(text => / A /.test(text)),
    ['ns.example.org. 60 IN A 192.0.2.53', 'www.example.org. 60 IN A 192.0.2.2'],
  )
  const answer = await query(port, { name: 'www.example.org' })
  t.match(answer.answer, ['www.example.org.'], 'served after the reload')
})

/** Asks until the answer is that address. */
const served = (port: number, name: string, address: string): Promise<void> =>
  until(`${name} is ${address}`, async () =>
    (await query(port, { name })).answer.some(text => text.endsWith(` A ${address}`)),
  )

const knotd = programPath('knotd')
t.test('Knot as a secondary', { skip: knotd ? false : 'Knot is not installed' }, async t => {
  const knotPort = await freePort()
  const { port, folder, server } = await serve(t, `127.0.0.1:${knotPort}`)
  const conf = writeKnotConf(folder, knotPort, {
    rest: [
      'remote:',
      '  - id: primary',
      `    address: 127.0.0.1@${port}`,
      'acl:',
      '  - id: from-primary',
      '    address: 127.0.0.1',
      '    action: notify',
      'zone:',
      ...['example.org', 'cluster.local'].flatMap(domain => [
        `  - domain: ${domain}`,
        `    storage: ${folder}`,
        `    file: ${domain}.copy`,
        '    master: primary',
        '    acl: from-primary',
      ]),
    ],
  })
  await startServer(t, knotd!, ['-c', conf], knotPort, 'www.example.org')
  await served(knotPort, 'host-4999.example.org', '10.0.19.135')
  await served(knotPort, 'web.default.svc.cluster.local', '10.96.0.80')
  writeFileSync(`${folder}/db.example.org`, zone(2, 'www A 192.0.2.222\n'))
  await served(knotPort, 'www.example.org', '192.0.2.222')
  t.pass('a changed zone file is with the secondary as soon as it is read')
  writeFileSync(`${folder}/manifests/api.yaml`, service('api', '10.96.0.81'))
  await served(knotPort, 'api.default.svc.cluster.local', '10.96.0.81')
  t.pass('and so is a new service, a few seconds later')
  const refused = await transfer(port, { name: 'example.org', localAddress: '127.0.0.2' })
  t.equal(refused.rcode, 'REFUSED', 'nobody else may have the zone')
  t.match(server.output(), /Outgoing transfer of \d+ records of zone "cluster\.local\." to 127\.0\.0\.1/)
})
