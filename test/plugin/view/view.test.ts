import t from 'tap'
import { ViewHandler } from '../../../src/plugin/view/handler.ts'
import { viewWord } from '../../../src/plugin/view/view.ts'
import { onRoad } from '../../support/road.ts'
import { parseWord, query } from '../../support/words.ts'

const VIEW = 'view v {'

t.test('what is wrong with a view', async t => {
  const cases: [lines: string, complaints: string[]][] = [
    ['view v', []],
    [`${VIEW}\n}`, []],
    [`${VIEW}\nexpr true\nexpr incidr(client_ip(), '10.0.0.0/8')\n}`, []],
    ['view', ['2:1: error: view needs a name']],
    ['view a b', ['2:8: error: too many arguments for view (found "b")']],
    ['view a\nview b', ['3:1: error: view is given twice, first at Corefile:2:1 (found "view")']],
    [`${VIEW}\nfoo bar\n}`, ['3:1: error: unknown property of view (found "foo"; allowed: expr)']],
    [`${VIEW}\nexpr\n}`, ['3:1: error: expr needs an expression']],
    // Places: blanks between words count once, quotes of the Corefile are no part of the expression.
    [
      `${VIEW}\nexpr name()   ==  'a' &&   size()\n}`,
      ['3:28: error: here must stand true or false, and this is a number'],
    ],
    [`${VIEW}\n  expr "name()  ==  size()"\n}`, ['3:17: error: == does not go between a text and a number']],
    [
      `${VIEW}\nexpr name() == "example.org."\n}`,
      ['3:17: error: example is no value: texts stand in single quotes, functions have parentheses'],
    ],
    [`${VIEW}\nexpr type() in ['A',\n}`, ['3:21: error: a value is missing']],
    [
      `${VIEW}\nexpr 'yes'\n}`,
      ['3:6: warning: this is neither true nor false: the server block gets no query'],
    ],
    [
      `${VIEW}\nexpr incidr(client_ip(), '10.0.0.0')\n}`,
      ['3:26: warning: 10.0.0.0 is no network such as 10.0.0.0/8: this is never true'],
    ],
    [`${VIEW}\n${'expr true\n'.repeat(101)}}`, ['103:1: error: more than 100 expressions']],
  ]
  for (const [lines, complaints] of cases) t.same(parseWord(viewWord, lines).complaints, complaints, lines)
})

const viewOf = (...expressions: readonly string[]): ViewHandler => {
  const lines = expressions.map(expression => `expr ${expression}`).join('\n')
  return new ViewHandler(parseWord(viewWord, `${VIEW}\n${lines}\n}`).config!)
}

t.test('a query is for the view when all its expressions are true', async t => {
  const accepts = (...expressions: readonly string[]): Promise<boolean> => {
    const view = viewOf(...expressions)
    return onRoad(query('www.example.org. A'), packet => view.accepts(packet))
  }
  t.ok(await accepts(), 'no expression')
  t.ok(await accepts('true', "type() == 'A'"))
  t.notOk(await accepts('true', "type() == 'MX'"))
  t.notOk(await accepts("'true'"), 'a text is not true')
  t.notOk(await accepts("incidr(name(), '10.0.0.0/8')"), 'what cannot be said is not true')
})

t.test('it names itself in the metadata', async t => {
  const labels = new Map<string, string>()
  await onRoad(query('www.example.org. A'), packet => viewOf('true').annotate(packet, labels))
  t.same([...labels], [['view/name', 'v']])
})
