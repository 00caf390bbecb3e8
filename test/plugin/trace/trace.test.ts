// What collectors get of a server: a query with what it waited for, however it is answered, in each of their languages.

import t from 'tap'
import { queryMessage } from '../../../src/wire/message.ts'
import { name as nameOfText } from '../../../src/wire/name.ts'
import { CLASS, TYPE } from '../../../src/wire/rrtype.ts'
import { query } from '../../support/dns-client.ts'
import { serveCorefile } from '../../support/served-corefile.ts'
import { type CollectedSpan, SpanCollector } from '../../support/span-collector.ts'
import { until } from '../../support/until.ts'
import { a, nameOf, replyTo, UpstreamStub } from '../../support/upstream-stub.ts'

const ZIPKIN = '/api/v2/spans'
const OTLP = '/v1/traces'
const DATADOG = '/v0.4/traces'
const nameTag = ({ tags }: CollectedSpan): string | undefined =>
  tags['coredns.io/name'] ?? tags['coredns.io@name']
const isAbout =
  (name: string) =>
  (span: CollectedSpan): boolean =>
    nameTag(span) === `${name}.`

const collector = await SpanCollector.listen()
const upstream = await UpstreamStub.start((asked, back) =>
  back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] })),
)
t.teardown(() => {
  collector.close()
  return upstream.pause()
})
const to = `127.0.0.1:${collector.port}`
const soon = 'zipkin_max_batch_interval 20ms'
const { port, server, counted, ports } = await serveCorefile(
  t,
  ({ metrics, https }) => `
    zipkin.test {
      bind 127.0.0.1
      multisocket 1
      prometheus 127.0.0.1:${metrics}
      metadata
      trace ${to} {
        service dns
        ${soon}
      }
      log . "traced {name} {/trace/traceid}"
      forward . ${upstream.to}
    }
    otlp.test {
      bind 127.0.0.1
      trace otlp http://${to} {
        ${soon}
      }
      acl {
        drop type TXT net *
      }
      cache
      forward . ${upstream.to}
    }
    cluster.local {
      bind 127.0.0.1
      trace otlp ${to} {
        ${soon}
      }
      kubernetes cluster.local {
        manifests manifests
      }
    }
    datadog.test {
      bind 127.0.0.1
      trace datadog ${to} {
        datadog_analytics_rate 0.5
        ${soon}
      }
      forward . ${upstream.to}
    }
    third.test {
      bind 127.0.0.1
      trace ${to} {
        every 3
        ${soon}
      }
      template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
      }
    }
    https://otlp.test:${https} {
      bind 127.0.0.1
      trace otlp ${to} {
        ${soon}
      }
      template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
      }
    }
    https://zipkin.test:${https} {
      bind 127.0.0.1
      trace ${to} {
        client_server
        ${soon}
      }
      template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
      }
    }
    dead.test {
      bind 127.0.0.1
      trace otlp ${to} {
        ${soon}
      }
      forward . 127.0.0.1:1
    }`,
  {
    files: {
      'manifests/out.yaml':
        'apiVersion: v1\nkind: Service\nmetadata: {name: out, namespace: default}\nspec: {type: ExternalName, externalName: out.otlp.test}\n',
    },
  },
)

/** The spans of the trace that the query about a name has; its own at last. */
async function traceOf(path: string, name: string): Promise<readonly CollectedSpan[]> {
  const [root] = await collector.has(path, isAbout(name))
  return collector.spans(path).filter(({ traceId }) => traceId === root!.traceId)
}

t.test(
  'Zipkin: the query, the plugin that waited, the upstream that it asked; the id in the log',
  async t => {
    await query(port, { name: 'Www.zipkin.test' })
    const [connect, forward, root, ...more] = await traceOf(ZIPKIN, 'www.zipkin.test')
    t.same(more, [])
    t.match(root, {
      name: 'servedns',
      kind: 'server',
      parentId: undefined,
      service: 'dns',
      error: undefined,
      tags: {
        'coredns.io/name': 'www.zipkin.test.',
        'coredns.io/type': 'A',
        'coredns.io/proto': 'udp',
        'coredns.io/remote': '127.0.0.1',
        'coredns.io/rcode': 'NOERROR',
      },
    })
    t.match(forward, { name: 'forward', kind: 'internal', parentId: root!.id })
    t.match(connect, {
      name: 'connect',
      kind: 'client',
      parentId: forward!.id,
      tags: { 'peer.address': upstream.to, 'coredns.io/rcode': 'NOERROR' },
    })
    t.equal(new Set([root!.id, forward!.id, connect!.id]).size, 3)
    // The machine's two clocks need not agree to the microsecond.
    for (const span of [forward!, connect!]) {
      t.ok(span.startUs >= root!.startUs - 1000, `${span.name} begins later`)
      t.ok(span.startUs + span.durationUs <= root!.startUs + root!.durationUs + 1000, 'and ends sooner')
    }
    t.ok(Math.abs(root!.startUs / 1000 - Date.now()) < 600_000)
    await server.printed(new RegExp(`traced www\\.zipkin\\.test\\. ${root!.traceId}`))
  },
)

