// Upstreams that are host names: a start and a reload stop where one has no address; what was served before a restart is served.

import { join } from 'node:path'
import t from 'tap'
import { query } from '../support/dns-client.ts'
import { type FileText, makePlace } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { a, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'

/** Knows ns.example.org while it is told so, and answers everything else as an upstream. */
async function startNameServer(): Promise<{ stub: UpstreamStub; knows(yes: boolean): void }> {
  let known = true
  const stub = await UpstreamStub.start((asked, back) => {
    if (nameOf(asked) !== 'ns.example.org.') {
      back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, '192.0.2.7')] }))
    } else if (!known) back.send(replyTo(asked, { rcode: 3 }))
    else if (asked.what.endsWith(' A'))
      back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, '127.0.0.1')] }))
    else back.send(replyTo(asked, {}))
  })
  t.teardown(() => stub.pause())
  return {
    stub,
    knows: yes => {
      known = yes
    },
  }
}

const corefile =
  (stub: UpstreamStub, host: string): FileText =>
  ({ dns }) =>
    `.:${dns} {
          bind 127.0.0.1
          forward . ${host}:${stub.port} {
            resolver ${stub.to}
          }
        }`

t.test('a start stops, a reload keeps what serves', async t => {
  const { stub, knows } = await startNameServer()
  const place = await makePlace(t, corefile(stub, 'ns.example.org'))
  knows(false)
  const refused = await place.start({ until: 'spawned' })
  t.equal(await refused.ended(), 1)
  t.match(refused.output(), /Corefile:3:21: error: this host cannot be resolved: .*ns\.example\.org/)
  t.notMatch(refused.output(), /^Seamark-/m)

  knows(true)
  const server = await place.start()
  const address = async (): Promise<string | undefined> =>
    (await query(place.ports.dns, { name: 'www.example.org' })).answer[0]
  t.match(await address(), /192\.0\.2\.7$/, 'its addresses are known before the first query')
  knows(false)
  server.child.kill('SIGUSR1')
  await server.printed(/Restart failed: .*Corefile:3:21: error: this host cannot be resolved/)
  t.match(await address(), /192\.0\.2\.7$/)
  t.equal(await server.stop(), 0)
})

t.test(
  'a restart with -last-good serves what was served before, and looks the host up meanwhile',
  async t => {
    const { stub, knows } = await startNameServer()
    const place = await makePlace(t, corefile(stub, 'ns.example.org'))
    const flags = ['-last-good', join(place.folder, 'kept')]
    const first = await place.start({ flags })
    t.equal(await first.stop(), 0)
    knows(false)
    const second = await place.start({ flags })
    await second.printed(/the Corefile cannot be served: .*this host cannot be resolved/)
    knows(true)
    // Every thread looks for itself.
    await until('an answer', async () => {
      const { answer } = await query(place.ports.dns, { name: 'www.example.org' })
      return /192\.0\.2\.7$/.test(answer[0] ?? '')
    })
    t.match(second.output(), /upstreams are now 127\.0\.0\.1/)
    t.equal(await second.stop(), 0)
  },
)
