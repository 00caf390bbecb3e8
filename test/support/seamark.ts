// The real server process for tests: a Corefile on a free loopback port, waited for by its banner or by asking it, stopped
// by SIGTERM. The command is the bundle of the sources as they are, or what SEAMARK_COMMAND names, as a JSON list of words.
// A server that a failed test leaves behind neither holds up the test's process nor outlives it.

import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { testBundle } from '../../scripts/test-bundle.ts'
import { MalformedMessage, NoAnswer, query } from './dns-client.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const READY_MS = 20_000
/** Between two questions to a server that does not listen yet. */
const ASK_AGAIN_MS = 25

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

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

/** Ports below those that the kernel gives to sockets that ask for none, so that none of these takes one in between. */
const FIRST_PORT = 10_240
const PORTS = 22_000
/** Two processes that run at once have numbers close to each other: each begins elsewhere. */
let nextPort = (process.pid * 97) % PORTS

/** A port of its own: UDP and TCP both have it free, and nobody else is given it soon. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + (nextPort++ % PORTS)
    if ((await isFree(createServer().listen(port, '127.0.0.1'))) && (await isFree(bound(port)))) return port
  }
}

const bound = (port: number): UdpSocket => {
  const socket = createSocket('udp4')
  socket.bind(port, '127.0.0.1')
  return socket
}

async function isFree(socket: Server | UdpSocket): Promise<boolean> {
  try {
    await once(socket, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw error
  }
  socket.close()
  await once(socket, 'close')
  return true
}

/** A server process, from its start on. */
export interface Seamark {
  readonly port: number
  readonly child: ChildProcess
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
  options: { cwd?: string; port?: number; command?: readonly string[] } = {},
): Seamark {
  const child = spawn('env', withoutHooks([...(options.command ?? seamarkCommand), ...flags]), {
    cwd: options.cwd ?? ROOT,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.add(child)
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
    running.delete(child)
    status = code
    ended = true
    tell()
  })
  // What waits for the process holds a timer; the process alone holds nothing.
  child.unref()
  for (const pipe of child.stdio) if (pipe instanceof Socket) pipe.unref()

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
      while (!(await isAnswered(port))) {
        if (ended || performance.now() > deadline)
          throw new Error(`waiting for an answer of the server, whose output is:\n${output}`)
        await after(ASK_AGAIN_MS)
      }
    },
    ended: whenEnded,
    stop: signal => {
      if (!ended) child.kill(signal ?? 'SIGTERM')
      return whenEnded()
    },
  }
}

async function isAnswered(port: number): Promise<boolean> {
  try {
    await query(port, { name: '.', type: 'SOA', timeoutMs: 1000 })
    return true
  } catch (error) {
    // Nobody listens yet; and the client may have been given that very port, and got its own question.
    if (error instanceof NoAnswer || error instanceof MalformedMessage) return false
    throw error
  }
}

/** Starts the server with the Corefile in `file` and waits for its start banner. */
export async function startSeamark(file: string, port: number, cwd?: string): Promise<Seamark> {
  const server = spawnSeamark(
    ['-conf', file, '-p', String(port)],
    cwd === undefined ? { port } : { port, cwd },
  )
  try {
    await server.printed(/^Seamark-/m)
  } catch (error) {
    server.child.kill('SIGKILL')
    throw error
  }
  return server
}
