// Whether an address is in one of many networks: rows, and that a search finds what looking at each one finds.

import t from 'tap'
import { contains, ipFromBytes, parseCidr, parseIp } from '../../src/shared/ip.ts'
import { Networks } from '../../src/shared/networks.ts'
import fc, { runs } from '../support/properties.ts'

const of = (texts: readonly string[]): Networks => new Networks(texts.map(text => parseCidr(text)!))

/** Whether an address is in them, which stands somewhere in the octets. */
function has(networks: Networks, bytes: Uint8Array): boolean {
  const octets = Uint8Array.of(255, ...bytes, 255)
  return bytes.length === 4 ? networks.hasV4(octets, 1) : networks.hasV6(octets, 1)
}

t.test('rows', async t => {
  const cases: [networks: string[], address: string, isIn: boolean][] = [
    [[], '10.0.0.1', false],
    [[], '::', false],
    [['0.0.0.0/0'], '0.0.0.0', true],
    [['0.0.0.0/0'], '255.255.255.255', true],
    [['0.0.0.0/0'], '::', false],
    [['::/0'], '0.0.0.0', false],
    [['::/0'], 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', true],
    [['10.0.0.0/8'], '9.255.255.255', false],
    [['10.0.0.0/8'], '10.0.0.0', true],
    [['10.0.0.0/8'], '10.255.255.255', true],
    [['10.0.0.0/8'], '11.0.0.0', false],
    [['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3/32'], '10.200.0.1', true],
    [['10.1.2.3/32', '10.0.0.0/8'], '10.1.2.4', true],
    [['10.1.2.3/32', '10.1.2.3/32'], '10.1.2.3', true],
    [['192.0.2.0/24', '10.0.0.0/8'], '172.16.0.1', false],
    [['224.0.0.0/4'], '239.1.1.1', true],
    [['fd00::/8', '2001:db8::/32'], '2001:db8:ffff::1', true],
    [['fd00::/8', '2001:db8::/32'], '2001:db9::', false],
    [['2001:db8::1/128'], '2001:db8::1', true],
    [['2001:db8::1/128'], '2001:db8::2', false],
    [['2001:db8::/33'], '2001:db8:8000::', false],
    [['2001:db8::/33'], '2001:db8:7fff:ffff::', true],
  ]
  for (const [networks, address, isIn] of cases)
    t.equal(has(of(networks), parseIp(address)!.bytes), isIn, `${address} in ${networks.join(' ')}`)
})

t.test('as each network says', async t => {
  // Few different octets, so that networks lie inside one another and addresses in them.
  const octet = fc.constantFrom(0, 1, 127, 128, 255)
  const v4 = fc.array(octet, { minLength: 4, maxLength: 4 })
  const v6 = fc.array(octet, { minLength: 15, maxLength: 15 }).map(octets => [0x20, ...octets])
  const address = fc.oneof(v4, v6).map(octets => Uint8Array.from(octets))
  const network = fc
    .tuple(address, fc.nat(128))
    .map(([octets, length]) => parseCidr(`${ipFromBytes(octets).text}/${length % (8 * octets.length + 1)}`)!)
  const holds = fc.property(fc.array(network, { maxLength: 20 }), address, (networks, octets) => {
    const ip = ipFromBytes(octets)
    const expected = networks.some(each => contains(each, ip))
    return has(new Networks(networks), octets) === expected
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: runs(2000) }))
})
