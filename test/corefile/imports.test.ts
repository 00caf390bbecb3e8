import t from 'tap'
import { EXPANSIONS_MAX, FILE_MAX_LENGTH, TOKENS_MAX } from '../../src/corefile/imports.ts'
import { parseCorefileText } from '../../src/corefile/parser.ts'
import { complaints, outline, read } from './read-corefile.ts'

t.test('what import brings', async t => {
  const cases: [what: string, text: string, files: Record<string, string>, expected: string[]][] = [
    ['a snippet', '(s) {\n errors\n log\n}\n. {\n import s\n loop\n}', {}, ['dns://. | errors ; log ; loop']],
    ['a snippet on one line', '(s) { errors }\n. {\n import s\n loop\n}', {}, ['dns://. | errors ; loop']],
    ['an empty snippet', '(s) {\n}\n. {\n import s\n loop\n}', {}, ['dns://. | loop']],
    ['a snippet twice', '(s) {\n log\n}\n. {\n import s\n import s\n}', {}, ['dns://. | log ; log']],
    ['a snippet with a block', '(s) {\n a {\n  b\n }\n}\n. {\n import s\n}', {}, ['dns://. | a { b }']],
    [
      'a snippet in a snippet',
      '(a) {\n log\n}\n(b) {\n import a\n x\n}\n. {\n import b\n}',
      {},
      ['dns://. | log ; x'],
    ],
    [
      'a snippet in a directive',
      '(s) {\n keepttl\n}\n. {\n cache {\n  import s\n  import s\n }\n}',
      {},
      ['dns://. | cache { keepttl ; keepttl }'],
    ],
    [
      'a snippet of keys and blocks',
      '(s) {\n a {\n  log\n }\n}\nimport s\nb {\n}',
      {},
      ['dns://a. | log', 'dns://b. |'],
    ],
    [
      'a snippet before a file of its name',
      '(s) {\n log\n}\n. {\n import s\n}',
      { s: 'errors' },
      ['dns://. | log'],
    ],
    ['a file', '. {\n import s\n loop\n}', { s: 'log\nerrors' }, ['dns://. | log ; errors ; loop']],
    ['an empty file', '. {\n import s\n loop\n}', { s: '' }, ['dns://. | loop']],
    ['a file of blocks', 'import s\nb {\n}', { s: 'a {\n log\n}\n' }, ['dns://a. | log', 'dns://b. |']],
    ['a file behind a block', 'b {\n}\nimport s', { s: 'a {\n log\n}\n' }, ['dns://b. |', 'dns://a. | log']],
    ['a file on the line of a brace', 'b {\n} import s', { s: 'a {\n}' }, ['dns://b. |', 'dns://a. |']],
    ['a file of keys', 'x,\nimport s\n', { s: 'a b {\n log\n}' }, ['dns://x. dns://a. dns://b. | log']],
    [
      'a file that opens what another closes',
      'import a\n log\nimport b',
      { a: '. {\n', b: '}' },
      ['dns://. | log'],
    ],
    [
      'a file of options',
      '. {\n cache {\n  import s\n }\n}',
      { s: 'keepttl\nttl 5' },
      ['dns://. | cache { keepttl ; ttl 5 }'],
    ],
    ['a file defines a snippet', 'import s\n. {\n import x\n}', { s: '(x) {\n log\n}' }, ['dns://. | log']],
    ['a file without braces', 'import s', { s: 'a\nlog\nerrors' }, ['dns://a. | log ; errors']],
    [
      'relative to the importing file',
      '. {\n import d/a\n}',
      { 'd/a': 'import b', 'd/b': 'log' },
      ['dns://. | log'],
    ],
    ['an absolute file', '. {\n import /etc/x\n}', { '/etc/x': 'log' }, ['dns://. | log']],
    ['a quoted name', '. {\n import "a b"\n}', { 'a b': 'log' }, ['dns://. | log']],
    ['one file twice', '. {\n import s\n import s\n}', { s: 'log' }, ['dns://. | log ; log']],
    [
      'a pattern, in name order',
      '. {\n import c/*.override\n loop\n}',
      { 'c/b.override': 'log b', 'c/a.override': 'log a', 'c/x.server': 'x' },
      ['dns://. | log a ; log b ; loop'],
    ],
    ['an argument called import', '. {\n log import x\n}', {}, ['dns://. | log import x']],
  ]
  for (const [what, text, files, expected] of cases) {
    const corefile = read(text, files)
    t.same(complaints(corefile), [], what)
    t.same(outline(corefile), expected, what)
  }
})

