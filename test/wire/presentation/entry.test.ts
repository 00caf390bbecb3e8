import t from 'tap'
import { splitEntries } from '../../../src/wire/presentation/entry.ts'

/** Entries as `[fields]` with `_` first where they begin with a blank, quoted fields in quotes; a fault as it is told. */
const split = (text: string): string[] =>
  [...splitEntries(text)].map(entry => {
    if ('reason' in entry) return `${entry.line}:${entry.column} ${entry.reason}`
    const fields = entry.fields.map(({ text, quoted }) => (quoted ? `"${text}"` : text))
    return (entry.blank ? ['_', ...fields] : fields).join('|')
  })

t.test('text into entries', async t => {
  const cases: [what: string, text: string, entries: string[]][] = [
    ['one line', 'www 1h IN A 192.0.2.1', ['www|1h|IN|A|192.0.2.1']],
    [
      'no line feed at the end, tabs, carriage returns',
      'a\tA  1.1.1.1\r\nb A 2.2.2.2',
      ['a|A|1.1.1.1', 'b|A|2.2.2.2'],
    ],
    [
      'an entry that begins with a blank',
      'a A 1.1.1.1\n  A 2.2.2.2\n\tTXT x',
      ['a|A|1.1.1.1', '_|A|2.2.2.2', '_|TXT|x'],
    ],
    ['empty lines and comments', '\n ; nothing\n;\na A 1.1.1.1;x\n\n', ['a|A|1.1.1.1']],
    ['a blank line is not the blank of the next one', '   \na A 1.1.1.1', ['a|A|1.1.1.1']],
    ['parentheses over lines', 'a SOA b c ( 1 ; serial\n 2\n3)\nd NS e', ['a|SOA|b|c|1|2|3', 'd|NS|e']],
    ['parentheses beside words', 'a TXT(b)c', ['a|TXT|b|c']],
    ['quotes', 'a TXT "b c" "" "d;(e)"', ['a|TXT|"b c"|""|"d;(e)"']],
    ['quotes side by side', 'a TXT "b""c"d', ['a|TXT|"b"|"c"|d']],
    ['a quote inside a field', 'a HTTPS 1 . alpn="h2,h3" port=1', ['a|HTTPS|1|.|alpn=h2,h3|port=1']],
    ['a line feed in quotes', 'a TXT "b\nc"\nd NS e', ['a|TXT|"b\nc"', 'd|NS|e']],
    ['escapes stay', 'a\\.b TXT "c\\"d" e\\;f g\\ h \\"', ['a\\.b|TXT|"c\\"d"|e\\;f|g\\ h|\\"']],
    ['UTF-8 by octets', 'a TXT é', ['a|TXT|Ã©']],
    ['nothing', '', []],
    ['a backslash at the end', 'a\\', ['a\\']],
    ['an open parenthesis', 'a NS b\nc SOA ( d', ['a|NS|b', '2:7 this parenthesis is never closed']],
    ['a closed one too many', 'a NS b )', ['1:8 no parenthesis is open here']],
    ['one inside another', 'a ( ( ) )', ['1:5 a parenthesis inside a parenthesis']],
    ['an open quote', 'a NS b\na TXT "c\\"', ['a|NS|b', '2:7 this quote is never closed']],
  ]
  for (const [what, text, entries] of cases) t.same(split(text), entries, what)
})

t.test('the place of a field', async t => {
  const [first, second] = splitEntries('a ( "b\nc" d\n e ) f\n  g')
  t.match(first, {
    fields: [
      {},
      { line: 1, column: 5 },
      { line: 2, column: 4 },
      { line: 3, column: 2 },
      { line: 3, column: 6 },
    ],
  })
  t.match(second, { blank: true, fields: [{ line: 4, column: 3 }] })
})
