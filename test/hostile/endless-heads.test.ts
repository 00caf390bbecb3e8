// Heads of HTTP requests that do not end: header fields without end over HTTP/1.1, and over HTTP/2 a HEADERS frame with
// CONTINUATION frames behind it, none with END_HEADERS (VU#421644). What is taken of one head is bounded, and then the
// connection is closed, while another client is answered.

import type { TLSSocket } from 'node:tls'
import t from 'tap'
import { HEAD_MAX_OCTETS } from '../../src/listen/http-exchange.ts'
import { limitObstacle } from '../support/cgroup-limit.ts'
import { query } from '../support/dns-client.ts'
import { dialTls } from '../support/encrypted-client.ts'
import { FRAME, frame, NAME, OPENING, serveHttps } from './https-block.ts'
import { POD_MIB, peakMiB, unharmed } from './one-block.ts'

const CONNECTIONS = 20
/** Octets of one head that a connection may bring before it is closed: the bound, and what is in buffers on the way. */
const TAKEN_MAX = HEAD_MAX_OCTETS + 16 * 2 ** 20
const skip = process.platform === 'linux' ? false : 'needs /proc'

const { HEADERS, CONTINUATION } = FRAME
/** `:method GET`, `:scheme https`, by their numbers in the static table (RFC 7541 A). */
const BEGIN = Uint8Array.of(0x82, 0x87)
/** A field that is not put into the table: `x: ` and 120 octets. */
const FIELD = Buffer.concat([Uint8Array.of(0, 1, 0x78, 120), Buffer.alloc(120, 0x61)])
const FIELDS = Buffer.concat(Array.from({ length: 130 }, () => FIELD))

const ways: readonly (readonly [title: string, alpn: string, first: Uint8Array, again: Uint8Array])[] = [
  [
    'HTTP/1.1, many fields',
    'http/1.1',
    Buffer.from('GET /dns-query HTTP/1.1\r\nHost: x\r\n'),
    Buffer.from(`x: ${'a'.repeat(120)}\r\n`.repeat(130)),
  ],
  [
    'HTTP/1.1, one field',
    'http/1.1',
    Buffer.from('GET /dns-query HTTP/1.1\r\nHost: x\r\nx: '),
    Buffer.alloc(16_000, 0x61),
  ],
  [
    'HTTP/2, full CONTINUATION frames',
    'h2',
    Buffer.concat([OPENING, frame(HEADERS, 0, 1, BEGIN)]),
    frame(CONTINUATION, 0, 1, FIELDS),
  ],
  [
    'HTTP/2, empty CONTINUATION frames',
    'h2',
    Buffer.concat([OPENING, frame(HEADERS, 0, 1, BEGIN)]),
    Buffer.concat(Array.from({ length: 1000 }, () => frame(CONTINUATION, 0, 1, new Uint8Array(0)))),
  ],
]

/** Writes for as long as it is taken; resolves with how many octets were, once the connection is closed. */
async function pour(socket: TLSSocket, first: Uint8Array, again: Uint8Array): Promise<number> {
  socket.on('error', () => undefined)
  socket.resume()
  const closed = new Promise(resolve => socket.once('close', resolve))
  let sent = first.length
  socket.write(first)
  const more = (): void => {
    while (!socket.destroyed && socket.writable && sent < 4 * TAKEN_MAX) {
      sent += again.length
      if (!socket.write(again)) return
    }
  }
  socket.on('drain', more)
  more()
  await closed
  return sent
}

t.test('heads without end', { skip }, async t => {
  const served = await serveHttps(t, { pod: true })
  const { dns, https } = served.ports
  for (const [title, alpn, first, again] of ways) {
    await t.test(title, async t => {
      const sockets = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => dialTls(https, alpn, { localAddress: '127.0.0.2' })),
      )
      t.teardown(() => {
        for (const socket of sockets) socket.destroy()
      })
      const pouring = Promise.all(sockets.map(socket => pour(socket, first, again)))
      t.equal((await query(https, { name: NAME, over: 'https' })).rcode, 'NOERROR', 'HTTPS beside them')
      t.equal((await query(dns, { name: NAME })).rcode, 'NOERROR', 'UDP beside them')
      const most = Math.max(...(await pouring))
      t.ok(most < TAKEN_MAX, `closed after ${most} octets`)
      t.equal((await query(https, { name: NAME, over: 'https' })).rcode, 'NOERROR', 'and after')
    })
  }
  const garbage = await served.counted('seamark_listen_events_total', { event: 'https-garbage' })
  t.ok(garbage >= CONNECTIONS * ways.length, 'each is counted')
  t.ok(peakMiB(served) < POD_MIB, `${peakMiB(served).toFixed(0)} MiB at most`, { skip: limitObstacle() })
  await unharmed(t, served)
})
