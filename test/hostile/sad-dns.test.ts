// SAD DNS (CVE-2020-25705): an attacker aside of the path finds the port of a query by asking the kernel which ports are
// open, and then has the ID alone to guess. A connected socket is open to the upstream and to nobody else.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { type Asked, a, type Back, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { serve } from './one-block.ts'

/** What a host that sends a datagram to a port from an address of its own hears: ECONNREFUSED, or nothing within its time. */
async function probe(port: number, fromAddress: string, octets: Uint8Array): Promise<string> {
  const socket = createSocket('udp4')
  socket.bind(0, fromAddress)
  await once(socket, 'listening')
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const heard = once(socket, 'error', { signal: AbortSignal.timeout(2000) })
  socket.send(octets)
  const what = await heard.then(
    ([error]) => (error as NodeJS.ErrnoException).code ?? 'an error',
    () => 'nothing',
  )
  socket.close()
  return what
}

t.test(
  'the port of a query looks closed from everywhere but the upstream, and takes nothing from there',
  async t => {
    let asked: Asked | undefined
    let back: Back | undefined
    const stub = await UpstreamStub.start((query, way) => {
      asked = query
      back = way
    })
    t.teardown(() => stub.pause())
    const { port } = await serve(t, `cache\nforward . ${stub.to}`)
    const answer = query(port, { name: 'www.example.org', timeoutMs: 10_000 })
    await until('the query', () => asked !== undefined)
    const forged = replyTo(asked!, { answer: [a(nameOf(asked!), 30, '203.0.113.66')] })
    const closed = await freePort()
    for (const from of ['127.0.0.2', '127.0.0.1']) {
      t.equal(await probe(closed, from, forged), 'ECONNREFUSED', `a closed port, from ${from}`)
      t.equal(await probe(asked!.port, from, forged), 'ECONNREFUSED', `the query's port, from ${from}`)
    }
    back!.send(replyTo(asked!, { answer: [a(nameOf(asked!), 30)] }))
    t.strictSame((await answer).answer, ['www.example.org. 30 IN A 192.0.2.1'])
    t.strictSame(
      stub.log,
      ['udp www.example.org. IN A'],
      'nothing of it was seen, so nothing had to be asked over TCP',
    )
  },
)
