// The directive's text; what its bound does is judged in test/listen and test/serving/address.test.ts.

import t from 'tap'
import { type HttpsConfig, httpsWord } from '../../src/plugin/https.ts'
import { parseWord } from '../support/words.ts'

t.test('bounds', async t => {
  const cases: [text: string, config: HttpsConfig][] = [
    ['https', { connectionsMax: undefined }],
    ['https {\nmax_connections 100\n}', { connectionsMax: 100 }],
    ['https {\nmax_connections 0\n}', { connectionsMax: 0 }],
  ]
  for (const [text, config] of cases) {
    t.strictSame(parseWord(httpsWord, text), { config, complaints: [] }, text)
  }
})

t.test('mistakes', async t => {
  const number = 'the number of connections must be an integer from 0 to 2147483647'
  const cases: [text: string, complaints: string[]][] = [
    ['https 100', ['2:7: error: https takes no arguments (found "100")']],
    ['https {\nmax_connections\n}', ['3:1: error: max_connections needs the number of connections']],
    ['https {\nmax_connections -1\n}', [`3:17: error: ${number} (found "-1")`]],
    ['https {\nmax_connections x\n}', [`3:17: error: ${number} (found "x")`]],
    ['https {\nmax_connections 1\nmax_connections 2\n}', ['4:1: error: max_connections is given twice, first at Corefile:3:1 (found "max_connections")']],
    ['https {\nmax_streams 1\n}', ['3:1: error: unknown property of https (found "max_streams"; allowed: max_connections)']],
  ] // biome-ignore format: a table
  for (const [text, complaints] of cases) t.same(parseWord(httpsWord, text).complaints, complaints, text)
})
