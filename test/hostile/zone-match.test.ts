// Policy bypass by order or comparison (CVE-2026-26017, CVE-2026-33489): a zone is matched by whole labels, the longest one
// wins wherever it stands, and a policy judges the name that is answered, not the one that was written.

import t, { type Test } from 'tap'
import { nameOctets, query } from '../support/dns-client.ts'
import { a, named, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { clusterIp, externalName, serve } from './one-block.ts'

const SERVICE = 'web.default.svc.cluster.local'

/** An upstream that answers everything with one address. */
async function upstreamSaying(t: Test, address: string): Promise<UpstreamStub> {
  const stub = await UpstreamStub.start((asked, back) =>
    back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, address)] })),
  )
  t.teardown(() => stub.pause())
  return stub
}

/** The address that is answered, or the rcode; over UDP and TCP, each twice, so that a cached answer is judged, too. */
async function answered(t: Test, port: number, name: string | Uint8Array, type = 'A'): Promise<string> {
  const all: string[] = []
  for (const tcp of [false, true, false, true]) {
    const { rcode, answer } = await query(port, { name, type, tcp })
    all.push(answer[0]?.split(' ').at(-1) ?? rcode)
  }
  t.equal(new Set(all).size, 1, `${name}: the same over UDP and TCP, at first and again`)
  return all[0]!
}

t.test('names that begin or end like the cluster’s are not the cluster’s', async t => {
  const stub = await upstreamSaying(t, '192.0.2.1')
  const { port } = await serve(t, `cache\nforward . ${stub.to}`, { manifests: clusterIp('web', '10.96.0.7') })
  const cases: readonly (readonly [name: string | Uint8Array, answer: string])[] = [
    [SERVICE, '10.96.0.7'],
    [SERVICE.toUpperCase(), '10.96.0.7'],
    ['nope.default.svc.cluster.local', 'NXDOMAIN'],
    ['web.default.svc.evilcluster.local', '192.0.2.1'],
    ['web.default.svc.xcluster.local', '192.0.2.1'],
    ['evilcluster.local', '192.0.2.1'],
    [`${SERVICE}.evil`, '192.0.2.1'],
    ['cluster.local.evil', '192.0.2.1'],
    ['cluster.localx', '192.0.2.1'],
    ['local', '192.0.2.1'],
    // One label with a dot in it, and one with an octet zero.
    ['web.default.svc\\.cluster.local', '192.0.2.1'],
    ['web.default.svc.cluster\\.local', '192.0.2.1'],
    ['web.default.svc.cluster\\000.local', '192.0.2.1'],
    // The wire form of the zone inside of one label.
    [Uint8Array.of(15, ...nameOctets('cluster.local').slice(0, 14), 0x78, 0), '192.0.2.1'],
    // A letter but for its highest bit.
    ['web.default.svc.cluster.loca\\204', '192.0.2.1'],
  ]
  for (const [name, answer] of cases) t.equal(await answered(t, port, name), answer, String(name))
})

t.test('the longest zone, in whatever order they are written', async t => {
  const zones = ['.', 'test', 'xsub.test', 'sub.test', 'a.sub.test']
  const cases: readonly (readonly [name: string, zone: string])[] = [
    ['example.org', '.'],
    ['xtest', '.'],
    ['test.org', '.'],
    ['test', 'test'],
    ['ub.test', 'test'],
    ['bsub.test', 'test'],
    ['xsub.test', 'xsub.test'],
    ['sub.test', 'sub.test'],
    ['SUB.TEST', 'sub.test'],
    ['a\\.sub.test', 'test'],
    ['xa.sub.test', 'sub.test'],
    ['b.a.sub.test', 'a.sub.test'],
  ]
  const stubs = new Map<string, UpstreamStub>()
  for (const [i, zone] of zones.entries()) stubs.set(zone, await upstreamSaying(t, `192.0.2.${i}`))
  const rule = (zone: string): string => `forward ${zone} ${stubs.get(zone)!.to}`
  for (const ordered of [zones, zones.toReversed()]) {
    await t.test(ordered.join(' '), async t => {
      // Server blocks, of which the longest counts; in one block the rules of forward count in their order, as in CoreDNS.
      const { port } = await serve(t, `cache\n${rule('.')}`, {
        blocks: ({ dns }) =>
          ordered
            .filter(zone => zone !== '.')
            .map(zone => `${zone}:${dns} {\nbind 127.0.0.1\ncache\n${rule(zone)}\n}`)
            .join('\n'),
      })
      for (const [name, zone] of cases) {
        t.equal(await answered(t, port, name), `192.0.2.${zones.indexOf(zone)}`, name)
      }
    })
  }
})

t.test('acl judges the name that is answered', async t => {
  const stub = await upstreamSaying(t, '192.0.2.1')
  const { port } = await serve(
    t,
    `rewrite stop name exact harmless.test ${SERVICE}
    rewrite stop name suffix .alias.test .secret.test answer auto
    acl default.svc.cluster.local secret.test {
      block
    }
    cache
    forward . ${stub.to} {
      except excepted.test
    }`,
    { manifests: clusterIp('web', '10.96.0.7') },
  )
  // SERVFAIL: nobody is left to ask, as in CoreDNS.
  const cases: readonly (readonly [name: string, answer: string])[] = [
    [SERVICE, 'REFUSED'],
    [SERVICE.toUpperCase(), 'REFUSED'],
    ['harmless.test', 'REFUSED'],
    ['HARMLESS.test', 'REFUSED'],
    ['secret.test', 'REFUSED'],
    ['a.secret.test', 'REFUSED'],
    ['a.alias.test', 'REFUSED'],
    ['xsecret.test', '192.0.2.1'],
    ['a\\.secret.test', '192.0.2.1'],
    ['secret.test.org', '192.0.2.1'],
    ['excepted.test', 'SERVFAIL'],
    ['a.excepted.test', 'SERVFAIL'],
    ['xexcepted.test', '192.0.2.1'],
  ]
  for (const [name, answer] of cases) t.equal(await answered(t, port, name), answer, name)
})

t.test('acl judges the name that an alias leads to: an ExternalName, a CNAME of an upstream', async t => {
  const stub = await UpstreamStub.start((asked, back) => {
    const target = 'a.secret.test'
    back.send(
      replyTo(asked, { answer: [named(nameOf(asked), 'CNAME', 30, target), a(target, 30, '192.0.2.1')] }),
    )
  })
  t.teardown(() => stub.pause())
  const manifests =
    clusterIp('web', '10.96.0.7') + externalName('alias', SERVICE) + clusterIp('open', '10.96.0.8')
  for (const [line, isJudged] of [
    ['', true],
    ['asked_only', false],
  ] as const) {
    const { port } = await serve(
      t,
      `acl ${SERVICE} secret.test {\nblock\n${line}\n}\ncache\nforward . ${stub.to}`,
      { manifests },
    )
    const address = async (name: string): Promise<string> => {
      const { rcode, answer } = await query(port, { name })
      return (
        answer
          .find(text => / A /.test(text))
          ?.split(' ')
          .at(-1) ?? `${rcode} ${answer}`
      )
    }
    t.equal(await address(SERVICE), 'REFUSED ')
    t.equal(await address('open.default.svc.cluster.local'), '10.96.0.8')
    for (let again = 0; again < 2; again++) {
      t.equal(await address('alias.default.svc.cluster.local'), isJudged ? 'REFUSED ' : '10.96.0.7', line)
      t.equal(await address('harmless.test'), isJudged ? 'REFUSED ' : '192.0.2.1', line)
    }
  }
})
