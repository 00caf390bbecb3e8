// Watches in protocol buffers: what a real API server sent, what JSON says of the same objects, and octets that are neither.

import t from 'tap'
import { unpackEndpoints } from '../../src/objects/endpoints.ts'
import { slimNamespace } from '../../src/objects/namespaces.ts'
import type { Kind, SlimEndpointSlice } from '../../src/objects/objects.ts'
import { slimEndpointSlice, slimPod, slimService } from '../../src/objects/slim.ts'
import { ApiError } from '../../src/watch/api-error.ts'
import { FrameSplitter } from '../../src/watch/frame-splitter.ts'
import { acceptOf, MESSAGES, readEvent } from '../../src/watch/protobuf-objects.ts'
import { namespace, pod, service, slice } from '../support/fake-objects.ts'
import fc, { runs } from '../support/properties.ts'
import { encodeEvent, framed } from '../support/protobuf.ts'
import { ENDPOINT_SLICE, EXPIRED, SERVICE_AND_BOOKMARK } from './real-frames.ts'

interface Event {
  readonly type: string
  readonly object: object
}

/** All events of a stream that comes in these chunks. */
function events(...chunks: readonly Buffer[]): Event[] {
  const seen: Event[] = []
  const splitter = new FrameSplitter((octets, at, end) => seen.push(readEvent(octets, at, end) as Event))
  for (const chunk of chunks) splitter.push(chunk)
  return seen
}

const only = (octets: Buffer): Event => events(octets)[0]!

t.test('a Service and the end of the initial events, from a real API server', async t => {
  const [added, bookmark] = events(SERVICE_AND_BOOKMARK)
  t.equal(added?.type, 'ADDED')
  t.same(slimService(added?.object), {
    namespace: 'default',
    name: 'kubernetes',
    type: 'ClusterIP',
    clusterIPs: ['10.96.0.1'],
    headless: false,
    externalName: '',
    ports: [{ name: 'https', port: 443, protocol: 'tcp' }],
    externalIPs: [],
  })
  t.match(bookmark, {
    type: 'BOOKMARK',
    object: {
      kind: 'Service',
      metadata: { resourceVersion: '30646', annotations: { 'k8s.io/initial-events-end': 'true' } },
    },
  })
})

t.test('an EndpointSlice from a real API server', async t => {
  const { object } = only(ENDPOINT_SLICE)
  const slim = slimEndpointSlice(object, { zonal: true, endpointPodNames: true }) as SlimEndpointSlice
  t.match(slim, { namespace: 'ns-1', name: 'web-1-0', serviceName: 'web-1' })
  t.same(slim.ports, [{ name: 'http', port: 8080, protocol: 'tcp' }])
  const endpoints = unpackEndpoints(slim.endpoints)
  t.equal(endpoints.length, 10)
  t.same(endpoints[4], {
    address: '10.16.0.14',
    hostname: '',
    targetName: 'web-1-7d4b9c6f5-4',
    zone: 'zone-1',
  })
})

t.test('an error from a real API server', async t => {
  t.match(only(EXPIRED), {
    type: 'ERROR',
    object: { kind: 'Status', code: 410, reason: 'Expired', message: /^too old resource version: 1 / },
  })
})

