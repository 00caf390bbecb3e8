// Builds the programs of programs.ts from Go modules, once, only those that are missing: `node test/e2e/build.ts`.
// Each comes from a throw-away module whose go.mod this file writes; nothing but Go modules is downloaded. Two runs at
// once do not collide: the second waits for the first one's lock. About 15 minutes of processor time for all. A tool that
// cannot be built is told of and left out: the suites that need it are skipped.
//
// Exit status: 0 everything is there, 69 (EX_UNAVAILABLE) Go is needed and not installed, 1 a build failed.

import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { missingPrograms, PROGRAMS, type Program, programFolder, stampOf, TOOLS } from './programs.ts'

/** Exit status where Go is needed and not installed (EX_UNAVAILABLE of sysexits.h). */
export const EXIT_NO_GO = 69
const LOCK_POLL_MS = 500
/** Lines of a failed command that are shown. */
const SHOWN_LINES = 40

/** A program could not be built; `code` says why. */
export class BuildError extends Error {
  readonly code: 'no-go' | 'build-failed'

  constructor(code: 'no-go' | 'build-failed', message: string) {
    super(message)
    this.name = 'BuildError'
    this.code = code
  }
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** True when the lock file names a process that no longer runs, or nothing readable. */
function isStale(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return !Number.isInteger(pid) || pid < 1 || !isRunning(pid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function lock(file: string, say: (line: string) => void): Promise<() => void> {
  let told = false
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (isStale(file)) {
      rmSync(file, { force: true })
      continue
    }
    if (!told) say(`waiting for the build of another run (lock ${file})`)
    told = true
    await delay(LOCK_POLL_MS)
  }
}

function go(args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod -buildvcs=false', GOWORK: 'off' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    child.stderr.on('data', chunk => {
      errors += chunk
    })
    const stop = (): void => void child.kill('SIGTERM')
    process.once('exit', stop)
    child.once('error', reject)
    child.once('close', status => {
      process.removeListener('exit', stop)
      if (status === 0) return resolve(output)
      const tail = errors.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n')
      reject(new BuildError('build-failed', `go ${args.join(' ')} ended with status ${status}\n${tail}`))
    })
  })
}

/** The go.mod of the throw-away module; `own` is the required module's go.mod, read for its staging folders. */
export function goModule(program: Program, own: string): string {
  const lines = [
    'module example.invalid/seamark-e2e',
    '',
    `require ${program.module} v${program.version}`,
    ...Object.entries(program.also ?? {}).map(([module, version]) => `require ${module} v${version}`),
    '',
  ]
  if (program.staging) {
    const staged = program.version.replace(/^1\./, '0.')
    for (const [, part] of own.matchAll(/^\s*(?:replace )?(\S+) => \.\/staging\/src\/\S+\s*$/gm))
      lines.push(`replace ${part} => ${part} v${staged}`)
  }
  const language = /^go \S+$/m.exec(own)?.[0]
  if (language) lines.push('', language)
  return `${lines.join('\n')}\n`
}

async function build(program: Program, folder: string, say: (line: string) => void): Promise<void> {
  const started = performance.now()
  say(`building ${program.name} ${program.version} (once, into ${folder})`)
  const module = mkdtempSync(join(tmpdir(), 'seamark-build-'))
  const remove = (): void => rmSync(module, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    const described = await go(['mod', 'download', '-json', `${program.module}@v${program.version}`], module)
    const { GoMod } = JSON.parse(described) as { GoMod: string }
    writeFileSync(join(module, 'go.mod'), goModule(program, readFileSync(GoMod, 'utf8')))
    if (program.source !== undefined) copyFileSync(program.source, join(module, 'main.go'))
    else
      writeFileSync(
        join(module, 'tools.go'),
        `//go:build tools\n\npackage tools\n\nimport _ "${program.pkg}"\n`,
      )
    await go(['mod', 'tidy'], module)
    const made = join(module, program.name)
    const flags = ['-trimpath', '-ldflags', program.ldflags, '-tags', program.tags ?? '']
    await go(['build', ...flags, '-o', made, program.pkg], module)
    publish(made, join(folder, program.name), stampOf(program))
  } finally {
    process.removeListener('exit', remove)
    remove()
  }
  say(`built ${program.name} in ${Math.round((performance.now() - started) / 1000)} s`)
}

/** Puts a binary in its place in one step, so that nobody ever starts half a file. */
function publish(made: string, path: string, version: string): void {
  const beside = `${path}.${process.pid}`
  writeFileSync(beside, readFileSync(made), { mode: 0o755 })
  renameSync(beside, path)
  writeFileSync(`${path}.version`, `${version}\n`)
}

const goIsInstalled = (): boolean => spawnSync('go', ['version']).status === 0

/** Runs `work` as the only build in the folder. */
async function alone(folder: string, say: (line: string) => void, work: () => Promise<void>): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const unlock = await lock(join(folder, 'build.lock'), say)
  process.once('exit', unlock)
  try {
    await work()
  } finally {
    process.removeListener('exit', unlock)
    unlock()
  }
}

/**
 * Builds what is missing of the control plane and CoreDNS, one program after the other.
 * @param say - receives progress lines
 * @returns the folder with the binaries
 * @throws BuildError `no-go` where something is missing and Go is not installed, `build-failed` otherwise
 */
export async function buildPrograms(say: (line: string) => void): Promise<string> {
  const folder = programFolder()
  if (missingPrograms(folder).length === 0) return folder
  if (!goIsInstalled()) {
    const names = missingPrograms(folder).map(program => program.name)
    throw new BuildError(
      'no-go',
      `${names.join(', ')} not found in ${folder}, and Go, which would build them, is not installed (https://go.dev/dl)`,
    )
  }
  await alone(folder, say, async () => {
    for (const program of missingPrograms(folder, PROGRAMS)) await build(program, folder, say)
  })
  return folder
}

/**
 * Builds what is missing of the tools, and says which are left out because Go is not installed or a build failed.
 * @param say - receives progress lines
 */
export async function buildTools(say: (line: string) => void): Promise<void> {
  const folder = programFolder()
  const missing = missingPrograms(folder, TOOLS).map(({ name }) => name)
  if (missing.length === 0) return
  if (!goIsInstalled()) return say(`${missing.join(', ')} not built: Go is not installed`)
  await alone(folder, say, async () => {
    for (const program of missingPrograms(folder, TOOLS)) {
      try {
        await build(program, folder, say)
      } catch (error) {
        if (!(error instanceof BuildError)) throw error
        say(`${program.name} not built: ${error.message}`)
      }
    }
  })
}

if (import.meta.main) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  try {
    const folder = await buildPrograms(console.log)
    await buildTools(console.log)
    console.log(`the programs are in ${folder}`)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    console.error(error.message)
    process.exitCode = error.code === 'no-go' ? EXIT_NO_GO : 1
  }
}
