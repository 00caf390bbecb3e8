// `seamark diff --with ADDRESS [FILE|FOLDER|-]`: asks this server and another one the same questions, and prints where their
// answers differ, and how long both took.

import { readFileSync, statSync } from 'node:fs'
import { type Place, placeText, type Said } from './ask.ts'
import { type Comparison, compare, type Difference } from './compare.ts'
import { folderQuestions } from './folder.ts'
import { type Asked, questionsOf } from './questions.ts'

/** Differences that are printed in full; all are counted. */
const SHOWN_MAX = 100

export interface DiffOptions {
  readonly here: Place
  readonly there: Place
  /** A query log, a list, a file of dnstap, a folder of manifests, or `-` for standard input. */
  readonly of: string
  /** Of the cluster whose names a folder has: `cluster.local`. */
  readonly zone: string
  /** So many questions, the most frequent first. */
  readonly most: number
  readonly timeoutMs: number
  readonly json: boolean
}

/** Prints the comparison; the exit status: 0 the same, 1 differences, 2 nothing could be compared. */
export async function diffCommand(options: DiffOptions, print: (text: string) => void): Promise<number> {
  const read = await readQuestions(options)
  const untold = (why: string): number => {
    print(options.json ? `${JSON.stringify({ error: why })}\n` : `seamark diff: ${why}\n`)
    return 2
  }
  if (typeof read === 'string') return untold(read)
  const { questions, passedOver } = read
  if (questions.length === 0) return untold(`${options.of} has no questions`)
  const { here, there } = options
  const found = await compare(questions.slice(0, options.most), here, there, options.timeoutMs)
  const silent = [
    ...(found.hereMs.length === 0 ? [here] : []),
    ...(found.thereMs.length === 0 ? [there] : []),
  ]
  if (silent.length > 0) return untold(`no reply from ${silent.map(placeText).join(' and ')}`)
  print(options.json ? jsonOf(found, options, passedOver) : textOf(found, options, passedOver))
  return found.differences.length > 0 ? 1 : 0
}

/** The questions, or why there are none, in words. */
async function readQuestions({
  of,
  zone,
}: DiffOptions): Promise<{ questions: readonly Asked[]; passedOver: number } | string> {
  try {
    if (of !== '-' && statSync(of).isDirectory()) {
      const questions = await folderQuestions(of, zone)
      return typeof questions === 'string' ? questions : { questions, passedOver: 0 }
    }
    return questionsOf(readFileSync(of === '-' ? 0 : of))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return `reading ${of}: ${(error as Error).message}`
  }
}

const saidText = ({ rcode, records }: Said): string =>
  rcode === '' ? 'no reply' : [rcode, records.join(', ')].filter(text => text !== '').join('  ')

function textOf(found: Comparison, { here, there }: DiffOptions, passedOver: number): string {
  const [left, right] = [placeText(here), placeText(there)]
  const width = Math.max(left.length, right.length)
  const shown = ({ asked, here, there }: Difference): string =>
    `${asked.name} ${asked.type}\n  ${left.padEnd(width)}  ${saidText(here)}\n  ${right.padEnd(width)}  ${saidText(there)}\n`
  const { count, differences, changing } = found
  const more = differences.length - SHOWN_MAX
  const notes = [
    ...(changing.length > 0
      ? [`${changing.length} more have answers that change by themselves: ${changing[0]!.asked.name}`]
      : []),
    ...(passedOver > 0 ? [`${passedOver} lines are no queries`] : []),
  ]
  return [
    ...differences.slice(0, SHOWN_MAX).map(shown),
    more > 0 ? `… and ${more} more\n` : '',
    `${count} questions, ${differences.length} with different answers${notes.map(note => `; ${note}`).join('')}\n`,
    `median and 99th percentile, ms: ${left} ${timesText(found.hereMs)}; ${right} ${timesText(found.thereMs)}\n`,
  ].join('')
}

const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))]!

const timesText = (ascending: readonly number[]): string =>
  `${percentile(ascending, 0.5).toFixed(2)} ${percentile(ascending, 0.99).toFixed(2)}`

function jsonOf(found: Comparison, { here, there }: DiffOptions, passedOver: number): string {
  const server = (place: Place, times: readonly number[]): object => ({
    address: placeText(place),
    replies: times.length,
    medianMs: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  })
  const plain = ({ asked, here, there }: Difference): object => ({
    ...asked,
    here: { rcode: here.rcode, records: here.records },
    there: { rcode: there.rcode, records: there.records },
  })
  const value = {
    questions: found.count,
    passedOver,
    here: server(here, found.hereMs),
    there: server(there, found.thereMs),
    differences: found.differences.map(plain),
    changing: found.changing.map(plain),
  }
  return `${JSON.stringify(value, undefined, 2)}\n`
}
