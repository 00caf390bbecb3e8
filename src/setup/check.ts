// `seamark check [FILE]`: everything that is wrong or surprising in a Corefile, without serving it.

import { existsSync } from 'node:fs'
import { formatProblem } from '../corefile/problem.ts'
import { checkConfiguration } from './configuration.ts'

/** Prints the problems and returns the exit status: 1 where there is an error. */
export function check(file: string, json: boolean, port: number, print: (text: string) => void): number {
  const path = file === '' ? 'Corefile' : file
  const { problems, errors, setup } = checkConfiguration({ file: path, port })
  if (json) print(`${JSON.stringify({ file: path, errors, problems }, undefined, 2)}\n`)
  else {
    for (const problem of problems) print(`${formatProblem(problem)}\n`)
    const warnings = problems.length - errors
    const counts = `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`
    print(
      `${path}: ${setup.blocks.length} server ${setup.blocks.length === 1 ? 'block' : 'blocks'}, ${counts}\n`,
    )
  }
  return errors > 0 || !existsSync(path) ? 1 : 0
}
