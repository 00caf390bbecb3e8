// What the tests of small answering words share: a handler out of a directive's text, asked in one line, its reply told in
// one line.

import type { Word } from '../../src/plugin/plugin.ts'
import { formatName } from '../../src/wire/name.ts'
import { rcodeName } from '../../src/wire/rcode.ts'
import type { Rr } from '../../src/wire/record.ts'
import { typeName } from '../../src/wire/rrtype.ts'
import type { Query } from './query.ts'
import { DROP, type Outcome } from './reply.ts'
import { askHandler } from './road.ts'
import { parseWord, query, reply, type TestThread, testThread } from './words.ts'

/** A handler at work; what it does not answer gets `next`. */
export interface Answering {
  readonly thread: TestThread
  /** The queries that were handed on. */
  readonly passed: Query[]
  /** Asks `NAME TYPE` and gives the outcome. */
  outcome(question: string, rest?: Partial<Query>): Promise<Outcome>
  /** The same as `next`, `drop` or `RCODE [aa] OWNER TTL TYPE | authority | additional`. */
  ask(question: string, rest?: Partial<Query>): Promise<string>
  stop(): void
}

/** Makes the handler of a directive; the text must be free of errors. `next` is what the rest of the chain says. */
export function answering<C>(
  word: Word<C>,
  text: string,
  next: Outcome = reply({ plugin: 'next' }),
  thread: TestThread = testThread(),
): Answering {
  const { config, complaints } = parseWord(word, text)
  if (config === undefined || complaints.some(text => / error: /.test(text)))
    throw new Error(complaints.join('\n'))
  const handler = word.create!(config, thread.context)
  const passed: Query[] = []
  const outcome = async (question: string, rest?: Partial<Query>): Promise<Outcome> =>
    await askHandler(handler, query(question, rest), handed => {
      passed.push(handed)
      return next
    })
  return {
    thread,
    passed,
    outcome,
    ask: async (question, rest) => line(await outcome(question, rest)),
    stop: () => void handler.stop?.(),
  }
}

function line(outcome: Outcome): string {
  if (outcome === DROP) return 'drop'
  if (outcome.plugin === 'next') return 'next'
  const { rcode, authoritative, answer, authority, additional } = outcome
  const sections = [answer, authority, additional].map(records => records.map(recordText).join(', '))
  return `${rcodeName(rcode)}${authoritative ? ' aa' : ''} ${sections.join(' | ')}`.replace(/[ |]+$/, '')
}

const recordText = ({ owner, ttlSeconds, type }: Rr): string =>
  `${formatName(owner)} ${ttlSeconds} ${typeName(type)}`
