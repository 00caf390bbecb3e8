import t from 'tap'
import {
  EndpointCursor,
  packEndpoints,
  type SlimEndpoint,
  unpackEndpoints,
} from '../../src/objects/endpoints.ts'
import { ipFromBytes } from '../../src/shared/ip.ts'
import fc from '../support/properties.ts'

const plain = { hostname: '', targetName: '', zone: '' }

t.test('endpoints packed and unpacked', async t => {
  const cases: [title: string, endpoints: SlimEndpoint[], characters: number][] = [
    ['none', [], 0],
    ['IPv4', [{ ...plain, address: '10.1.2.3' }], 5],
    ['IPv6', [{ ...plain, address: 'fd00::1' }], 17],
    ['with a hostname', [{ ...plain, address: '10.1.2.3', hostname: 'db-0' }], 10],
    ['with all', [{ address: '10.1.2.3', hostname: 'h', targetName: 'pod-1', zone: 'eu-1a' }], 19],
    [
      'several of one hostname',
      ['10.1.2.3', 'fd00::1', '10.1.2.4'].map(address => ({ ...plain, address, hostname: 'db-0' })),
      32,
    ],
    [
      'one without between them',
      ['db-0', '', 'db-0'].map(hostname => ({ ...plain, address: '10.1.2.3', hostname })),
      25,
    ],
    ['the longest texts', [{ ...plain, address: '10.1.2.3', targetName: 'p'.repeat(253) }], 259],
  ]
  for (const [title, endpoints, characters] of cases) {
    const packed = packEndpoints(endpoints)
    t.equal(packed.length, characters, title)
    t.same(unpackEndpoints(packed), endpoints, title)
  }
  t.equal(packEndpoints([{ ...plain, address: 'db.example' }]), '', 'a host name is no endpoint')
})

t.test('any endpoints survive, in their order', async t => {
  const label = fc.oneof(fc.constantFrom('', 'a', 'b'), fc.stringMatching(/^[a-z0-9-]{0,63}$/))
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  const endpoint = fc.record({
    address: address.map(octets => ipFromBytes(octets).text),
    hostname: label,
    targetName: label,
    zone: label,
  })
  fc.assert(
    fc.property(fc.array(endpoint, { maxLength: 50 }), endpoints => {
      const packed = packEndpoints(endpoints)
      let visited = 0
      for (const cursor = new EndpointCursor(packed); cursor.next(); visited++) {
        const { length } = cursor.address
        if (length !== 4 && length !== 16) throw new Error(`an address of ${length} octets`)
      }
      return (
        visited === endpoints.length && JSON.stringify(unpackEndpoints(packed)) === JSON.stringify(endpoints)
      )
    }),
  )
  t.pass()
})
