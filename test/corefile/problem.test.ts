import t from 'tap'
import {
  formatProblem,
  nearestWord,
  PROBLEMS_MAX,
  type Problem,
  Problems,
} from '../../src/corefile/problem.ts'

const place = { file: 'Corefile', line: 7, column: 9 }

t.test('a problem is one line', async t => {
  const cases: [more: Partial<Problem>, expected: string][] = [
    [{}, 'Corefile:7:9: error: wrong'],
    [{ severity: 'warning' }, 'Corefile:7:9: warning: wrong'],
    [{ found: 'x' }, 'Corefile:7:9: error: wrong (found "x")'],
    [{ found: 'a "b"\n' }, 'Corefile:7:9: error: wrong (found "a \\"b\\"\\n")'],
    [{ allowed: ['a', 'b'] }, 'Corefile:7:9: error: wrong (allowed: a, b)'],
    [{ found: 'zzz', allowed: [] }, 'Corefile:7:9: error: wrong (found "zzz")'],
    [
      { found: 'zzz', allowed: ['pods', 'ttl'] },
      'Corefile:7:9: error: wrong (found "zzz"; allowed: pods, ttl)',
    ],
    [
      { found: 'tll', allowed: ['pods', 'ttl'] },
      'Corefile:7:9: error: wrong (found "tll"; allowed: pods, ttl; did you mean "ttl"?)',
    ],
  ]
  for (const [more, expected] of cases) {
    t.equal(formatProblem({ severity: 'error', ...place, message: 'wrong', ...more }), expected)
  }
})

t.test('the nearest word', async t => {
  const words = ['kubernetes', 'cache', 'forward', 'fallthrough', 'ttl', 'pods', 'any', 'on']
  const cases: [found: string, near: string | undefined][] = [
    ['kuberentes', 'kubernetes'],
    ['kubernets', 'kubernetes'],
    ['Kubernetes', 'kubernetes'],
    ['cahce', 'cache'],
    ['foward', 'forward'],
    ['fallthru', undefined],
    ['fallthrouh', 'fallthrough'],
    ['pod', 'pods'],
    ['tl', 'ttl'],
    ['xyz', undefined],
    ['', undefined],
    ['cache', undefined],
    ['k'.repeat(1000), undefined],
  ]
  for (const [found, near] of cases) t.equal(nearestWord(found, words), near, found)
  t.equal(nearestWord('a', []), undefined)
})

t.test('problems are kept in order and counted beyond their bound', async t => {
  const problems = new Problems()
  problems.warning(place, 'first', { found: 'x' })
  t.equal(problems.errors, 0)
  for (let i = 0; i < PROBLEMS_MAX + 4; i++) problems.error({ ...place, line: i + 1 }, 'again')
  t.equal(problems.errors, PROBLEMS_MAX + 4)
  t.equal(problems.list.length, PROBLEMS_MAX + 1)
  t.same(problems.list[0], { severity: 'warning', ...place, message: 'first', found: 'x' })
  t.same(problems.list.at(-1), {
    severity: 'error',
    file: 'Corefile',
    line: PROBLEMS_MAX - 1,
    column: 9,
    message: '5 further problems after this one are not shown',
  })
})
