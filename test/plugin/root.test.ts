import { join } from 'node:path'
import t from 'tap'
import { Problems } from '../../src/corefile/problem.ts'
import type { HostsConfig } from '../../src/plugin/hosts/config.ts'
import { rootWord } from '../../src/plugin/root.ts'
import { buildSetup } from '../../src/setup/build.ts'
import { read } from '../corefile/read-corefile.ts'
import { parseWord } from '../support/words.ts'

t.test('the folder', async t => {
  const directory = t.testdir({ a: {}, b: {} })
  const cases: [text: string, folder: string][] = [
    [`root ${directory}`, directory],
    ['root a', join(directory, 'a')],
  ]
  for (const [text, folder] of cases) {
    const { config, complaints } = parseWord(rootWord, text, { directory })
    t.same(complaints, [], text)
    t.strictSame(config, { directory: folder }, text)
  }
  const twice = parseWord(rootWord, 'root a\nroot b', { directory })
  t.strictSame(twice.config, { directory: join(directory, 'b') })
  t.match(twice.complaints, [/^2:1: warning: only the last root of a server block counts/])
  const wrong: [text: string, complaint: RegExp][] = [
    ['root', /^2:1: error: root needs a folder/],
    ['root a b', /^2:8: error: too many arguments/],
    ['root gone', /^2:6: warning: this folder does not exist yet \(found "gone"/],
  ]
  for (const [text, complaint] of wrong)
    t.match(parseWord(rootWord, text, { directory }).complaints[0], complaint, text)
})

t.test('other words of the block start from it, wherever it is written; other blocks do not', async t => {
  const directory = t.testdir({ sub: { names: '' }, names: '' })
  const text = 'a.org {\nhosts names\nroot sub\n}\nb.org {\nhosts names\n}'
  const problems = new Problems()
  const { blocks } = buildSetup(read(text), problems, {
    port: 53,
    file: join(directory, 'Corefile'),
    env: {},
  })
  t.same(problems.list, [])
  const files = blocks.flatMap(({ plugins }) =>
    plugins.filter(({ word }) => word === 'hosts').map(({ config }) => (config as HostsConfig).file),
  )
  t.same(files, [join(directory, 'sub', 'names'), join(directory, 'names')])
})
