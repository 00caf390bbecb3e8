// The administration socket: who can reach it, what it takes, and its bounds.

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  Admin,
  adminAddresses,
  COMMAND_MAX_OCTETS,
  COMMANDS_MAX,
  COMMANDS_PER_SECOND,
  CONNECTIONS_MAX,
} from '../../src/control/admin.ts'
import { askServer } from '../../src/explain/ask-server.ts'
import { adminWord } from '../../src/plugin/admin.ts'
import { adminFolder, parseAdminAddress } from '../../src/shared/admin-socket.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { parseWord, recordingLog, recordingMeters } from '../support/words.ts'

interface Opened {
  readonly admin: Admin
  readonly path: string
  readonly counted: Map<string, number>
  readonly lines: string[]
}

async function open(t: Test, command: () => Promise<unknown> = async () => ({ status: 0 })): Promise<Opened> {
  const counted = new Map<string, number>()
  const lines: string[] = []
  const folder = mkdtempSync(join(tmpdir(), 'seamark-admin-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'admin.sock')
  const admin = new Admin({
    log: recordingLog(lines),
    meters: recordingMeters(counted),
    clock: new VirtualClock(),
    commands: new Map([['explain', command]]),
  })
  t.teardown(() => admin.stop())
  await admin.listen([{ path }])
  return { admin, path, counted, lines }
}

/** What comes back for these octets before the connection ends. */
function say(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const socket = connect(path, () => socket.write(text))
    socket.on('data', chunk => {
      said += String(chunk)
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(said))
  })
}

const result = (counted: ReadonlyMap<string, number>, name: string): number =>
  counted.get(`seamark_admin_requests_total{result=${name}}`) ?? 0

t.test('one line each way', async t => {
  const { path, counted } = await open(t, async () => ({ status: 1 }))
  t.same(await askServer({ path }, { command: 'explain', name: 'web' }), { status: 1 })
  t.equal(result(counted, 'answered'), 1)
})

t.test('only its user reaches it', async t => {
  const { path } = await open(t)
  t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('what is no command is told so, and ends', async t => {
  const { path, counted } = await open(t)
  const cases = [
    'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n',
    '{"command":"stop"}\n',
    '[]\n',
    'null\n',
    '{\n',
    '\n',
  ]
  for (const text of cases)
    t.match(await say(path, text), /^\{"error":"this is no command; there are: explain"\}\n$/, text)
  t.match(await say(path, 'x'.repeat(COMMAND_MAX_OCTETS + 1)), /4096 octets at most/)
  t.equal(result(counted, 'malformed'), cases.length + 1)
})

t.test('a bug costs one command', async t => {
  const { path, lines } = await open(t, () => Promise.reject(new Error('boom')))
  t.match(await askServer({ path }, { command: 'explain' }), { error: /bug of its own/ })
  t.match(lines.join('\n'), /\[ERROR\] plugin\/admin: recovered from a bug: .*boom/)
})

t.test('commands under way are bounded, and counted', async t => {
  const answers: (() => void)[] = []
  const { path, counted } = await open(
    t,
    () => new Promise(resolve => answers.push(() => resolve({ status: 0 }))),
  )
  const asking = Array.from({ length: COMMANDS_MAX }, () => askServer({ path }, { command: 'explain' }))
  await until('all of them', () => answers.length === COMMANDS_MAX)
  t.match(await askServer({ path }, { command: 'explain' }), { error: /more than 8 commands are under way/ })
  t.equal(result(counted, 'refused'), 1)
  for (const answer of answers) answer()
  t.same(
    await Promise.all(asking),
    asking.map(() => ({ status: 0 })),
  )
})

/** Connections that stay open on their side, whatever the other one does. */
async function hold(t: Test, path: string, count: number, text = ''): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ path, allowHalfOpen: true }))
  for (const socket of sockets) {
    socket.on('error', () => socket.destroy())
    socket.resume()
    if (text !== '') socket.write(text)
    t.teardown(() => socket.destroy())
  }
  await Promise.all(
    sockets.map(socket => new Promise(resolve => socket.once('connect', resolve).once('close', resolve))),
  )
  return sockets
}

t.test('whoever connects and says nothing takes the place of nobody who does', async t => {
  const { path, counted } = await open(t)
  const silent = await hold(t, path, COMMANDS_MAX, '{"command":')
  t.same(await askServer({ path }, { command: 'explain' }), { status: 0 })
  t.equal(result(counted, 'refused'), 1)
  await until('one of them is closed', () => silent.some(({ readableEnded }) => readableEnded))
})

