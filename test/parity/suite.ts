// The cases of a file as a tap test: run.ts asks, in namespaces of its own, and every check of it is an assertion.

import { join } from 'node:path'
import t from 'tap'
import { killGroup, spawnChild } from '../support/child-process.ts'
import { absent } from '../support/system-program.ts'
import { until } from '../support/until.ts'
import type { Check } from './judge.ts'

const RUN = join(import.meta.dirname, 'run.ts')
/** Nothing takes that long, however busy the machine is. */
const LIMIT_MS = 600_000

/** Declares a test for each case of cases/FILE.yaml; all together make so many checks, the end of each server included. */
export function runCases(file: string, count: number): void {
  t.test(`${file}: ${count} checks`, { skip: absent('taskset') }, async test => {
    const child = spawnChild(process.execPath, [RUN, '--json', file])
    let ended = false
    child.once('close', () => {
      ended = true
    })
    test.teardown(() => killGroup(child))
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      errors += text
    })
    await until('its end', () => ended, LIMIT_MS)
    const status = child.exitCode
    test.ok(status === 0 || status === 1, `ends with status ${status}`, { errors })
    const lines = output.split('\n').filter(line => line.startsWith('{'))
    const checks = lines.map(line => JSON.parse(line) as Check)
    test.equal(checks.length, count, 'no check is missing', { errors })
    for (const [id, ofCase] of Map.groupBy(checks, check => check.case)) {
      test.test(id, async sub => {
        for (const { what, found, detail, skipped } of ofCase)
          sub.ok(found.length === 0, what, skipped === undefined ? { found, detail } : { skip: skipped })
      })
    }
  })
}
