// Slim objects as blocks: what a block holds, and that equal objects give equal octets.

import t from 'tap'
import type { SlimEndpointSlice, SlimService } from '../../src/objects/objects.ts'
import { type BuildOptions, buildMark, namespaceKey, podKey, serviceKey } from '../../src/table/build.ts'
import { KIND } from '../../src/table/layout.ts'
import { formatName } from '../../src/wire/name.ts'
import { buildOrphan, buildService } from '../support/blocks.ts'
import fc, { runs } from '../support/properties.ts'
import { outline, PLAIN, service, slice } from './block-texts.ts'

const headless = { headless: true } as const
const http = ['http/tcp/80']

t.test('services', t => {
  const cases: [what: string, SlimService, slices: SlimEndpointSlice[], options: Partial<BuildOptions>, outline: string[]][] = [
    ['a cluster IP', service({ clusterIPs: ['10.0.0.1'], ports: http }), [], {}, ['10.0.0.1', 'ports http/tcp/80']],
    ['two families', service({ clusterIPs: ['fd00::3', '10.0.0.3'] }), [], {}, ['10.0.0.3 fd00::3', 'ports']],
    ['one address twice', service({ clusterIPs: ['10.0.0.3', '10.0.0.3'] }), [], {}, ['10.0.0.3', 'ports']],
    ['none allocated yet', service(), [], {}, ['', 'ports']],
    ['no address at all', service({ clusterIPs: [''] }), [], {}, ['', 'ports']],
    ['a cluster IP with endpoints', service({ clusterIPs: ['10.0.0.1'] }), [slice(['10.1.0.1'], http)], {}, ['10.0.0.1', 'ports', 'group http/tcp/80: 10.1.0.1']],
    ['an empty service', service({ clusterIPs: ['10.0.0.1'] }), [slice([])], {}, ['10.0.0.1', 'ports']],
    ['an empty service to ignore', service({ clusterIPs: ['10.0.0.1'] }), [slice([])], { ignoreEmptyService: true }, ['IGNORED 10.0.0.1', 'ports']],
    ['a ready one', service({ clusterIPs: ['10.0.0.1'] }), [slice(['10.1.0.1'])], { ignoreEmptyService: true }, ['10.0.0.1', 'ports', 'group: 10.1.0.1']],
    ['headless', service(headless), [slice(['fd01::1', '10.1.0.2'], http)], {}, ['HEADLESS 10.1.0.2 fd01::1', 'ports', 'group http/tcp/80: 10.1.0.2 fd01::1']],
    ['headless, nobody ready', service(headless), [slice([])], {}, ['HEADLESS NO_READY', 'ports']],
    ['headless, nobody ready, to ignore', service(headless), [], { ignoreEmptyService: true }, ['HEADLESS NO_READY', 'ports']],
    ['headless, a name for an address', service(headless), [slice(['www.example.org'])], {}, ['HEADLESS NO_READY', 'ports']],
    ['hostnames', service(headless), [slice(['10.1.0.2 hostname=p0', '10.1.0.3'])], {}, ['HEADLESS 10.1.0.2 10.1.0.3', 'ports', 'group: p0=10.1.0.2 10.1.0.3']],
    ['Pod names not asked for', service(headless), [slice(['10.1.0.2 target=p0'])], {}, ['HEADLESS 10.1.0.2', 'ports', 'group: 10.1.0.2']],
    ['Pod names', service(headless), [slice(['10.1.0.2 target=Web-0', '10.1.0.3 hostname=h target=web-1', `10.1.0.4 target=${'x'.repeat(64)}`])], { endpointPodNames: true }, ['HEADLESS 10.1.0.2 10.1.0.3 10.1.0.4', 'ports', 'group: web-0=10.1.0.2 h=10.1.0.3 10.1.0.4']],
    ['topology zones not asked for', service(headless), [slice(['10.1.0.2 zone=a'])], {}, ['HEADLESS 10.1.0.2', 'ports', 'group: 10.1.0.2']],
    ['topology zones', service(headless), [slice(['10.1.0.2 zone=eu.a', '10.1.0.3'])], { zonal: true }, ['HEADLESS 10.1.0.2 10.1.0.3', 'ports', 'group: 10.1.0.2@eu.a 10.1.0.3']],
    ['slices of equal ports', service(headless), [slice(['10.1.0.3'], http, { name: 'b' }), slice(['10.1.0.2'], http, { name: 'a' })], {}, ['HEADLESS 10.1.0.2 10.1.0.3', 'ports', 'group http/tcp/80: 10.1.0.2 10.1.0.3']],
    ['slices of other ports', service(headless), [slice(['10.1.0.2'], http, { name: 'a' }), slice(['10.1.0.2'], ['dns/udp/53', 'x/sctp/-1'], { name: 'b' })], {}, ['HEADLESS 10.1.0.2', 'ports', 'group http/tcp/80: 10.1.0.2', 'group dns/udp/53,x/sctp/none: 10.1.0.2']],
    ['an endpoint given twice', service(headless), [slice(['10.1.0.2', '10.1.0.2', '10.1.0.3'], http)], {}, ['HEADLESS 10.1.0.2 10.1.0.3', 'ports', 'group http/tcp/80: 10.1.0.2*2 10.1.0.3']],
    ['an endpoint given twice under one of two names', service(headless), [slice(['10.1.0.2 hostname=a', '10.1.0.2 hostname=b']), slice(['10.1.0.2 hostname=b'], [], { name: 'web-2' })], {}, ['HEADLESS 10.1.0.2', 'ports', 'group: a=10.1.0.2 b=10.1.0.2*2']],
    ['an endpoint given a thousand times', service(headless), [slice(Array(1000).fill('10.1.0.2'))], {}, ['HEADLESS 10.1.0.2', 'ports', 'group: 10.1.0.2*100']],
    ['one address, two names', service(headless), [slice(['10.1.0.2 hostname=a', '10.1.0.2 hostname=b'])], {}, ['HEADLESS 10.1.0.2', 'ports', 'group: a=10.1.0.2 b=10.1.0.2']],
    ['addresses outside', service({ clusterIPs: ['10.0.0.1'], externalIPs: ['192.0.2.7', '2001:DB8::7', 'lb.example.net', '192.0.2.7'], ports: http }), [slice(['10.1.0.2'])], {}, ['EXTERNAL 10.0.0.1', 'outside 192.0.2.7 2001:db8::7 lb.example.net. 192.0.2.7', 'ports http/tcp/80', 'group: 10.1.0.2']],
    ['headless with an address outside', service({ ...headless, externalIPs: ['192.0.2.7'] }), [slice(['10.1.0.2 hostname=a'])], {}, ['HEADLESS EXTERNAL 10.1.0.2', 'outside 192.0.2.7', 'ports', 'group: a=10.1.0.2']],
    ['what is neither address nor name', service({ externalIPs: ['a..b', '.', ''] }), [], {}, ['', 'ports']],
    ['a target with an address outside', service({ type: 'ExternalName', externalName: 'www.example.net', externalIPs: ['192.0.2.7'] }), [], {}, ['EXTERNAL_NAME EXTERNAL', 'outside 192.0.2.7']],
    ['a target that is an address', service({ type: 'ExternalName', externalName: '192.0.2.1' }), [], {}, ['EXTERNAL_NAME BAD_TARGET']],
    ['a target that is no name', service({ type: 'ExternalName', externalName: 'a..b' }), [], {}, ['EXTERNAL_NAME BAD_TARGET']],
    ['no target', service({ type: 'ExternalName', externalName: '' }), [], {}, ['EXTERNAL_NAME BAD_TARGET']],
    ['a target', service({ type: 'ExternalName', externalName: 'www.example.net' }), [], {}, ['EXTERNAL_NAME']],
  ] // biome-ignore format: a table
  for (const [what, object, slices, options, expected] of cases) {
    t.same(outline(buildService(object, slices, { ...PLAIN, ...options })), expected, what)
  }
  t.end()
})

