// What is no DNS on a TCP connection, and clients that hold one without use (RFC 7766 6.2, RFC 9210): whatever becomes of the
// connection, the server goes on over UDP and over a fresh one.

import t, { type Test } from 'tap'
import { query, TcpClient } from '../support/dns-client.ts'
import { BIG, NAME } from '../support/target-cluster.ts'
import { ask, hex, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc9210-tcp-abuse')
const AVAILABLE_MS = 3000
const good = ask({ name: NAME })

async function goesOn(t: Test): Promise<void> {
  for (const tcp of [false, true]) {
    const reply = await query(spec.port, { name: NAME, tcp, timeoutMs: AVAILABLE_MS })
    t.equal(reply.answer.length, 1, `answered over ${tcp ? 'a fresh connection' : 'UDP'}`)
  }
}

/** Sends octets on a connection that stays open, and asks meanwhile. */
function abuse(id: string, title: string, ...writes: readonly Uint8Array[]): void {
  spec.test(id, title, async t => {
    const client = await TcpClient.connect(spec.port)
    for (const octets of writes) {
      client.sendRaw(octets)
      // The server has seen them when it answers who asks behind them.
      await query(spec.port, { name: NAME })
    }
    await goesOn(t)
    client.destroy()
    await goesOn(t)
  })
}

abuse('tcp.len0', 'a length of 0', hex('0000'))
abuse(
  'tcp.len0twice',
  'a length of 0, a good query, a length of 0',
  hex('0000'),
  Uint8Array.of(0, good.length, ...good),
  hex('0000'),
)
abuse('tcp.len11', 'a length of 11', hex('000b', '11'.repeat(11)))
abuse('tcp.lenmax', 'a length of 65535 and as many octets', hex('ffff'), Buffer.alloc(65535, 0x41))
abuse('tcp.lenmax.cut', 'a length of 65535 and a good query behind it', hex('ffff'), good)
abuse('tcp.short', 'half a length', hex('00'))
abuse('tcp.http', 'HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: dns\r\n\r\n'))
abuse('tcp.tls', 'a TLS hello', hex('16030100c8010000c40303', 'ab'.repeat(194)))

spec.test('tcp.reset', 'a hundred connections that are reset behind their query', async t => {
  for (let i = 0; i < 100; i++) {
    const client = await TcpClient.connect(spec.port)
    client.send(ask({ name: BIG }))
    client.socket.resetAndDestroy()
  }
  await goesOn(t)
})

spec.test('tcp.noread', 'a client that asks for 20 MB and reads nothing', async t => {
  const client = await TcpClient.connect(spec.port)
  client.socket.pause()
  const big = ask({ name: BIG })
  const frame = Uint8Array.of(0, big.length, ...big)
  for (let i = 0; i < 4000; i++) client.sendRaw(frame)
  for (let i = 0; i < 10; i++) await goesOn(t)
  client.destroy()
  await goesOn(t)
})

spec.test('tcp.slow', 'a hundred connections that send one octet and wait', async t => {
  const clients = await Promise.all(Array.from({ length: 100 }, () => TcpClient.connect(spec.port)))
  for (const client of clients) client.sendRaw(hex('00'))
  await goesOn(t)
  for (const client of clients) client.destroy()
  await goesOn(t)
})

spec.end()
