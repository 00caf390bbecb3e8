// The plan of src/plugin: who looks for a part of a word finds it under the same name in each folder.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { servedWord } from '../../src/plugin/registry.ts'

const PLUGINS = join(import.meta.dirname, '..', '..', 'src', 'plugin')
const folders = readdirSync(PLUGINS, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => name)

t.test('a folder is called as its word', async t => {
  t.ok(folders.length > 0)
  for (const folder of folders) t.ok(servedWord(folder), folder)
})

t.test('each folder has the word, its configuration, its text, its reader and its handler', async t => {
  for (const folder of folders) {
    for (const file of [`${folder}.ts`, 'config.ts', 'doc.ts', 'parse.ts', 'handler.ts']) {
      t.ok(existsSync(join(PLUGINS, folder, file)), `${folder}/${file}`)
    }
  }
})
