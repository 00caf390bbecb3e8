// A restart while the API server is away: the process serves the last good state from its volume at once, says so in its
// log, its metrics and to clients that ask with EDNS, and takes the cluster's own state as soon as it can be had.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { KindSet } from '../../src/objects/source.ts'
import { writeSnapshot } from '../../src/watch/snapshot.ts'
import { query } from '../support/dns-client.ts'
import { extendedError } from '../support/extended-error.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { namespace, service, slice } from '../support/fake-objects.ts'
import { makePlace, type Place } from '../support/served-corefile.ts'

const WEB = 'web.default.svc.cluster.local'
const AGE = 'the API server was last heard \\d+ s ago'

interface Bench extends Place {
  readonly api: FakeApiServer
  readonly state: string
  readonly port: number
}

async function open(t: Test): Promise<Bench> {
  const api = new FakeApiServer()
  api.cluster.apply('namespaces', namespace('default'))
  api.cluster.apply('services', service('default', 'web'))
  api.cluster.apply('endpointslices', slice('default', 'web-1', 'web', ['10.0.0.1']))
  await api.listen()
  t.teardown(() => api.close())
  const place = await makePlace(
    t,
    ({ dns, ready, metrics }, folder) =>
      `.:${dns} {
      bind 127.0.0.1
      ready 127.0.0.1:${ready}
      prometheus 127.0.0.1:${metrics}
      kubernetes cluster.local {
        endpoint ${api.url}
        snapshot ${folder}/state
        startup_timeout 300ms
      }
    }`,
  )
  return { ...place, api, state: join(place.folder, 'state'), port: place.ports.dns }
}

t.test('the last good state outlives a restart without the API server', async t => {
  const { api, port, get, start } = await open(t)
  const first = await start()
  t.match(first.output(), 'no snapshot at')
  const fresh = await query(port, { name: WEB, edns: true })
  t.equal(extendedError(fresh.edns), '')
  t.equal(await first.stop(), 0)

  await api.kill()
  const second = await start()
  t.match(
    second.output(),
    /\[WARNING\] plugin\/kubernetes: serving the snapshot of 20\S+Z \(\d+s old, 2 names\)/,
  )
  const old = await query(port, { name: WEB, edns: true })
  t.same(old.answer, fresh.answer, 'the same answer')
  t.match(extendedError(old.edns), new RegExp(`^3 ${AGE}$`))
  t.equal((await query(port, { name: WEB })).edns, undefined, 'and nothing but it without EDNS')
  const gone = await query(port, { name: 'nope.default.svc.cluster.local', edns: true })
  t.equal(gone.rcode, 'NXDOMAIN')
  t.match(extendedError(gone.edns), new RegExp(`^19 no service nope in namespace default \\(${AGE}\\)$`))
  t.match(await get('ready', '/ready'), /^200 OK/)
  t.match(
    await get('ready', '/ready?verbose'),
    /serving the snapshot of .*; waiting for namespaces: cannot watch/,
  )
  const metrics = await get('metrics', '/metrics')
  t.match(metrics, 'seamark_table_stale{source="cluster.local."} 1\n')
  t.match(metrics, /seamark_table_age_seconds\{source="cluster\.local\."\} \d/)

  api.cluster.apply(
    'services',
    service('default', 'web', { clusterIP: '10.96.0.77', clusterIPs: ['10.96.0.77'] }),
  )
  await api.listen()
  await second.printed('the cluster is listed: the snapshot is out of use')
  const back = await query(port, { name: WEB, edns: true })
  t.match(back.answer[0], / A 10\.96\.0\.77$/)
  t.equal(extendedError(back.edns), '')
  t.match(await get('metrics', '/metrics'), 'seamark_table_stale{source="cluster.local."} 0\n')
  t.equal(await second.stop(), 0)
})

t.test(
  'a damaged one, one that is too old and one of another configuration are left alone, loudly',
  async t => {
    const { api, file, state, port, get, start } = await open(t)
    await (await start()).stop()
    await api.kill()
    const good = readFileSync(state)
    const old = `${state}-old`
    const kinds = ['Namespace', 'Service', 'EndpointSlice'] as const
    await writeSnapshot(
      old,
      kinds.map((kind): KindSet => [kind, []]),
      Date.now() - 60_000,
    )
    const corefile = readFileSync(file, 'utf8')
    const cases: [what: string, state: Uint8Array, corefile: string, said: RegExp][] = [
      [
        'cut',
        good.subarray(0, good.length - 10),
        corefile,
        /snapshot \S+ is damaged: .*: starting without it/,
      ],
      [
        'old',
        readFileSync(old),
        corefile.replace(`${state}\n`, `${state} 30s\n`),
        /is \d+ s old, allowed are 30 s/,
      ],
      [
        'other',
        good,
        corefile.replace('cluster.local {', 'cluster.local {\npods verified'),
        /of another configuration/,
      ],
    ]
    for (const [what, octets, text, said] of cases) {
      writeFileSync(state, octets)
      writeFileSync(file, text)
      const server = await start()
      t.match(server.output(), said, what)
      const reply = await query(port, { name: WEB, edns: true })
      t.same([reply.rcode, extendedError(reply.edns)], ['SERVFAIL', '14 the cluster is not listed yet'], what)
      t.match(await get('ready', '/ready'), /^503 kubernetes/)
      await server.stop('SIGKILL')
    }
  },
)

t.test('whatever lies there, the server starts and serves the cluster', async t => {
  const { state, port, start } = await open(t)
  const first = await start()
  t.equal(await first.stop(), 0)
  const lines = readFileSync(state, 'utf8').trimEnd().split('\n')
  const forged = [
    lines[0]!,
    '["Service",{"name":"constructor"}]',
    '["EndpointSlice",[]]',
    '7',
    ...lines.slice(1, -1),
  ]
  const text = forged.map(line => `${line}\n`).join('')
  const sha256 = createHash('sha256').update(text).digest('hex')
  const cases: readonly (readonly [what: string, lay: () => void, said: RegExp])[] = [
    ['a pipe', () => void spawnSync('mkfifo', [state]), /is no regular file: starting without it/],
    ['a device', () => symlinkSync('/dev/zero', state), /is no regular file: starting without it/],
    ['a folder', () => mkdirSync(state), /is no regular file: starting without it/],
    [
      'objects that are none',
      () => writeFileSync(state, `${text}${JSON.stringify({ objects: forged.length - 1, sha256 })}\n`),
      /has 3 lines that hold no object: they are left out[\s\S]*serving the snapshot of/,
    ],
  ]
  for (const [what, lay, said] of cases) {
    rmSync(state, { recursive: true, force: true })
    lay()
    const server = await start()
    t.match(server.output(), said, what)
    t.equal((await query(port, { name: WEB })).rcode, 'NOERROR', what)
    t.equal(await server.stop(), 0, what)
  }
})

t.test('a volume that takes nothing is told once and counted, and the server serves on', async t => {
  const { file, state, port, start } = await open(t)
  writeFileSync(file, readFileSync(file, 'utf8').replace(state, '/proc/seamark-state'))
  const server = await start()
  t.equal((await query(port, { name: WEB })).rcode, 'NOERROR')
  server.child.kill('SIGTERM')
  t.equal(await server.ended(), 0)
  t.match(server.output(), /\[ERROR\] plugin\/kubernetes: writing snapshot \/proc\/seamark-state/)
})
