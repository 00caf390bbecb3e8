// Events as a source gives them, and what the table then holds.

import t from 'tap'
import type { Kind, Kinds } from '../../src/objects/objects.ts'
import { parseIp } from '../../src/shared/ip.ts'
import { namespaceKey, podKey, serviceKey } from '../../src/table/build.ts'
import { Cluster, type ClusterHooks, type ClusterOptions } from '../../src/table/cluster.ts'
import { TableReader } from '../../src/table/reader.ts'
import { TableWriter } from '../../src/table/writer.ts'
import { buildService } from '../support/blocks.ts'
import fc, { runs } from '../support/properties.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { outline, PLAIN, service, slice } from './block-texts.ts'

/** A cluster whose batches are published by `run`. */
function world(
  options: Partial<ClusterOptions> = {},
  hooks: Partial<ClusterHooks> = {},
  maxOctets = 1 << 22,
) {
  const writer = new TableWriter(maxOctets)
  const reader = new TableReader(writer.buffer, 0)
  const scheduled: (() => void)[] = []
  const clock = new VirtualClock()
  clock.stepWall(1_700_000_000_999 - clock.wallMs())
  const cluster = new Cluster(
    writer,
    { ...PLAIN, namespaces: [], kinds: ['Service', 'EndpointSlice', 'Namespace'], ...options },
    { schedule: publish => scheduled.push(publish), clock, ...hooks },
  )
  const run = (): number => {
    const batches = scheduled.splice(0)
    for (const publish of batches) publish()
    return batches.length
  }
  const has = (key: Uint8Array | undefined): boolean => key !== undefined && writer.find(key) !== 0
  const block = (name: string, namespace = 'demo'): string[] | undefined => {
    const at = writer.find(serviceKey(namespace, name))
    return at === 0 ? undefined : outline(writer.octets.slice(at, at + writer.words[at >> 2]!))
  }
  /** How many services the address leads to. */
  const owners = (text: string): number => {
    const { bytes } = parseIp(text)!
    return reader.servicesOf(reader.hashOf(bytes, 0, bytes.length))
  }
  return { writer, reader, cluster, clock, run, has, block, owners }
}

const headless = { headless: true } as const
const demo = { name: 'demo' }

t.test('what arrives in one turn is one batch', t => {
  const { cluster, run, block } = world()
  cluster.upsert('Namespace', demo)
  cluster.upsert('Service', service({ clusterIPs: ['10.0.0.1'] }))
  t.equal(block('web'), undefined)
  t.equal(run(), 1)
  t.same(block('web'), ['10.0.0.1', 'ports'])
  t.end()
})

t.test('synced when every kind is listed and published', t => {
  let synced = 0
  const { cluster, run, reader } = world({}, { synced: () => synced++ })
  cluster.replace('Service', [])
  cluster.replace('Namespace', [])
  run()
  t.same([cluster.synced, reader.synced, cluster.waitingFor], [false, false, ['EndpointSlice']])
  cluster.replace('EndpointSlice', [])
  t.same([cluster.synced, reader.synced, synced], [true, false, 0])
  run()
  t.same([reader.synced, cluster.published, synced], [true, true, 1])
  cluster.replace('Service', [])
  run()
  t.equal(synced, 1)
  t.end()
})

t.test('namespaces show and hide their services', t => {
  const { cluster, run, has, block } = world({ namespaces: ['demo', 'later'] })
  cluster.upsert('Service', service({ clusterIPs: ['10.0.0.1'] }))
  cluster.upsert('Service', service({ namespace: 'hidden', clusterIPs: ['10.0.0.2'] }))
  cluster.upsert('Namespace', { name: 'hidden' })
  run()
  t.equal(block('web'), undefined, 'the namespace is not known yet')
  t.equal(block('web', 'hidden'), undefined, 'the namespace is not in the list')
  t.notOk(has(namespaceKey('hidden')))
  cluster.upsert('Namespace', demo)
  run()
  t.ok(has(namespaceKey('demo')))
  t.same(block('web'), ['10.0.0.1', 'ports'])
  cluster.remove('Namespace', 'demo')
  run()
  t.notOk(has(namespaceKey('demo')))
  t.equal(block('web'), undefined)
  t.end()
})

