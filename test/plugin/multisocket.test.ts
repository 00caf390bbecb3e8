// The directive's text, and how many threads come of it.

import t from 'tap'
import { type MultisocketConfig, multisocketWord, threadsOf } from '../../src/plugin/multisocket.ts'
import { parseWord } from '../support/words.ts'

t.test('the number', async t => {
  const cases: [text: string, config: MultisocketConfig][] = [
    ['multisocket', { threads: undefined }],
    ['multisocket 1', { threads: 1 }],
    ['multisocket 16', { threads: 16 }],
  ]
  for (const [text, config] of cases) {
    t.strictSame(parseWord(multisocketWord, text), { config, complaints: [] }, text)
  }
  const { config, complaints } = parseWord(multisocketWord, 'multisocket 1024')
  t.strictSame(config, { threads: 1024 })
  t.same(complaints, ['2:1: warning: no more than 16 threads are started (found "1024")'])
})

t.test('mistakes', async t => {
  const number = 'the number of threads must be an integer from 1 to 1024'
  const cases: [text: string, complaints: string[]][] = [
    ['multisocket 0', [`2:13: error: ${number} (found "0")`]],
    ['multisocket 1025', [`2:13: error: ${number} (found "1025")`]],
    ['multisocket x', [`2:13: error: ${number} (found "x")`]],
    ['multisocket 2 3', ['2:15: error: too many arguments for multisocket (found "3")']],
    ['multisocket {\n}', ['2:1: error: multisocket takes no block']],
    ['multisocket\nmultisocket 2', ['3:1: error: multisocket is given twice, first at Corefile:2:1 (found "multisocket")']],
  ] // biome-ignore format: a table
  for (const [text, complaints] of cases)
    t.same(parseWord(multisocketWord, text).complaints, complaints, text)
})

t.test('threads by directives and cores', async t => {
  const cases: [configs: MultisocketConfig[], cores: number, threads: number][] = [
    [[], 1, 1],
    [[], 2, 2],
    [[], 16, 4],
    [[{ threads: undefined }], 16, 16],
    [[{ threads: undefined }], 96, 16],
    [[{ threads: 3 }], 16, 3],
    [[{ threads: 8 }], 2, 8],
    [[{ threads: 1024 }], 2, 16],
    [[{ threads: 2 }, { threads: 5 }], 16, 5],
    [[{ threads: 2 }, { threads: undefined }], 16, 16],
  ]
  for (const [configs, cores, threads] of cases) {
    t.equal(threadsOf(configs, cores), threads, `${JSON.stringify(configs)} on ${cores} cores`)
  }
})
