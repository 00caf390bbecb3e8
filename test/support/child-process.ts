// Programs that a test starts, and their certain end: whatever becomes of the test's process, SIGKILL included, they end with
// it. A shell beside it (one for each test file that starts anything) reads from a pipe what runs; when the pipe closes, it
// ends the process groups that are left.

import { type ChildProcess, type ChildProcessByStdio, type SpawnOptions, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'

/** A line is `+ GROUP` when a group begins, and `- GROUP` when it has ended. */
const WATCH = `trap '' HUP INT QUIT TERM ALRM
left=' '
while read -r what group; do
  case $what in
    +) left="$left$group " ;;
    -) left="\${left%% $group *} \${left#* $group }" ;;
  esac
done
for group in $left; do kill -s KILL -- "-$group"; done 2>/dev/null`

let watching: Writable | undefined

/** A child process whose streams are pipes. */
export type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** How a program is started; `passed` are descriptors that it has from 3 on. */
export type ChildOptions = SpawnOptions & { readonly passed?: readonly number[] }

/**
 * Starts a program with pipes to its three streams. It neither holds up the end of the test's process nor outlives it; what it
 * started itself ends with it.
 */
export function spawnChild(
  program: string,
  args: readonly string[],
  { passed = [], ...options }: ChildOptions = {},
): Child {
  const stdio = ['pipe' as const, 'pipe' as const, 'pipe' as const, ...passed]
  const child = spawn(program, args, { ...options, detached: true, stdio }) as Child
  const { pid } = child
  if (pid !== undefined) {
    tell(`+ ${pid}`)
    child.once('exit', () => {
      killGroup(child)
      tell(`- ${pid}`)
    })
  }
  release(child)
  return child
}

/** What it printed so far, on both streams. */
export function outputOf({ stdout, stderr }: Child): () => string {
  let output = ''
  for (const stream of [stdout, stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return () => output
}

/** Whether a program has not ended. */
export const runs = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null

/** Ends the program, and what it started, at once. */
export function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function tell(line: string): void {
  watching ??= watch()
  watching.write(`${line}\n`)
}

function watch(): Writable {
  const shell = spawn('sh', ['-c', WATCH], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  release(shell)
  return shell.stdin
}

/** What waits for a process holds a timer; the process alone holds nothing. */
function release(child: ChildProcess): void {
  child.unref()
  for (const pipe of child.stdio) if (pipe instanceof Socket) pipe.unref()
}
