// Reading the directive; that labels are collected before views and for the log is tested in view/routing.test.ts.

import t from 'tap'
import { metadataWord } from '../../src/plugin/metadata.ts'
import { parseWord } from '../support/words.ts'

t.test('zones', async t => {
  const cases: [lines: string, zones: readonly string[], complaints: string[]][] = [
    ['metadata', ['a.', 'b.'], []],
    ['metadata Example.ORG 10.0.0.0/8', ['example.org.', '10.in-addr.arpa.'], []],
    ['metadata a..b', [], ['2:10: error: a zone name holds no empty label (found "a..b")']],
    [
      'metadata\nmetadata',
      ['a.', 'b.'],
      ['3:1: error: metadata is given twice, first at Corefile:2:1 (found "metadata")'],
    ],
    ['metadata {\nx\n}', ['a.', 'b.'], ['2:1: error: metadata takes no block']],
  ]
  for (const [lines, zones, complaints] of cases) {
    const parsed = parseWord(metadataWord, lines, { zones: ['a.', 'b.'] })
    t.same(parsed.config, { zones }, lines)
    t.same(parsed.complaints, complaints, lines)
  }
})
