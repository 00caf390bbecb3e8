// The real server process for tests: waited for by what it prints or by asking it, stopped by a signal (a Corefile and all
// around it is served-corefile.ts's). The command is the bundle of the sources as they are, or what SEAMARK_COMMAND names, as a
// JSON list of words.

import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { testBundle } from '../../scripts/test-bundle.ts'
import { type Child, killGroup, spawnChild } from './child-process.ts'
import { isAnswered } from './dns-client.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** Nothing takes that long, however busy the machine is. */
const READY_MS = 60_000
/** Between two questions to a server that does not listen yet. */
const ASK_AGAIN_MS = 25

/** How the server is started: the words before its flags. */
export const seamarkCommand: readonly string[] =
  process.env.SEAMARK_COMMAND === undefined
    ? [process.execPath, join(testBundle(), 'seamark.mjs')]
    : (JSON.parse(process.env.SEAMARK_COMMAND) as string[])

/**
 * A server inherits neither the test runner's hooks, whose files another user may not read, nor its cache. By a program of
 * its own, as the hooks put themselves into the environment of every process that is started.
 */
const withoutHooks = (command: readonly string[]): string[] => [
  '-u',
  'NODE_OPTIONS',
  '-u',
  'NODE_COMPILE_CACHE',
  ...command,
]

/** A server process, from its start on. */
export interface Seamark {
  readonly port: number
  readonly child: Child
  /** What it printed so far, on both streams. */
  output(): string
  /** Resolves when the output has this text; rejects with the output when the process ends before. */
  printed(text: string | RegExp): Promise<void>
  /** Resolves when the port answers a question; rejects with the output when the process ends before. */
  answers(port: number): Promise<void>
  /** Resolves to the exit status when the process has ended; rejects with the output when it goes on. */
  ended(): Promise<number | null>
  /** Sends the signal (SIGTERM) and resolves to the exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts the command with these flags; resolves at once. */
export function spawnSeamark(
  flags: readonly string[],
  options: { cwd?: string; port?: number; command?: readonly string[]; passed?: readonly number[] } = {},
): Seamark {
  const command = withoutHooks([...(options.command ?? seamarkCommand), ...flags])
  const child = spawnChild('env', command, { cwd: options.cwd ?? ROOT, passed: options.passed ?? [] })
  let output = ''
  let ended = false
  const watchers = new Set<() => void>()
  const tell = (): void => {
    for (const watcher of watchers) watcher()
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      tell()
    })
  }
  let status: number | null = null
  child.once('error', error => {
    output += `${error.message}\n`
  })
  child.once('close', code => {
    status = code
    ended = true
    tell()
  })

  const until = (condition: () => boolean, waitingFor: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(condition()), READY_MS)
      const done = (met: boolean): void => {
        clearTimeout(timer)
        watchers.delete(look)
        if (met) resolve()
        else reject(new Error(`waiting for ${waitingFor} of the server, whose output is:\n${output}`))
      }
      const look = (): void => {
        if (condition() || ended) done(condition())
      }
      watchers.add(look)
      look()
    })
  const whenEnded = async (): Promise<number | null> => {
    await until(() => ended, 'the end')
    return status
  }
  return {
    port: options.port ?? 0,
    child,
    output: () => output,
    printed: text =>
      until(() => (typeof text === 'string' ? output.includes(text) : text.test(output)), String(text)),
    answers: async port => {
      const deadline = performance.now() + READY_MS
      while (!(await isAnswered(port, { name: '.', type: 'SOA', timeoutMs: 1000 }))) {
        if (ended || performance.now() > deadline)
          throw new Error(`waiting for an answer of the server, whose output is:\n${output}`)
        await after(ASK_AGAIN_MS)
      }
    },
    ended: whenEnded,
    stop: signal => {
      if (!ended && signal === 'SIGKILL') killGroup(child)
      else if (!ended) child.kill(signal ?? 'SIGTERM')
      return whenEnded()
    },
  }
}
