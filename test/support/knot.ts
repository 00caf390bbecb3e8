// Knot DNS, beside which Seamark is tested and measured: its configuration, all that it keeps in one folder.

import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Writes knot.conf into the folder and gives its path. `server` are more lines of that section; `rest` the sections behind it,
 * among them `zone:`.
 */
export function writeKnotConf(
  folder: string,
  port: number,
  { server = [], rest }: { readonly server?: readonly string[]; readonly rest: readonly string[] },
): string {
  const file = join(folder, 'knot.conf')
  const lines = [
    'server:',
    `  listen: 127.0.0.1@${port}`,
    `  rundir: ${folder}`,
    ...server.map(line => `  ${line}`),
    // A socket's path is short: the folder's may not be.
    'control:',
    `  listen: ${join(tmpdir(), `seamark-knot-${port}.sock`)}`,
    'database:',
    `  storage: ${folder}`,
    'log:',
    '  - target: stderr',
    '    any: error',
    ...rest,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
