// What is said about directives is what the parsers do: the documented options are those that a parser knows, and the
// files that users read are those that the source writes.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { documents } from '../../scripts/directives.ts'
import { exampleOf, wordOf } from '../../src/corefile/doc.ts'
import { formatProblem, type Problem, Problems } from '../../src/corefile/problem.ts'
import { DIRECTIVE_WORDS } from '../../src/corefile/words.ts'
import { SERVED_WORDS, servedWord } from '../../src/plugin/registry.ts'
import { buildSetup } from '../../src/setup/build.ts'
import { read } from '../corefile/read-corefile.ts'

const problemsOf = (text: string): readonly Problem[] => {
  const problems = new Problems()
  buildSetup(read(text), problems, { port: 53, file: 'Corefile', env: {} })
  return problems.list
}

t.test('every directive is served, does nothing with a warning, or is refused: one of them', async t => {
  for (const { word, instead, notOffered } of DIRECTIVE_WORDS) {
    const fates = [servedWord(word), instead, notOffered].filter(fate => fate !== undefined)
    t.equal(fates.length, 1, word)
  }
})

t.test('documented options are the ones that the parser knows', async t => {
  for (const word of SERVED_WORDS) {
    const { doc } = servedWord(word)!
    t.equal(wordOf(doc), word, `${word}: the usage begins with the word`)
    const unknown = problemsOf(`. {\n${word} {\nno-such-option\n}\n}`).find(
      ({ found }) => found === 'no-such-option',
    )
    // A word whose block holds something else than options says nothing of allowed ones.
    if (unknown?.allowed) t.same(doc.options.map(wordOf).sort(), unknown.allowed, `${word}: its options`)
    for (const { meaning, usage } of [doc, ...doc.options])
      t.notMatch(meaning, /^[A-Z][a-z]|\.$/, `${usage}: a phrase without a full stop`)
  }
})

t.test('an example has the directive at work', async t => {
  for (const word of SERVED_WORDS) {
    const example = exampleOf(servedWord(word)!.doc)
    t.match(example, new RegExp(`^\\S.* \\{\\n(?:.*\\n)*? {4}${word}\\b(?:.*\\n)*\\}\\n$`), word)
  }
})

t.test('a mistake shows how its line is written', async t => {
  const cases = [
    ['cache 30 {\nservfail 1h\n}', 'usage: servfail DURATION)'],
    ['cache x y.z..', 'usage: cache [TTL] [ZONE…])'],
    ['reload 1s', 'usage: reload [INTERVAL] [JITTER])'],
  ] as const
  for (const [directive, usage] of cases) {
    const [problem] = problemsOf(`. {\n${directive}\n}`)
    const text = problem ? formatProblem(problem) : ''
    t.ok(text.endsWith(usage), text)
  }
})

t.test('what users read is what the source writes: npm run docs', async t => {
  for (const [file, text] of documents())
    t.equal(readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8'), text, file)
})
