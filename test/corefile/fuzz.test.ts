// Whatever a file holds, reading it ends, throws nothing, and every complaint stands inside the file.

import t from 'tap'
import { parseCorefileText } from '../../src/corefile/parser.ts'
import { formatProblem } from '../../src/corefile/problem.ts'
import fc, { runs } from '../support/properties.ts'
import { lines, memoryHost } from './read-corefile.ts'

const host = memoryHost(
  { a: 'import b', b: '. {\n import a\n', 'c.x': '}', 'd.x': '(s) {\n import s\n}' },
  { V: '{$V} {' },
)

const word = fc.oneof(
  fc.constantFrom(
    '{',
    '}',
    '"',
    '\\"',
    '\\',
    '#',
    ',',
    '\n',
    '\n',
    '\r\n',
    ' ',
    ' ',
    '\t',
    '{$V}',
    '{%V%}',
    '{$',
    '"{"',
  ),
  fc.constantFrom(
    'import',
    'a',
    'b',
    '*.x',
    '(s)',
    's',
    '.',
    '.:53',
    'cache',
    'x{',
    'tls://',
    '10.0.0.0/12',
    '::/0:53',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const text = fc.oneof(
  { weight: 5, arbitrary: fc.array(word, { maxLength: 60 }).map(words => words.join('')) },
  { weight: 2, arbitrary: fc.array(word, { maxLength: 60 }).map(words => words.join(' ')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
)

/** Whether a place is one of the file: columns may stand one behind the last character. */
function inside(source: string, line: number, column: number): boolean {
  const text = source.split('\n')[line - 1]
  return text !== undefined && column >= 1 && column <= text.length + 1
}

t.test('random text is read to its end', async t => {
  const reads = fc.property(text, source => {
    const { blocks, problems } = parseCorefileText(source, 'fuzz', host)
    for (const problem of problems) {
      if (problem.file === 'fuzz' && !inside(source, problem.line, problem.column)) return false
      if (!formatProblem(problem).startsWith(`${problem.file}:${problem.line}:${problem.column}: `))
        return false
    }
    return blocks.every(({ keys }) => keys.length > 0 && keys.every(({ zone }) => zone.endsWith('.')))
  })
  t.doesNotThrow(() => fc.assert(reads, { numRuns: runs(3000) }))
})

t.test('what is written as a Corefile is read back', async t => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/).filter(text => text !== 'import')
  const argument = fc.string({ minLength: 0, maxLength: 8 }).filter(text => !/[{}\\]/.test(text))
  const directive = fc.tuple(name, fc.array(argument, { maxLength: 3 }), fc.array(name, { maxLength: 3 }))
  const quoted = (text: string): string => `"${text.replaceAll('"', '\\"')}"`
  const roundTrip = fc.property(fc.array(directive, { maxLength: 5 }), directives => {
    const written = directives.map(([word, args, options]) => {
      const block = options.length > 0 ? ` {\n${options.join('\n')}\n}` : ''
      return `${[word, ...args.map(quoted)].join(' ')}${block}\n`
    })
    const { blocks, problems } = parseCorefileText(`. {\n${written.join('')}}\n`, 'f', host)
    const read = blocks[0]!.directives.map(({ word, args, block = [] }) => [
      word.text,
      args.map(({ text }) => text),
      block.map(option => lines([option])),
    ])
    return problems.length === 0 && JSON.stringify(read) === JSON.stringify(directives)
  })
  t.doesNotThrow(() => fc.assert(roundTrip))
})

t.test('long files of one thing end soon', async t => {
  const many = 100_000
  for (const part of [
    '{',
    '{\n',
    '}',
    '}\n',
    'a {\n',
    'a{',
    'a,',
    '"',
    '\\"',
    '#',
    '(s) {\n',
    'import a\n',
    '{$V',
    '{%V',
    '\n',
    'a\n',
  ]) {
    const { problems } = parseCorefileText(part.repeat(many), 'f', host)
    t.ok(problems.length <= 501, JSON.stringify(part))
  }
})
