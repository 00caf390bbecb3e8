import t from 'tap'
import { tokenize } from '../../src/corefile/lexer.ts'
import { formatProblem, Problems } from '../../src/corefile/problem.ts'

/** Words as `text@line:column`, a bar before each first word of a line. */
function words(text: string, env: Record<string, string> = {}): string {
  const problems = new Problems()
  const tokens = tokenize(text, 'f', env, problems)
  t.same(problems.list, [], `no problem in ${JSON.stringify(text)}`)
  return tokens
    .map(({ text, quoted, line, column, startsLine }) => {
      const shown = quoted ? `"${text}"` : text
      return `${startsLine ? '|' : ''}${shown}@${line}:${column}`
    })
    .join(' ')
}

t.test('words and where they stand', async t => {
  const cases: [what: string, text: string, expected: string][] = [
    ['nothing', '', ''],
    ['only blanks', ' \t\r\n\n', ''],
    ['two lines', 'a b\n  c', '|a@1:1 b@1:3 |c@2:3'],
    ['tabs count one column', '\ta\tb', '|a@1:2 b@1:4'],
    ['carriage returns are no characters', 'a b\r\nc\r\n', '|a@1:1 b@1:3 |c@2:1'],
    ['a carriage return does not end a word', 'a\rb', '|ab@1:1'],
    ['a byte order mark is skipped and has no column', '\uFEFFa', '|a@1:1'],
    ['a byte order mark further on is a character', 'a \uFEFFb', '|a@1:1 \uFEFFb@1:3'],
    ['blanks of Unicode', 'a\u00a0b\u2003c\u3000d\u0085e', '|a@1:1 b@1:3 c@1:5 d@1:7 e@1:9'],
    ['a comment line', '# a\nb', '|b@2:1'],
    ['a comment behind a word', 'a # b\nc', '|a@1:1 |c@2:1'],
    ['a comment in the middle of a word', 'a#b\nc', '|a@1:1 |c@2:1'],
    ['quotes in a comment', '# "a\nb', '|b@2:1'],
    ['a comment up to the end', 'a #', '|a@1:1'],
    ['quotes hold blanks', '"a b" c', '|"a b"@1:1 c@1:7'],
    ['quotes hold a #', '"a # b" c # d', '|"a # b"@1:1 c@1:9'],
    ['quotes hold nothing', '"" a', '|""@1:1 a@1:4'],
    ['an escaped quote', '"a \\"b\\" c"', '|"a "b" c"@1:1'],
    ['no other escape', '"a\\n\\\\" b', '|"a\\n\\\\"@1:1 b@1:9'],
    ['a quote in the middle of a word is a character', 'a"b c"', '|a"b@1:1 c"@1:5'],
    ['a word right behind a quote', '"a"b', '|"a"@1:1 b@1:4'],
    ['a quote over lines: the next word is on the same line', '"a\nb" c\nd', '|"a\nb"@1:1 c@2:4 |d@3:1'],
    ['a quoted line break keeps its carriage return', '"a\r\nb"', '|"a\r\nb"@1:1'],
    ['braces are words', 'a { b\n}', '|a@1:1 {@1:3 b@1:5 |}@2:1'],
    ['a quoted brace is known as quoted', '"{"', '|"{"@1:1'],
    ['a backslash outside quotes is a character', 'a\\ b', '|a\\@1:1 b@1:4'],
  ]
  for (const [what, text, expected] of cases) t.equal(words(text), expected, what)
})

t.test('variables are replaced within words, quoted or not', async t => {
  const env = { A: 'x', B: 'y z', HOME: '{$A}' }
  t.equal(words('a{$A}b "{%B%}" {$NONE}', env), '|axb@1:1 "y z"@1:8 @1:16')
  t.same(tokenize('{$A}', 'f', env, new Problems()), [
    { text: 'x', written: '{$A}', quoted: false, file: 'f', line: 1, column: 1, startsLine: true },
  ])
})

t.test('a comment in the middle of a word with words in it is told, since CoreDNS reads those', async t => {
  const problems = new Problems()
  const tokens = tokenize('x\n a b#c d "e\nf#g \n', 'Corefile', {}, problems)
  t.same(
    tokens.map(({ text }) => text),
    ['x', 'a', 'b', 'f'],
  )
  t.same(problems.list.map(formatProblem), [
    'Corefile:2:5: warning: a comment begins inside a word; CoreDNS reads the words after its first blank',
  ])
})

t.test('a quote that is never closed ends with its line and is told', async t => {
  const problems = new Problems()
  const tokens = tokenize('a\n  b "c d # e\nf\n', 'Corefile', {}, problems)
  t.same(
    tokens.map(({ text }) => text),
    ['a', 'b', 'c d # e', 'f'],
  )
  t.same(problems.list.map(formatProblem), ['Corefile:2:5: error: this quote is never closed'])
})
