// The table of contents: every file of the folder is listed with its ids, every listed file is there, and no id is listed twice.
// That a file tries what is listed for it, the file itself makes sure of (probes.ts).

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { IDS } from './ids.ts'

/** None gets lost. */
const ROWS_MIN = 340

const files = readdirSync(import.meta.dirname)
  .filter(file => file.endsWith('.test.ts') && file !== 'ids.test.ts')
  .map(file => file.replace('.test.ts', ''))

t.strictSame(files.sort(), [...IDS.keys()].sort(), 'the files of the folder')

const ids = [...IDS.values()].flat()
t.strictSame(
  ids.filter((id, i) => ids.indexOf(id) !== i),
  [],
  'ids that are listed twice',
)
t.ok(ids.length >= ROWS_MIN, `${ids.length} rows in all`)

for (const file of files) {
  const text = readFileSync(join(import.meta.dirname, `${file}.test.ts`), 'utf8')
  t.match(text, `startSpec(t, '${file}'`, `${file} asks for its own ids`)
  t.match(text, 'spec.end()', `${file} checks that it tried them`)
}
