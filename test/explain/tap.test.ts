// `seamark tap` beside a server.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { tapText } from '../../src/explain/tap.ts'
import { query } from '../support/dns-client.ts'
import { seamarkCommand } from '../support/seamark.ts'
import { serveCorefile } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'

t.test('queries are printed as they are answered, those that are wanted; a wrong wish is told', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tap-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const socket = join(folder, 's')
  const { port } = await serveCorefile(t, `. {\n  bind 127.0.0.1\n  admin ${socket}\n  whoami\n}`)
  const run = (...flags: string[]) => {
    const [command = '', ...args] = [...seamarkCommand, 'tap', '--server', socket, ...flags]
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    t.teardown(() => child.kill('SIGKILL'))
    const said = { out: '', errors: '', status: undefined as number | null | undefined }
    child.stdout.on('data', chunk => {
      said.out += chunk
    })
    child.stderr.on('data', chunk => {
      said.errors += chunk
    })
    child.on('close', status => {
      said.status = status
    })
    return said
  }
  const two = run('--name', 'example.org', '--count', '2', '--json')
  const text = run('--type', 'MX', '--count', '1')
  await until('both end', async () => {
    await query(port, { name: 'Www.example.org' })
    await query(port, { name: 'example.net', type: 'MX' })
    return two.status !== undefined && text.status !== undefined
  })
  t.same([two.status, text.status], [0, 0])
  const lines = two.out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.equal(lines.length, 2)
  for (const line of lines)
    t.match(line, {
      client: '127.0.0.1',
      name: 'www.example.org.',
      type: 'A',
      rcode: 'NOERROR',
      plugin: 'whoami',
      proto: 'udp',
    })
  t.match(text.out, /^\S+Z 127\.0\.0\.1:\d+ MX example\.net\. udp NOERROR whoami \d+ [\d.]+ms\n$/)
  const wrong = run('--type', 'NONE')
  await until('it ends', async () => wrong.status !== undefined)
  t.equal(wrong.status, 2)
  t.match(wrong.errors, 'seamark tap: NONE is no record type')
})

t.test('a line for a person', async t => {
  const line = {
    time: '2026-11-30T10:00:00.000Z',
    client: '10.0.0.7',
    port: 4711,
    name: 'a.',
    type: 'A',
    proto: 'udp',
    rcode: '-',
    plugin: '',
    durationMs: 0.25,
    octets: 0,
  }
  t.equal(tapText(line), '2026-11-30T10:00:00.000Z 10.0.0.7:4711 A a. udp - 0 0.25ms\n')
  t.match(tapText({ ...line, pod: 'shop/curl', plugin: 'acl' }), '10.0.0.7:4711 (shop/curl) A a. udp - acl 0')
})
