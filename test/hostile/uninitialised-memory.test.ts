// Uninitialised or left-over memory in answers (dns-packet CVE-2021-23386): buffers that serve many clients, and those that
// Node does not clear, are filled with 0xAA first; no answer to another question may then have a run of it.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { encodeQuestion, exchangeTcp, exchangeUdp, type Question, TcpClient } from '../support/dns-client.ts'
import { a, nameOf, replyTo, type Script, UpstreamStub } from '../support/upstream-stub.ts'
import { clusterIp, externalName, headless, serve, unharmed } from './one-block.ts'

const FILL = 0xaa
/** Shorter ones come by chance: serials and pointers. */
const RUN = Buffer.alloc(3, FILL)
const FILLED_NAME = `${`${'\\170'.repeat(63)}.`.repeat(3)}filled.example.org`
/** Before anything else on every thread: what Node hands out uncleared is filled. */
const PRELOAD = `import { Buffer } from 'node:buffer'
import { isMainThread } from 'node:worker_threads'
for (const allocate of ['allocUnsafe', 'allocUnsafeSlow']) {
  const real = Buffer[allocate]
  Buffer[allocate] = size => real(size).fill(${FILL})
}
if (!isMainThread) console.error('filled on a serving thread')
`
const NAMES = [
  'web.default',
  'named.default',
  'outside.default',
  'nope.default',
  'default',
  'www.example.org.',
]
const TYPES = ['A', 'AAAA', 'SRV', 'TXT', 'SOA', 'NS', 'PTR', 'ANY', 'TYPE65280']

/** A record of nothing but the fill for the name that asks for it. */
const upstream: Script = (asked, back) => {
  const length = asked.transport === 'tcp' ? 60_000 : 700
  const rdata = new Uint8Array(length).fill(FILL)
  const filled = { owner: nameOf(asked), type: 'TYPE65280', ttlSeconds: 300, rdata }
  back.send(replyTo(asked, { answer: [nameOf(asked).includes('filled') ? filled : a(nameOf(asked), 30)] }))
}

t.test('no octet of an answer is left over', async t => {
  const stub = await UpstreamStub.start(upstream)
  t.teardown(() => stub.pause())
  const manifests =
    externalName('outside', 'www.example.org') + clusterIp('web', '10.96.0.7') + headless('named', 2)
  const served = await serve(t, `cache\nforward . ${stub.to}`, {
    manifests,
    files: { 'preload.mjs': PRELOAD },
    wrap: ([node = '', ...words]) => [node, '--import', './preload.mjs', ...words],
  })
  t.match(served.server.output(), /filled on a serving thread/)
  const { port } = served

  const filled: Question = { name: FILLED_NAME, type: 'TYPE65280', edns: { udpSize: 1232 } }
  t.ok((await exchangeUdp(port, encodeQuestion(filled, 1))).includes(FILL, 500), 'the fill comes through')
  const burst = createSocket('udp4')
  t.teardown(() => burst.close())
  burst.on('message', () => undefined)
  burst.bind(0, '127.0.0.1')
  await once(burst, 'listening')
  for (let i = 0; i < 256; i++) {
    burst.send(encodeQuestion(filled, i), port, '127.0.0.1')
    burst.send(new Uint8Array(4096).fill(FILL), port, '127.0.0.1')
  }
  const stream = await TcpClient.connect(port)
  const long: Question = { ...filled, name: 'tcp.filled.example.org' }
  for (let i = 0; i < 4; i++) stream.send(encodeQuestion(long, i))
  for (let i = 0; i < 4; i++) t.ok((await stream.receive()).length > 60_000)
  stream.sendRaw(new Uint8Array(65_000).fill(FILL))
  stream.destroy()

  for (const name of NAMES) {
    for (const type of TYPES) {
      for (const edns of [false, { udpSize: 4096, dnssecOk: true }]) {
        const packet = encodeQuestion(
          { name: name.endsWith('.') ? name : `${name}.svc.cluster.local`, type, edns },
          4711,
        )
        for (const exchange of [exchangeUdp, exchangeTcp]) {
          const octets = Buffer.from(await exchange(port, packet))
          t.equal(octets.indexOf(RUN), -1, `${name} ${type} ${exchange.name}`)
        }
      }
    }
  }
  await unharmed(t, served)
})
