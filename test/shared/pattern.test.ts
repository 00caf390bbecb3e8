// Which expressions run in V8, and that they find there what RE2 finds.

import { RE2JS } from 're2js'
import t from 'tap'
import { compilePattern, type Pattern, plainPattern } from '../../src/shared/pattern.ts'
import fc from '../support/properties.ts'

t.test('what is plain, and what it finds', async t => {
  const cases: [pattern: string, text: string, found: readonly string[] | undefined][] = [
    [
      '^ip-(?P<a>[0-9]+)-(?P<b>\\d+)[.]ip[.]example[.]$',
      'ip-1-22.ip.example.',
      ['ip-1-22.ip.example.', '1', '22'],
    ],
    ['^ip-(?P<a>[0-9]+)-(?P<b>\\d+)[.]ip[.]example[.]$', 'ip-1-.ip.example.', undefined],
    ['^(.*)\\.example\\.org\\.$', 'a.b.example.org.', ['a.b.example.org.', 'a.b']],
    [
      '(.*)\\.corp\\.example\\.',
      'a.corp.example.corp.example.x.',
      ['a.corp.example.corp.example.', 'a.corp.example'],
    ],
    ['(.*?)-x', 'a-x-x', ['a-x', 'a']],
    ['[.]example[.]', 'a.example.b.', ['.example.']],
    ['^a{2}(b|)', 'aab', ['aab', 'b']],
    ['^[a-z0-9_-]+$', 'a-b_9', ['a-b_9']],
    ['^[^.]+[.]x$', 'ab.x', ['ab.x']],
    ['', 'abc', ['']],
  ]
  for (const [pattern, text, found] of cases)
    t.same(compilePattern(pattern).find(text), found, `${pattern} in ${text}`)
  t.same(compilePattern('^(?P<a>x)(?:y)(z)$').names, { a: 1 })
  t.equal(compilePattern('^(?P<a>x)(?:y)(z)$').groupCount, 2)
  t.ok(compilePattern('^A$', true).test('a'))
})

t.test('what may take back much is left to RE2', async t => {
  const plain = [
    '^[a-z]+-[0-9]+$', '^(.*)[.]x$', '(.*)-x', '.*', '^(?P<n>\\w+)[.]', '^a?b', '^a?a', 'abc', '^x{3}y*z', '^[^.]*[.][^.]*[.]$',
  ] // biome-ignore format: a list
  for (const pattern of plain) t.ok(plainPattern(pattern, false), pattern)
  const others = [
    '(a+)+$', '(a*)*b', '(a|b)', '^(.*)(.*)x', '^a+a+$', '^(.*)b+$', 'a+b', '[a-z]+$', '^\\ba', '^\\Da', '(?i)a',
    '^[[:alpha:]]+$', '^\\pL', '^(.*)x?$', '^a$b', 'a^', '^[]a]', `^.*${'x'.repeat(257)}`, '^(a-)*b', '^.+.+.+$', '^\\x41', 'ä', '^[ä]',
  ] // biome-ignore format: a list
  for (const pattern of others) t.notOk(plainPattern(pattern, false), pattern)
  t.ok(plainPattern('^[a-z]+A[0-9]*$', false))
  t.notOk(plainPattern('^[a-z]+A[0-9]*$', true), 'in any case')
})

t.test('V8 finds what RE2 finds', async t => {
  const one = fc.constantFrom(
    'a',
    'b',
    '-',
    '\\.',
    '[ab]',
    '[^a]',
    '[a-c.]',
    '\\d',
    '\\w',
    '.',
    '[.]',
    '[b-]',
  )
  const atom = fc
    .tuple(one, fc.constantFrom('', '', '', '+', '*', '?', '+?', '*?', '{2}', '{1,2}', '{2,}'))
    .map(parts => parts.join(''))
  const atoms = fc.array(atom, { maxLength: 4 }).map(parts => parts.join(''))
  const piece = fc.oneof(
    atoms,
    atoms.map(text => `(${text})`),
    atoms.map(text => `(?:${text})`),
  )
  const pattern = fc
    .tuple(fc.constantFrom('', '^', '^', '(.*)'), fc.array(piece, { maxLength: 3 }), fc.constantFrom('', '$'))
    .map(([first, pieces, last]) => first + pieces.join('') + last)
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '-', '.', '1', '\ue02e'), { maxLength: 8 })
    .map(parts => parts.join(''))
  let compared = 0
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 4 }), (written, texts) => {
      const plain = plainPattern(written, false)
      if (plain === undefined) return true
      compared++
      return texts.every(each => JSON.stringify(plain.find(each)) === JSON.stringify(foundBy(written, each)))
    }),
    { numRuns: 2000 },
  )
  t.ok(compared > 200, `${compared} were compared`)
})

/** What re2js finds. */
function foundBy(pattern: string, text: string): ReturnType<Pattern['find']> {
  const compiled = RE2JS.compile(pattern)
  const matcher = compiled.matcher(text)
  if (!matcher.find()) return undefined
  return Array.from({ length: compiled.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined)
}