t.test('an object says what it says in JSON', async t => {
  const cases: [kind: Kind, object: object, slim: (raw: unknown) => unknown][] = [
    ['Namespace', namespace('demo'), slimNamespace],
    ['Service', service('demo', 'web'), slimService],
    [
      'Service',
      service('demo', 'dual', { clusterIPs: ['10.96.0.7', 'fd00::7'], externalIPs: ['192.0.2.1'] }),
      slimService,
    ],
    ['Service', service('demo', 'db', { clusterIP: 'None', clusterIPs: ['None'] }), slimService],
    [
      'Service',
      service('demo', 'out', { type: 'ExternalName', externalName: 'bücher.example' }),
      slimService,
    ],
    [
      'Service',
      {
        ...service('demo', 'lb', { type: 'LoadBalancer' }),
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.9' }, { hostname: 'lb.example' }] } },
      },
      slimService,
    ],
    [
      'EndpointSlice',
      slice('demo', 'web-1', 'web', ['10.0.0.1', '10.0.0.2']),
      raw => slimEndpointSlice(raw, { zonal: true }),
    ],
    [
      'EndpointSlice',
      slice('demo', 'web-2', 'web', [], {
        endpoints: [
          { addresses: ['10.0.0.3'], conditions: { ready: false } },
          { addresses: ['10.0.0.4'], conditions: { ready: true }, hostname: 'A-0', zone: 'z1' },
          { addresses: ['10.0.0.5'] },
        ],
      }),
      raw => slimEndpointSlice(raw, { zonal: true }),
    ],
    [
      'Pod',
      pod('demo', 'p', '10.0.0.9'),
      raw => slimPod(raw, { clients: { podNames: false, hosts: false, labels: ['app'] } }),
    ],
  ]
  for (const [kind, object, slim] of cases) {
    const event = only(encodeEvent('MODIFIED', { kind, ...object }))
    t.equal(event.type, 'MODIFIED')
    t.same(slim(event.object), slim(object))
    t.notOk('problem' in (slim(object) as object))
  }
})

t.test('a Pod that is being deleted', async t => {
  const dying = { kind: 'Pod', ...pod('demo', 'p', '10.0.0.9') }
  const event = only(
    encodeEvent('MODIFIED', { ...dying, metadata: { ...dying.metadata, deletionTimestamp: '2026-01-01' } }),
  )
  t.equal(slimPod(event.object), undefined)
})

t.test('labels may have any name', async t => {
  const labels = JSON.parse('{"__proto__":"x","constructor":"y"}')
  const { object } = only(encodeEvent('ADDED', { kind: 'Namespace', metadata: { name: 'n', labels } }))
  t.same(Object.entries((object as { metadata: { labels: object } }).metadata.labels), Object.entries(labels))
  t.equal(({} as { x?: string }).x, undefined)
})

t.test('frames come out as they went in, however they are cut', async t => {
  const whole = Buffer.concat([
    SERVICE_AND_BOOKMARK,
    framed('ADDED', 'Pod', Buffer.alloc(0)),
    ENDPOINT_SLICE,
    EXPIRED,
  ])
  const wanted = JSON.stringify(events(whole))
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 40 }), places => {
      const at = [...new Set(places)].sort((a, b) => a - b)
      const chunks = [0, ...at].map((from, i) => whole.subarray(from, at[i] ?? whole.length))
      return JSON.stringify(events(...chunks)) === wanted
    }),
    { numRuns: runs(300) },
  )
  t.equal(JSON.stringify(events(...[...whole].map(octet => Buffer.from([octet])))), wanted, 'octet by octet')
  t.same(events(whole.subarray(0, whole.length - 1)).length, 4, 'a frame that is cut off is not handed on')
})

t.test('octets that are no event end the stream, and an object that is none has only its kind', async t => {
  const frame = ENDPOINT_SLICE.subarray(4)
  const read = (octets: Buffer): string => {
    try {
      return (readEvent(octets, 0, octets.length) as Event).type
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return error.code
    }
  }
  for (let end = 0; end < frame.length; end++) t.equal(read(frame.subarray(0, end)), 'protocol')
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { maxLength: 6 }), changes => {
      const octets = Buffer.from(frame)
      for (const [at, octet] of changes) octets[at] = octet
      return typeof read(octets) === 'string'
    }),
    { numRuns: runs(3000) },
  )
  const group = Buffer.from([0x0b])
  t.same(only(framed('ADDED', 'Service', group)), { type: 'ADDED', object: { kind: 'Service' } })
})

t.test('what is asked for', async t => {
  t.equal(acceptOf('Service'), 'application/vnd.kubernetes.protobuf,application/json')
  t.equal(acceptOf('ServiceImport'), 'application/json', 'a custom resource')
  t.same([...MESSAGES.keys()], ['Namespace', 'Service', 'EndpointSlice', 'Pod', 'Node', 'Status'])
})