t.test('OTLP: over TCP; out of the cache; a query that nobody answers', async t => {
  await query(port, { name: 'www.otlp.test', tcp: true })
  const spans = await traceOf(OTLP, 'www.otlp.test')
  t.same(
    spans.map(({ name, kind }) => `${name} ${kind}`),
    ['connect client', 'forward internal', 'servedns server'],
  )
  t.match(spans[2], {
    service: 'coredns',
    tags: { 'coredns.io/proto': 'tcp', 'coredns.io/rcode': 'NOERROR' },
  })
  await query(port, { name: 'www.otlp.test', type: 'A' })
  const [, cached] = await collector.has(OTLP, isAbout('www.otlp.test'), 2)
  t.equal(
    collector.spans(OTLP).filter(({ traceId }) => traceId === cached!.traceId).length,
    1,
    'nobody waited',
  )
  await t.rejects(query(port, { name: 'silence.otlp.test', type: 'TXT', timeoutMs: 50 }))
  const [silence] = await traceOf(OTLP, 'silence.otlp.test')
  t.equal(silence?.tags['coredns.io/rcode'], undefined)
})

t.test('a look-up for a query is a part of its trace', async t => {
  const { answer } = await query(port, { name: 'out.default.svc.cluster.local' })
  t.match(answer, [/CNAME/, /out\.otlp\.test.* A /])
  const spans = await traceOf(OTLP, 'out.default.svc.cluster.local')
  const root = spans.at(-1)!
  t.same(spans.map(({ name }) => name).sort(), ['connect', 'forward', 'kubernetes', 'servedns'])
  const forward = spans.find(({ name }) => name === 'forward')
  t.equal(spans.find(({ name }) => name === 'connect')?.parentId, forward?.id)
  for (const { name, parentId } of spans)
    if (name === 'kubernetes' || name === 'forward') t.equal(parentId, root.id, name)
  t.equal(collector.spans(OTLP).filter(isAbout('out.otlp.test')).length, 0, 'it has none of its own')
})

t.test("Datadog: with Datadog's tags, one list for each trace", async t => {
  await query(port, { name: 'www.datadog.test' })
  const spans = await traceOf(DATADOG, 'www.datadog.test')
  t.same(
    spans.map(({ name }) => name),
    ['connect', 'forward', 'servedns'],
  )
  t.equal(spans[1]!.parentId, spans[2]!.id)
  const posted = collector.posted.find(({ path }) => path === DATADOG)!
  t.match(posted, {
    method: 'PUT',
    headers: { 'x-datadog-trace-count': '1', 'content-type': 'application/json' },
  })
  t.match(posted.body, /"_dd1.sr.eausr":0.5/)
  t.match(posted.body, /^\[\[\{"trace_id":\d+,"span_id":\d+,/)
})

t.test('one query of three', async t => {
  const before = collector.spans(ZIPKIN).length
  for (let asked = 0; asked < 60; asked++) await query(port, { name: `n${asked}.third.test` })
  const isThird = (span: CollectedSpan): boolean => (nameTag(span) ?? '').endsWith('.third.test.')
  await collector.has(ZIPKIN, isThird, 20)
  const traced = collector.spans(ZIPKIN).filter(isThird).length
  t.equal(traced, 20)
  t.equal(collector.spans(ZIPKIN).length - before, traced, 'nobody waited')
})

t.test('an upstream that fails, and what the client gets then', async t => {
  await query(port, { name: 'www.dead.test' })
  const spans = await traceOf(OTLP, 'www.dead.test')
  const root = spans.at(-1)!
  t.match(root, { name: 'servedns', tags: { 'coredns.io/rcode': 'SERVFAIL' }, error: /refused/ })
  t.match(spans[0], { name: 'connect', error: /refused/, tags: { 'peer.address': '127.0.0.1:1' } })
})

t.test('a query over HTTPS is a part of its client’s trace, if that is recorded', async t => {
  const trace = '0af7651916cd43dd8448eb211c80319c'
  const span = 'b7ad6b7169203331'
  const ask = async (name: string, headers: Readonly<Record<string, string>>): Promise<void> => {
    const body = Buffer.from(
      queryMessage(0, { qname: nameOfText(name), qtype: TYPE.A, qclass: CLASS.IN }, 1232),
    )
    const url = `http://127.0.0.1:${ports.https}/dns-query`
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/dns-message' },
      body,
    })
    t.equal(answer.status, 200)
    await answer.arrayBuffer()
  }
  await ask('no.otlp.test', { traceparent: `00-${trace}-${span}-00` })
  await ask('yes.otlp.test', { traceparent: `00-${trace}-${span}-01` })
  t.match(await collector.has(OTLP, isAbout('yes.otlp.test')), [{ traceId: trace, parentId: span }])
  t.same(collector.spans(OTLP).filter(isAbout('no.otlp.test')), [])
  await ask('b3.zipkin.test', { 'x-b3-traceid': trace, 'x-b3-spanid': span, 'x-b3-sampled': '1' })
  const [shared] = await collector.has(ZIPKIN, isAbout('b3.zipkin.test'))
  t.match(shared, { traceId: trace, id: span, shared: true })
})

t.test('what was taken is counted, and the last spans are sent at the end', async t => {
  const endpoint = `http://${to}${ZIPKIN}`
  await until('counted', async () => (await counted('seamark_trace_spans_total', { endpoint })) > 0)
  t.equal(await counted('seamark_trace_dropped_total', { endpoint }), 0)
  await query(port, { name: 'last.zipkin.test' })
  await server.stop()
  t.equal(collector.spans(ZIPKIN).filter(isAbout('last.zipkin.test')).length, 1)
})