t.test('slices come, change owner and go', t => {
  const { cluster, run, block, owners } = world()
  cluster.upsert('Namespace', demo)
  cluster.upsert('Service', service(headless))
  cluster.upsert('Service', service({ ...headless, name: 'other' }))
  cluster.upsert('EndpointSlice', slice(['10.1.0.1']))
  run()
  t.same(block('web')?.[0], 'HEADLESS 10.1.0.1')
  t.same([owners('10.1.0.1'), owners('10.1.0.2')], [1, 0])
  cluster.upsert('EndpointSlice', slice(['10.1.0.2']))
  run()
  t.same([owners('10.1.0.1'), owners('10.1.0.2')], [0, 1])
  cluster.upsert('EndpointSlice', slice(['10.1.0.2'], [], { serviceName: 'other' }))
  run()
  t.same([block('web')?.[0], block('other')?.[0]], ['HEADLESS NO_READY', 'HEADLESS 10.1.0.2'])
  cluster.remove('EndpointSlice', 'demo/web-1')
  cluster.remove('EndpointSlice', 'demo/never')
  run()
  t.same(block('other')?.[0], 'HEADLESS NO_READY')
  t.equal(owners('10.1.0.2'), 0)
  t.end()
})

t.test('slices without their Service, before it comes and after it goes', t => {
  const { cluster, run, block, owners } = world()
  cluster.upsert('Namespace', demo)
  cluster.upsert('EndpointSlice', slice(['10.1.0.1']))
  cluster.upsert('EndpointSlice', slice(['10.1.0.9'], [], { name: 'nobodys', serviceName: '' }))
  run()
  t.same(block('web')?.[0], 'HEADLESS NO_SERVICE 10.1.0.1')
  t.equal(owners('10.1.0.9'), 0)
  cluster.upsert('Service', service({ clusterIPs: ['10.0.0.1'] }))
  run()
  t.same(block('web')?.[0], '10.0.0.1')
  cluster.remove('Service', 'demo/web')
  run()
  t.same(block('web')?.[0], 'HEADLESS NO_SERVICE 10.1.0.1')
  t.same([owners('10.0.0.1'), owners('10.1.0.1')], [0, 1])
  t.end()
})

t.test('a list replaces what it lacks', t => {
  const { cluster, run, block, reader } = world()
  cluster.replace('Namespace', [demo])
  cluster.replace('Service', [
    service({ clusterIPs: ['10.0.0.1'] }),
    service({ name: 'gone', clusterIPs: ['10.0.0.2'] }),
  ])
  run()
  t.equal(reader.serial, 1_700_000_000)
  cluster.replace('Service', [service({ clusterIPs: ['10.0.0.1'] })])
  run()
  t.same([block('web')?.[0], block('gone')], ['10.0.0.1', undefined])
  t.end()
})

t.test('Pods by address, two of one address for a moment', t => {
  const { cluster, run, has } = world({ kinds: ['Pod'] })
  const pod = (name: string, ip: string) => ({ namespace: 'demo', name, ip })
  const key = podKey('demo', '10.0.0.1')
  cluster.upsert('Pod', pod('old', '10.0.0.1'))
  cluster.upsert('Pod', pod('new', '10.0.0.1'))
  cluster.upsert('Pod', pod('none', ''))
  run()
  t.ok(has(key))
  cluster.remove('Pod', 'demo/old')
  run()
  t.ok(has(key))
  cluster.upsert('Pod', pod('new', '10.0.0.2'))
  run()
  t.notOk(has(key))
  t.ok(has(podKey('demo', '10.0.0.2')))
  t.end()
})

t.test('a state of an earlier process is served until every kind is listed', async t => {
  let listed = 0
  const { cluster, run, writer, reader, has, block } = world({}, { synced: () => listed++ })
  const sets = new Map<Kind, readonly Kinds[Kind][]>([
    ['Namespace', [demo]],
    ['Service', [service({ name: 'web' }), service({ name: 'gone' })]],
  ])
  t.notOk(await cluster.restore(sets), 'one without all kinds is not taken')
  t.notOk(has(namespaceKey('demo')))
  const restored = cluster.restore(new Map([...sets, ['EndpointSlice', []]]))
  run()
  t.ok(await restored)
  t.same([reader.synced, reader.restored, listed], [true, true, 0])
  t.ok(block('gone'))
  cluster.replace('Namespace', [demo])
  cluster.replace('Service', [service({ name: 'web' })])
  run()
  t.same([reader.synced, reader.restored, listed], [true, true, 0], 'the slices are still old ones')
  t.notOk(block('gone'))
  cluster.replace('EndpointSlice', [])
  run()
  t.same([reader.synced, reader.restored, listed], [true, false, 1])
  t.ok(writer.synced)
})

