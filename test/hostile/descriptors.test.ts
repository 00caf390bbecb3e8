// The descriptors of a running server are used up (EMFILE): nobody new is let in, and nothing can be opened, from listeners of a
// reload to files, watches and upstreams. It answers on what it has, without spinning and without a line for every attempt, and
// takes up again by itself what it could not.

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { isAnswered, query } from '../support/dns-client.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { namespace, service } from '../support/fake-objects.ts'
import { freePort } from '../support/free-port.ts'
import { cpuUs } from '../support/process-stat.ts'
import { type FileText, makePlace } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { answerAll, UpstreamStub } from '../support/upstream-stub.ts'
import { unharmed } from './one-block.ts'

const WEB = 'web.default.svc.cluster.local'
/** Clients that knock at each port that is listened at. */
const KNOCKING = 30
/** Of one processor. */
const BUSY_MOST = 0.5

const prlimit = (...words: string[]): boolean => spawnSync('prlimit', words).status === 0
const zone = (serial: number, ...records: string[]): string =>
  [
    '$ORIGIN zone.test.',
    `@ 30 IN SOA ns hostmaster ${serial} 7200 1800 86400 30`,
    '@ 30 IN NS ns',
    ...records,
    '',
  ].join('\n')

t.test(
  'no descriptors',
  { skip: prlimit('--nofile=64:64', 'true') ? false : 'prlimit does not work here' },
  async t => {
    const stub = await UpstreamStub.start(answerAll)
    t.teardown(() => stub.pause())
    const api = new FakeApiServer()
    api.cluster.apply('namespaces', namespace('default'))
    api.cluster.apply('services', service('default', 'web'))
    await api.listen()
    t.teardown(() => api.close())
    const corefile: FileText = ({ dns, ready, health, metrics }, folder) =>
      `.:${dns} {
      bind 127.0.0.1
      multisocket 1
      errors
      health 127.0.0.1:${health}
      ready 127.0.0.1:${ready}
      prometheus 127.0.0.1:${metrics}
      admin ${folder}/admin
      dnstap ${folder}/nobody
      kubernetes cluster.local {
        endpoint ${api.url}
        snapshot ${folder}/state
      }
      hosts hosts hosts.test {
        reload 100ms
      }
      file zone zone.test {
        reload 1s
      }
      forward tcp.test ${stub.to} {
        force_tcp
      }
      forward . ${stub.to}
      reload 2s 0s
    }\n`
    const place = await makePlace(t, corefile, { zone: zone(1), hosts: '' })
    const { ports, folder } = place
    const server = await place.start()
    const pid = server.child.pid!
    const lines = (pattern: RegExp): number => server.output().match(pattern)?.length ?? 0
    const rcode = async (name: string): Promise<string> => (await query(ports.dns, { name })).rcode
    /** The highest number that may be opened lies below the first that is free. */
    const takeAway = (): void => {
      const open = new Set(readdirSync(`/proc/${pid}/fd`))
      let free = 0
      while (open.has(String(free))) free++
      t.ok(prlimit(`--pid=${pid}`, `--nofile=${free}:4096`))
    }
    t.teardown(() => server.stop('SIGKILL'))

    for (const name of [WEB, 'a.test', 'a.tcp.test']) t.equal(await rcode(name), 'NOERROR')
    takeAway()
    t.equal(await rcode('b.tcp.test'), 'NOERROR', 'upstreams are asked on the connections that are open')
    const knocking: Socket[] = []
    for (const where of [ports.dns, ports.health, ports.ready, ports.metrics, join(folder, 'admin')]) {
      for (let i = 0; i < KNOCKING; i++) {
        const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where)
        socket.on('error', () => socket.destroy())
        knocking.push(socket)
      }
    }
    const [fromMs, cpuBefore] = [performance.now(), cpuUs(pid)]
    // More listeners than descriptors may come free by themselves meanwhile.
    const [second = 0, ...others] = await Promise.all(Array.from({ length: 8 }, freePort))
    const more = [second, ...others].map(port => `.:${port} {\n bind 127.0.0.1\n whoami\n}\n`)
    writeFileSync(join(folder, 'hosts'), '10.0.0.2 b.hosts.test\n')
    writeFileSync(join(folder, 'zone'), zone(2, 'b 30 IN A 10.0.0.2'))
    place.write(`${readFileSync(place.file, 'utf8')}${more.join('')}`)
    for (let i = 0; i < 200; i++) t.equal(await rcode(WEB), 'NOERROR')
    for (let i = 0; i < 40; i++) t.equal(await rcode(`n${i}.test`), 'NOERROR', 'and on the sockets')
    await server.printed('Restart failed')
    for (const watch of api.watches()) watch.kill()
    api.cluster.apply('services', service('default', 'new'))
    t.equal(await rcode(WEB), 'NOERROR')
    for (const socket of knocking) socket.destroy()
    const seconds = (performance.now() - fromMs) / 1000
    t.ok((cpuUs(pid) - cpuBefore) / 1e6 < BUSY_MOST * seconds + 1, 'it does not spin')

    t.ok(prlimit(`--pid=${pid}`, '--nofile=4096:4096'))
    await until('TCP', () => isAnswered(ports.dns, { name: WEB, tcp: true }))
    await until('the hosts file', async () => (await rcode('b.hosts.test')) === 'NOERROR')
    await until('the zone file', async () => (await rcode('b.zone.test')) === 'NOERROR')
    await until('the watches', async () => (await rcode('new.default.svc.cluster.local')) === 'NOERROR')
    await until('the new configuration, which nobody has changed meanwhile', () =>
      isAnswered(second, { name: 'a.test' }),
    )
    t.match(await place.get('health', '/health'), /^200/)
    t.match(await place.get('ready', '/ready'), /^200/)
    const allSeconds = (performance.now() - fromMs) / 1000
    // The health check of the process itself, and the receiver that nobody is, are told of each second at most.
    t.ok(lines(/^\[(ERROR|WARNING)\]/gm) < 30 + 3 * allSeconds, `the log: ${server.output()}`)
    await unharmed(t, { ...place, server })

    takeAway()
    t.equal(await server.stop(), 0, 'it ends well without any, too')
  },
)
