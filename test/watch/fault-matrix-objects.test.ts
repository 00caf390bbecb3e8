// Rows 19 to 26 of the fault matrix, as far as the watch goes: each event reaches the sink once, in the server's order,
// and the sink's objects are at every step those that a fresh list would give. What is answered from them is shown where
// the table is tested.

import t from 'tap'
import type { FakeCluster, RawObject } from '../support/fake-cluster.ts'
import { namespace, pod, service, slice } from '../support/fake-objects.ts'
import { framed, octetsField } from '../support/protobuf.ts'
import { row } from './fault-rows.ts'
import { World } from './watched-api.ts'

type Step = readonly [step: (cluster: FakeCluster) => void, ...calls: string[]]

const cases: readonly (readonly [title: string, steps: readonly Step[]])[] = [
  [
    row(19),
    [
      [
        c => c.apply('endpointslices', slice('default', 'late-1', 'late', ['10.0.1.1'])),
        'upsert EndpointSlice default/late-1',
      ],
      [c => c.apply('services', service('default', 'late')), 'upsert Service default/late'],
      [
        c => c.apply('endpointslices', slice('default', 'late-2', 'late', ['10.0.1.1'])),
        'upsert EndpointSlice default/late-2',
      ],
      [c => c.delete('endpointslices', 'late-1', 'default'), 'remove EndpointSlice default/late-1'],
    ],
  ],
  [
    row(20),
    [
      [c => c.apply('services', service('default', 'other')), 'upsert Service default/other'],
      [
        c => c.apply('endpointslices', slice('default', 'web-1', 'other', ['10.0.0.1'])),
        'upsert EndpointSlice default/web-1',
      ],
      [
        c =>
          c.apply('endpointslices', {
            ...slice('default', 'web-1', '', []),
            metadata: { namespace: 'default', name: 'web-1' },
          }),
        'remove EndpointSlice default/web-1',
      ],
    ],
  ],
  [
    row(22),
    [
      [c => c.delete('services', 'web', 'default'), 'remove Service default/web'],
      [c => c.delete('endpointslices', 'web-1', 'default'), 'remove EndpointSlice default/web-1'],
      [c => c.delete('namespaces', 'default'), 'remove Namespace default'],
      [c => c.apply('namespaces', namespace('default')), 'upsert Namespace default'],
    ],
  ],
  [
    row(23),
    [
      [
        c => c.apply('services', service('default', 'web', { clusterIP: 'None', clusterIPs: ['None'] })),
        'upsert Service default/web',
      ],
      [
        c => c.apply('services', service('default', 'web', { type: 'ExternalName', externalName: 'a.b' })),
        'upsert Service default/web',
      ],
      [c => c.apply('services', service('default', 'web')), 'upsert Service default/web'],
    ],
  ],
  [
    row(24, 'delete before add'),
    [
      [c => c.delete('services', 'web', 'default'), 'remove Service default/web'],
      [c => c.apply('services', service('default', 'heir')), 'upsert Service default/heir'],
    ],
  ],
  [
    row(24, 'add before delete'),
    [
      [c => c.apply('services', service('default', 'heir')), 'upsert Service default/heir'],
      [c => c.delete('services', 'web', 'default'), 'remove Service default/web'],
    ],
  ],
  [
    row(25),
    (['ready', 'terminating', 'gone'] as const).map(state => [
      c =>
        c.apply('endpointslices', {
          ...slice('default', 'web-1', 'web', []),
          endpoints:
            state === 'gone'
              ? []
              : [
                  {
                    addresses: ['10.0.0.9'],
                    conditions: { ready: state === 'ready', serving: true, terminating: state !== 'ready' },
                  },
                ],
        }),
      // What is gone was not ready before: nothing that DNS says has changed, and nothing is published.
      ...(state === 'gone' ? [] : ['upsert EndpointSlice default/web-1']),
    ]),
  ],
  [
    row(26),
    [
      [
        c => c.apply('services', service('default', 'web', { clusterIPs: ['10.96.0.10', 'fd00::a'] })),
        'upsert Service default/web',
      ],
      [
        c => c.apply('services', service('default', 'web', { clusterIPs: ['fd00::a'] })),
        'upsert Service default/web',
      ],
    ],
  ],
]

