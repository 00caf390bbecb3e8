// A long run as two processes: the outer one makes a temporary folder and, where the machine lets it, Linux namespaces, and
// starts the same program again inside; the inner one works. Whatever becomes of the inner one, the folder goes and, in
// namespaces, so does every process that it started.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { namespaceCommand, run } from './namespaces.ts'

/** Set for the inner process: `1` inside namespaces of its own, `0` on the machine's loopback. */
const INSIDE = 'SEAMARK_RUN_NAMESPACES'
const END_TIMEOUT_MS = 30_000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** In the inner process whether it has namespaces of its own, with the loopback up; in the outer one undefined. */
export function inside(): boolean | undefined {
  const told = process.env[INSIDE]
  if (told === '1') run(['ip', 'link', 'set', 'lo', 'up'])
  return told === undefined ? undefined : told === '1'
}

/**
 * Runs this program again, inside, and gives its exit status.
 * @param wrap - put before the command, inside the namespaces
 * @param env - more of the environment
 */
export function runInside(wrap: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const temporary = mkdtempSync(join(tmpdir(), 'seamark-run-'))
  process.once('exit', () => rmSync(temporary, { recursive: true, force: true, maxRetries: 5 }))
  const namespaces = namespaceCommand()
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const [program, ...words] = [...(namespaces ?? []), ...wrap, ...own]
  const child = spawn(program!, words, {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...process.env, ...env, TMPDIR: temporary, [INSIDE]: namespaces ? '1' : '0' },
  })
  // The end of its standard input tells the inner process to stop; being killed tells it, too.
  const stop = (): void => {
    child.stdin!.end()
    setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS).unref()
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status, signal) => resolve(signal ? 1 : (status ?? 1)))
  })
}

/**
 * Has `end` called once when the inner process is told to stop, and exits with status 130 after it.
 * @returns whether that is under way
 */
export function onInterrupt(end: () => Promise<void>): () => boolean {
  let stopping = false
  const interrupt = (): void => {
    if (stopping) return
    stopping = true
    console.log('interrupted: ending what was started')
    end().then(
      () => process.exit(130),
      () => process.exit(1),
    )
  }
  for (const signal of SIGNALS) process.on(signal, interrupt)
  process.stdin.on('end', interrupt).resume()
  return () => stopping
}
