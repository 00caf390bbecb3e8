import { BlockList, isIP } from 'node:net'
import t from 'tap'
import { canonicalIp, contains, familyOf, ipFromBytes, parseCidr, parseIp } from '../../src/shared/ip.ts'
import fc from '../support/properties.ts'

t.test('addresses and their canonical text', async t => {
  const cases: [text: string, canonical: string | undefined][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['256.0.0.1', undefined],
    ['10.0.0', undefined],
    ['10.0.0.1.2', undefined],
    ['010.0.0.1', undefined],
    ['10.0.0.1 ', undefined],
    ['', undefined],
    ['None', undefined],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['1::2::3', undefined],
    [':1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:', undefined],
    ['12345::', undefined],
    ['g::', undefined],
    ['fe80::1%eth0', undefined],
    ['[::1]', undefined],
    ['::10.0.0.256', undefined],
    ['1:2:3:4:5:6:10.0.0.1', '1:2:3:4:5:6:a00:1'],
    ['1:2:3:4:5:6:7:10.0.0.1', undefined],
    ['1:2:3:4:5:10.0.0.1', undefined],
    ['::10.0.0.1:1', undefined],
    ['10.0.0.1::', undefined],
    ['::1:2:3:4:5:6:7', '0:1:2:3:4:5:6:7'],
    ['1:2:3:4:5:6:7:8::', undefined],
    ['::1:2:3:4:5:6:7:8', undefined],
    ['1::', '1::'],
    ['1:', undefined],
    [':', undefined],
    [':::', undefined],
    ['1:::2', undefined],
    ['::1:', undefined],
    ['::.1', undefined],
    ['FFFF::FFFF', 'ffff::ffff'],
    ['00001::', undefined],
    ['ff ff::', undefined],
  ]
  for (const [text, canonical] of cases) {
    t.equal(parseIp(text)?.text, canonical, text)
    t.equal(canonicalIp(text), canonical, text)
  }
})

t.test('what is an address, as Node knows it', async () => {
  const text = fc.string({
    unit: fc.constantFrom('0', '1', 'f', '12', 'abcd', ':', ':', '::', '.', '255'),
    maxLength: 18,
  })
  fc.assert(
    fc.property(text, text => {
      // inet_pton, which Node asks, lets numbers of a dotted quad begin with no zero either.
      return (parseIp(text) !== undefined) === (isIP(text) !== 0) && familyOf(text) === isIP(text)
    }),
    { numRuns: 20_000 },
  )
  const zoned = fc.string({ unit: fc.constantFrom('::1', '10.0.0.1', '%', 'eth0', '-', '.', ' ', '_', '/') })
  fc.assert(fc.property(zoned, text => familyOf(text) === isIP(text)))
})

t.test('bytes become text and the text those bytes', async t => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc
      .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
      .map(list => Uint8Array.from(list)),
  )
  fc.assert(
    fc.property(octets, bytes => {
      const ip = ipFromBytes(bytes)
      const again = parseIp(ip.text)
      return (
        isIP(ip.text) === ip.family && again?.text === ip.text && Buffer.compare(ip.bytes, again.bytes) === 0
      )
    }),
  )
  t.pass('round trip, and node:net takes the text for the same family')
})

t.test('blocks', async t => {
  const cases: [text: string, canonical: string | undefined][] = [
    ['10.96.0.0/12', '10.96.0.0/12'],
    ['10.99.1.2/12', '10.96.0.0/12'],
    ['10.0.0.1', '10.0.0.1/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['fd00:10:96::1/112', 'fd00:10:96::/112'],
    ['::/0', '::/0'],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/08', undefined],
    ['10.0.0.0/-1', undefined],
    ['::/129', undefined],
    ['x/8', undefined],
  ]
  for (const [text, canonical] of cases) t.equal(parseCidr(text)?.text, canonical, text)
})

t.test('a block holds what node:net says it holds', async t => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 1, max: 32 }), (network, address, length) => {
      const list = new BlockList()
      list.addSubnet(network, length)
      const cidr = parseCidr(`${network}/${length}`)
      const ip = parseIp(address)
      return cidr !== undefined && ip !== undefined && contains(cidr, ip) === list.check(address)
    }),
  )
  const v4 = parseCidr('0.0.0.0/0')
  const v6 = parseIp('::1')
  t.equal(v4 && v6 && contains(v4, v6), false, 'families never match')
})
