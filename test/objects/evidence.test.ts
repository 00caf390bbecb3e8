// What Services and Pods say beyond what DNS needs.

import t from 'tap'
import { podFacts, selects, serviceFacts, sliceFacts } from '../../src/objects/evidence.ts'

const ready = (status: string, more: object = {}): object => ({
  conditions: [{ type: 'Ready', status, ...more }],
})
const waiting = (reason: string): object => ({ state: { waiting: { reason } } })

t.test('whether a Pod is ready, and why it is not', async t => {
  const cases: [status: object, metadata: object, ready: boolean, why: string][] = [
    [ready('True'), {}, true, ''],
    [ready('True'), { deletionTimestamp: '2026-01-01T00:00:00Z' }, false, 'it is being deleted'],
    [
      ready('False', { message: 'containers with unready status: [a]' }),
      {},
      false,
      'containers with unready status: [a]',
    ],
    [ready('False', { reason: 'ContainersNotReady' }), {}, false, 'ContainersNotReady'],
    [
      { ...ready('False'), containerStatuses: [{}, waiting('CrashLoopBackOff')] },
      {},
      false,
      'CrashLoopBackOff',
    ],
    [
      { ...ready('False'), initContainerStatuses: [waiting('PodInitializing')] },
      {},
      false,
      'PodInitializing',
    ],
    [
      {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }],
      },
      {},
      false,
      '0/3 nodes are available',
    ],
    [{ phase: 'Pending' }, {}, false, 'its phase is Pending'],
    [{ phase: 'Running' }, {}, false, 'its condition Ready is not True'],
    [{}, {}, false, 'its condition Ready is not True'],
    [{ conditions: 'nonsense', containerStatuses: 7 }, {}, false, 'its condition Ready is not True'],
  ]
  for (const [status, metadata, isReady, why] of cases) {
    const facts = podFacts({ metadata: { namespace: 'shop', name: 'web-1', ...metadata }, status })
    t.same([facts.ready, facts.why], [isReady, why], JSON.stringify(status))
  }
})

t.test('the addresses of a Pod, each once', async t => {
  const ips = (status: object): readonly string[] => podFacts({ status }).ips
  t.same(ips({ podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }), ['10.0.0.1', 'fd00::1'])
  t.same(ips({}), [])
})

t.test('what a Service selects', async t => {
  t.same(serviceFacts({ spec: { selector: { app: 'web', bad: 7 }, publishNotReadyAddresses: true } }), {
    selector: { app: 'web' },
    publishNotReadyAddresses: true,
  })
  t.same(serviceFacts(undefined), { selector: {}, publishNotReadyAddresses: false })
  t.ok(selects({ app: 'web' }, { app: 'web', tier: 'front' }))
  t.notOk(selects({ app: 'web', tier: 'front' }, { app: 'web' }))
  t.notOk(selects({}, { app: 'web' }), 'no selector selects nothing')
})

t.test('an EndpointSlice in figures: what says nothing of it is ready', async t => {
  const endpoints = [{ conditions: { ready: false } }, { conditions: {} }, {}]
  t.same(sliceFacts({ metadata: { name: 'web-1' }, addressType: 'IPv6', endpoints }), {
    name: 'web-1',
    addressType: 'IPv6',
    endpoints: 3,
    ready: 2,
  })
  t.same(sliceFacts({ endpoints: 'nonsense' }), { name: '', addressType: '', endpoints: 0, ready: 0 })
})