t.test("slices without their Service are the Service's that nobody may ask for", t => {
  const block = buildOrphan('demo', 'web', [slice(['10.1.0.2'], http)], PLAIN)
  t.same(outline(block), ['HEADLESS NO_SERVICE 10.1.0.2', 'ports', 'group http/tcp/80: 10.1.0.2'])
  t.end()
})

t.test("an ExternalName's target as a name, the case kept", t => {
  for (const target of ['www.Example.net', 'www.Example.net.']) {
    const block = buildService(service({ type: 'ExternalName', externalName: target }), [], PLAIN)
    const detail = new DataView(block.buffer).getUint32(16, true)
    t.equal(formatName(block.subarray(detail)), 'www.Example.net.')
  }
  t.end()
})

t.test('keys', t => {
  const text = (key: Uint8Array | undefined): string => Buffer.from(key ?? []).toString('latin1')
  t.equal(text(serviceKey('Demo', 'Web')), '\x03web\x04demo')
  t.equal(text(namespaceKey('demo')), '\x04demo')
  t.equal(text(podKey('demo', '10.0.0.1')), '\xff\x04\x0a\0\0\x01\x04demo')
  t.equal(podKey('demo', 'fd00::1')?.length, 2 + 16 + 5)
  t.equal(podKey('demo', ''), undefined)
  t.equal(buildMark(KIND.POD, namespaceKey('demo'))[4], KIND.POD)
  t.end()
})

t.test(
  'more endpoints than a group can count are several groups, ports are as many as there are, and the block stays readable',
  t => {
    const many = Array.from({ length: 70_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    const groups = outline(buildService(service(headless), [slice(many)], PLAIN)).slice(2)
    t.same(
      groups.map(group => group.split(' ').length - 1),
      [65_535, 4465],
    )
    const ports = Array.from({ length: 20_000 }, (_, i) => `p${i}/tcp/${i + 1}`)
    const [, own, group] = outline(buildService(service({ ports }), [slice(['10.1.0.1'], ports)], PLAIN))
    t.equal(own?.split(',').length, 20_000)
    t.equal(group?.split(',').length, 20_000)
    t.match(group, /: 10\.1\.0\.1$/)
    t.end()
  },
)

t.test('the order of slices does not matter', t => {
  const address = fc.integer({ min: 1, max: 20 }).map(n => (n % 3 === 0 ? `fd00::${n}` : `10.0.0.${n}`))
  const slices = fc
    .array(fc.tuple(fc.array(address, { maxLength: 6 }), fc.constantFrom([], http, ['a/udp/1', 'b/tcp/2'])), {
      maxLength: 5,
    })
    .map(list => list.map(([endpoints, ports], i) => slice(endpoints, ports, { name: `s${i}` })))
  fc.assert(
    fc.property(slices, slices => {
      const forward = buildService(service(headless), slices, PLAIN)
      t.same(buildService(service(headless), [...slices].reverse(), PLAIN), forward)
    }),
    { numRuns: runs(50) },
  )
  t.end()
})
