// The whole road of a query through a block with one word more, from its octets to the reply's, metrics counted: what each
// word adds to an answer out of the table, which is their reference.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acknowledgeLines, BatchedLog, lineCountMemory } from '../../../src/observe/batched-log.ts'
import { counterMemory, ThreadMeters } from '../../../src/observe/counters.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { encodeQuestion, type Question } from '../../support/dns-client.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { shuffled } from '../common/queries.ts'
import { cycle, type MicroCase } from './case.ts'

/** The case that others are measured by. */
export const REFERENCE = 'road: A of a ClusterIP'
const NAMES = 2000
const CLUSTER = 'kubernetes cluster.local in-addr.arpa'
const WITH_PODS = `${CLUSTER} {\npods verified\n}`

/** A block and what it is asked. */
interface RoadCase {
  readonly title: string
  readonly lines: readonly string[]
  readonly questions: readonly Question[]
  readonly timesMax?: number
  readonly octetsMax?: number
  /** Files that the lines name. */
  readonly files?: Readonly<Record<string, string>>
}

const numbers = Array.from({ length: NAMES }, (_, n) => n)
const hosts = numbers.map(n => ({ name: `host-${n}.example.net` }))
const address = (n: number, i: number): string => `10.${i}.${n >> 8}.${n & 255}`
const three = [0, 1, 2]
const hostsFile = (each: readonly number[]): string =>
  numbers.flatMap(n => each.map(i => `${address(n, i)} host-${n}.example.net\n`)).join('')
const weightsFile = numbers
  .flatMap(n => [`host-${n}.example.net`, ...three.map(i => `${address(n, i)} ${i + 1}`)])
  .join('\n')

const web: Question = { name: 'web.demo.svc.cluster.local' }
const option = (code: number, data = ''): Question => ({
  ...web,
  edns: { options: [{ code, data: Buffer.from(data, 'hex') }] },
})

// biome-ignore format: a table
const CASES: readonly RoadCase[] = [
  { title: 'A of a ClusterIP', lines: [CLUSTER], questions: [web] },
  { title: 'a cookie', timesMax: 2.5, lines: [CLUSTER], questions: [option(10, '0123456789abcdef')] },
  { title: 'NSID', timesMax: 2.5, lines: ['nsid node-1', CLUSTER], questions: [option(3)] },
  { title: '`acl` that allows', timesMax: 2.5, lines: ['acl {', 'allow net 10.0.0.0/8', 'block', '}', CLUSTER], questions: [web] },
  { title: '`acl` that refuses', timesMax: 2, lines: ['acl example.net {', 'block net 10.0.0.0/8', '}', CLUSTER], questions: hosts },
  { title: '`policy` that allows', timesMax: 4, lines: ['policy {', 'default deny', 'allow from * to demo', '}', WITH_PODS], questions: [web] },
  { title: '`ratelimit`', timesMax: 1.5, lines: ['ratelimit {', 'queries 1000000', '}', CLUSTER], questions: [web] },
  { title: '`autopath @query`, another name', timesMax: 1.5, lines: ['autopath @query', CLUSTER], questions: [web] },
  { title: '`ipv6 off`, A', timesMax: 1.5, lines: ['ipv6 off', CLUSTER], questions: [web] },
  { title: '`topology auto`, A of a ClusterIP', timesMax: 1.5, lines: [`${CLUSTER} {`, 'topology auto', '}'], questions: [web] },
  { title: '`log`', timesMax: 4, lines: ['log', CLUSTER], questions: [web] },
  { title: '`rewrite name suffix … answer auto`', timesMax: 6, octetsMax: 1400, lines: ['rewrite name suffix .corp.example .svc.cluster.local answer auto', CLUSTER],
    questions: [{ name: 'web.demo.corp.example' }] },
  { title: '`template` with groups', timesMax: 6, octetsMax: 2200, questions: numbers.map(n => ({ name: `ip-10-1-${n >> 8}-${n & 255}.ip.example` })),
    lines: ['template IN A ip.example {', 'match ^ip-(?P<a>[0-9]+)-(?P<b>[0-9]+)-(?P<c>[0-9]+)-(?P<d>[0-9]+)[.]ip[.]example[.]$',
      'answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"', '}'] },
  { title: '`hosts`', timesMax: 3, lines: ['hosts FOLDER/hosts example.net'], questions: hosts, files: { hosts: hostsFile([0]) } },
  { title: '`loadbalance weighted`, 3 addresses out of `hosts`', timesMax: 6, questions: hosts, files: { hosts: hostsFile(three), weights: weightsFile },
    lines: ['loadbalance weighted FOLDER/weights {', 'reload 0s', '}', 'hosts FOLDER/hosts example.net'] },
]

/** What a serving thread has: its counters, the machine's clock, and a log whose lines somebody takes at once. */
export function thread(): ConstructorParameters<typeof ServerBlock>[3] {
  const counters = new ThreadMeters(counterMemory(), () => undefined)
  const memory = lineCountMemory()
  const log = new BatchedLog({
    memory,
    send: (_, lines) => acknowledgeLines(memory, lines),
    clock: systemClock,
    meters: counters,
    rateOf: () => ({ perSecond: 1e9, burst: 1e9 }),
  })
  return { counters, meters: counters, log, clock: systemClock, random: Math.random }
}

/** The block of a case; its files are read when it is made. */
function blockOf({ lines, files = {} }: RoadCase): ServerBlock {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-micro-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const block = new ServerBlock(
      ['prometheus', ...lines].join('\n').replaceAll('FOLDER', folder),
      undefined,
      undefined,
      thread(),
    )
    if (block.problems.errors > 0) throw new TypeError(block.problems.list[0]!.message)
    return block
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const roadCases = (): MicroCase[] =>
  CASES.map(one => {
    const block = blockOf(one)
    const ask = block.repeater()
    const next = cycle(
      shuffled(one.questions.map(question => Uint8Array.from(encodeQuestion(question, 4711)))),
    )
    const run = (): number => ask(next())
    if (run() <= 0) throw new TypeError(`${one.title}: not answered at once`)
    const { title, timesMax, octetsMax } = one
    return {
      title: `road: ${title}`,
      run,
      ...(timesMax !== undefined && { timesMax }),
      ...(octetsMax !== undefined && { octetsMax }),
    }
  })