t.test('variables in an import', async t => {
  const corefile = read('. {\n import {$DIR}/a\n}', { 'x/a': 'log {$DIR}' }, { DIR: 'x' })
  t.same(complaints(corefile), [])
  t.same(outline(corefile), ['dns://. | log x'])
})

t.test('what is wrong with an import, where, and what is read all the same', async t => {
  const missing = (line: string): string => `Corefile:${line}`
  const cases: [text: string, files: Record<string, string>, complaints: string[], expected: string[]][] = [
    [
      '. {\n import\n log\n}',
      {},
      ['2:2: error: import needs a file, a pattern or the name of a snippet'],
      ['dns://. | log'],
    ],
    [
      '. {\n import ""\n}',
      {},
      ['2:9: error: import needs a file, a pattern or the name of a snippet'],
      ['dns://. |'],
    ],
    [
      '. {\n import a b c\n log\n}',
      { a: 'x' },
      ['2:11: error: import takes one argument (found "b")'],
      ['dns://. | log'],
    ],
    [
      '. {\n import a {\n  x\n }\n log\n}',
      { a: 'x' },
      ['2:11: error: import takes no block'],
      ['dns://. | log'],
    ],
    [
      '. {\n import a.conf\n log\n}',
      {},
      ['2:9: error: cannot import a.conf: no such file'],
      ['dns://. | log'],
    ],
    [
      '(common) {\n log\n}\n. {\n import comon\n}',
      {},
      [
        '5:9: error: cannot import comon: no snippet of this name above and no readable file comon; ' +
          'did you mean the snippet "common"?: no such file',
      ],
      ['dns://. |'],
    ],
    [
      '. {\n import s\n}\n(s) {\n log\n}',
      {},
      ['2:9: error: cannot import s: no snippet of this name above and no readable file s: no such file'],
      ['dns://. |'],
    ],
    [
      '. {\n import c/*.x\n log\n}',
      {},
      ['2:9: warning: no file matches this pattern (found "c/*.x")'],
      ['dns://. | log'],
    ],
    [
      '. {\n import */*.x\n log\n}',
      { 'a/a.x': 'x' },
      ['2:9: error: a pattern may hold one * and one ? and no brackets (found "*/*.x")'],
      ['dns://. | log'],
    ],
    [
      '. {\n import [ab].x\n}',
      { 'a.x': 'x' },
      ['2:9: error: a pattern may hold one * and one ? and no brackets (found "[ab].x")'],
      ['dns://. |'],
    ],
    [
      '(s) {\n a\n}\n(s) {\n b\n}\n. {\n import s\n}',
      {},
      ['4:1: error: snippet s is already defined at Corefile:1:1 (found "(s)")'],
      ['dns://. | a'],
    ],
    [
      '(s)\nlog',
      {},
      [
        '1:1: error: a snippet needs a block in braces (found "(s)")',
        '2:1: error: this directive stands outside every server block (found "log")',
      ],
      [],
    ],
    ['() {\n a\n}', {}, ['1:1: error: a snippet needs a name (found "()")'], []],
    ['. {\n}\n(s) {\n a {\n }\n', {}, ['3:5: error: this brace is never closed'], ['dns://. |']],
    [
      '. {\n import Corefile\n log\n}',
      {},
      ['2:9: error: import cycle: Corefile imports Corefile (found "Corefile")'],
      ['dns://. | log'],
    ],
    [
      '(s) {\n log\n import s\n}\n. {\n import s\n errors\n}',
      {},
      ['3:9: error: import cycle: (s) imports (s) (found "s")'],
      ['dns://. | log ; errors'],
    ],
  ]
  for (const [text, files, expectedComplaints, expected] of cases) {
    const corefile = read(text, files)
    t.same(complaints(corefile), expectedComplaints.map(missing), text)
    t.same(outline(corefile), expected, text)
  }
})

