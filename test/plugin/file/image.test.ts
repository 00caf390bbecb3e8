import t from 'tap'
import { ZoneBuilder } from '../../../src/plugin/file/builder.ts'
import { ZoneImage } from '../../../src/plugin/file/image.ts'
import { ipFromBytes } from '../../../src/shared/ip.ts'
import { foldName, formatName, isWithin, name, parentName } from '../../../src/wire/name.ts'
import { TYPE } from '../../../src/wire/rrtype.ts'
import fc, { runs } from '../../support/properties.ts'
import { lines, zoneOf } from './zone-texts.ts'

const SOA = '$TTL 5\n@ SOA ns host 7 2 3 4 5\n'

t.test('names are found whatever their case, and by a part of a longer name', async t => {
  const zone = zoneOf(`${SOA}Www A 192.0.2.1\na.b.c A 192.0.2.2`)
  t.equal(formatName(zone.nameOf(zone.find(name('WWW.example.ORG.')))), 'www.example.org.')
  t.not(zone.find(name('x.www.example.org.'), 2), 0)
  for (const there of ['example.org.', 'c.example.org.', 'b.c.example.org.', 'a.b.c.example.org.']) {
    t.not(zone.find(name(there)), 0, there)
  }
  for (const gone of ['org.', '.', 'b.example.org.', 'ww.example.org.', 'www.example.com.']) {
    t.equal(zone.find(name(gone)), 0, gone)
  }
  t.ok(zone.isEmpty(zone.find(name('b.c.example.org.'))), 'an empty non-terminal')
  t.notOk(zone.isEmpty(zone.find(name('a.b.c.example.org.'))))
})

t.test('the root zone', async t => {
  const zone = zoneOf('$TTL 5\n. SOA ns host 7 2 3 4 5\norg. NS ns.org.\nns.org. A 192.0.2.1', '.')
  t.equal(formatName(zone.origin), '.')
  t.not(zone.find(name('org.')), 0)
  t.same(lines(zone.records()), ['org. 5 NS ns.org.', 'ns.org. 5 A 192.0.2.1'])
})

/** TTL and address of each record. */
function rrset(zone: ZoneImage, node: number, type: number): string[] {
  const at = zone.rrsetAt(node, type)
  const found: string[] = []
  if (at === 0) return found
  for (let record = zone.firstOf(at); found.length < zone.countOf(at); record = zone.nextOf(record)) {
    const address = ipFromBytes(zone.octets.slice(zone.dataOf(record), zone.nextOf(record)))
    found.push(`${zone.ttlOf(record)} ${address.text}`)
  }
  return found
}

t.test('rrsets keep the order of the file', async t => {
  const zone = zoneOf(`${SOA}a A 192.0.2.3\na TXT x\na A 192.0.2.1\na 9 A 192.0.2.2\nb A 192.0.2.4`)
  const node = zone.find(name('a.example.org.'))
  t.same(rrset(zone, node, TYPE.A), ['5 192.0.2.3', '5 192.0.2.1', '9 192.0.2.2'])
  t.equal(zone.rrsetAt(node, TYPE.AAAA), 0)
  t.equal(zone.firstRecord(node, TYPE.A).ttlSeconds, 5)
  t.ok(zone.has(node, TYPE.TXT))
  t.notOk(zone.hasNothingBut(node, TYPE.A))
  t.ok(zone.hasNothingBut(zone.find(name('b.example.org.')), TYPE.A))
  t.equal(zone.recordCount, 5)
})

t.test('canonical order (RFC 4034 6.1) and the name before one', async t => {
  const owners = [
    'example.',
    'a.example.',
    'yljkjljk.a.example.',
    'Z.a.example.',
    'zABC.a.EXAMPLE.',
    'z.example.',
    '\\001.z.example.',
    '*.z.example.',
    '\\200.z.example.',
  ]
  const text = [...owners].reverse().map(owner => `${owner} A 192.0.2.1`)
  const zone = zoneOf(`$TTL 5\n@ SOA ns host 7 2 3 4 5\n${text.join('\n')}`, 'example.')
  const found = [...zone.records()].map(({ owner }) => formatName(owner))
  t.same(
    found,
    owners.map(owner => owner.toLowerCase()),
  )
})

t.test('who denies a name', async t => {
  const nsec = ['@', 'a', 'cut', 'z'].map(owner => `${owner} NSEC x A NSEC`)
  const zone = zoneOf(`${SOA}${nsec.join('\n')}\ncut NS ns.cut\nns.cut A 192.0.2.1\nb.e.f A 192.0.2.2`)
  const denier = (text: string): string => formatName(zone.nameOf(zone.denier(name(`${text}.example.org.`))))
  t.equal(denier('b'), 'a.example.org.')
  t.equal(denier('a'), 'a.example.org.', 'of a name that exists, itself')
  t.equal(denier('\\000'), 'example.org.')
  t.equal(denier('d'), 'cut.example.org.', 'names below a cut have no NSEC record')
  t.equal(denier('zz'), 'z.example.org.')
})

t.test('a zone made of any names holds exactly them and the names between', async t => {
  const label = fc.constantFrom('a', 'b', 'c', '*', 'A', 'xy')
  const owner = fc.array(label, { maxLength: 5 }).map(labels => [...labels, 'example.'].join('.'))
  fc.assert(
    fc.property(fc.array(owner, { maxLength: 30 }), owner, (owners, asked) => {
      const builder = new ZoneBuilder(name('example.'))
      builder.setSoa(name('example.'), 5, new Uint8Array(22))
      owners.forEach((each, i) => {
        builder.add(name(each), TYPE.A, 5, Uint8Array.of(10, 0, 0, i))
      })
      const zone = new ZoneImage(builder.build())
      const exists = owners.some(each => isWithin(name(each), name(asked))) || asked === 'example.'
      const node = zone.find(name(asked))
      t.equal(node !== 0, exists)
      t.equal([...zone.records()].length, owners.length)
      if (node === 0) return
      const own = owners.filter(each => foldName(name(each)).join() === foldName(name(asked)).join()).length
      t.equal(rrset(zone, node, TYPE.A).length, own)
      t.not(asked === 'example.' ? 1 : zone.find(parentName(name(asked))), 0)
    }),
    { numRuns: runs(200) },
  )
})

t.test('100,000 records', async t => {
  const builder = new ZoneBuilder(name('big.test.'))
  builder.setSoa(name('big.test.'), 5, new Uint8Array(22))
  for (let i = 0; i < 100_000; i++) {
    builder.add(name(`h${i}.d${i % 1000}.big.test.`), TYPE.A, 5, Uint8Array.of(10, i >> 16, i >> 8, i))
  }
  const buffer = builder.build()
  t.ok(buffer.byteLength < 8_000_000, `an image of ${buffer.byteLength} octets`)
  const zone = new ZoneImage(buffer)
  for (const i of [0, 1, 99_999]) {
    t.equal(rrset(zone, zone.find(name(`h${i}.d${i % 1000}.big.test.`)), TYPE.A).length, 1)
  }
})
