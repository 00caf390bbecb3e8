// What befalls the process as a whole: the control thread stuck, no descriptors left, a full disk, stopped and continued.
// Answers go on, or go on again, and the log has the reason.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { NoAnswer, query } from '../support/dns-client.ts'
import { shortOrLong } from '../support/long.ts'
import { makePlace, type Served, type StartOptions, serveCorefile } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { Inspector } from './inspector.ts'

const EXAMPLES = join(import.meta.dirname, '..', '..', 'config', 'examples')
/** Longer than the server is stopped, on a busy machine too. */
const PATIENCE_MS = 20_000
const NAME = 'my-linkedin-headless-service.default.svc.cluster.local'

/** The server with the examples' cluster, its command wrapped as the test wants it. */
const start = (t: Test, wrap?: StartOptions['wrap']): Promise<Served> =>
  serveCorefile(
    t,
    ({ dns, metrics }) =>
      `.:${dns} {
        bind 127.0.0.1
        errors
        log
        prometheus 127.0.0.1:${metrics}
        kubernetes cluster.local {
          manifests ${EXAMPLES}
        }
      }`,
    { until: 'answer', ...(wrap && { wrap }) },
  )

const shell = (script: string, command: readonly string[]): string[] => ['sh', '-c', script, 'sh', ...command]

t.test('the control thread stuck: answers go on, changes and metrics come later', async t => {
  const { server, folder, port, metrics } = await start(t, ([node = '', ...words]) => [
    node,
    '--inspect=127.0.0.1:0',
    ...words,
  ])
  const inspector = await Inspector.open(/ws:\/\/\S+/.exec(server.output())![0])
  const go = join(folder, 'go')
  const look = `process.getBuiltinModule('fs').existsSync(${JSON.stringify(go)})`
  let isStuck = true
  const stuck = inspector.evaluate(`while (!${look});`).then(() => {
    isStuck = false
  })
  const late = metrics()
  for (let answered = 0; answered < 400; answered++)
    t.equal((await query(port, { name: NAME, tcp: answered % 10 === 0 })).rcode, 'NOERROR')
  t.ok(isStuck, 'all of them while it was stuck')
  writeFileSync(go, '')
  await stuck
  inspector.close()
  t.match(await late, /coredns_dns_requests_total/)
})

t.test(
  'no descriptors left: UDP answers go on, and TCP as soon as there are some',
  { skip: needs('prlimit') },
  async t => {
    const { server, port, metrics } = await start(t, command => ['prlimit', '--nofile=64:64', ...command])
    // Every thread has bound its sockets; one that comes later would find no descriptor for them.
    await server.printed(/^Seamark-/m)
    const idle: Socket[] = []
    for (let i = 0; i < 100; i++) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => socket.destroy())
      idle.push(socket)
    }
    for (let i = 0; i < 50; i++) t.equal((await query(port, { name: NAME })).rcode, 'NOERROR')
    await t.rejects(query(port, { name: NAME, tcp: true, timeoutMs: 1000 }), NoAnswer, 'TCP has no room')
    for (const socket of idle) socket.destroy()
    await until('an answer over TCP', () => isAnswered(port))
    t.match(await metrics(), /coredns_dns_responses_total/)
    t.equal(await server.stop(), 0)
  },
)

t.test('a log on a full disk: answers go on', async t => {
  const { server, port } = await start(t, command => shell('exec "$@" >/dev/full', command))
  for (let i = 0; i < 200; i++) t.equal((await query(port, { name: NAME })).rcode, 'NOERROR')
  t.equal(await server.stop(), 0)
})

