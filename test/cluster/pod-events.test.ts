// Events on the server's own Pod, on an API server: what `kubectl describe pod` reads, told again, told too often, refused.

import t, { type Test } from 'tap'
import { openPodEvents, PodEvents } from '../../src/cluster/pod-events.ts'
import { endpointAccess } from '../../src/watch/access.ts'
import { ApiError } from '../../src/watch/api-error.ts'
import { ApiClient, type ApiWriter } from '../../src/watch/client.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import type { RawObject } from '../support/fake-cluster.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { recordingLog, recordingMeters } from '../support/words.ts'

const POD = { name: 'coredns-1', namespace: 'kube-system', uid: 'b1' }

async function world(t: Test) {
  const server = await new FakeApiServer().listen()
  const clock = new VirtualClock()
  const lines: string[] = []
  const counted = new Map<string, number>()
  const client = new ApiClient({ access: endpointAccess({ from: 'endpoint', url: server.url }), clock })
  t.teardown(async () => {
    client.close()
    await server.close()
  })
  const process = (writer: ApiWriter = client): PodEvents =>
    new PodEvents({
      pod: POD,
      writer,
      clock,
      log: recordingLog(lines),
      meters: recordingMeters(counted),
    })
  const events = (): readonly RawObject[] => server.cluster.list('events')
  const counts = (): unknown[] => events().map(({ reason, message, count }) => [reason, message, count])
  const results = (result: string): number =>
    counted.get(`seamark_kubernetes_events_total{result=${result}}`) ?? 0
  return { server, clock, lines, process, events, counts, results }
}

t.test('an Event says whom it is about, since when and how often', async t => {
  const { clock, process, events, counts, results } = await world(t)
  const pod = process()
  pod.tell('CorefileRefused', 'Corefile:3:5: error: unknown directive')
  await until('written', () => results('written') === 1)
  t.match(events()[0], {
    kind: 'Event',
    metadata: { namespace: 'kube-system', name: /^coredns-1\.[0-9a-f]{16}$/ },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'kube-system', name: 'coredns-1', uid: 'b1' },
    type: 'Warning',
    reason: 'CorefileRefused',
    message: 'Corefile:3:5: error: unknown directive',
    source: { component: 'seamark' },
    count: 1,
    firstTimestamp: '2026-01-01T00:16:40Z',
    lastTimestamp: '2026-01-01T00:16:40Z',
  })
  clock.advance(60_000)
  pod.tell('CorefileRefused', 'Corefile:3:5: error: unknown directive')
  pod.tell('ForwardingLoop', 'a query came back')
  await until('both', () => results('written') === 3)
  await pod.stop()
  t.same(counts().sort(), [
    ['CorefileRefused', 'Corefile:3:5: error: unknown directive', 2],
    ['ForwardingLoop', 'a query came back', 1],
  ])
  const again = events().find(({ count }) => count === 2)!
  t.match(again, { firstTimestamp: '2026-01-01T00:16:40Z', lastTimestamp: '2026-01-01T00:17:40Z' })
  pod.tell('ForwardingLoop', 'after the end')
  t.equal(events().length, 2)
})

t.test(
  'a process after a restart counts on; one that the API server has forgotten is written anew',
  async t => {
    const { server, process, events, counts } = await world(t)
    for (let starts = 0; starts < 3; starts++) {
      const pod = process()
      pod.tell('CorefileRefused', 'broken')
      await pod.stop()
    }
    t.same(counts(), [['CorefileRefused', 'broken', 3]])
    const pod = process()
    pod.tell('ForwardingLoop', 'a loop')
    await until('written', () => events().length === 2)
    for (const { metadata } of events()) server.cluster.delete('events', metadata.name, 'kube-system')
    pod.tell('ForwardingLoop', 'a loop')
    await until('anew', () => events().length === 1)
    t.same(counts(), [['ForwardingLoop', 'a loop', 2]])
  },
)

t.test('a flood is a count: eight writes at once, one more every 30 s', async t => {
  const { server, clock, process, counts, results } = await world(t)
  const pod = process()
  for (let told = 0; told < 1000; told++) pod.tell('ForwardingLoop', 'a loop')
  await until('written', () => counts()[0] !== undefined)
  await until('counted', () => results('written') >= 1)
  for (let told = 0; told < 40; told++) {
    pod.tell('ForwardingLoop', 'a loop')
    await new Promise(resolve => setImmediate(resolve))
  }
  await until('all tokens are used', () => results('written') === 8)
  const writes = server.requests.length
  t.ok(writes <= 9, `${writes} requests`)
  clock.advance(30_000)
  await until('the rest', () => results('written') === 9)
  t.same(counts(), [['ForwardingLoop', 'a loop', 1040]])
})

t.test('of many different ones the latest are kept', async t => {
  const { clock, process, counts, results } = await world(t)
  const pod = process()
  for (let told = 0; told < 100; told++) pod.tell('WatchForbidden', `${told}`)
  await until('tokens are used', () => results('written') === 8)
  t.equal(results('dropped'), 68)
  for (let more = 9; more <= 32; more++) {
    clock.advance(30_000)
    await until(`${more}`, () => results('written') === more)
  }
  t.equal(counts().length, 32)
  clock.advance(300_000)
  t.equal(clock.pending, 0)
})

t.test('without the right it is said once what to add, and given up after six tries', async t => {
  const { clock, lines, process, results } = await world(t)
  let tries = 0
  const write = async (): Promise<never> => {
    tries++
    throw new ApiError('forbidden', '403 events is forbidden', { status: 403 })
  }
  const pod = process({ write })
  pod.tell('CorefileRefused', 'broken')
  for (let tried = 1; tried <= 6; tried++) {
    await until(`try ${tried}`, () => tries === tried && (tried === 6 || clock.pending === 1))
    clock.advance(30_000)
  }
  await until('given up', () => results('failed') === 1)
  t.equal(lines.length, 1)
  t.match(lines[0], /^\[WARNING\] events: cannot write Events: 403 events is forbidden; /)
  t.match(lines[0], /add to a Role in kube-system: .*resources: \["events"\], verbs: \["create", "patch"\]/)
})

t.test('a message has 1024 octets', async t => {
  const { process, events } = await world(t)
  const pod = process()
  pod.tell('CorefileRefused', 'ü'.repeat(2000))
  await pod.stop()
  const message = String(events()[0]!.message)
  t.match(message, /^ü+…$/)
  t.ok(Buffer.byteLength(message) <= 1024)
})

t.test('an API server that is away keeps nobody from ending', async t => {
  const { server, clock, process } = await world(t)
  server.pause()
  const pod = process()
  pod.tell('CorefileRefused', 'broken')
  const stopped = pod.stop()
  clock.advance(5000)
  await stopped
  server.resume()
  t.pass('ended')
})

t.test(
  'without what the downward API gives, or outside a cluster, it is said why there are none',
  async t => {
    const options = { clock: new VirtualClock(), log: recordingLog([]), meters: recordingMeters(new Map()) }
    t.equal(
      await openPodEvents(options, { POD_NAME: 'coredns-1' }),
      'no Events: POD_NAMESPACE, POD_UID of the downward API must be in the environment',
    )
    const env = { POD_NAME: 'coredns-1', POD_NAMESPACE: 'kube-system', POD_UID: 'b1' }
    t.match(await openPodEvents(options, env), /^no Events: finding the API server: KUBERNETES_SERVICE_HOST/)
  },
)
