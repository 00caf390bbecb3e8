// The real server process for tests: a Corefile on a free loopback port, asked until it answers, stopped by SIGTERM. The
// command is `node src/main.ts`, or what SEAMARK_COMMAND names (the bundle), as a JSON list of words.

import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const READY_MS = 20_000

/** How the server is started: the words before its flags. */
export const seamarkCommand: readonly string[] =
  process.env.SEAMARK_COMMAND === undefined
    ? [process.execPath, join(ROOT, 'src', 'main.ts')]
    : (JSON.parse(process.env.SEAMARK_COMMAND) as string[])

/** A port that UDP and TCP both had free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const address = tcp.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const udp = createSocket('udp4')
    const free = await new Promise<boolean>(resolve => {
      udp.once('error', () => resolve(false))
      udp.bind(port, '127.0.0.1', () => resolve(true))
    })
    if (free) udp.close()
    tcp.close()
    await once(tcp, 'close')
    if (free) return port
  }
}

export interface Seamark {
  readonly port: number
  readonly child: ChildProcess
  /** What it printed so far, on both streams. */
  output(): string
  /** Resolves when the output has this text; rejects with the output when the process ends before. */
  printed(text: string | RegExp): Promise<void>
  /** Sends the signal (SIGTERM) and resolves to the exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts the command with these flags; resolves at once. */
export function spawnSeamark(
  flags: readonly string[],
  options: { cwd?: string; port?: number; command?: readonly string[] } = {},
): Seamark {
  const [program, ...words] = [...(options.command ?? seamarkCommand), ...flags]
  const child = spawn(program!, words, { cwd: options.cwd ?? ROOT, stdio: ['pipe', 'pipe', 'pipe'] })
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
  const exit = new Promise<number | null>(resolve => {
    child.once('close', code => {
      ended = true
      tell()
      resolve(code)
    })
  })
  return {
    port: options.port ?? 0,
    child,
    output: () => output,
    printed: text =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => done(false), READY_MS)
        const done = (found: boolean): void => {
          clearTimeout(timer)
          watchers.delete(look)
          if (found) resolve()
          else reject(new Error(`waiting for ${text} in the output of the server:\n${output}`))
        }
        const look = (): void => {
          const found = typeof text === 'string' ? output.includes(text) : text.test(output)
          if (found || ended) done(found)
        }
        watchers.add(look)
        look()
      }),
    stop: signal => {
      if (!ended) child.kill(signal ?? 'SIGTERM')
      return exit
    },
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
