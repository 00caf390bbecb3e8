// The bundle that `npm run build` makes, built for a test into a folder of its own.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The project's folder. */
export const ROOT = join(import.meta.dirname, '..', '..')

/** Runs a program to its end; rejects with its output where it fails. */
export const run = promisify(execFile)

/** Builds the bundle into the folder; what is in the folder before goes. */
export async function buildBundle(folder: string): Promise<void> {
  await run(process.execPath, [join(ROOT, 'scripts', 'bundle.ts'), folder])
}