t.test('a problem in an imported file is told in that file', async t => {
  const corefile = read('. {\n import c/a\n}', { 'c/a': 'log\n errors }' })
  t.same(complaints(corefile)[0], 'c/a:2:9: error: a closing brace must begin its line (found "}")')
})

t.test('a cycle over several files and snippets is told where it closes', async t => {
  const files = { 'd/a': 'log\nimport b', 'd/b': 'errors\nimport s', 'd/c': '' }
  const corefile = read('(s) {\n loop\n import d/a\n}\n. {\n import d/a\n whoami\n}', files)
  t.same(complaints(corefile), [
    'Corefile:3:9: error: import cycle: d/a imports d/b imports (s) imports d/a (found "d/a")',
  ])
  t.same(outline(corefile), ['dns://. | log ; errors ; loop ; whoami'])
})

t.test('a file whose mistakes are met twice tells those of its words once', async t => {
  const corefile = read('. {\n import s\n import s\n}', { s: 'log "a' })
  t.same(complaints(corefile), ['s:1:5: error: this quote is never closed'])
})

t.test('files are those read, each once, in order', async t => {
  const files = { 'c/b.x': 'import d', 'c/a.x': 'import ../e', e: '', 'c/d': '' }
  const corefile = read('. {\n import c/*.x\n import e\n import gone\n}', files)
  t.same(corefile.files, ['Corefile', 'c/a.x', 'c/b.x', 'e', 'c/d'])
})

t.test('imports are counted', async t => {
  const doubling = ['(s0) {\n log\n}']
  for (let i = 1; i <= 40; i++) doubling.push(`(s${i}) {\n import s${i - 1}\n import s${i - 1}\n}`)
  const corefile = read(`${doubling.join('\n')}\n. {\n import s40\n whoami\n}\n`)
  const [only, ...others] = complaints(corefile)
  t.match(only, /^Corefile:\d+:2: error: more than 10000 imports; the rest is left out$/)
  t.same(others, [])
  t.equal(corefile.blocks[0]!.directives.at(-1)!.word.text, 'whoami', 'what follows is read')
  t.equal(EXPANSIONS_MAX, 10_000)
})

t.test('words are counted', async t => {
  const words = 'log a b c d e f g h i\n'.repeat(1000)
  const corefile = read(`(s) {\n${words}}\n. {\n${'import s\n'.repeat(110)}}\n`)
  t.match(complaints(corefile)[0], /^Corefile:\d+:\d+: error: more than 1000000 words after all imports/)
  t.ok(corefile.blocks[0]!.directives.length <= TOKENS_MAX / 10)
})

t.test('a file that is too long is not read', async t => {
  const corefile = read('. {\n import s\n log\n}', { s: '#'.repeat(FILE_MAX_LENGTH + 1) })
  t.same(complaints(corefile), [`s:1:1: error: longer than ${FILE_MAX_LENGTH} characters; not read`])
  t.same(outline(corefile), ['dns://. | log'])
})

t.test('a pattern that cannot be listed is told', async t => {
  const host = {
    readFile: () => '',
    glob: () => {
      throw new Error('permission denied')
    },
    env: {},
  }
  t.same(complaints(parseCorefileText('. {\n import a/*\n}', 'f', host)), [
    'f:2:9: error: cannot list the files of this pattern: permission denied (found "a/*")',
  ])
})