t.test(
  'a log that nobody reads: answers go on, and what does not fit is counted',
  { skip: needs('bash') },
  async t => {
    const unread = ['bash', '-c', 'exec "$@" > >(exec sleep 60 >/dev/null 2>&1)', 'bash']
    const { port, metrics } = await start(t, command => [...unread, ...command])
    const label = 'x'.repeat(60)
    let answered = 0
    for (let i = 0; i < 60; i++) {
      const names = Array.from(
        { length: 100 },
        (_, n) => `${label}.${label}.n${i}-${n}.default.svc.cluster.local`,
      )
      for (const { rcode } of await Promise.all(names.map(name => query(port, { name })))) {
        if (rcode === 'NXDOMAIN') answered++
      }
    }
    t.equal(answered, 6000)
    t.match(await metrics(), /seamark_log_dropped_lines_total\{reason="\w+"\} [1-9]/)
  },
)

t.test('stopped and continued: what waited is answered', async t => {
  const { server, port } = await start(t)
  const { pid } = server.child
  server.child.kill('SIGSTOP')
  const status = (): string => readFileSync(`/proc/${pid}/stat`, 'latin1')
  if (process.platform === 'linux') await until('it has stopped', () => /\) T /.test(status()))
  const waiting = Array.from({ length: 20 }, () => query(port, { name: NAME, timeoutMs: PATIENCE_MS }))
  // In the long form every timer of the server is late when it goes on.
  await after(shortOrLong(0, 3000))
  server.child.kill('SIGCONT')
  for (const reply of await Promise.all(waiting)) t.equal(reply.rcode, 'NOERROR')
  t.equal((await query(port, { name: NAME, tcp: true })).rcode, 'NOERROR')
  t.notMatch(server.output(), 'recovered from a bug')
})

const unshare = unshared()
t.test(
  'a full disk under the snapshot: told once, and the server serves on',
  { skip: unshare ? false : 'nothing can be mounted here' },
  async t => {
    const { FakeApiServer } = await import('../support/fake-api-server.ts')
    const { populate } = await import('../support/fake-objects.ts')
    const api = new FakeApiServer()
    populate(api.cluster, { namespaces: 2, services: 500, slices: 1, endpoints: 10 })
    await api.listen()
    t.teardown(() => api.close())
    const place = await makePlace(
      t,
      ({ dns }, folder) =>
        `.:${dns} {\nbind 127.0.0.1\nkubernetes cluster.local {\nendpoint ${api.url}\nsnapshot ${folder}/disk/state\n}\n}\n`,
    )
    const disk = join(place.folder, 'disk')
    mkdirSync(disk)
    const mount = `mount -t tmpfs -o size=16k full ${disk} && exec "$@"`
    const wrap = (command: readonly string[]): string[] => [...unshare!, ...shell(mount, command)]
    const server = await place.start({ wrap, until: 'answer' })
    const port = place.ports.dns
    t.equal((await query(port, { name: 'service-1.ns-1.svc.cluster.local' })).rcode, 'NOERROR')
    t.equal(await server.stop(), 0)
    t.match(server.output(), /\[ERROR\] plugin\/kubernetes: writing snapshot \S+: ENOSPC/)
  },
)

/** Why a program cannot be used here; false where it can. */
function needs(program: 'bash' | 'prlimit'): string | false {
  const flags = { bash: ['-c', 'true'], prlimit: ['--nofile=64:64', 'true'] }[program]
  const { status, error } = spawnSync(program, flags)
  return status === 0 ? false : `${program} does not work here: ${error?.message ?? `exit status ${status}`}`
}

/** How a program may mount what nobody else sees: as root, else as root of a user namespace; undefined where it may not. */
function unshared(): string[] | undefined {
  const ways = [['--mount'], ['--user', '--map-root-user', '--mount']]
  const works = (flags: string[]): boolean =>
    spawnSync('unshare', [...flags, 'mount', '-t', 'tmpfs', '-o', 'size=16k', 'full', tmpdir()]).status === 0
  const flags = ways.find(works)
  return flags && ['unshare', ...flags]
}

async function isAnswered(port: number): Promise<boolean> {
  try {
    return (await query(port, { name: NAME, tcp: true, timeoutMs: 500 })).rcode === 'NOERROR'
  } catch (error) {
    if (error instanceof NoAnswer) return false
    throw error
  }
}