t.test('connections that are held open are bounded, and whoever was refused is let go', async t => {
  const { path, counted } = await open(t)
  await hold(t, path, 5 * CONNECTIONS_MAX, 'no command\n')
  await until(
    'counted',
    () => result(counted, 'refused') + result(counted, 'malformed') >= 5 * CONNECTIONS_MAX,
  )
  t.ok(result(counted, 'refused') >= 4 * CONNECTIONS_MAX, 'further ones are closed')
  await until(
    'an answer',
    async () => !((await askServer({ path }, { command: 'explain' })) instanceof Error),
  )
})

t.test('commands of a second are bounded, and counted', async t => {
  const { path, counted } = await open(t)
  let last: unknown
  // The places of connections that have just ended are free a moment later.
  await until('the bound of a second', async () => {
    last = await askServer({ path }, { command: 'explain' })
    return result(counted, 'answered') === COMMANDS_PER_SECOND && /in a second/.test(JSON.stringify(last))
  })
  t.match(last, { error: /^more than 100 commands in a second$/ })
  t.equal(result(counted, 'answered'), COMMANDS_PER_SECOND)
})

t.test('addresses come and go with the Corefile', async t => {
  const { admin, path, lines } = await open(t)
  const tcp = { host: '127.0.0.1', port: await freePort() }
  await admin.listen([tcp])
  t.same(await askServer(tcp, { command: 'explain' }), { status: 0 })
  t.ok((await askServer({ path }, { command: 'explain' })) instanceof Error, 'the other one is gone')
  writeFileSync(path, 'what an ended process left')
  await admin.listen([tcp, { path }])
  t.same(await askServer({ path }, { command: 'explain' }), { status: 0 })
  t.same(lines, [])
  const other = new Admin({
    log: recordingLog(lines),
    meters: recordingMeters(new Map()),
    clock: new VirtualClock(),
    commands: new Map(),
  })
  t.teardown(() => other.stop())
  await other.listen([{ path }])
  t.match(lines, [/not listening at .*admin\.sock: another server listens there/])
})

t.test('the directive', async t => {
  const cases: [text: string, address: object | undefined][] = [
    ['admin', undefined],
    ['admin /run/seamark.sock', { path: '/run/seamark.sock' }],
    ['admin unix:/run/seamark.sock', { path: '/run/seamark.sock' }],
    ['admin 127.0.0.1:8053', { host: '127.0.0.1', port: 8053 }],
    ['admin [::1]:8053', { host: '::1', port: 8053 }],
  ]
  for (const [text, address] of cases) {
    const { config, complaints } = parseWord(adminWord, text)
    t.same([config, complaints], [{ address }, []], text)
  }
  const wrong: [text: string, complaint: RegExp][] = [
    [`admin /${'x'.repeat(103)}`, /a path of a Unix socket has 103 octets at most/],
    [
      'admin 0.0.0.0:8053',
      /only addresses of loopback are safe here \(found "0\.0\.0\.0:8053"; allowed: 127/,
    ],
    ['admin :8053', /neither a path nor HOST:PORT/],
    ['admin example.org:8053', /only addresses of loopback/],
    ['admin 127.0.0.1:0', /neither a path/],
    ['admin 127.0.0.1:8053 more', /more/],
    ['admin\nadmin', /given twice/],
  ]
  for (const [text, complaint] of wrong)
    t.match(parseWord(adminWord, text).complaints.join('\n'), complaint, text)
})

t.test('in a Pod the socket of the process is there without a directive, elsewhere nothing is', async t => {
  const wanted = (...args: Parameters<typeof adminAddresses>) => adminAddresses(...args).addresses
  t.same(wanted({ admin: [] }, {}), [])
  const tcp = { host: '127.0.0.1', port: 8053 }
  t.same(wanted({ admin: [{ address: tcp }] }, {}), [tcp])
  const own = { path: join(adminFolder()!, `${process.pid}.sock`) }
  t.same(wanted({ admin: [{ address: tcp }] }, { KUBERNETES_SERVICE_HOST: '10.96.0.1' }), [own, tcp])
  t.same(wanted({ admin: [{ address: undefined }] }, {}), [own])
  t.equal(statSync(adminFolder()!).mode & 0o777, 0o700)
  for (const text of ['nonsense', '', 'a:b', '1.2.3.4', '127.0.0.1:99999'])
    t.equal(parseAdminAddress(text), undefined, text)
})
