// Crash by query (CVE-2026-26018: the name that `loop` asks for, predicted and replayed, ended the process): no question
// ends the process or a thread of it, whichever plugin it comes to. The wire format is for test/packets.

import t from 'tap'
import {
  type EdnsOption,
  encodeQuestion,
  exchangeTcp,
  exchangeUdp,
  NoAnswer,
  type Question,
  query,
} from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { answerAll, nameOf, UpstreamStub } from '../support/upstream-stub.ts'
import { clusterIp, externalName, headless, serve, unharmed } from './one-block.ts'

t.test('who replays the probe of loop while it is heard ends nothing', async t => {
  const stub = await UpstreamStub.start(answerAll)
  t.teardown(() => stub.pause())
  const served = await serve(t, `errors\nloop\nforward . ${stub.to}`)
  await query(served.port, { name: 'www.example.org' })
  await until('the probe', async () => stub.log.some(line => line.endsWith(' HINFO')))
  const probe = nameOf(stub.asked.find(({ what }) => what.endsWith(' HINFO'))!)
  t.match(probe, /^[0-9a-f]{16}\.[0-9a-f]{16}\.$/, '128 bits at random')
  for (const name of [`x.${probe}`, probe.slice(1)]) {
    t.equal(
      (await query(served.port, { name, type: 'HINFO' })).rcode,
      'NOERROR',
      'only the probe itself is heard',
    )
  }
  t.equal((await query(served.port, { name: probe })).rcode, 'NOERROR', 'and its type')
  t.notMatch(served.server.output(), /Loop detected/)
  for (let i = 0; i < 10; i++) await query(served.port, { name: probe, type: 'HINFO', tcp: i % 2 === 0 })
  await unharmed(t, served)
})

/** Every plugin that answers or changes something, in one block. */
const PLUGINS = `errors
log
debug
metadata
local
dns64
any
chaos
loadbalance
rewrite stop name regex (.*)\\.rewritten\\.test\\.$ {1}.default.svc.cluster.local answer auto
rewrite edns0 local set 0xffee 0x61
autopath search
acl {
  block type AXFR net 192.0.2.0/24
}
cache 30 {
  prefetch 1
  serve_stale
}
header {
  response set ra
}
minimal
template ANY ANY templated.test {
  match "^(?P<first>.*)\\.templated\\.test\\.$"
  answer "{{ .Name }} 60 IN A 192.0.2.{{ len .Group.first }}"
  fallthrough
}
transfer {
  to *
}
hosts {
  192.0.2.9 host.test
  fallthrough
}
file zone file.test
loop`
const ZONE =
  '$ORIGIN file.test.\n@ 30 IN SOA ns hostmaster 1 2 3 4 5\n@ 30 IN NS ns\nns 30 IN A 192.0.2.53\n* 30 IN CNAME away\n'

const label63 = 'x'.repeat(63)
const NAMES: readonly (string | Uint8Array)[] = [
  '.',
  'cluster.local',
  'svc.cluster.local',
  'default.svc.cluster.local',
  'pod.cluster.local',
  '1-2-3-4.default.pod.cluster.local',
  '1-2-3-4-5-6-7-8-9.default.pod.cluster.local',
  '---.default.pod.cluster.local',
  'web.default.svc.cluster.local',
  '_.default.svc.cluster.local',
  '_http._tcp.web.default.svc.cluster.local',
  '*.*.svc.cluster.local',
  'a.b.c.d.e.f.g.h.default.svc.cluster.local',
  'away.default.svc.cluster.local',
  'big.default.svc.cluster.local',
  'web.default.svc.cluster.local.default.svc.cluster.local',
  'dns-version.cluster.local',
  '\\000\\255.default.svc.cluster.local',
  `${label63}.${label63}.${label63}.cluster.local`,
  `${label63}.${label63}.${label63}.${'y'.repeat(61)}`,
  `${'1.'.repeat(127)}`,
  '1.0.96.10.in-addr.arpa',
  '999.-1..in-addr.arpa',
  `${'f.'.repeat(32)}ip6.arpa`,
  'localhost',
  'x.rewritten.test',
  `${label63}.${label63}.${label63}.rewritten.test`,
  'x.templated.test',
  'templated.test',
  '{{.Name}}.templated.test',
  '$1.%n%s.templated.test',
  'host.test',
  'x.file.test',
  '*.file.test',
  'file.test',
  'version.bind',
  '__proto__.constructor.toString',
  'hasOwnProperty.__proto__.svc.cluster.local',
]
const TYPES = [
  'A',
  'AAAA',
  'SRV',
  'PTR',
  'TXT',
  'SOA',
  'NS',
  'CNAME',
  'DS',
  'HINFO',
  'ANY',
  'AXFR',
  'IXFR',
  'OPT',
  'TSIG',
  'TYPE0',
  'TYPE65535',
]
const CLASSES = ['IN', 'CH', 'ANY', 'NONE', 'CLASS0', 'CLASS65535']
const option = (code: number, length: number): EdnsOption => ({
  code,
  data: new Uint8Array(length).fill(0xff),
})
const OPTS: readonly Question['edns'][] = [
  false,
  { udpSize: 0, flags: 0xffff },
  {
    udpSize: 65535,
    options: [option(3, 0), option(8, 0), option(8, 300), option(10, 1), option(10, 41), option(11, 1)],
  },
  { version: 255, options: [option(15, 1), option(65535, 0)] },
]

t.test('odd questions to every plugin', async t => {
  const stub = await UpstreamStub.start(answerAll)
  t.teardown(() => stub.pause())
  const served = await serve(t, `${PLUGINS}\nforward . ${stub.to}`, {
    manifests: clusterIp('web', '10.96.0.1') + externalName('away', 'x.file.test') + headless('big', 300),
    files: { zone: ZONE, search: 'search default.svc.cluster.local svc.cluster.local\n' },
  })
  let asked = 0
  const silent: string[] = []
  for (const name of NAMES) {
    const questions = TYPES.flatMap((type, i) =>
      CLASSES.map(
        (rrclass, k): Question => ({ name, type, class: rrclass, edns: OPTS[(i + k) % OPTS.length]! }),
      ),
    )
    for (let at = 0; at < questions.length; at += 40) {
      await Promise.all(
        questions.slice(at, at + 40).map(async question => {
          const exchange = asked++ % 8 === 0 ? exchangeTcp : exchangeUdp
          try {
            await exchange(served.port, encodeQuestion({ ...question, cd: asked % 3 === 0 }, asked & 0xffff))
          } catch (error) {
            if (!(error instanceof NoAnswer)) throw error
            silent.push(`${name} ${question.class} ${question.type} ${exchange.name}`)
          }
        }),
      )
    }
  }
  t.strictSame(silent, [], 'every question has an answer')
  await unharmed(t, served)
})
