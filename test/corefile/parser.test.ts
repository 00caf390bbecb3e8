import t from 'tap'
import { DEPTH_MAX, parseCorefile, parseCorefileText } from '../../src/corefile/parser.ts'
import { complaints, memoryHost, outline, read } from './read-corefile.ts'

t.test('what is legal', async t => {
  const cases: [what: string, text: string, expected: string[]][] = [
    ['an empty file', '', []],
    ['a comment', '# nothing', []],
    ['one block', '. {\n errors\n}', ['dns://. | errors']],
    ['an empty block', '. {\n}', ['dns://. |']],
    ['an empty block on one line', '. { }', ['dns://. |']],
    ['a key alone', 'example.org', ['dns://example.org. |']],
    ['several keys', 'a b:53 {\n}', ['dns://a. dns://b.:53 |']],
    ['keys with commas', 'a, b ,c,d {\n}', ['dns://a. dns://b. dns://c. dns://d. |']],
    ['keys over lines', 'a,\nb,\n  c {\n}', ['dns://a. dns://b. dns://c. |']],
    ['quoted keys', '"a" "b" {\n}', ['dns://a. dns://b. |']],
    ['the brace on the next line', 'a\n{\n log\n}', ['dns://a. | log']],
    ['schemes', 'tls://a https://b:8443 {\n}', ['tls://a. https://b.:8443 |']],
    ['a network', '10.0.0.0/15 {\n}', ['dns://0.10.in-addr.arpa. dns://1.10.in-addr.arpa. |']],
    ['no braces', 'example.org:1053\nwhoami\nlog a b', ['dns://example.org.:1053 | whoami ; log a b']],
    ['no braces, a block in it', '.\ncache 30 {\n keepttl\n}\nlog', ['dns://. | cache 30 { keepttl } ; log']],
    ['two blocks', 'a {\n}\nb {\n}', ['dns://a. |', 'dns://b. |']],
    ['two blocks, one line', 'a {\n} b {\n}', ['dns://a. |', 'dns://b. |']],
    ['arguments', '. {\n forward . "a b" c\n}', ['dns://. | forward . "a b" c']],
    ['an empty argument', '. {\n chaos ""\n}', ['dns://. | chaos ""']],
    ['an empty directive block', '. {\n errors {\n }\n}', ['dns://. | errors {  }']],
    ['an empty directive block on one line', '. {\n errors { }\n}', ['dns://. | errors {  }']],
    ['options', '. {\n a b {\n  c d\n  e\n }\n f\n}', ['dns://. | a b { c d ; e } ; f']],
    ['nested options', '. {\n a {\n  b {\n   c\n  }\n  d\n }\n}', ['dns://. | a { b { c } ; d }']],
    ['a directive again', '. {\n log a\n log b\n}', ['dns://. | log a ; log b']],
    ['comments anywhere', '. { # x\n log#y\n} # z', ['dns://. | log']],
    ['carriage returns', '. {\r\n log a\r\n}\r\n', ['dns://. | log a']],
    ['a byte order mark', '\uFEFF. {\n}', ['dns://. |']],
    ['a quoted brace is text', '. {\n log "{" "}"\n}', ['dns://. | log { }']],
    ['placeholders', '. {\n log . {combined}\n}', ['dns://. | log . {combined}']],
    ['Go templates', '. {\n a "{{ .Name }}" {{ x }}\n}', ['dns://. | a "{{ .Name }}" {{ x }}']],
    ['a quoted argument over lines', '. {\n log "a\nb" c\n d\n}', ['dns://. | log "a\\nb" c ; d']],
    [
      'a zone between words of hosts',
      '. {\n hosts {\n  10.0.0.1 a b\n }\n}',
      ['dns://. | hosts { 10.0.0.1 a b }'],
    ],
  ]
  for (const [what, text, expected] of cases) {
    const corefile = read(text)
    t.same(complaints(corefile), [], what)
    t.same(outline(corefile), expected, what)
  }
})

