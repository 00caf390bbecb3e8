// What the live page is told of: problems of the Corefile, of watches and of manifests, each in a line.

import t from 'tap'
import { Status, type StatusOptions } from '../../src/control/status.ts'
import { Registry } from '../../src/observe/registry.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

type Watched = StatusOptions['clusters']['all'][number]

const watched = (
  stands: string,
  errors: readonly (string | undefined)[],
  files?: readonly string[],
): Watched =>
  ({
    explain: () => stands,
    source: {
      status: () =>
        errors.map((lastError, i) => ({
          resource: ['services', 'pods'][i],
          objects: 3,
          synced: true,
          stale: false,
          ageMs: 1500,
          lastError,
          skipped: i,
        })),
      ...(files && { problems: () => files }),
    },
  }) as unknown as Watched

const statusOf = (all: readonly Watched[], corefile: readonly string[] = []): Status =>
  new Status({
    clock: new VirtualClock(),
    registry: new Registry(),
    traffic: { lists: () => ({ perSecond: 0, clients: [], names: [], failing: [] }), storms: [] },
    clusters: { all } as unknown as StatusOptions['clusters'],
    threads: () => [],
    problems: () => corefile,
    explain: async () => '',
  })

t.test('problems, of wherever they are', async t => {
  t.same(statusOf([watched('synced', [undefined])]).data().problems, [])
  t.same(
    statusOf(
      [
        watched('waiting for services', ['cannot watch: refused', undefined]),
        watched(
          'synced',
          [],
          ['shop.yaml:7:3: warning: Service shop/web: the selector app=web matches no Pod'],
        ),
      ],
      ['Corefile:3:1: error: unknown directive'],
    ).data().problems,
    [
      'Corefile:3:1: error: unknown directive',
      'waiting for services',
      'services: cannot watch: refused',
      'pods: malformed objects that are left out: 1',
      'shop.yaml:7:3: warning: Service shop/web: the selector app=web matches no Pod',
    ],
  )
  const many = Array.from({ length: 25 }, (_, i) => `shop.yaml:${i}:1: warning: ${i}`)
  const shown = statusOf([watched('synced', [], many)]).data().problems
  t.equal(shown.length, 21)
  t.equal(shown.at(-1), 'and 5 more')
})

t.test('how old what is watched may be', async t => {
  t.same(statusOf([watched('synced', [undefined])]).data().watches, [
    { resource: 'services', objects: 3, state: 'current', ageSeconds: 1.5 },
  ])
})
