// Cache pinning (CVE-2025-58063: TTLs without a bound): no record stays in the cache, or is given to a client, for longer than
// an hour, no denial for longer than half an hour, whatever the upstream says; and asking for it does not make it stay.

import t from 'tap'
import { query } from '../support/dns-client.ts'
import { a, nameOf, replyTo, soa, UpstreamStub } from '../support/upstream-stub.ts'
import { serve, unharmed } from './one-block.ts'

/** TTLs of an upstream, and what becomes of them, as in CoreDNS: zero is five, and the highest bit is a bit like others (RFC 8767 4). */
const cases: readonly (readonly [ttl: number, success: number, denial: number])[] = [
  [0, 5, 5],
  [1, 5, 5],
  [30, 30, 30],
  [1800, 1800, 1800],
  [3600, 3600, 1800],
  [86_400, 3600, 1800],
  [0x7fff_ffff, 3600, 1800],
  [0x8000_0000, 3600, 1800],
  [0xffff_ffff, 3600, 1800],
]

t.test('whatever TTL an upstream gives', async t => {
  const stub = await UpstreamStub.start((asked, back) => {
    const owner = nameOf(asked)
    const [, kind, ttl] = /^(\w+)-(\d+)\./.exec(owner)!
    const authority = [soa('test', Number(ttl))]
    if (kind === 'a') back.send(replyTo(asked, { answer: [a(owner, Number(ttl))] }))
    else back.send(replyTo(asked, { rcode: kind === 'nxdomain' ? 3 : 0, authority }))
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to}`)
  const ttlOf = async (name: string): Promise<number> => {
    const { answer, authority } = (await query(served.port, { name })).records
    return [...answer, ...authority][0]!.ttlSeconds
  }
  for (const [ttl, success, denial] of cases) {
    for (const kind of ['a', 'nodata', 'nxdomain']) {
      const name = `${kind}-${ttl}.test`
      const expected = kind === 'a' ? success : denial
      const asked = (): number => stub.log.filter(line => line.includes(` ${name}. `)).length
      t.equal(await ttlOf(name), expected, name)
      const before = asked()
      for (let i = 0; i < 3; i++) {
        const again = await ttlOf(name)
        t.ok(again <= expected && again > expected - 5, `${name} again: ${again}`)
      }
      t.equal(asked(), before, `${name}: out of the cache`)
    }
  }
  await unharmed(t, served)
})
