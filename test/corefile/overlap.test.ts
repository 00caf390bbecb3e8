import t from 'tap'
import { parseCorefile } from '../../src/corefile/parser.ts'
import { complaints, memoryHost, read } from './read-corefile.ts'

t.test('one zone, one port, one server block', async t => {
  const again = (place: string, zone: string, port: number, first: string, found: string): string =>
    `Corefile:${place}: error: zone ${zone} on port ${port} is already served by Corefile:${first} (found "${found}")`
  const cases: [what: string, text: string, complaints: string[]][] = [
    ['different zones', '. {\n}\na {\n}', []],
    ['different ports', '. {\n}\n.:1053 {\n}', []],
    ['different schemes', '. {\n}\ntls://.:53 {\n}', []],
    ['the same zone', '. {\n}\n. {\n}', [again('3:1', '.', 53, '1:1', '.')]],
    ['the default port', 'a {\n}\nA.:53 {\n}', [again('3:1', 'a.', 53, '1:1', 'A.:53')]],
    [
      'the default port of tls',
      'tls://a {\n}\ntls://a:853 {\n}',
      [again('3:1', 'a.', 853, '1:1', 'tls://a:853')],
    ],
    ['twice in one block', 'a b a {\n}', [again('1:5', 'a.', 53, '1:1', 'a')]],
    [
      'three times',
      'a {\n}\na {\n}\n a {\n}',
      [again('3:1', 'a.', 53, '1:1', 'a'), again('5:2', 'a.', 53, '1:1', 'a')],
    ],
    [
      'networks that share a zone',
      '10.0.0.0/15 {\n}\n10.1.0.0/16 {\n}',
      [again('3:1', '1.10.in-addr.arpa.', 53, '1:1', '10.1.0.0/16')],
    ],
    ['views', '. {\n view a {\n }\n}\n. {\n view b {\n }\n}\n. {\n}', []],
    [
      'a view behind a block that takes everything',
      '. {\n}\n. {\n view a {\n }\n}\n. {\n bind 127.0.0.1\n view b {\n }\n}',
      [
        'Corefile:3:1: warning: this view is never asked: zone . on port 53 is taken whole by Corefile:1:1, which has none; write that block behind this one (found ".")',
      ],
    ],
    ['a view in front of another zone', 'a {\n}\n. {\n view a {\n }\n}', []],
    ['bound to different addresses', '. {\n bind 127.0.0.1\n}\n. {\n bind 127.0.0.2\n}', []],
    [
      'bound to one address twice',
      '. {\n bind 127.0.0.1 127.0.0.2\n}\n. {\n bind 127.0.0.2\n}',
      [again('4:1', '.', 53, '1:1', '.')],
    ],
    ['bound and not bound', '. {\n bind 127.0.0.1\n}\n. {\n}', [again('4:1', '.', 53, '1:1', '.')]],
    [
      'several binds in one block',
      '. {\n bind a\n bind b\n}\n. {\n bind b\n}',
      [again('5:1', '.', 53, '1:1', '.')],
    ],
  ]
  for (const [what, text, expected] of cases) t.same(complaints(read(text)), expected, what)
})

t.test('the default port of the command line', async t => {
  const host = memoryHost({ Corefile: '. {\n}\n.:1053 {\n}\n.:53 {\n}' })
  t.same(complaints(parseCorefile('Corefile', host, { defaultPort: 1053 })), [
    'Corefile:3:1: error: zone . on port 1053 is already served by Corefile:1:1 (found ".:1053")',
  ])
})

t.test('the first place may be in another file', async t => {
  t.same(complaints(read('import a\n. {\n}', { a: '\n  . {\n}' })), [
    'Corefile:2:1: error: zone . on port 53 is already served by a:2:3; an imported file adds and cannot replace (found ".")',
  ])
})
