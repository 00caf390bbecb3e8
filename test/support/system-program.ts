// Programs that others wrote, where they are installed: found on the path, run for one test.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Test } from 'tap'
import { outputOf, runs, spawnChild } from './child-process.ts'
import { isAnswered } from './dns-client.ts'
import { until } from './until.ts'

/** Where a program is, on the path or where system servers are; undefined where it is not installed. */
export function programPath(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map(folder => join(folder, program)).find(isExecutable)
}

/** False where the program is installed, otherwise the reason to skip. */
export const absent = (program: string): false | string =>
  programPath(program) === undefined ? `${program} is not installed` : false

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) return false
    throw error
  }
}

/** Starts a DNS server and waits until it answers a question about `name` at all; it ends with the test. */
export async function startServer(
  t: Test,
  path: string,
  args: readonly string[],
  port: number,
  name: string,
): Promise<void> {
  const child = spawnChild(path, args)
  const output = outputOf(child)
  t.teardown(async () => {
    child.kill('SIGTERM')
    await until('the end of the server', () => !runs(child))
  })
  await until('an answer of the server', () => {
    if (!runs(child)) throw new Error(`${path} ended: ${output()}`)
    return isAnswered(port, { name, timeoutMs: 200 })
  })
}
