// What the tests of `forward` share: a handler made from a Corefile's text on a serving thread with a clock of its own,
// questions to it, and replies in one line.

import type { Test } from 'tap'
import { loadLibc } from '../../../src/listen/libc.ts'
import { forwardWord } from '../../../src/plugin/forward/forward.ts'
import { ForwardHandler, type ForwardOptions } from '../../../src/plugin/forward/handler.ts'
import type { OpenUdp } from '../../../src/plugin/forward/udp.ts'
import { UdpBatches } from '../../../src/plugin/forward/udp-batch.ts'
import { openDgram } from '../../../src/plugin/forward/udp-dgram.ts'
import type { ServingContext } from '../../../src/plugin/plugin.ts'
import { formatName } from '../../../src/wire/name.ts'
import { rcodeName } from '../../../src/wire/rcode.ts'
import type { Rr } from '../../../src/wire/record.ts'
import { typeName } from '../../../src/wire/rrtype.ts'
import type { Query } from '../../support/query.ts'
import { DROP, failure, type Outcome, type Reply } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { type Script, UpstreamStub } from '../../support/upstream-stub.ts'
import { untilWithin, type VirtualClock } from '../../support/virtual-clock.ts'
import { parseWord, query, type TestThread, testThread } from '../../support/words.ts'

const libc = await loadLibc()

/** The ways of sending datagrams: node's, and by system calls where they can be had. */
export const WAYS: readonly (readonly [name: string, open: OpenUdp])[] = [
  ['node:dgram', openDgram],
  ...(libc ? [['batches', new UdpBatches(libc).open] as const] : []),
]

/** The rcode of the chain behind `forward`: nothing there answers with it otherwise. */
export const BEHIND = 10

/** A `forward` at work. */
export class Bench {
  readonly thread: TestThread
  readonly handler: ForwardHandler

  constructor(
    corefile: string,
    random: () => number = () => 0,
    options?: ForwardOptions,
    context: Partial<ServingContext> = {},
  ) {
    this.thread = testThread(random)
    const { config, complaints } = parseWord(forwardWord, corefile)
    if (config === undefined || complaints.length > 0) throw new Error(complaints.join('\n'))
    this.handler = new ForwardHandler(config, { ...this.thread.context, ...context }, options)
  }

  get clock(): VirtualClock {
    return this.thread.clock
  }

  /** Asks `www.example.org A`, with as much time as a stub resolver has. */
  async ask(question: string, rest: Partial<Query> = {}): Promise<Reply> {
    const outcome: Outcome = await askHandler(this.handler, this.query(question, rest), () => failure(BEHIND))
    if (outcome === DROP) throw new Error('forward dropped a query')
    return outcome
  }

  query(question: string, rest: Partial<Query> = {}): Query {
    return query(question, { deadlineMs: this.clock.nowMs() + 5000, replyMaxOctets: 1232, ...rest })
  }

  /** Asks and gives the reply as `lineOf` does. */
  async line(question: string, rest: Partial<Query> = {}): Promise<string> {
    return lineOf(await this.ask(question, rest))
  }

  /** Asks while virtual time goes by; gives the reply and how long it took. */
  async timed(
    question: string,
    rest: Partial<Query> = {},
  ): Promise<{ readonly reply: Reply; readonly tookMs: number }> {
    let reply: Reply | undefined
    const asking = this.ask(question, rest).then(late => {
      reply = late
    })
    const tookMs = await untilWithin(this.clock, 20_000, `a reply to ${question}`, () => reply !== undefined)
    await asking
    return { reply: reply!, tookMs }
  }

  /** What was counted under that family, all labels together. */
  count(family: string): number {
    return [...this.thread.counted].reduce(
      (sum, [key, n]) => (key === family || key.startsWith(`${family}{`) ? sum + n : sum),
      0,
    )
  }
}

/** A stub, and a `forward .` to it with those options, both stopped when the test ends. */
export async function benchTo(
  t: Test,
  script?: Script,
  options = '',
  open?: OpenUdp,
): Promise<{ readonly stub: UpstreamStub; readonly bench: Bench }> {
  const stub = await startStub(t, script)
  return { stub, bench: startBench(t, `forward . ${stub.to} {\n${options}\n}`, undefined, { open }) }
}

export async function startStub(t: Test, script?: Script): Promise<UpstreamStub> {
  const stub = await UpstreamStub.start(script)
  t.teardown(() => stub.pause())
  return stub
}

export function startBench(t: Test, ...parts: ConstructorParameters<typeof Bench>): Bench {
  const bench = new Bench(...parts)
  // What `forward` opens does not keep a process alive; a server's listeners do, and here this.
  const alive = setInterval(() => undefined, 1000)
  t.teardown(() => {
    clearInterval(alive)
    bench.handler.stop()
  })
  return bench
}

/** The reason of every empty reply that an upstream gave (test/serving/reasons.test.ts). */
const RELAYED = /^\S+:\d+ (?:says [A-Z]+|has no record of this type|refers to other servers)$/

/** A reply in one line: `NOERROR ra | www.example.org. 30 A c0000201 | `. */
export function lineOf(reply: Reply): string {
  const flags = [
    reply.authoritative ? ' aa' : '',
    reply.recursionAvailable ? ' ra' : '',
    reply.authenticData ? ' ad' : '',
    reply.truncated ? ' tc' : '',
    reply.extendedError && !RELAYED.test(reply.extendedError.text) ? ` ede${reply.extendedError.code}` : '',
  ].join('')
  const sections = [reply.answer, reply.authority, reply.additional].map(section =>
    section.map(recordText).join(', '),
  )
  return `${rcodeName(reply.rcode)}${flags} | ${sections.join(' | ')}`.replace(/[ |]+$/, '')
}

const recordText = ({ owner, ttlSeconds, type, rdata }: Rr): string =>
  `${formatName(owner)} ${ttlSeconds} ${typeName(type)} ${Buffer.from(rdata).toString('hex').slice(0, 24)}`

/** `www.example.org. A`. */
export const ownerAndType = ({ owner, type }: Rr): string => `${formatName(owner)} ${typeName(type)}`