t.test('what is wrong, where, and what is read all the same', async t => {
  const cases: [what: string, text: string, complaints: string[], expected: string[]][] = [
    [
      'a block that is never closed',
      '. {\n errors\n',
      ['1:3: error: this brace is never closed'],
      ['dns://. | errors'],
    ],
    [
      'an inner block that is never closed',
      '. {\n cache {\n  keepttl\n}\n',
      ['1:3: error: this brace is never closed'],
      ['dns://. | cache { keepttl }'],
    ],
    [
      'a brace too many',
      '. {\n}\n}\na {\n}',
      ['3:1: error: this brace closes nothing'],
      ['dns://. |', 'dns://a. |'],
    ],
    [
      'a brace too early: directives outside every block',
      '. {\n errors\n}\ncache 30\nloop\n}',
      [
        '4:1: error: this directive stands outside every server block (found "cache")',
        '5:1: error: this directive stands outside every server block (found "loop")',
        '6:1: error: this brace closes nothing',
      ],
      ['dns://. | errors'],
    ],
    [
      'a zone named like a directive',
      'cache {\n}',
      ['1:1: warning: a zone with the name of a directive: is a brace misplaced above? (found "cache")'],
      ['dns://cache. |'],
    ],
    [
      'a brace without blank behind a key',
      'example.org{\n log\n}',
      ['1:1: error: a blank is needed before the opening brace (found "example.org{")'],
      ['dns://example.org. | log'],
    ],
    [
      'a brace without blank behind a directive',
      '. {\n cache{\n  keepttl\n }\n log\n}',
      ['2:2: error: a blank is needed before the opening brace (found "cache{")'],
      ['dns://. | cache { keepttl } ; log'],
    ],
    [
      'a brace without blank behind an argument',
      '. {\n cache 30{\n  keepttl\n }\n}',
      ['2:8: error: a blank is needed before the opening brace (found "30{")'],
      ['dns://. | cache 30 { keepttl }'],
    ],
    [
      'words behind an opening brace',
      '. { log\n cache { keepttl\n }\n}',
      [
        '1:5: warning: an opening brace should end its line (found "log")',
        '2:10: warning: an opening brace should end its line (found "keepttl")',
      ],
      ['dns://. | log ; cache { keepttl }'],
    ],
    [
      'a closing brace behind words',
      '. {\n log }\na {\n}',
      ['2:6: error: a closing brace must begin its line (found "}")'],
      ['dns://. | log', 'dns://a. |'],
    ],
    [
      'a block on one line',
      '. {\n kubernetes a { ttl 5 }\n log\n}',
      [
        '2:17: warning: an opening brace should end its line (found "ttl")',
        '2:23: error: a closing brace must begin its line (found "}")',
      ],
      ['dns://. | kubernetes a { ttl 5 } ; log'],
    ],
    [
      'words behind the closing brace of a directive',
      '. {\n cache {\n } log x\n errors\n}',
      ['3:4: error: a closing brace must stand alone on its line (found "log")'],
      ['dns://. | cache {  } ; errors'],
    ],
    [
      'a block behind the closing brace of a directive',
      '. {\n cache {\n } log {\n  x\n }\n errors\n}',
      ['3:4: error: a closing brace must stand alone on its line (found "log")'],
      ['dns://. | cache {  } ; errors'],
    ],
    [
      'the opening brace of a directive on a line of its own',
      '. {\n cache\n {\n  keepttl\n }\n log\n}',
      ['3:2: error: an opening brace must end the line of its directive (found "{")'],
      ['dns://. | cache ; log'],
    ],
    [
      'no key',
      '{\n log\n}\na {\n}',
      ['1:1: error: a server block needs a zone before its brace'],
      ['dns://a. |'],
    ],
    [
      'a comma before the brace',
      'a, {\n log\n}',
      ['1:1: error: a zone must follow this comma (found "a,")'],
      ['dns://a. | log'],
    ],
    ['a comma at the end', 'a,', ['1:1: error: a zone must follow this comma (found "a,")'], ['dns://a. |']],
    ['a closing brace among the keys', 'a }\n', ['1:3: error: this brace closes nothing'], ['dns://a. |']],
    [
      'one bad key of two',
      'a:0 b {\n log\n}',
      ['1:1: error: the port must be a number from 1 to 65535 (found "a:0")'],
      ['dns://b. | log'],
    ],
    [
      'the column of a bad key behind a comma',
      ' a,b:x,c {\n}',
      ['1:4: error: the port must be a number from 1 to 65535 (found "b:x")'],
      ['dns://a. dns://c. |'],
    ],
    [
      'no good key: the block is read and left out',
      'a..b {\n log\n}\nc {\n}',
      ['1:1: error: a zone name holds no empty label (found "a..b")'],
      ['dns://c. |'],
    ],
    [
      'a quote that is never closed',
      '. {\n log "x\n}',
      ['2:6: error: this quote is never closed'],
      ['dns://. | log x'],
    ],
    [
      'several mistakes at once',
      'a:0 {\n}\nb {\n log }\nc,\n',
      [
        '1:1: error: the port must be a number from 1 to 65535 (found "a:0")',
        '4:6: error: a closing brace must begin its line (found "}")',
        '5:1: error: a zone must follow this comma (found "c,")',
      ],
      ['dns://b. | log', 'dns://c. |'],
    ],
  ]
  for (const [what, text, expectedComplaints, expected] of cases) {
    const corefile = read(text)
    t.same(
      complaints(corefile),
      expectedComplaints.map(line => `Corefile:${line}`),
      what,
    )
    t.same(outline(corefile), expected, what)
  }
})

