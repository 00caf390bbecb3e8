// Handshakes that begin and do not end: a thousand connections to each listener that send the first octets of a ClientHello, from one
// address that takes all it may have, while another client is answered over each transport. Each is closed when its first query
// is due, or before, where a listener makes room.

import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { STREAM_LIMITS } from '../../src/listen/stream-limits.ts'
import { HTTPS_CONNECTIONS_MAX } from '../../src/plugin/https.ts'
import { makeAuthority } from '../support/certificates.ts'
import { query } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { clusterIp, serve, unharmed } from './one-block.ts'

const NAME = 'web.default.svc.cluster.local'
const HALVES = 1000
/** Descriptors that a process opens now and then beside its connections. */
const OTHER_DESCRIPTORS = 20
/** A record of 512 octets with a ClientHello of 508, of TLS 1.2 and later, and its first 40 octets (RFC 8446 4.1.2). */
const HALF_HELLO = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(29, 7)])
const skip = process.platform === 'linux' ? false : 'needs /proc'

t.test('over TLS and over HTTPS', { skip }, async t => {
  const { cert, key } = makeAuthority().issue('dns')
  const served = await serve(t, '', {
    manifests: clusterIp('web', '10.96.0.7'),
    files: { 'tls.crt': cert, 'tls.key': key },
    blocks: ports =>
      `tls://.:${ports.tls} https://.:${ports.https} {
        bind 127.0.0.1
        multisocket 1
        tls tls.crt tls.key
        prometheus 127.0.0.1:${ports.metrics}
        kubernetes cluster.local {
          manifests manifests
        }
      }`,
  })
  const { dns, tls, https } = served.ports
  const descriptors = (): number => readdirSync(`/proc/${served.server.child.pid}/fd`).length
  const answered = async (when: string): Promise<void> => {
    for (const [over, port, how] of [
      ['UDP', dns, {}],
      ['TCP', dns, { tcp: true }],
      ['TLS', tls, { over: 'tls' }],
      ['HTTPS', https, { over: 'https' }],
    ] as const)
      t.equal((await query(port, { name: NAME, ...how })).rcode, 'NOERROR', `over ${over}, ${when}`)
  }
  await answered('before')
  const before = descriptors()
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  let closed = 0
  for (let i = 0; i < 2 * HALVES; i++) {
    const socket = connect({ port: i % 2 === 0 ? tls : https, host: '127.0.0.1', localAddress: '127.0.0.2' })
    sockets.push(socket)
    socket.on('error', () => undefined).on('close', () => closed++)
    await new Promise(resolve => socket.once('connect', resolve).once('close', resolve))
    socket.resume()
    socket.write(HALF_HELLO)
    if (i % 500 === 499) await answered(`beside ${i + 1}`)
  }
  t.ok(
    descriptors() <=
      before + STREAM_LIMITS.connectionsPerClientMax + HTTPS_CONNECTIONS_MAX + OTHER_DESCRIPTORS,
    `${descriptors()} descriptors, ${before} before`,
  )
  await until('all of them are closed by the server', () => closed === 2 * HALVES)
  await until('and their descriptors', () => descriptors() <= before + OTHER_DESCRIPTORS)
  const ends = await Promise.all(
    ['tcp-first-read-timeout', 'tls-evicted-handshake', 'tcp-refused-client', 'tcp-refused-total'].map(
      event => served.counted('seamark_listen_events_total', { event }),
    ),
  )
  t.equal(
    ends.reduce((sum, count) => sum + count, 0),
    2 * HALVES,
    'each for its first query that did not come, or to make room, and nobody else',
  )
  await answered('after')
  await unharmed(t, served)
})
