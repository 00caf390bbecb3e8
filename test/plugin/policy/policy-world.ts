// A server block with `policy`, clients whose namespaces are known, and objects that a test changes while it asks.

import type { SlimDnsPolicy } from '../../../src/objects/dns-policies.ts'
import { slimNamespace } from '../../../src/objects/namespaces.ts'
import type { SlimEndpointSlice, SlimNamespace, SlimService } from '../../../src/objects/objects.ts'
import type { RecordOptions } from '../../../src/objects/options.ts'
import type { SlimRecords } from '../../../src/objects/records.ts'
import { isProblem, slimDnsPolicy } from '../../../src/objects/slim.ts'
import type { ServingContext } from '../../../src/plugin/plugin.ts'
import type { Coming } from '../../support/asking.ts'
import { type Decoded, decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion, type Question } from '../../support/dns-question.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { SlimCluster, slimPod } from '../../support/slim-cluster.ts'

/** Whose address it is: `red` a Pod of the namespace red, `host` one with its node's network. */
export const POD = {
  red: '10.1.1.1',
  blue: '10.1.2.1',
  dark: '10.1.3.1',
  host: '192.168.0.1',
  nobody: '10.9.9.9',
}
export type Who = keyof typeof POD
export type Labels = Readonly<Record<string, string>>

/** A Namespace with its labels. */
export function namespace(name: string, labels: Labels = {}): SlimNamespace {
  const slim = slimNamespace({ metadata: { name, labels } }, { labelledNamespaces: true })
  if (isProblem(slim)) throw new Error(slim.problem)
  return slim
}

/** A DNSPolicy out of `red/default` and its spec, made in that second. */
export function policy(key: string, spec: unknown, at = 0): SlimDnsPolicy {
  const [of, name] = key.split('/')
  const creationTimestamp = new Date(at * 1000).toISOString()
  const slim = slimDnsPolicy({ metadata: { namespace: of, name, creationTimestamp }, spec })
  if (isProblem(slim)) throw new Error(slim.problem)
  return slim
}

export interface World {
  /** The lines of `policy`, of `kubernetes`, and those of the block in front of and behind the latter. */
  readonly policy: string
  readonly kubernetes?: string
  readonly front?: string
  readonly behind?: string
  readonly namespaces: Readonly<Record<string, Labels>>
  readonly services: readonly SlimService[]
  readonly slices?: readonly SlimEndpointSlice[]
  /** What `k8s_records` of the block says, and records that come with it. */
  readonly records?: readonly [RecordOptions, readonly SlimRecords[]]
  /** Of the serving thread. */
  readonly own?: Partial<ServingContext>
  /** More than the table of the tests has. */
  readonly tableOctets?: number
}

/** A question as a test writes it: `web.red.svc.cluster.local SRV`, and what comes with it. */
export type How = Coming & Pick<Question, 'edns' | 'class'>

export function policyWorld(world: World) {
  const { front = '', behind = '', kubernetes = 'pods verified', services, slices = [] } = world
  const refused: string[] = []
  const { cluster, reader } = new SlimCluster(
    {
      verifiedPods: true,
      policies: true,
      labelledNamespaces: true,
      records: world.records?.[0],
      clients: { podNames: false, hosts: false, labels: [] },
    },
    {
      kinds: [
        ...(['Service', 'EndpointSlice', 'Namespace', 'Pod', 'DNSPolicy'] as const),
        ...(world.records ? (['DNSRecord'] as const) : []),
      ],
      refused: text => void refused.push(text),
    },
    world.tableOctets,
  )
  cluster.replace('DNSPolicy', [])
  if (world.records) cluster.replace('DNSRecord', world.records[1])
  cluster.replace('Pod', [
    ...(['red', 'blue', 'dark'] as const).map(name => slimPod(`${name}/a`, POD[name])),
    slimPod('red/h', POD.host, { hostNetwork: true }),
  ])
  cluster.replace(
    'Namespace',
    Object.entries(world.namespaces).map(([name, labels]) => namespace(name, labels)),
  )
  cluster.replace('Service', services)
  cluster.replace('EndpointSlice', slices)
  const block = new ServerBlock(
    `policy {\n${world.policy}\n}\n${front}\nkubernetes cluster.local in-addr.arpa {\n${kubernetes}\n}\n${behind}`,
    { reader } as SlimCluster,
    'whoami',
    world.own,
  )
  const reply = async (
    who: Who,
    question: string,
    { edns = true, class: rrclass = 'IN', ...how }: How = {},
  ): Promise<Decoded> => {
    const [name = '', type = 'A'] = question.split(' ')
    const client = { address: POD[who], port: 5353, family: 4 } as const
    return decodeMessage(
      (await block.late(encodeQuestion({ name, type, edns, class: rrclass }), { client, ...how }))!,
    )
  }
  /** The response code and the data of the answer. */
  const ask = async (who: Who, question: string, how?: How): Promise<string> => {
    const { rcode, records } = await reply(who, question, how)
    return [rcode, ...records.answer.map(({ data }) => data)].join(' ')
  }
  const notes = (who: Who, question: string): Promise<string[]> => {
    const [name = '', type = 'A'] = question.split(' ')
    return block.notes(encodeQuestion({ name, type }), {
      client: { address: POD[who], port: 5353, family: 4 },
    })
  }
  return { cluster, block, refused, reply, ask, notes }
}
