import t from 'tap'
import { nodeHost } from '../../src/corefile/host.ts'
import { formatProblem } from '../../src/corefile/problem.ts'
import { readConfiguration } from '../../src/setup/configuration.ts'
import { publicProblem, publicText } from '../../src/setup/public-text.ts'

const SECRET = 'Hunter2-hunter2'

t.test('what anybody may read of a Corefile that is refused', async t => {
  const cases: [what: string, corefile: string, shown: RegExp, log?: RegExp][] = [
    ['a word of the Corefile', '. {\n nonsense\n}', /^FILE:2:2: error: .*nonsense/],
    [
      'the value of a variable',
      '. {\n {$SECRET}\n}',
      /^FILE:2:2: error: refused; the log says why$/,
      /unter2/,
    ],
    [
      'another word in a line that has a variable',
      '. {\n forward . nowhere/ {$SECRET}\n}',
      /^FILE:2:\d+: error: refused; the log says why$/,
      /nowhere/,
    ],
    [
      'a variable as a zone',
      '{$SECRET}:dns {\n whoami\n}',
      /^FILE:1:1: error: refused; the log says why$/,
      /unter2/,
    ],
    [
      'a line of an import',
      '. {\n import DIR/more\n}',
      /^\S+\/more:1:1: error: refused; the log says why$/,
      /unter2/,
    ],
    [
      'a line of a zone file',
      '. {\n file DIR/db example.org\n}',
      /^\S+\/db:\d+:\d+: error: refused; the log says why$/,
    ],
  ]
  for (const [what, corefile, shown, log] of cases)
    t.test(what, async t => {
      const directory = t.testdir({
        more: `${SECRET}\n`,
        db: `@ 5 IN SOA ns host 1 2 3 4 5\n@ 5 IN ${SECRET} 1\n`,
      })
      const file = `${directory}/Corefile`
      const host = { ...nodeHost, env: { SECRET } }
      const { problems, hidden } = readConfiguration({
        file,
        text: corefile.replaceAll('DIR', directory),
        port: 53,
        host,
      })
      const errors = problems.filter(({ severity }) => severity === 'error')
      t.not(errors.length, 0)
      const texts = errors.map(problem => publicProblem(problem, hidden).replace(file, 'FILE'))
      t.match(texts[0], shown)
      t.notMatch(texts.join('\n'), new RegExp(SECRET, 'i'))
      if (log) t.match(errors.map(formatProblem).join('\n'), log, 'the log has it')
    })
})

t.test('a text that has the value of a variable is not shown', async t => {
  const hidden = { file: 'Corefile', lines: new Set<string>(), values: new Set([SECRET, 'abc']) }
  t.equal(
    publicText('connecting to abc: refused', hidden),
    'connecting to abc: refused',
    'too short to be one',
  )
  t.equal(publicText(`connecting to ${SECRET.toLowerCase()}.test`, hidden), 'the log says why')
  t.equal(publicText('one line\nand another', hidden), 'one line')
  t.equal(publicText('at the start', undefined), 'at the start', 'nothing was read yet')
})
