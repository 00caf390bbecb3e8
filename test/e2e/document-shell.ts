// Where the commands of documents are typed as a reader types them: a folder like a checkout, the cluster's kubeconfig, the built
// tools, and `seamark` on the PATH.

import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { programFolder } from './programs.ts'
import type { Context } from './suite.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..', '..')

/** A reader of documents at a prompt. */
export class DocumentShell {
  /** Where the commands are typed. */
  readonly folder: string
  readonly #env: NodeJS.ProcessEnv

  constructor(context: Context) {
    const home = context.scope.folder('documents')
    this.folder = join(home, 'checkout')
    mkdirSync(this.folder)
    for (const name of ['charts', 'config']) symlinkSync(join(ROOT, name), join(this.folder, name))
    const bin = join(home, 'bin')
    mkdirSync(bin)
    const main = join(ROOT, 'src', 'main.ts')
    const script = `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${main}' "$@"\n`
    writeFileSync(join(bin, 'seamark'), script, { mode: 0o755 })
    const PATH = `${bin}:${programFolder()}:${process.env.PATH}`
    this.#env = { ...process.env, PATH, HOME: home, KUBECONFIG: context.world.plane.kubeconfigFile }
  }

  /** Types a command and gives its output. Throws with what it said where it fails. */
  async type(command: string): Promise<string> {
    const { stdout } = await run('sh', ['-c', command], { cwd: this.folder, env: this.#env })
    return stdout
  }
}
