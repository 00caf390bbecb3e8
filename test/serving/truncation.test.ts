// TC over UDP (RFC 2181 section 9) where a handler makes the reply smaller than it was written: a reply is cut exactly where
// what goes over TCP does not fit.

import t from 'tap'
import { Problems } from '../../src/corefile/problem.ts'
import type { QueryMetersTable } from '../../src/observe/query-meters.ts'
import { sourceKey } from '../../src/plugin/kubernetes/config.ts'
import { Serving } from '../../src/serving/blocks.ts'
import { buildSetup } from '../../src/setup/build.ts'
import { read } from '../corefile/read-corefile.ts'
import { ask } from '../support/asking.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion, type Question } from '../support/dns-question.ts'
import { headless, SlimCluster, slimSlice } from '../support/slim-cluster.ts'
import { lasting, testThread } from '../support/words.ts'

const ENDPOINTS_MAX = 60

/** The road of a block beside a cluster whose Services demo/s1, demo/s2, … have so many endpoints. */
function roadOf(block: string) {
  const setup = buildSetup(read(`. {\n${block}\n}`), new Problems(), { port: 53, file: 'Corefile', env: {} })
  const thread = testThread()
  const counts = Array.from({ length: ENDPOINTS_MAX }, (_, i) => i + 1)
  const services = counts.map(count => headless(`demo/s${count}`))
  const slices = counts.map(count =>
    slimSlice(
      `demo/s${count}-1`,
      `s${count}`,
      counts.slice(0, count).map(n => `10.1.0.${n}`),
    ),
  )
  const { reader } = new SlimCluster().list(['demo'], services, slices)
  const tables = new Map(setup.kubernetes.map(config => [sourceKey(config), reader]))
  const serving = new Serving(setup, { ...thread.context, tables }, {} as QueryMetersTable, lasting(thread))
  return serving.road(setup.listens[0]!)
}

const BLOCKS: readonly string[] = [
  'kubernetes cluster.local',
  'minimal\nkubernetes cluster.local',
  'log\nminimal\nkubernetes cluster.local',
  'rewrite name suffix .k .demo.svc.cluster.local answer auto\nkubernetes cluster.local',
  'rewrite name suffix .k .demo.svc.cluster.local answer auto\nminimal\nkubernetes cluster.local',
  'rewrite name regex ^(.*)[.]k[.]$ {1}.demo.svc.cluster.local answer auto\nloadbalance\nkubernetes cluster.local',
]

for (const block of BLOCKS) {
  t.test(block, async t => {
    const road = roadOf(block)
    const suffix = block.includes('rewrite') ? 'k.' : 'demo.svc.cluster.local.'
    for (let count = 1; count <= ENDPOINTS_MAX; count++) {
      for (const [name, type] of [
        [`s${count}.${suffix}`, 'A'],
        [`_http._tcp.s${count}.${suffix}`, 'SRV'],
      ] as const) {
        for (const limit of [512, 1232]) {
          const question: Question = limit === 512 ? { name, type } : { name, type, edns: { udpSize: limit } }
          const octets = encodeQuestion(question)
          const [udp, tcp] = [await ask(road, octets), await ask(road, octets, { transport: 'tcp' })]
          const [over, whole] = [decodeMessage(udp!), decodeMessage(tcp!)]
          t.ok(udp!.length <= limit)
          t.notOk(whole.flags.tc)
          if (over.flags.tc !== tcp!.length > limit)
            t.fail(`${name} ${type}: ${tcp!.length} octets, TC ${over.flags.tc}`)
          if (whole.answer.length < count) t.fail(`${name} ${type}: ${whole.answer.length} records`)
        }
      }
    }
  })
}
