// The programs that look names up as any program does, by the C library and by Go's own resolver: built for a run.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { programPath as systemProgram } from '../support/system-program.ts'

const run = promisify(execFile)
export const LOOKUP_FOLDER = join(import.meta.dirname, 'clients')

/** The one in C by that compiler, in `folder`; undefined where there is no such compiler. */
export async function compiledLookup(
  compiler: 'gcc' | 'musl-gcc',
  folder: string,
): Promise<string | undefined> {
  if (systemProgram(compiler) === undefined) return undefined
  const program = join(folder, `lookup-${compiler}`)
  await run(compiler, ['-O1', '-o', program, join(LOOKUP_FOLDER, 'lookup.c')])
  return program
}

/** The one in Go, in `folder`. */
export async function goLookup(folder: string): Promise<string> {
  const program = join(folder, 'lookup-go')
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GO111MODULE: 'off' }
  await run('go', ['build', '-o', program, join(LOOKUP_FOLDER, 'lookup.go')], { env })
  return program
}
