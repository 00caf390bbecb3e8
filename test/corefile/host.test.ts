import { join } from 'node:path'
import t from 'tap'
import { globFiles, nodeHost } from '../../src/corefile/host.ts'
import { parseCorefile } from '../../src/corefile/parser.ts'
import { complaints, outline } from './read-corefile.ts'

t.test('patterns', async t => {
  const folder = t.testdir({
    Corefile: '',
    '..data': { 'x.override': '' },
    '.hidden.override': '',
    'b.override': '',
    'a.override': '',
    'a+b.override': '',
    'c.server': '',
    'folder.override': { 'inner.server': '' },
    other: { 'c.server': '' },
  })
  const cases: [pattern: string, expected: string[]][] = [
    ['*.override', ['.hidden.override', 'a+b.override', 'a.override', 'b.override']],
    ['a*', ['a+b.override', 'a.override']],
    ['a+*', ['a+b.override']],
    ['?.server', ['c.server']],
    ['*/c.server', ['other/c.server']],
    ['*/x.override', ['..data/x.override']],
    ['C*', ['Corefile']],
    ['*.none', []],
    ['none/*', []],
    ['Corefile/*', []],
  ]
  for (const [pattern, expected] of cases) {
    t.same(
      globFiles(join(folder, pattern)),
      expected.map(name => join(folder, name)),
      pattern,
    )
  }
})

t.test('real files', async t => {
  const folder = t.testdir({
    Corefile:
      '.:1053 {\n import custom/*.override\n import gone\n import custom\n}\nimport custom/*.server\n',
    custom: { 'a.override': 'log\n', 'b.server': 'b:1053 {\n whoami\n}\n', '..data': {} },
  })
  const corefile = parseCorefile(join(folder, 'Corefile'))
  t.same(outline(corefile), ['dns://.:1053 | log', 'dns://b.:1053 | whoami'])
  t.match(complaints(corefile), [/Corefile:3:9: error: .*ENOENT/, /Corefile:4:9: error: .*no regular file/])
  t.same(
    corefile.files,
    ['Corefile', 'custom/a.override', 'custom/b.server'].map(name => join(folder, name)),
  )
  t.equal(nodeHost.env, process.env)
})
