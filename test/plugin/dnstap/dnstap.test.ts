// What receivers get of a server: queries and replies of clients, whichever way they are answered, and those of `forward`.

import t from 'tap'
import { makeAuthority } from '../../support/certificates.ts'
import { query } from '../../support/dns-client.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { DnstapReceiver, type Fields, type Received, socketPath } from '../../support/dnstap-receiver.ts'
import { serveCorefile } from '../../support/served-corefile.ts'
import { until } from '../../support/until.ts'
import { a, nameOf, replyTo, UpstreamStub } from '../../support/upstream-stub.ts'

const TYPES = { 5: 'client query', 6: 'client response', 7: 'forwarder query', 8: 'forwarder response' }
const typeOf = ({ message }: Received): string =>
  TYPES[message.get(1) as keyof typeof TYPES] ?? String(message.get(1))
const only = (received: readonly Received[], type: string): readonly Received[] =>
  received.filter(one => typeOf(one) === type)

/** Whether a message that has those of DNS in it is about a name that begins so. */
const isAbout = (message: Fields, label: string): boolean =>
  `${message.get(10) ?? message.get(14)}`.toLowerCase().includes(label)

t.test('clients and upstreams, in full', async t => {
  const receiver = await DnstapReceiver.listen(0)
  t.teardown(() => receiver.stop())
  const upstream = await UpstreamStub.start((asked, back) =>
    back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] })),
  )
  t.teardown(() => upstream.pause())
  const { port } = await serveCorefile(
    t,
    `. {
      bind 127.0.0.1
      metadata
      dnstap tcp://127.0.0.1:${receiver.port} full {
        identity here
        version 1.2
        extra "{type} {rcode} {/forward/upstream}"
      }
      forward . ${upstream.to}
    }`,
  )
  await query(port, { name: 'Www.example.org', edns: {} })
  // Others asked before, whether it answers.
  const about = (): Received[] => receiver.received.filter(({ message }) => isAbout(message, 'www'))
  await until('all', async () => about().length >= 4)
  const received = about()
  t.same(received.map(typeOf), ['client query', 'forwarder query', 'forwarder response', 'client response'])
  for (const { identity, version, message } of received) {
    t.same([identity, version], ['here', '1.2'])
    t.equal(message.get(3), 1, 'UDP')
    t.equal(message.get(2), 1, 'IPv4')
    t.ok(Math.abs(Number(message.get(8)) - Date.now() / 1000) < 600)
  }
  const [asked, , heard, replied] = received
  t.same(asked?.message.get(4), Buffer.from([127, 0, 0, 1]))
  t.match(asked?.extra, 'A - -')
  t.match(replied?.extra, `A - ${upstream.to}`)
  t.same(heard?.message.get(5), Buffer.from([127, 0, 0, 1]))
  t.equal(`127.0.0.1:${heard?.message.get(7)}`, upstream.to)
  t.match(decodeMessage(asked!.message.get(10) as Buffer).question, /^Www\.example\.org\. /)
  const reply = decodeMessage(replied!.message.get(14) as Buffer)
  t.match(reply, { rcode: 'NOERROR', id: decodeMessage(asked!.message.get(10) as Buffer).id })
  t.match(reply.answer, [/^Www\.example\.org\. 30 IN A /])
  t.match(decodeMessage(heard!.message.get(14) as Buffer).answer, [/^www\.example\.org\. 30 IN A /])
})

t.test(
  'over TLS to one receiver, over a path to another; only what is wanted; a cluster from its table',
  async t => {
    const authority = makeAuthority()
    const folder = t.testdir({
      'web.yaml':
        'apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\nspec: {clusterIP: 10.96.0.7, ports: [{port: 80}]}\n',
    })
    const secure = await DnstapReceiver.listen(0, authority.issue('receiver'))
    const path = socketPath(t)
    const local = await DnstapReceiver.listen(path)
    t.teardown(() => Promise.all([secure.stop(), local.stop()]))
    const { port, server } = await serveCorefile(
      t,
      `. {
      bind 127.0.0.1
      dnstap tls://127.0.0.1:${secure.port} {
        skipverify
      }
      dnstap ${path} {
        message_types CLIENT_RESPONSE
      }
      kubernetes cluster.local {
        manifests ${folder}
      }
    }`,
    )
    await query(port, { name: 'web.default.svc.cluster.local', tcp: true })
    const overTcp = (): Received | undefined =>
      only(secure.received, 'client query').find(({ message }) => message.get(3) === 2)
    await until('the query', async () => overTcp() !== undefined)
    await local.has(1)
    t.equal(only(local.received, 'client response').length, local.received.length)
    t.equal(overTcp()?.message.get(10), undefined, 'not in full')
    await server.stop()
    t.ok(local.said.length > 0)
    for (const said of local.said) t.match(said, /^ready start(?: stop)?$/)
  },
)

t.test('a certificate that nobody vouches for is not taken', async t => {
  const secure = await DnstapReceiver.listen(0, makeAuthority().issue('receiver'))
  t.teardown(() => secure.stop())
  const corefile = `. {
    bind 127.0.0.1
    dnstap tls://127.0.0.1:${secure.port}
    whoami
  }`
  const { port, server } = await serveCorefile(t, corefile)
  await server.printed(/plugin\/dnstap: No connection to dnstap endpoint tls:.*certificate/)
  t.equal((await query(port, { name: 'example.org' })).rcode, 'NOERROR', 'clients do not wait for it')
})
