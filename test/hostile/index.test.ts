// The table in README.md: every class names tests that exist, and every test of this folder stands in it.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const folder = import.meta.dirname
const rows = readFileSync(join(folder, 'README.md'), 'utf8')
  .split('\n')
  .filter(line => line.startsWith('| '))
  .slice(2)
  .map(line => line.split('|').map(cell => cell.trim()))
  .map(([, title = '', duty = '', tests = '']) => ({
    title,
    duty,
    files: [...tests.matchAll(/\]\(([^)]+)\)/g)].map(([, file = '']) => file),
  }))

t.test('every class has a duty, and tests that exist', async t => {
  t.ok(rows.length >= 20, `${rows.length} classes`)
  for (const { title, duty, files } of rows) {
    t.ok(title !== '' && duty !== '' && files.length > 0, title)
    for (const file of files) t.ok(existsSync(join(folder, file)), `${title}: ${file}`)
  }
})

t.test('every test of this folder stands in the table', async t => {
  const named = new Set(rows.flatMap(({ files }) => files))
  const tests = readdirSync(folder).filter(file => file.endsWith('.test.ts') && file !== 'index.test.ts')
  t.strictSame(
    tests.filter(file => !named.has(file)),
    [],
  )
})
