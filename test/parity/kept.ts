// The kept answers, one JSON line for each question: answers/FILE.coredns.jsonl has what CoreDNS said to all of them,
// answers/FILE.seamark.jsonl what Seamark says to those where it is meant to differ.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerKind } from './case-server.ts'
import type { Answer } from './normalise.ts'

/** What one server made of a case. */
export interface Outcome {
  /** `ok`, or how it ended instead of serving. */
  readonly start: string
  readonly answers: readonly { readonly q: string; readonly answer: Answer }[]
  readonly log?: readonly string[]
  readonly metrics?: readonly string[]
  readonly http?: readonly string[]
}

/** What is compared at the end of a case, as lines. */
export const TRACES = ['log', 'metrics', 'http'] as const

const pathOf = (file: string, server: ServerKind): string =>
  join(import.meta.dirname, 'answers', `${file}.${server}.jsonl`)

/** What is kept, by case. */
export function readKept(file: string, server: ServerKind): Map<string, Outcome> {
  const path = pathOf(file, server)
  const kept = new Map<string, Outcome>()
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  for (const line of lines.filter(each => each !== '')) {
    const { case: id, ...what } = JSON.parse(line) as { case: string; q?: string }
    const before = kept.get(id) ?? { start: 'ok', answers: [] }
    const { q, ...answer } = what
    const answers = q === undefined ? before.answers : [...before.answers, { q, answer: answer as Answer }]
    kept.set(id, { ...before, ...(q === undefined ? what : {}), answers })
  }
  return kept
}

/** Keeps them, in this order; a server of which nothing is kept has no file. */
export function writeKept(file: string, server: ServerKind, kept: ReadonlyMap<string, Outcome>): void {
  const lines = [...kept].flatMap(([id, { start, answers, ...traces }]) => [
    ...(start === 'ok' ? [] : [{ case: id, start }]),
    ...answers.map(({ q, answer }) => ({ case: id, q, ...answer })),
    ...Object.entries(traces).map(([trace, shown]) => ({ case: id, [trace]: shown })),
  ])
  if (lines.length === 0) rmSync(pathOf(file, server), { force: true })
  else writeFileSync(pathOf(file, server), lines.map(line => `${JSON.stringify(line)}\n`).join(''))
}