t.test('variables in keys, words, arguments and options', async t => {
  const env = { ZONE: 'Example.org', PORT: '1053', WORD: 'cache', BRACE: '{', TWO: 'a b', LIST: 'a,b:0' }
  const corefile = read('{$ZONE}:{%PORT%} {\n {$WORD} 3{$NONE}0 {\n  ttl "{$TWO}" {$BRACE}\n }\n}', {}, env)
  t.same(complaints(corefile), [])
  t.same(outline(corefile), ['dns://example.org.:1053 | cache 30 { ttl "a b" { }'])

  const unset = read('{$NONE} a {\n}\n{$NONE} {\n}', {}, env)
  t.same(complaints(unset), [
    'Corefile:1:1: warning: this zone is empty and left out (found "{$NONE}")',
    'Corefile:3:1: warning: this zone is empty and left out (found "{$NONE}")',
    'Corefile:3:9: error: a server block needs a zone before its brace',
  ])
  t.same(outline(unset), ['dns://a. |'])

  const moved = read('x {$LIST} {\n}', {}, env)
  t.same(complaints(moved), ['Corefile:1:3: error: the port must be a number from 1 to 65535 (found "b:0")'])
})

t.test('every token knows its place', async t => {
  const { blocks } = read('# head\na, b {\n  cache 30 {\n    success "1"\n  }\n}')
  const [block] = blocks
  const [cache] = block!.directives
  const place = ({ line, column }: { line: number; column: number }): string => `${line}:${column}`
  t.same(
    block!.keys.map(({ token }) => place(token)),
    ['2:1', '2:4'],
  )
  t.same([place(cache!.word), ...cache!.args.map(place)], ['3:3', '3:9'])
  t.same([place(cache!.block![0]!.word), place(cache!.block![0]!.args[0]!)], ['4:5', '4:13'])
  t.equal(cache!.block![0]!.args[0]!.quoted, true)
})

t.test('braces nest only so deep', async t => {
  const nested = (depth: number): string =>
    `. {\n${'a {\n'.repeat(depth)}${'}\n'.repeat(depth)}log\n}\nb {\n}`
  t.same(complaints(read(nested(DEPTH_MAX - 1))), [])
  const corefile = read(nested(10_000))
  t.same(complaints(corefile), [`Corefile:${DEPTH_MAX + 1}:3: error: braces more than ${DEPTH_MAX} deep`])
  t.match(outline(corefile), [/; log$/, /^dns:\/\/b\./], 'what follows is read')
})

t.test('a Corefile that cannot be read is a problem at its head', async t => {
  const corefile = parseCorefile('nowhere/Corefile', memoryHost({}))
  t.same(complaints(corefile), ['nowhere/Corefile:1:1: error: cannot read nowhere/Corefile: no such file'])
  t.same(corefile.blocks, [])
  t.same(corefile.files, [])
})

t.test('a Corefile given as text', async t => {
  const host = memoryHost({ 'more.conf': 'log\n' })
  const corefile = parseCorefileText('. {\n import more.conf\n errors }', 'stdin', host)
  t.same(outline(corefile), ['dns://. | log ; errors'])
  t.same(complaints(corefile), ['stdin:3:9: error: a closing brace must begin its line (found "}")'])
  t.same(corefile.files, ['more.conf'])
})
