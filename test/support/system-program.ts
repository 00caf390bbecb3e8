// Programs that others wrote, where they are installed: found on the path, run for one test.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { NoAnswer, query } from './dns-client.ts'

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
  const child: ChildProcess = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  child.stdout?.on('data', octets => output.push(octets))
  child.stderr?.on('data', octets => output.push(octets))
  let ended = false
  child.on('exit', () => {
    ended = true
  })
  t.teardown(async () => {
    if (ended) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
  for (let tries = 0; tries < 50; tries++) {
    if (ended) break
    try {
      await query(port, { name, timeoutMs: 200 })
      return
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      await pause(50)
    }
  }
  throw new Error(`${path} does not answer: ${Buffer.concat(output).toString()}`)
}
