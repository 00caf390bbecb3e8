import t from 'tap'
import { formatLine } from '../../src/observe/log.ts'
import { LINE_MAX_CHARACTERS, LINE_MAX_OCTETS, LineWriter } from '../../src/observe/log-line.ts'

/** What is written, with its line feed. */
function written(write: (line: LineWriter) => void): string {
  const line = new LineWriter()
  const octets = new Uint8Array(LINE_MAX_OCTETS + 1)
  line.begin(octets, 1)
  write(line)
  return Buffer.from(octets.subarray(1, line.end())).toString()
}

t.test('pieces', async t => {
  const cases: [write: (line: LineWriter) => void, text: string][] = [
    [() => {}, ''],
    [line => line.octet(0x61), 'a'],
    [line => line.text(Buffer.from('grüße')), 'grüße'],
    [line => line.string('plain'), 'plain'],
    [line => line.string('ü'), 'ü'],
    [line => line.string('a\nb\r\x1b[31m\u2028'), 'a\\nb\\u000d\\u001b[31m\\u2028'],
    [line => line.number(0), '0'],
    [line => line.number(9), '9'],
    [line => line.number(10), '10'],
    [line => line.number(65535), '65535'],
    [line => line.number(4_294_967_295), '4294967295'],
    [line => line.number(9_007_199_254_740_991), '9007199254740991'],
    [line => line.digits(7, 3), '007'],
  ]
  for (const [write, text] of cases) t.equal(written(write), `${text}\n`)
})

t.test('a string is escaped as in every line', async t => {
  for (let code = 0; code < 0x3000; code++) {
    const text = `a${String.fromCharCode(code)}b`
    if (written(line => line.string(text)) === `${formatLine('INFO', '', text).slice('[INFO] '.length)}\n`)
      continue
    t.fail(`U+${code.toString(16)}`)
  }
})

t.test('a line that gets too long is cut, between two characters', async t => {
  const pieces: [what: string, piece: string][] = [
    ['ASCII', 'x'],
    ['two octets', 'ü'],
    ['three octets', '…'],
    ['four octets', '😀'],
  ]
  for (const [what, piece] of pieces) {
    for (const inOnePiece of [true, false]) {
      const octets = Buffer.from(inOnePiece ? piece.repeat(5000) : piece)
      const line = written(writer => {
        for (let i = 0; i < (inOnePiece ? 1 : 5000); i++) writer.text(octets)
      })
      t.match(line, new RegExp(`^(?:${piece})+…\n$`, 'u'), what)
      t.ok(Buffer.byteLength(line) <= LINE_MAX_CHARACTERS + 3, `${what}: ${Buffer.byteLength(line)} octets`)
    }
  }
  t.match(
    written(line => {
      for (let i = 0; i < 5000; i++) line.number(77)
    }),
    /^(77)+…\n$/,
  )
})

t.test(
  'a string of a JSON object is escaped where it stands, and cut without breaking the object',
  async t => {
    const line = new LineWriter()
    const octets = new Uint8Array(LINE_MAX_OCTETS)
    const parsed = (msg: string, name = ''): unknown => {
      line.beginJson(octets, 0, '{"msg":"')
      line.string(msg)
      line.endString()
      line.text(Buffer.from(',"qname":'))
      line.beginString()
      line.string(name)
      line.endString()
      line.octet(0x7d)
      return JSON.parse(Buffer.from(octets.subarray(0, line.end())).toString())
    }
    t.same(parsed('"A IN" \\ \n', 'a\\034b.'), { msg: '"A IN" \\ \\n', qname: 'a\\034b.' })
    t.same(parsed(''), { msg: '', qname: '' })
    const long = '"'.repeat(2 * LINE_MAX_CHARACTERS)
    t.same(parsed(long, 'x'), { msg: `${long.slice(0, LINE_MAX_CHARACTERS - 1)}…`, qname: 'x' })
  },
)
