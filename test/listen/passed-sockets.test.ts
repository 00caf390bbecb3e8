// Sockets that systemd opens (sd_listen_fds(3)): this test is its service manager, which keeps them while servers come and go.
// They do not share their ports, so whoever answers there has been given them.

import { closeSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { passedCount, passedFor, unasked } from '../../src/listen/passed-sockets.ts'
import { makeAuthority } from '../support/certificates.ts'
import { query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { makePlace, type Place } from '../support/served-corefile.ts'
import {
  activated,
  cannotPass,
  NotifySocket,
  type OpenSocket,
  openSocket,
} from '../support/service-manager.ts'
import { absent, programPath } from '../support/system-program.ts'
import { until } from '../support/until.ts'

const skip = cannotPass

/** Opens the sockets until the test ends. */
const opened = (t: Test, sockets: readonly OpenSocket[]): number[] => {
  const fds = sockets.map(openSocket)
  t.teardown(() => fds.forEach(closeSync))
  return fds
}

const ofThem = (passed: readonly number[], more: Readonly<Record<string, string>> = {}) => ({
  passed,
  wrap: activated({ LISTEN_PID: '$$', LISTEN_FDS: String(passed.length), ...more }),
})

const block = (port: number, bind: string, more = ''): string =>
  `.:${port} {\n  bind ${bind}\n  hosts {\n    192.0.2.1 here.example\n  }\n  ${more}\n}\n`

const asked = async (port: number, how: object = {}): Promise<unknown> => {
  const { answer } = await query(port, { name: 'here.example', timeoutMs: ANSWER_MS, ...how })
  return answer.map(record => record.split(' ').at(-1))
}
/** A server that starts meanwhile takes its time on a busy machine. */
const ANSWER_MS = 60_000
const HERE = ['192.0.2.1']

t.test('who is meant', async t => {
  t.equal(passedCount({ LISTEN_PID: '7', LISTEN_FDS: '3' }, 7), 3)
  t.equal(passedCount({ LISTEN_PID: '8', LISTEN_FDS: '3' }, 7), 0, 'another process')
  t.equal(passedCount({ LISTEN_FDS: '3' }, 7), 0, 'nobody')
  for (const LISTEN_FDS of ['', 'x', '-1', '1.5']) t.equal(passedCount({ LISTEN_PID: '7', LISTEN_FDS }, 7), 0)
  t.equal(passedCount({ LISTEN_PID: '7', LISTEN_FDS: '99999' }, 7), 256, 'a bound')
})

t.test('what an address of the Corefile is given', async t => {
  const socket = (transport: 'udp' | 'tcp', address: string, port: number) => ({
    fd: 3,
    name: 'dns',
    transport,
    address,
    port,
  })
  const sockets = [socket('udp', '0.0.0.0', 53), socket('udp', '::', 53), socket('tcp', '2001:db8::1', 853)]
  const found = (transport: 'udp' | 'tcp', address: string, port: number) =>
    passedFor(sockets, transport, { address, family: 4, optional: false }, port)?.address
  t.equal(found('udp', '0.0.0.0', 53), '0.0.0.0')
  t.equal(found('udp', '::', 53), '::')
  t.equal(found('tcp', '0.0.0.0', 53), undefined, 'of the other transport')
  t.equal(found('udp', '0.0.0.0', 54), undefined, 'of another port')
  t.equal(found('udp', '127.0.0.1', 53), undefined, 'one address of all')
  t.equal(found('tcp', '2001:db8:0::1', 853), '2001:db8::1', 'however it is spelled')
  const listen = (scheme: string, address: string, port: number) => ({ scheme, address, port })
  t.same(unasked(sockets, [listen('dns', '', 53), listen('tls', '2001:db8::1', 853)]), [])
  t.same(unasked(sockets, [listen('dns', '127.0.0.1', 53), listen('https', '2001:db8::1', 853)]), [
    'no server block asks for the passed socket dns (0.0.0.0:53 over UDP), which nobody answers',
    'no server block asks for the passed socket dns ([::]:53 over UDP), which nobody answers',
  ])
  t.match(unasked(sockets, []).at(-1), '`bind 2001:db8::1` in a block on port 853 asks for it')
})

t.test('two threads, UDP and TCP, IPv4 and IPv6; a reload and a restart keep them', { skip }, async t => {
  const text: Parameters<typeof makePlace>[1] = ({ dns }) => block(dns, '127.0.0.1 ::1', 'multisocket 2')
  const place: Place = await makePlace(t, text)
  const port = place.ports.dns
  const addresses = ['127.0.0.1', '::1']
  const fds = opened(
    t,
    addresses.flatMap(address => (['udp', 'tcp'] as const).map(transport => ({ transport, address, port }))),
  )
  const all = async (): Promise<unknown[]> => {
    const answers: unknown[] = []
    for (const host of addresses)
      for (const tcp of [false, true])
        for (let i = 0; i < 10; i++) answers.push(await asked(port, { host, tcp }))
    return answers
  }
  const everywhere = Array(40).fill(HERE)

  const first = await place.start(ofThem(fds))
  t.same(await all(), everywhere)
  t.notMatch(first.output(), 'passed socket', 'nothing is left over')

  place.write(block(await freePort(), '127.0.0.1'))
  first.child.kill('SIGUSR1')
  await first.printed(/no server block asks for the passed socket number 1 \(127\.0\.0\.1:\d+ over UDP\)/)
  await first.printed('Reloading complete')
  place.write(block(port, '127.0.0.1 ::1', 'multisocket 2'))
  first.child.kill('SIGUSR1')
  await first.printed(/(?:[\s\S]*?Reloading complete){2}/)
  t.same(await all(), everywhere, 'after a reload without them, and one with them')

  t.equal(await first.stop(), 0)
  const waiting = all()
  const second = await place.start(ofThem(fds))
  t.same(await waiting, everywhere, 'what was asked while nobody was there')
  t.equal(await second.stop(), 0)
})

t.test('all addresses: an answer comes from the one that was asked', { skip }, async t => {
  const place = await makePlace(t, ({ dns }) => block(dns, '0.0.0.0 ::'))
  const port = place.ports.dns
  const fds = opened(t, [
    { transport: 'udp', address: '0.0.0.0', port },
    { transport: 'udp', address: '::', port },
  ])
  const server = await place.start(ofThem(fds))
  // The client's socket takes datagrams from the address alone that it has asked.
  t.same(await asked(port, { host: '127.0.0.2' }), HERE)
  t.same(await asked(port, { host: '::1' }), HERE)
  t.same(await asked(port, { host: '127.0.0.2', tcp: true }), HERE, 'what was not passed is opened')
  t.equal(await server.stop(), 0)
})

const noActivator = cannotPass || absent('systemd-socket-activate')
t.test('by systemd itself: the first question starts the server', { skip: noActivator }, async t => {
  const place = await makePlace(t, ({ dns }) => block(dns, '127.0.0.1'))
  const { dns } = place.ports
  const activate = [programPath('systemd-socket-activate')!, '--datagram', '-l', `127.0.0.1:${dns}`]
  const server = await place.start({ wrap: command => [...activate, ...command], until: 'answer' })
  t.same(await asked(dns), HERE)
  t.equal(await server.stop(), 0)
})

t.test('what cannot be used is said, and does not keep the others from it', { skip }, async t => {
  const { cert, key } = makeAuthority().issue('localhost')
  const place = await makePlace(
    t,
    ({ tls }) =>
      `tls://.:${tls} {\n  bind 127.0.0.1\n  tls cert.pem key.pem\n  hosts {\n    192.0.2.1 here.example\n  }\n}\n`,
    { 'cert.pem': cert, 'key.pem': key },
  )
  const { dns, tls } = place.ports
  const fds = opened(t, [
    { transport: 'tcp', address: '127.0.0.1', port: tls },
    { transport: 'udp', address: '::', port: dns, both: true },
  ])
  const server = await place.start(ofThem(fds, { LISTEN_FDS: '3', LISTEN_FDNAMES: 'secure:dual' }))
  t.same(await asked(tls, { over: 'tls' }), HERE)
  const said = server.output()
  t.match(
    said,
    `passed socket dual cannot be used: [::]:${dns} takes IPv4, too: BindIPv6Only=ipv6-only is needed`,
  )
  t.match(said, 'passed socket number 3 cannot be used: descriptor 5 is no socket (ENOTSOCK)')
  t.equal(await server.stop(), 0)
})

t.test('those of another process are not touched', { skip }, async t => {
  const place = await makePlace(t, ({ dns }) => block(dns, '127.0.0.1'))
  const fds = opened(t, [{ transport: 'udp', address: '127.0.0.1', port: place.ports.dns }])
  const server = await place.start({ ...ofThem(fds, { LISTEN_PID: '1' }), until: 'spawned' })
  t.equal(await server.ended(), 1)
  t.match(server.output(), 'has this port')
})

for (const path of ['notify.sock', '@seamark-test'])
  t.test(`systemd is told by ${path}`, { skip }, async t => {
    const place = await makePlace(t, ({ dns }) => block(dns, '127.0.0.1'))
    const folder = mkdtempSync(join(tmpdir(), 'seamark-'))
    const socket = new NotifySocket(path.startsWith('@') ? `${path}-${process.pid}` : join(folder, path))
    t.teardown(() => {
      socket.close()
      rmSync(folder, { recursive: true })
    })
    const server = await place.start({
      wrap: activated({ NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '200000' }),
    })
    const told = (text: string) => until(text, () => socket.heard().some(message => message.startsWith(text)))
    await told('READY=1')
    await told('WATCHDOG=1')
    server.child.kill('SIGUSR1')
    await told('RELOADING=1\nMONOTONIC_USEC=')
    await until('it serves again', () => socket.heard().filter(message => message === 'READY=1').length === 2)
    t.equal(await server.stop(), 0)
    t.ok(socket.heard().includes('STOPPING=1'))
  })
