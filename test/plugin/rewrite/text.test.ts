import t from 'tap'
import { nameOf, readAbsoluteText, readText, showText, textOf } from '../../../src/plugin/rewrite/text.ts'
import { foldName, formatName, joinNames, type Name, name, ROOT } from '../../../src/wire/name.ts'
import fc from '../../support/properties.ts'

/** Any name at all: labels of any octets. */
const anyName = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 8 })
  .map(labels =>
    labels.reduce<Name>(
      (rest, label) => joinNames(Uint8Array.of(label.length, ...label, 0), rest) ?? rest,
      ROOT,
    ),
  )

t.test('every name has a text of as many characters, and comes back from it in lower case', async t => {
  fc.assert(
    fc.property(anyName, qname => {
      const text = textOf(qname)
      const back = nameOf(text)
      return text.length === Math.max(1, qname.length - 1) && Buffer.from(back!).equals(foldName(qname))
    }),
  )
  t.pass('text and back')
})

t.test('a name as text', async t => {
  const cases: [written: string, text: string][] = [
    ['.', '.'],
    ['WwW.Example.org.', 'www.example.org.'],
    ['a\\.b.org.', 'a\ue02eb.org.'],
    ['a\\\\b.org.', 'a\\b.org.'],
    ['my\\032printer.org.', 'my printer.org.'],
    ['\\000\\255.org.', '\ue000\ue0ff.org.'],
    ['\\195\\188.org.', '\ue0c3\ue0bc.org.'],
  ]
  for (const [written, text] of cases) t.equal(textOf(name(written)), text, written)
})

t.test('a text that is no name', async t => {
  const label = 'x'.repeat(63)
  const good = ['.', 'a', 'a.', `${label}.`, `${label}.${label}.${label}.${'x'.repeat(61)}.`]
  const bad = ['', '..', 'a..', '.a.', 'a..b.', `x${label}.`, `${label}.${label}.${label}.${'x'.repeat(62)}.`]
  for (const text of good) t.ok(nameOf(text), JSON.stringify(text))
  for (const text of bad) t.equal(nameOf(text), undefined, JSON.stringify(text))
  t.equal(formatName(nameOf('a.b')!), 'a.b.', 'the final dot is supplied')
})

t.test('a word of the Corefile as text', async t => {
  const cases: [written: string, text: string][] = [
    ['Example.ORG', 'example.org'],
    ['a\\.b', 'a\ue02eb'],
    ['a\\046b', 'a\ue02eb'],
    ['my\\032printer', 'my printer'],
    ['my\\ printer', 'my printer'],
    ['\\065', 'a'],
    ['\\256', '256'],
    ['ü', '\ue0c3\ue0bc'],
    ['tab\there', 'tab\ue009here'],
    ['trailing\\', 'trailing\\'],
  ]
  for (const [written, text] of cases) t.equal(readText(written), text, written)
  t.equal(readAbsoluteText('Example.org'), 'example.org.')
  t.equal(readAbsoluteText('example.org.'), 'example.org.')
  t.equal(readAbsoluteText('example\\.'), 'example\ue02e.', 'an escaped dot does not end a name')
})

t.test('a text in messages', async t => {
  t.equal(showText('a\ue02eb.\ue000\ue0ff.org..'), 'a\\.b.\\000\\255.org..')
})