for (const [title, steps] of cases) {
  t.test(title, async t => {
    const world = await World.make(t)
    for (const [step, ...calls] of steps) {
      world.sink.calls.length = 0
      step(world.cluster)
      await world.until(calls.join(), () => world.sink.calls.length >= calls.length && world.converged())
      t.same(world.sink.calls, calls)
      t.ok(world.converged(), 'the same as a fresh list')
    }
  })
}

/** Objects that are wrong; undefined fields are absent. Those that cannot be kept are counted. */
const malformed: readonly (readonly [title: string, object: unknown, kept: boolean])[] = [
  ['no spec', { metadata: { namespace: 'default', name: 'bad' } }, true],
  [
    'ports: null',
    { metadata: { namespace: 'default', name: 'bad' }, spec: { ports: null, clusterIP: '10.96.0.9' } },
    true,
  ],
  ['a bad IP', { metadata: { namespace: 'default', name: 'bad' }, spec: { clusterIP: '10.96.0.999' } }, true],
  ['a list as spec', { metadata: { namespace: 'default', name: 'bad' }, spec: [1] }, true],
  ['an overlong name', { metadata: { namespace: 'default', name: 'x'.repeat(300) } }, false],
  ['the name __proto__', { metadata: { namespace: 'default', name: '__proto__' } }, false],
  ['the namespace __proto__', { metadata: { namespace: '__proto__', name: 'bad' } }, false],
  ['a name that is no text', { metadata: { namespace: 'default', name: 7 } }, false],
  ['metadata that is no object', { metadata: 'x' }, false],
  ['null', null, false],
  [
    'labels called __proto__',
    JSON.parse('{"metadata":{"namespace":"default","name":"bad","labels":{"__proto__":{"polluted":true}}}}'),
    true,
  ],
]

for (const [title, object, kept] of malformed) {
  t.test(row(21, title), async t => {
    const world = await World.make(t, { json: true })
    const event = `${JSON.stringify({ type: 'ADDED', object })}\n`
    for (const watch of world.server.watches('services')) {
      watch.send(event)
      watch.send(event)
    }
    world.cluster.apply('services', service('default', 'good'))
    await world.until('the next one', () => world.sink.of('Service').has('default/good'))
    t.ok(world.sink.of('Service').has('default/web'), 'others are not touched')
    t.equal(world.sink.of('Service').has('default/bad'), kept)
    t.equal(world.status('services').skipped, kept ? 0 : 2)
    t.equal(
      world.logs.filter(line => line.startsWith('warning services: skipping')).length,
      kept ? 0 : 1,
      'named once',
    )
    t.same(world.status('services').restartsByCause, {}, 'the stream goes on')
    t.equal(({} as { polluted?: boolean }).polluted, undefined)
  })
}

t.test(row(21, 'an object that cannot be read in an event that can'), async t => {
  const world = await World.make(t)
  const broken = octetsField(1, Buffer.from([0x0a, 0xff]))
  for (const watch of world.server.watches('services')) watch.send(framed('ADDED', 'Service', broken))
  world.cluster.apply('services', service('default', 'good'))
  await world.until('the next one', () => world.sink.of('Service').has('default/good'))
  t.ok(world.sink.of('Service').has('default/web'), 'others are not touched')
  t.match(world.status('services'), { skipped: 1, restartsByCause: {} }, 'counted, and the stream goes on')
})

t.test(row(21, 'a good object that becomes malformed is not kept'), async t => {
  const world = await World.make(t, { json: true })
  for (const [endpoints, kept] of [
    [null, true],
    [[null, 7, { addresses: null }, { addresses: ['10.0.0.300', '10.0.0.5'] }], true],
  ] as const) {
    world.cluster.apply('endpointslices', slice('default', 'web-1', 'web', [], { endpoints }))
    await world.until('converged', () => world.converged())
    t.equal(world.sink.of('EndpointSlice').has('default/web-1'), kept)
  }
  world.cluster.apply('endpointslices', slice('default', 'web-1', 'Not A Name!', ['10.0.0.1']))
  await world.until('removed', () => !world.sink.of('EndpointSlice').has('default/web-1'))
  t.equal(world.status('endpointslices').skipped, 1)
})

