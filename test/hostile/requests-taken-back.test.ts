// Requests over HTTP/2 that are taken back as soon as they are sent (CVE-2023-44487): none of them counts against the streams
// that a connection may have open. A client may do that now and then; one that does nothing else loses its connection, and
// nobody waits for it.

import type { TLSSocket } from 'node:tls'
import t from 'tap'
import { query } from '../support/dns-client.ts'
import { dialTls } from '../support/encrypted-client.ts'
import { FRAME, frame, NAME, OPENING, serveHttps } from './https-block.ts'
import { unharmed } from './one-block.ts'

const skip = process.platform === 'linux' ? false : 'needs /proc'

const { HEADERS, RST_STREAM, GOAWAY } = FRAME
const END_STREAM = 1
const END_HEADERS = 4
const CANCEL = Uint8Array.of(0, 0, 0, 8)

/** A header field that is not put into the table (RFC 7541 6.2.2). */
const field = (name: string, value: string): Buffer =>
  Buffer.concat([
    Uint8Array.of(0, name.length),
    Buffer.from(name),
    Uint8Array.of(value.length),
    Buffer.from(value),
  ])

/** `web.default.svc.cluster.local. A`. */
const DNS = 'AAABAAABAAAAAAAAA3dlYgdkZWZhdWx0A3N2YwdjbHVzdGVyBWxvY2FsAAABAAE'
const HEAD = Buffer.concat([
  field(':method', 'GET'),
  field(':scheme', 'https'),
  field(':path', `/dns-query?dns=${DNS}`),
  field(':authority', 'dns'),
])
const ask = (stream: number): Buffer => frame(HEADERS, END_HEADERS | END_STREAM, stream, HEAD)
const takenBack = (first: number, count: number): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, i) => first + 2 * i).flatMap(stream => [
      ask(stream),
      frame(RST_STREAM, 0, stream, CANCEL),
    ]),
  )

/** Resolves with the type of the first frame on a stream, or of the GOAWAY that comes instead. */
async function firstOn(socket: TLSSocket, stream: number): Promise<number | 'closed'> {
  let left = Buffer.alloc(0)
  for await (const octets of socket) {
    left = Buffer.concat([left, octets as Buffer])
    while (left.length >= 9 && left.length >= 9 + left.readUIntBE(0, 3)) {
      const type = left.readUInt8(3)
      if (type === GOAWAY || left.readUInt32BE(5) === stream) return type
      left = left.subarray(9 + left.readUIntBE(0, 3))
    }
  }
  return 'closed'
}

t.test('requests that are taken back', { skip }, async t => {
  const served = await serveHttps(t)
  const { dns, https } = served.ports
  const dial = async (): Promise<TLSSocket> => {
    const socket = await dialTls(https, 'h2', { localAddress: '127.0.0.2' })
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
    return socket
  }

  await t.test('some of them, then one that is not', async t => {
    const socket = await dial()
    socket.write(Buffer.concat([OPENING, takenBack(1, 100), ask(201)]))
    t.equal(await firstOn(socket, 201), HEADERS)
  })

  await t.test('nothing else', async t => {
    const socket = await dial()
    socket.write(Buffer.concat([OPENING, takenBack(1, 1000), ask(2001)]))
    t.equal((await query(dns, { name: NAME })).rcode, 'NOERROR', 'UDP beside them')
    t.equal(await firstOn(socket, 2001), GOAWAY)
    t.equal((await query(https, { name: NAME, over: 'https' })).rcode, 'NOERROR', 'HTTPS after')
  })
  await unharmed(t, served)
})
