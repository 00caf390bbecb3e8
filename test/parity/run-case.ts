// One case from the start of its server to its end: what the server made of it. Nothing is slept through but what a case asks
// for; what comes behind an answer (questions to upstreams, lines of the log, counts) is waited for until it is what is
// expected, and only what does not come costs time.

import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { CaseServer, missingAddress, type ServerKind } from './case-server.ts'
import type { Case, Question } from './cases.ts'
import type { Outcome } from './kept.ts'
import type { Answer } from './normalise.ts'

/** How a case is run. */
export interface Run {
  readonly server: ServerKind
  readonly core: number
  /** What is expected; undefined when answers are recorded. */
  readonly expected: Outcome | undefined
  /** The answer expected to the question of that number. */
  readonly expectedAnswer: (at: number) => Answer | undefined
  /** Runs the start of a server when it is its turn. */
  readonly start: <Value>(begin: () => Promise<Value>) => Promise<Value>
  readonly keepFolder: boolean
}

/** What a server made of a case, and the status that it ended with. */
export interface Ran extends Outcome {
  readonly status: number | null
  readonly output: string
  /** Questions that could not be asked, by number, and why. */
  readonly skipped: ReadonlyMap<number, string>
}

const FIRST_ID = 1000
/** How long what is expected is waited for. */
const PATIENCE_MS = 2000
/** How long what may still come is waited for where nothing is expected. */
const RECORD_MS = 100
const POLL_MS = 10

/** Why a case cannot be run here; undefined where it can. */
export function unable({ corefile, upstream, addresses }: Case): string | undefined {
  const sources = [...corefile.matchAll(/source_address (\S+)/g)].map(match => match[1]!)
  const hosts = upstream.flatMap(({ host }) => (host === undefined ? [] : [host]))
  const missing = missingAddress([...sources, ...hosts, ...addresses])
  return missing === undefined ? undefined : `this machine has no address ${missing}`
}

/** Runs the case. */
export async function runCase(one: Case, run: Run): Promise<Ran> {
  const server = await CaseServer.prepare(run.server, one, run.core)
  let status: number | null = null
  const outcome: { -readonly [Key in keyof Outcome]: Outcome[Key] } = { start: '', answers: [] }
  const skipped = new Map<number, string>()
  try {
    outcome.start = await run.start(() => server.start())
    if (outcome.start === 'ok') {
      const answers: { q: string; answer: Answer }[] = []
      for (const [at, question] of one.questions.entries()) {
        const missing = missingAddress([question.at, ...(question.from ? [question.from] : [])])
        if (missing !== undefined) skipped.set(at, `this machine has no address ${missing}`)
        const answer =
          missing === undefined ? await askOne(server, question, at, run) : { outcome: 'not asked' }
        answers.push({ q: question.text, answer })
      }
      outcome.answers = answers
      const { expected } = run
      if (one.log !== undefined) outcome.log = await settled(() => server.log(), expected?.log)
      if (one.http) outcome.http = await settled(() => server.pages(), expected?.http)
      if (one.metrics) outcome.metrics = await settled(() => server.metrics(), expected?.metrics)
    }
  } finally {
    status = await server.end(run.keepFolder)
  }
  return { ...outcome, status, output: server.output, skipped }
}

async function askOne(server: CaseServer, question: Question, at: number, run: Run): Promise<Answer> {
  server.forget()
  server.act(question)
  await delay(question.waitSeconds * 1000)
  if (question.lingerSeconds === 0) server.forget()
  const answer = await server.ask(question, FIRST_ID + at)
  if (question.seen.length === 0) return answer
  return { ...answer, seen: await seenBehind(server, question, run, at) }
}

async function seenBehind(server: CaseServer, question: Question, run: Run, at: number): Promise<string[]> {
  if (question.lingerSeconds > 0) await delay(question.lingerSeconds * 1000)
  // What came together with the answer is taken in this turn.
  else await turn()
  if (question.lingerSeconds > 0) return server.seen(question)
  const expected = run.expectedAnswer(at)?.seen
  if (expected === undefined) {
    await delay(RECORD_MS)
    return server.seen(question)
  }
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, PATIENCE_MS)
  const look = (): void => {
    if (sameLines(server.seen(question), expected)) resolve()
  }
  server.onSeen(look)
  look()
  await promise
  clearTimeout(timer)
  server.onSeen(() => undefined)
  return server.seen(question)
}

/** The lines once they are the expected ones, or as they are after a while. */
async function settled(
  look: () => string[] | Promise<string[]>,
  expected: readonly string[] | undefined,
): Promise<string[]> {
  if (!expected) await delay(PATIENCE_MS)
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const lines = await look()
    if (!expected || sameLines(lines, expected) || performance.now() > end) return lines
    await delay(POLL_MS)
  }
}

const sameLines = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((line, i) => line === other[i])
