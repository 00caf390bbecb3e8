import t from 'tap'
import { Problems } from '../../src/corefile/problem.ts'
import { debugWord } from '../../src/plugin/debug.ts'
import { buildSetup } from '../../src/setup/build.ts'
import { read } from '../corefile/read-corefile.ts'
import { parseWord } from '../support/words.ts'

t.test('one block with it is enough', async t => {
  const debug = (text: string): boolean => {
    const problems = new Problems()
    const setup = buildSetup(read(text), problems, { port: 53, file: 'Corefile', env: {} })
    t.same(problems.list, [])
    return setup.debug
  }
  t.equal(debug('. {\nwhoami\n}'), false)
  t.equal(debug('. {\nwhoami\n}\na.org {\ndebug\ndebug\n}'), true)
})

t.test('mistakes', async t => {
  t.match(parseWord(debugWord, 'debug on').complaints[0], /^2:7: error: debug takes no arguments/)
})
