// Names from text to octets and back, compared by whole labels and ASCII case only, and read out of hostile messages.

import t from 'tap'
import {
  countLabels,
  equalNames,
  foldName,
  formatName,
  isWithin,
  joinNames,
  LABEL_MAX_OCTETS,
  NAME_MAX_OCTETS,
  type Name,
  name,
  nameKey,
  parentName,
  parseName,
  readEnd,
  readLength,
  readName,
  zoneOffset,
} from '../../src/wire/name.ts'
import fc, { runs } from '../support/properties.ts'

const hex = (octets: Uint8Array | undefined): string | undefined =>
  octets && Buffer.from(octets).toString('hex')
const repeat = (label: string, times: number): string => `${label}.`.repeat(times)

/** Any name: labels of any octets, 255 octets at most. */
const anyName: fc.Arbitrary<Name> = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: LABEL_MAX_OCTETS }), { maxLength: 20 })
  .map(labels => {
    const octets: number[] = []
    for (const label of labels) {
      if (octets.length + label.length + 2 > NAME_MAX_OCTETS) break
      octets.push(label.length, ...label)
    }
    return Uint8Array.of(...octets, 0)
  })

t.test('text to octets and back', async t => {
  const cases: [text: string, octets: string | undefined, formatted?: string][] = [
    ['.', '00', '.'],
    ['web.', '0377656200', 'web.'],
    ['web', '0377656200', 'web.'],
    ['WeB.a.', '03576542016100', 'WeB.a.'],
    ['a\\.b.', '03612e6200', 'a\\.b.'],
    ['a\\046b.', '03612e6200', 'a\\.b.'],
    ['a\\\\b.', '03615c6200', 'a\\\\b.'],
    ['\\000\\032\\255.', '030020ff00', '\\000\\032\\255.'],
    ['\u00e9.', '01e900', '\\233.'],
    ['*.a.', '012a016100', '*.a.'],
    [`${'x'.repeat(63)}.`, `3f${'78'.repeat(63)}00`, `${'x'.repeat(63)}.`],
    ['', undefined],
    ['..', undefined],
    ['a..b', undefined],
    ['.a', undefined],
    ['a\\', undefined],
    ['a\\256.', undefined],
    ['\u212a.', undefined],
    [`${'x'.repeat(64)}.`, undefined],
  ]
  for (const [text, octets, formatted] of cases) {
    const parsed = parseName(text)
    t.equal(hex(parsed), octets, JSON.stringify(text))
    if (parsed) t.equal(formatName(parsed), formatted, JSON.stringify(text))
    else t.throws(() => name(text), TypeError)
  }
})

t.test('255 octets are a name, 256 are none', async t => {
  const longest = `${repeat('x'.repeat(63), 3)}${'y'.repeat(61)}.`
  t.equal(parseName(longest)?.length, 255)
  t.equal(parseName(`${repeat('x'.repeat(63), 3)}${'y'.repeat(62)}.`), undefined)
  t.equal(parseName(repeat('a', 127))?.length, 255)
  t.equal(parseName(repeat('a', 128)), undefined)
  t.equal(joinNames(name('a'), name(repeat('b', 126)))?.length, 255)
  t.equal(joinNames(name('a'), name(repeat('b', 127))), undefined)
})

t.test('every name survives its presentation form', async t => {
  t.doesNotThrow(() =>
    fc.assert(fc.property(anyName, name => hex(parseName(formatName(name))) === hex(name))),
  )
})

t.test('below a zone by whole labels, ASCII case aside', async t => {
  const cases: [text: string, zone: string, offset: number][] = [
    ['cluster.local.', 'cluster.local.', 0],
    ['a.Cluster.LOCAL.', 'cluster.local.', 2],
    ['evilcluster.local.', 'cluster.local.', -1],
    ['local.', 'cluster.local.', -1],
    ['a.b.', '.', 4],
    ['.', '.', 0],
    ['a\\007cluster.local.', 'cluster.local.', -1],
    ['\\203luster.local.', '\\235luster.local.', -1],
  ]
  for (const [text, zone, offset] of cases) {
    t.equal(zoneOffset(name(text), name(zone)), offset, `${text} in ${zone}`)
    t.equal(isWithin(name(text), name(zone)), offset >= 0)
  }
})

t.test('joined, parted and compared', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyName, anyName, (prefix, suffix) => {
        const joined = joinNames(prefix, suffix)
        if (!joined) return prefix.length - 1 + suffix.length > NAME_MAX_OCTETS
        return (
          zoneOffset(joined, suffix) >= 0 &&
          equalNames(parentName(joined, countLabels(prefix)), suffix) &&
          equalNames(joined, foldName(joined)) &&
          nameKey(joined) === nameKey(foldName(joined)) &&
          countLabels(joined) === countLabels(prefix) + countLabels(suffix)
        )
      }),
    ),
  )
})

t.test('read out of a message', async t => {
  const head = '00'.repeat(12)
  const chain = Array.from({ length: 2000 }, (_, i) =>
    i === 0 ? '0000' : (0xc000 | (10 + 2 * i)).toString(16),
  )
  const cases: [what: string, message: string, at: number, next: number, text?: string][] = [
    ['plain', `${head}0377656200`, 12, 17, 'web.'],
    ['the root', `${head}00`, 12, 13, '.'],
    ['a pointer back', `${head}03776562000161c00c`, 17, 21, 'a.web.'],
    ['a chain of pointers back', `${head}016100c00cc00f`, 17, 19, 'a.'],
    ['two thousand pointers', head + chain.join(''), 12 + 2 * 1999, 12 + 2 * 2000, '.'],
    ['to itself', `${head}c00c`, 12, -1],
    ['forward', `${head}c00e00`, 12, -1],
    ['into the header', `${head}c000`, 12, -1],
    ['outside', `${head}ffff`, 12, -1],
    ['a loop of two', `${head}0161c00f0162c00c`, 16, -1],
    ['into its own labels', `${head}0161c00c`, 12, -1],
    ['cut pointer', `${head}c0`, 12, -1],
    ['cut label', `${head}05776562`, 12, -1],
    ['no end', `${head}03776562`, 12, -1],
    ['nothing there', head, 12, -1],
    ['label type 01', `${head}4161${'61'.repeat(70)}00`, 12, -1],
    ['label type 10', `${head}8161${'61'.repeat(70)}00`, 12, -1],
    ['256 octets', `${head}${`3f${'61'.repeat(63)}`.repeat(3)}3e${'61'.repeat(62)}00`, 12, -1],
  ] // biome-ignore format: a table
  for (const [what, message, at, next, text] of cases) {
    const octets = Buffer.from(message, 'hex')
    const out = new Uint8Array(300)
    const read = readName(octets, at, octets.length, out, 5)
    t.equal(readEnd(read), next, what)
    if (text !== undefined) t.equal(formatName(out.slice(5, 5 + readLength(read))), text, what)
  }
})

t.test('any octets: an offset or -1, at most 255 octets written', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 600 }), fc.nat(600), (octets, at) => {
        const out = new Uint8Array(NAME_MAX_OCTETS + 1).fill(0xaa)
        const next = readEnd(readName(octets, at, octets.length, out, 0))
        return next <= octets.length && out[NAME_MAX_OCTETS] === 0xaa
      }),
      { numRuns: runs(2000) },
    ),
  )
})