t.test('how long a batch waited is told by kind', t => {
  const told: [Kind, number][] = []
  const { cluster, clock, run } = world({}, { published: (_, delays) => told.push(...delays) })
  cluster.upsert('Service', service({ name: 'web' }))
  clock.advance(3)
  cluster.upsert('Service', service({ name: 'web2' }))
  cluster.upsert('Namespace', demo)
  clock.advance(4)
  run()
  t.same(told.sort(), [
    ['Namespace', 4],
    ['Service', 7],
  ])
  t.end()
})

t.test('changed slices are told when they are published', t => {
  const told: string[] = []
  const { cluster, run } = world(
    {},
    { published: (_, __, slices) => told.push(...slices.map(({ name }) => name)) },
  )
  cluster.upsert('EndpointSlice', slice(['10.1.0.1'], [], { triggerTimeMs: 5 }))
  cluster.upsert('EndpointSlice', slice(['10.1.0.1'], [], { name: 'untimed' }))
  t.same(told, [])
  run()
  t.same(told, ['web-1'])
  cluster.upsert('Namespace', demo)
  run()
  t.same(told, ['web-1'])
  t.end()
})

const addresses = (net: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${net}.${i >> 8}.${i & 255}`)

t.test('a full table keeps the last answers, says so, and takes what fits', t => {
  const told: string[][] = []
  const { cluster, run, block, owners } = world({}, { full: (_, names) => told.push([...names]) }, 1 << 16)
  cluster.upsert('Namespace', demo)
  cluster.upsert('Service', service(headless))
  cluster.upsert('EndpointSlice', slice(['10.1.0.1']))
  run()
  cluster.upsert('EndpointSlice', slice(addresses('10.2', 5000)))
  run()
  t.same(told, [['demo/web']])
  t.same(block('web')?.[0], 'HEADLESS 10.1.0.1')
  t.same([owners('10.1.0.1'), owners('10.2.0.0'), owners('10.2.0.200')], [1, 0, 0])
  cluster.upsert('EndpointSlice', slice(['10.2.0.0', '10.2.0.1']))
  run()
  t.equal(told.length, 1)
  t.same(block('web')?.[0], 'HEADLESS 10.2.0.0 10.2.0.1')
  t.same([owners('10.1.0.1'), owners('10.2.0.0'), owners('10.2.0.1')], [0, 1, 1])
  t.end()
})

t.test('what did not fit comes with a later batch, whatever that is of', t => {
  let refusals = 0
  const { cluster, run, block, owners, writer } = world({}, { full: () => refusals++ }, 1 << 16)
  cluster.upsert('Namespace', demo)
  run()
  const many = slice(addresses('10.2', 300))
  const fillers: Uint8Array[] = []
  const fill = (): void => {
    for (let i = 10; ; i++) {
      const name = `w${i}`
      writer.publish(serviceKey('demo', name), buildService(service({ ...headless, name }), [many], PLAIN))
      fillers.push(serviceKey('demo', name))
    }
  }
  t.throws(fill, { code: 'TABLE_FULL' })
  cluster.upsert('Service', service(headless))
  cluster.upsert('EndpointSlice', many)
  run()
  t.equal(refusals, 1)
  t.equal(block('web'), undefined)
  t.equal(owners('10.2.0.0'), 0)
  writer.remove(fillers[0]!)
  writer.endBatch()
  cluster.upsert('Namespace', demo)
  run()
  t.equal(refusals, 1)
  t.equal(block('web')?.[0]?.split(' ').length, 301)
  t.equal(owners('10.2.0.0'), 1)
  t.end()
})

t.test('any events end as the list of what is left would', t => {
  const names = fc.constantFrom('a', 'b', 'c')
  const addresses = fc.uniqueArray(
    fc.integer({ min: 1, max: 12 }).map(n => `10.0.0.${n}`),
    { maxLength: 4 },
  )
  const event = fc.oneof(
    fc.record({
      what: fc.constant('namespace' as const),
      name: fc.constantFrom('demo', 'x'),
      there: fc.boolean(),
    }),
    fc.record({
      what: fc.constant('service' as const),
      name: names,
      there: fc.boolean(),
      headless: fc.boolean(),
      addresses,
    }),
    fc.record({
      what: fc.constant('slice' as const),
      name: names,
      owner: names,
      there: fc.boolean(),
      addresses,
    }),
    fc.record({ what: fc.constant('run' as const) }),
  )
  const property = fc.property(fc.array(event, { maxLength: 60 }), events => {
    const live = world()
    for (const e of events) {
      if (e.what === 'run') live.run()
      else if (e.what === 'namespace') {
        if (e.there) live.cluster.upsert('Namespace', { name: e.name })
        else live.cluster.remove('Namespace', e.name)
      } else if (e.what === 'service') {
        const object = service({
          name: e.name,
          headless: e.headless,
          clusterIPs: e.headless ? [] : e.addresses,
        })
        if (e.there) live.cluster.upsert('Service', object)
        else live.cluster.remove('Service', `demo/${e.name}`)
      } else if (e.there)
        live.cluster.upsert('EndpointSlice', slice(e.addresses, [], { name: e.name, serviceName: e.owner }))
      else live.cluster.remove('EndpointSlice', `demo/${e.name}`)
    }
    live.run()
    const listed = world()
    for (const kind of ['Namespace', 'Service', 'EndpointSlice'] as const) {
      listed.cluster.replace(kind, live.cluster.objects(kind).values())
    }
    listed.run()
    for (const name of ['a', 'b', 'c']) t.same(live.block(name), listed.block(name))
    for (let n = 1; n <= 12; n++) t.equal(live.owners(`10.0.0.${n}`), listed.owners(`10.0.0.${n}`))
    t.equal(live.writer.nameCount, listed.writer.nameCount)
  })
  fc.assert(property, { numRuns: runs(60) })
  t.end()
})

t.test(
  'an address outside the cluster leads to its services, and nobody finds it who looks for a cluster IP',
  t => {
    const { reader, cluster, run, owners } = world()
    const outside = (text: string): number => {
      const { bytes, family } = parseIp(text)!
      const tagged = Uint8Array.of(family, ...bytes)
      return reader.servicesOf(reader.hashOf(tagged, 0, tagged.length))
    }
    cluster.upsert('Namespace', demo)
    const externalIPs = ['192.0.2.7', 'lb.example.net', '2001:db8::7']
    cluster.upsert('Service', service({ clusterIPs: ['10.0.0.1'], externalIPs }))
    cluster.upsert('Service', service({ name: 'other', externalIPs: ['192.0.2.7'] }))
    run()
    t.same([owners('192.0.2.7'), owners('10.0.0.1')], [0, 1])
    t.same([outside('192.0.2.7'), outside('2001:db8::7'), outside('10.0.0.1')], [2, 1, 0])
    cluster.upsert('Service', service({ clusterIPs: ['10.0.0.1'], externalIPs: ['192.0.2.8'] }))
    run()
    t.same([outside('192.0.2.7'), outside('192.0.2.8'), outside('2001:db8::7')], [1, 1, 0])
    t.end()
  },
)

t.test(
  'the serial of what is outside moves with services that are reached from there, and headless ones',
  t => {
    const { reader, cluster, clock, run } = world()
    const changes: [what: string, change: () => void, moves: boolean][] = [
      ['a plain service', () => cluster.upsert('Service', service({ clusterIPs: ['10.0.0.1'] })), false],
      [
        'one that is reached from outside',
        () => cluster.upsert('Service', service({ name: 'out', externalIPs: ['192.0.2.7'] })),
        true,
      ],
      [
        'the same again',
        () => cluster.upsert('Service', service({ name: 'out', externalIPs: ['192.0.2.7'] })),
        false,
      ],
      ['one that is not any more', () => cluster.upsert('Service', service({ name: 'out' })), true],
      ['a headless one', () => cluster.upsert('Service', service({ name: 'hl', ...headless })), true],
      ['one that goes', () => cluster.remove('Service', 'demo/hl'), true],
    ]
    cluster.upsert('Namespace', demo)
    run()
    for (const [what, change, moves] of changes) {
      const before = reader.externalSerial
      clock.stepWall(10_000)
      change()
      run()
      t.equal(reader.externalSerial !== before, moves, what)
    }
    t.end()
  },
)

t.test('an object that nobody can publish costs its own name', t => {
  const broken: string[] = []
  const { cluster, run, has } = world({}, { broken: name => broken.push(name) })
  cluster.upsert('Namespace', demo)
  cluster.upsert('Service', service({ name: 'a' }))
  // Nothing that slim.ts makes: a bug of ours.
  cluster.upsert('Service', { ...service({ name: 'b' }), ports: null as unknown as [] })
  cluster.upsert('Service', service({ name: 'c' }))
  run()
  t.same(broken, ['demo/b'])
  t.same(
    ['a', 'b', 'c'].map(name => has(serviceKey('demo', name))),
    [true, false, true],
  )
  cluster.upsert('Service', service({ name: 'b' }))
  run()
  t.ok(has(serviceKey('demo', 'b')))
  t.end()
})
