// The cases of a file as a tap test: run.ts asks, in namespaces of its own, and every check of it is an assertion.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { absent } from '../support/system-program.ts'
import type { Check } from './judge.ts'

const RUN = join(import.meta.dirname, 'run.ts')

/** Declares a test for each case of cases/FILE.yaml; all together make so many checks, the end of each server included. */
export function runCases(file: string, count: number): void {
  t.test(`${file}: ${count} checks`, { skip: absent('taskset') }, async test => {
    const child = spawn(process.execPath, [RUN, '--json', file], { stdio: ['pipe', 'pipe', 'pipe'] })
    test.teardown(() => child.kill())
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      errors += text
    })
    const [status] = await once(child, 'close')
    test.ok(status === 0 || status === 1, `ends with status ${status}`, { errors })
    const lines = output.split('\n').filter(line => line.startsWith('{'))
    const checks = lines.map(line => JSON.parse(line) as Check)
    test.equal(checks.length, count, 'no check is missing')
    for (const [id, ofCase] of Map.groupBy(checks, check => check.case)) {
      test.test(id, async sub => {
        for (const { what, found, detail, skipped } of ofCase)
          sub.ok(found.length === 0, what, skipped === undefined ? { found, detail } : { skip: skipped })
      })
    }
  })
}
