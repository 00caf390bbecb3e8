// Programs that tests use where they are installed.

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** False where the program is on the path, otherwise the reason to skip. */
export function absent(program: string): false | string {
  const folders = (process.env.PATH ?? '').split(':')
  return folders.some(folder => existsSync(join(folder, program))) ? false : `${program} is not installed`
}
