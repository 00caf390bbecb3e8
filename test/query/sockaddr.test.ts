import { networkInterfaces } from 'node:os'
import t from 'tap'
import { bindAddresses } from '../../src/listen/addresses.ts'
import { parseResolvConf } from '../../src/plugin/forward/resolv-conf.ts'
import { readSockaddr, sockaddr, withInterfaceName } from '../../src/query/sockaddr.ts'
import { ipFromBytes } from '../../src/shared/ip.ts'
import fc from '../support/properties.ts'

t.test('layouts', async t => {
  const cases: [string, number, string, string?][] = [
    ['127.0.0.1', 53, '02000035 7f000001 0000000000000000'],
    ['255.255.255.255', 65535, '0200ffff ffffffff 0000000000000000'],
    ['::', 0, `0a000000 00000000 ${'00'.repeat(16)} 00000000`],
    ['2001:db8::5', 1053, '0a00041d 00000000 20010db8000000000000000000000005 00000000'],
    ['fe80::1%3', 53, '0a000035 00000000 fe800000000000000000000000000001 03000000'],
  ]
  for (const [address, port, hex] of cases) {
    const octets = sockaddr(address, port)
    t.equal(Buffer.from(octets ?? []).toString('hex'), hex.replaceAll(' ', ''), address)
    if (octets) t.same(readSockaddr(octets, 0), { address, port, family: address.includes(':') ? 6 : 4 })
  }
})

t.test('an interface by its name', async t => {
  const [name, info] = Object.entries(networkInterfaces())
    .flatMap(([name, infos]) => (infos ?? []).map(info => [name, info] as const))
    .find(([, info]) => info.family === 'IPv6' && info.scopeid > 0) ?? ['lo', undefined]
  const octets = sockaddr(`fe80::1%${name}`, 53)
  if (info?.family === 'IPv6') t.equal(octets?.[24], info.scopeid & 255)
  else t.equal(octets, undefined)
  t.equal(sockaddr('fe80::1%nosuchinterface', 53), undefined)
  for (const address of ['', 'localhost', '1.2.3', '::ffff:1.2.3.4'])
    t.equal(sockaddr(address, 53), undefined)
})

t.test(
  'an interface by its number is the one with that name, in every word that takes an address',
  async t => {
    const address = { netmask: '', mac: '', internal: false, cidr: null }
    const interfaces = {
      lo: [{ ...address, family: 'IPv6', address: '::1', scopeid: 0 } as const],
      eth0: [
        { ...address, family: 'IPv4', address: '10.0.0.1' } as const,
        { ...address, family: 'IPv6', address: 'fe80::1', scopeid: 2 } as const,
      ],
      '7': [{ ...address, family: 'IPv6', address: 'fe80::7', scopeid: 9 } as const],
    }
    const cases: [address: string, named: string][] = [
      ['fe80::53%2', 'fe80::53%eth0'],
      ['fe80::53%eth0', 'fe80::53%eth0'],
      ['fe80::53%3', 'fe80::53%3'],
      ['fe80::53%7', 'fe80::53%7'],
      ['fe80::53%9', 'fe80::53%7'],
      ['10.0.0.53', '10.0.0.53'],
    ]
    for (const [text, named] of cases) t.equal(withInterfaceName(text, interfaces), named, text)
    t.same(bindAddresses(['fe80::1%2'], [], interfaces).addresses, ['fe80::1%eth0'])
    const here = Object.entries(networkInterfaces()).flatMap(([name, infos]) =>
      (infos ?? []).flatMap(info =>
        info.family === 'IPv6' && info.scopeid > 0 ? [[name, info.scopeid]] : [],
      ),
    )
    for (const [name, number] of here)
      t.equal(parseResolvConf(`nameserver fe80::53%${number}\n`)[0]?.address, `fe80::53%${name}`)
  },
)

t.test('what is written is read', async t => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).filter(bytes => ipFromBytes(bytes).family === 6),
  )
  fc.assert(
    fc.property(address, fc.nat({ max: 65535 }), fc.nat({ max: 9 }), (bytes, port, at) => {
      const { text, family } = ipFromBytes(bytes)
      const octets = Buffer.concat([Buffer.alloc(at), sockaddr(text, port) ?? Buffer.alloc(0)])
      const read = readSockaddr(octets, at)
      return read.address === text && read.port === port && read.family === family
    }),
  )
  t.pass()
})
