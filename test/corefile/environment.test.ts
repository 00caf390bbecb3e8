import t from 'tap'
import { substitute } from '../../src/corefile/environment.ts'

const env = { PORT: '1053', ZONES: 'a b', SELF: '{$SELF}', EMPTY: '', 'A-B': 'dash' }

t.test('variables in words', async t => {
  const cases: [text: string, expected: string][] = [
    ['plain', 'plain'],
    ['{$PORT}', '1053'],
    ['{%PORT%}', '1053'],
    ['.:{$PORT}', '.:1053'],
    ['{$PORT}{%PORT%}{$PORT}', '105310531053'],
    ['{$ZONES}', 'a b'],
    ['{$A-B}', 'dash'],
    ['{$EMPTY}', ''],
    ['x{$UNSET}y', 'xy'],
    ['{$}', '{$}'],
    ['{%%}', '{%%}'],
    ['{$PORT', '{$PORT'],
    ['{%PORT}', '{%PORT}'],
    ['{PORT}', '{PORT}'],
    ['$PORT', '$PORT'],
    ['{{ .Name }} {$PORT}', '{{ .Name }} 1053'],
    ['{$SELF}', '{$SELF}'],
    ['{$toString}', ''],
    ['{$__proto__}', ''],
  ]
  for (const [text, expected] of cases) t.equal(substitute(text, env), expected, text)
})
