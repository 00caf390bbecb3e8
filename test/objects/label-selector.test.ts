import t from 'tap'
import { parseSelector } from '../../src/objects/label-selector.ts'
import fc from '../support/properties.ts'

const web = new Map([
  ['app', 'web'],
  ['tier', 'front'],
  ['weight', '15'],
  ['example.com/team', 'a_b.c'],
  ['empty', ''],
])

t.test('what a selector selects', async t => {
  const cases: [text: string, selected: boolean][] = [
    ['', true],
    ['  ', true],
    ['app=web', true],
    ['app == web', true],
    ['app=web,tier=front', true],
    ['app=web,tier=back', false],
    ['app!=web', false],
    ['missing!=web', true],
    ['app in (db, web)', true],
    ['app in (db)', false],
    ['app notin (db,cache)', true],
    ['app notin (web)', false],
    ['missing notin (web)', true],
    ['app', true],
    ['missing', false],
    ['!app', false],
    ['! missing', true],
    ['example.com/team=a_b.c', true],
    ['empty=', true],
    ['app=', false],
    ['empty in ()', true],
    ['app in (,web)', true],
    ['empty in (,web)', true],
    ['weight>10', true],
    ['weight>15', false],
    ['weight<16', true],
    ['weight<-3', false],
    ['app>10', false],
    ['missing<10', false],
    ['constructor', false],
    ['in in (in)', false],
  ]
  for (const [text, selected] of cases) {
    const selector = parseSelector(text)
    t.equal(typeof selector === 'function' && selector(web), selected, text)
  }
})

t.test('what is no selector', async t => {
  const cases: [text: string, column: number, problem: RegExp][] = [
    ['app=web,', 9, /found the end, expected a label key/],
    [',app', 1, /found ','/],
    ['app web', 5, /found 'web', expected one of/],
    ['app=web tier', 9, /found 'tier', expected ','/],
    ['!', 2, /found the end, expected a label key/],
    ['!app=web', 5, /found '=', expected ','/],
    ['app in web', 8, /expected '\('/],
    ['app in (a', 10, /found the end, expected ',' or '\)'/],
    ['app in (a b)', 11, /found 'b'/],
    ['-app=web', 1, /'-app' is no label key/],
    ['a/b/c=web', 1, /is no label key/],
    ['app=we$b', 5, /'we\$b' is no label value/],
    ['app>x', 5, /'x' is no integer/],
    ['app>', 5, /expected an integer/],
    [`${'a'.repeat(64)}=b`, 1, /is no label key/],
    ['a'.repeat(5000), 1, /longer than 4096/],
  ]
  for (const [text, column, problem] of cases) {
    const selector = parseSelector(text)
    t.match(selector, { column, problem }, text.slice(0, 40))
  }
})

t.test('no text makes it throw', async t => {
  const piece = fc.constantFrom(
    'app',
    ' ',
    '=',
    '!',
    '!=',
    '==',
    '(',
    ')',
    ',',
    'in',
    'notin',
    '<',
    '>',
    'x/y',
    '5',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map(pieces => pieces.join('')),
      ),
      text => {
        const selector = parseSelector(text)
        return typeof selector === 'function' ? typeof selector(web) === 'boolean' : selector.column > 0
      },
    ),
  )
  t.pass('a predicate or a problem')
})
