import t from 'tap'
import type { Kind } from '../../../src/plugin/rewrite/config.ts'
import {
  compileMatch,
  compileSubstitution,
  groupNumber,
  groupsUsed,
  remap,
} from '../../../src/plugin/rewrite/match.ts'
import { costBeside } from '../../support/cost.ts'

t.test('what matches, and what it becomes', async t => {
  const cases: [kind: Kind, from: string, to: string, text: string, result: string | undefined][] = [
    ['exact', 'a.org.', 'b.org.', 'a.org.', 'b.org.'],
    ['exact', 'a.org.', 'b.org.', 'x.a.org.', undefined],
    ['prefix', 'a.', 'b.c.', 'a.org.', 'b.c.org.'],
    ['prefix', 'a.', 'b.', 'aa.org.', undefined],
    ['suffix', '.a.org.', '.b.org.', 'x.y.a.org.', 'x.y.b.org.'],
    ['suffix', '.a.org.', '.b.org.', 'a.org.', undefined],
    ['suffix', 'a.org.', 'b.org.', 'xa.org.', 'xb.org.'],
    ['suffix', '.', '.x.', 'a.', 'a.x.'],
    ['substring', 'mid.', 'middle.', 'a.mid.mid.org.', 'a.middle.middle.org.'],
    ['substring', '$&.', 'x.', 'a.$&.org.', 'a.x.org.'],
    ['substring', 'a.', '$&.', 'a.org.', '$&.org.'],
    ['substring', 'no.', 'yes.', 'a.org.', undefined],
    ['regex', '^(.*)-(x|y)\\.org', '{2}.{1}.net.', 'a-b-x.org.', 'x.a-b.net.'],
    ['regex', 'b', 'whole.', 'abc.', 'whole.'],
    ['regex', '(x)?(a)', '{1}{2}{0}.', 'a.', 'aa.'],
    ['regex', '(a)', '{1}{2}{9}.', 'a.', 'a{2}{9}.'],
    ['regex', '(.*)', '{01}{1}', 'a.', '{01}a.'],
    ['regex', '^(.*)\\.x\\.$', '{1}.', '{1}.x.', '{1}.'],
    ['regex', 'A', 'b.', 'a.', undefined],
    ['regex', '^.\\.org\\.$', 'b.', '\ue02e.org.', 'b.'],
    ['regex', '^\\.\\.org\\.$', 'b.', '\ue02e.org.', undefined],
  ]
  for (const [kind, from, to, text, result] of cases) {
    const what = `${kind} ${from} ${to}: ${text}`
    t.equal(compileSubstitution({ kind, from, to })(text), result, what)
    t.equal(compileMatch({ kind, from })(text), result !== undefined, `${what}: the match alone`)
  }
  t.equal(compileSubstitution({ kind: 'regex', from: 'A', to: 'b.', anyCase: true })('a.'), 'b.')
})

t.test('the way back: a name and all below it, by whole labels', async t => {
  const back = remap('b.org.', 'a.net.')
  t.equal(back('b.org.'), 'a.net.')
  t.equal(back('x.y.b.org.'), 'x.y.a.net.')
  t.equal(back('xb.org.'), undefined)
  t.equal(back('org.'), undefined)
  t.equal(remap('.', 'a.net.')('b.org.'), undefined, 'not everything is below the root')
})

t.test('names of groups', async t => {
  const cases: [part: string, number: number | undefined][] = [
    ['{0}', 0],
    ['{12}', 12],
    ['{100}', 100],
    ['{101}', undefined],
    ['{01}', undefined],
    ['{}', undefined],
    ['1', undefined],
  ]
  for (const [part, number] of cases) t.equal(groupNumber(part), number, part)
  t.same([...groupsUsed('{1}.{1}.{3}.{x}')], [1, 3])
})

t.test('no pattern makes a name slow', async t => {
  const [long, short] = [`${'a'.repeat(60)}.`, `${'a'.repeat(15)}.`]
  const often = (matches: (text: string) => unknown, text: string) => (): void => {
    for (let i = 0; i < 20; i++) matches(text)
  }
  const patterns = ['(a+)+$', '(a*)*b', '(a|a)*$', '(a|aa)+$', '^(.*)*x$', '(.*)(.*)(.*)(.*)(.*)[^a]a$']
  for (const from of patterns) {
    const matches = compileMatch({ kind: 'regex', from })
    const times = costBeside(often(matches, long), often(matches, short))
    t.ok(times < 16, `${from}: ${times.toFixed(1)} times as much for four times the length`)
  }
})
