// Fragmentation poisoning and amplification: no datagram is large enough to be cut on its way, and a forged client address
// is sent little more than what was sent in its name. What is larger is cut with TC and asked for again over TCP.

import t from 'tap'
import { encodeQuestion, exchangeUdp, query } from '../support/dns-client.ts'
import { a, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { headless, serve, unharmed } from './one-block.ts'

const UDP_MAX = 1232
const PLAIN_MAX = 512

/** More named endpoints than any datagram holds. */
const BIG = headless('big', 400)
/** Names with large answers, names with none, and types that ask for everything. */
const NAMES = [
  'big.default.svc.cluster.local',
  '_http._tcp.big.default.svc.cluster.local',
  '*.default.svc.cluster.local',
  'nope.default.svc.cluster.local',
  'cluster.local',
  'dns-version.cluster.local',
  'big.example.org',
  'x'.repeat(63),
  '.',
]
const TYPES = ['A', 'AAAA', 'SRV', 'ANY', 'TXT', 'NS', 'SOA', 'DNSKEY', 'AXFR', 'TYPE65280']
/** Payload sizes as clients announce them; undefined without EDNS. */
const SIZES = [undefined, 0, 100, 512, 1232, 1500, 4096, 65535]

/** RFC 6891 6.2.3 and 6.2.5: at least 512, whatever is announced; without EDNS 512, so at most 512 octets for a query's 17. */
const mostFor = (udpSize: number | undefined): number =>
  Math.min(UDP_MAX, Math.max(PLAIN_MAX, udpSize ?? PLAIN_MAX))

t.test('every answer over UDP fits its client, and no fragment', async t => {
  const stub = await UpstreamStub.start((asked, back) => {
    const count = nameOf(asked).startsWith('big.') ? 400 : 0
    const whole = Array.from({ length: count }, (_, i) => a(nameOf(asked), 300, `192.0.2.${i % 256}`))
    back.send(
      replyTo(
        asked,
        asked.transport === 'tcp' ? { answer: whole } : { tc: true, answer: whole.slice(0, 30) },
      ),
    )
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to}`, { manifests: BIG })
  for (const name of NAMES) {
    for (const type of TYPES) {
      const lengths = SIZES.map(async udpSize => {
        const edns = udpSize === undefined ? false : { udpSize, dnssecOk: true }
        return (await exchangeUdp(served.port, encodeQuestion({ name, type, edns }, 4711))).length
      })
      const tooLong = (await Promise.all(lengths)).filter((length, i) => length > mostFor(SIZES[i]))
      t.strictSame(tooLong, [], `${name} ${type}`)
    }
  }
  t.ok(
    stub.asked.every(({ edns }) => edns?.udpSize === UDP_MAX),
    'upstreams are told the same bound',
  )
  for (const name of ['big.default.svc.cluster.local', 'big.example.org']) {
    const cut = await query(served.port, { name, edns: { udpSize: 65535 } })
    t.equal(cut.flags.tc, true, `${name}: cut`)
    const whole = await query(served.port, { name, tcp: true })
    t.strictSame([whole.flags.tc, whole.answer.length], [false, 400], `${name}: whole over TCP`)
  }
  await unharmed(t, served)
})

t.test('any: what asks for everything gets one record', async t => {
  const { port } = await serve(t, 'any', { manifests: BIG })
  for (const name of NAMES) {
    const packet = encodeQuestion({ name, type: 'ANY', edns: true }, 1)
    const reply = await query(port, { name, type: 'ANY', edns: true })
    t.ok(
      reply.bytes.length <= packet.length + 40,
      `${name}: ${reply.bytes.length} for ${packet.length} octets`,
    )
  }
})
