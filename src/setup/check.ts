// `seamark check [FILE]`: everything that is wrong or surprising in a Corefile, without serving it. FILE may be a manifest with
// ConfigMaps, or `-` for standard input.

import { readFileSync } from 'node:fs'
import { formatProblem, type Problem } from '../corefile/problem.ts'
import { type FoundCorefile, findCorefiles, isManifest } from './config-maps.ts'
import { checkConfiguration } from './configuration.ts'
import { lookUpHosts } from './hosts.ts'

export interface CheckOptions {
  /** `-` for standard input, '' for ./Corefile. */
  readonly file: string
  readonly json: boolean
  /** Files and hosts that are not known here are no errors: the machine that serves may have them. */
  readonly offline: boolean
  /** The port of keys without one. */
  readonly port: number
}

/** What was found out about one Corefile. */
interface Verdict {
  readonly title: string
  readonly blocks: number
  readonly problems: readonly Problem[]
}

/** Prints the problems and returns the exit status: 1 where there is an error. */
export async function check(
  { file, json, offline, port }: CheckOptions,
  print: (text: string) => void,
): Promise<number> {
  const path = file === '' ? 'Corefile' : file
  const verdicts = await Promise.all(
    corefilesOf(path).map(found => ('problems' in found ? found : judge(found, port, offline))),
  )
  const all = verdicts.flatMap(({ problems }) => problems)
  const errors = errorsIn(all)
  if (json) print(`${JSON.stringify({ file: path, errors, problems: all }, undefined, 2)}\n`)
  else for (const verdict of verdicts) print(textOf(verdict))
  return errors > 0 ? 1 : 0
}

/** The Corefiles of a file, or why there are none. */
function corefilesOf(path: string): (FoundCorefile | Verdict)[] {
  const name = path === '-' ? 'stdin' : path
  const text = readText(path)
  // What is wrong with the file itself is told by whoever reads it as a Corefile.
  if (text === undefined || (path !== '-' && !isManifest(text))) return [{ title: name, file: path }]
  if (!isManifest(text)) return [{ title: name, file: name, text }]
  const found = findCorefiles(text, name)
  return 'problems' in found ? [{ title: name, blocks: 0, problems: found.problems }] : [...found.corefiles]
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch {
    return undefined
  }
}

async function judge({ title, ...source }: FoundCorefile, port: number, offline: boolean): Promise<Verdict> {
  const checked = checkConfiguration({ ...source, port }, offline)
  const { problems, setup } = offline ? checked : await lookUpHosts(checked)
  return { title, blocks: setup.blocks.length, problems }
}

const errorsIn = (problems: readonly Problem[]): number =>
  problems.filter(({ severity }) => severity === 'error').length

function textOf({ title, blocks, problems }: Verdict): string {
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`
  const errors = errorsIn(problems)
  const counts = `${count(errors, 'error')}, ${count(problems.length - errors, 'warning')}`
  const lines = problems.map(problem => `${formatProblem(problem)}\n`)
  return `${lines.join('')}${title}: ${count(blocks, 'server block')}, ${counts}\n`
}