t.test(row(21, 'in a list'), async t => {
  for (const watchList of [true, false]) {
    const world = await World.make(t, { watchList, absent: true })
    world.cluster.apply('services', { metadata: { namespace: 'default', name: '__proto__' } })
    world.cluster.apply(
      'services',
      JSON.parse('{"metadata":{"namespace":"default","name":"constructor"}}') as RawObject,
    )
    await world.server.listen()
    await world.within(5000, 'synced', () => world.source.synced)
    t.same(world.sink.keys('Service'), ['default/constructor', 'default/web'])
    t.equal(world.status('services').skipped, 1)
  }
})

t.test('a sink that throws is counted and logged, and the watch goes on', async t => {
  const world = await World.make(t)
  world.sink.failures = 1
  world.cluster.apply('services', service('default', 'lost'))
  world.cluster.apply('services', service('default', 'next'))
  await world.until('the next one', () => world.sink.of('Service').has('default/next'))
  t.equal(world.status('services').sinkErrors, 1)
  t.match(world.logs, [/^error services: applying a change failed: the sink was told to fail$/])
  t.same(world.status('services').restartsByCause, {})
})

t.test('a sink that throws at a relist gets the list again', async t => {
  const world = await World.make(t, { absent: true })
  world.sink.failures = 3
  await world.server.listen()
  await world.within(5000, 'synced', () => world.source.synced)
  t.ok(world.converged())
  t.equal(
    world.status('services').sinkErrors +
      world.status('namespaces').sinkErrors +
      world.status('endpointslices').sinkErrors,
    3,
  )
})

t.test('selectors and optional resources', async t => {
  const world = await World.make(t, {
    verifiedPods: true,
    multicluster: true,
    labels: 'tier=front',
    namespaceLabels: 'dns!=off',
  })
  world.cluster.apply('services', service('default', 'front', {}, { tier: 'front' }))
  world.cluster.apply('namespaces', namespace('dark', { dns: 'off' }))
  world.cluster.apply('pods', {
    ...pod('default', 'p', '10.0.0.7'),
    metadata: { namespace: 'default', name: 'p', labels: { tier: 'front' } },
  })
  world.cluster.apply('serviceimports', {
    metadata: { namespace: 'default', name: 'far' },
    spec: { type: 'ClusterSetIP', ips: ['10.97.0.1'], ports: [] },
  })
  await world.until(
    'seen',
    () => world.sink.of('ServiceImport').size === 1 && world.sink.of('Pod').size === 1,
  )
  t.same(world.sink.keys('Service'), ['default/front'])
  t.same(world.sink.keys('Namespace'), ['default'])
  world.cluster.apply('services', service('default', 'front', {}, { tier: 'back' }))
  await world.until('deselected', () => world.sink.of('Service').size === 0)
  t.same(world.sink.keys('EndpointSlice'), [])
  world.cluster.apply('pods', {
    ...pod('default', 'p', '10.0.0.7', 'Succeeded'),
    metadata: { namespace: 'default', name: 'p', labels: { tier: 'front' } },
  })
  await world.until('ended', () => world.sink.of('Pod').size === 0)
  const seen = world.server.requests.map(one => [
    one.resource,
    one.query.get('labelSelector'),
    one.query.get('fieldSelector'),
  ])
  t.same(seen, [
    ['namespaces', 'dns!=off', null],
    ['services', 'tier=front', null],
    ['endpointslices', 'tier=front', null],
    ['pods', 'tier=front', 'status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown'],
    ['serviceimports', 'dns!=off', null],
  ])
})

t.test('noendpoints watches no slices, with multicluster those of ServiceImports', async t => {
  for (const [multicluster, wanted] of [
    [false, []],
    [true, ['tier=front,multicluster.kubernetes.io/service-name']],
  ] as const) {
    const world = await World.make(t, { noEndpoints: true, multicluster, labels: 'tier=front' })
    const slices = world.server.requests.filter(one => one.resource === 'endpointslices')
    t.same(
      slices.map(one => one.query.get('labelSelector')),
      wanted,
    )
  }
})
