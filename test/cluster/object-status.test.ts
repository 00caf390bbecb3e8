// What becomes of objects, written into their status on an API server: once for each change, the same by every replica, and never
// where the permission is missing.

import t, { type Test } from 'tap'
import { FORBIDDEN_MS, type ObjectStatus, StatusWriter, statusOf } from '../../src/cluster/object-status.ts'
import type { Stated } from '../../src/objects/stated.ts'
import { ApiError } from '../../src/watch/api-error.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { FakeCluster, type RawObject } from '../support/fake-cluster.ts'
import { namespace } from '../support/fake-objects.ts'
import { toldCluster } from '../support/told-cluster.ts'
import { untilWithin, VirtualClock } from '../support/virtual-clock.ts'
import { recordingMeters } from '../support/words.ts'

const OPTIONS = {
  records: {
    kinds: ['DNSRecord'],
    own: ['cluster.local'],
    zones: ['example.org'],
    delegations: [{ suffix: 'example.org', to: ['team', 'other'] }],
    ttlSeconds: 60,
  },
  stubs: { within: [''], own: ['cluster.local'] },
} as const

const KINDS = ['Namespace', 'Service', 'EndpointSlice', 'DNSRecord', 'StubDomain'] as const

interface Status {
  readonly observedGeneration?: number
  readonly servedSince?: string
  readonly conditions?: readonly Record<string, unknown>[]
}

/** An API server with these replicas, all on one virtual clock. */
async function world(t: Test, replicas: number, prepare: (cluster: FakeCluster) => void, forbid = false) {
  const clock = new VirtualClock()
  const cluster = new FakeCluster()
  cluster.apply('namespaces', namespace('default'))
  prepare(cluster)
  const server = new FakeApiServer({ cluster, clock })
  if (forbid) for (const kind of ['dnsrecords', 'stubdomains'] as const) server.forbid(kind, ['patch'])
  await server.listen()
  const counted = new Map<string, number>()
  const logs: string[] = []
  const told = Array.from({ length: replicas }, (_, i) =>
    toldCluster({
      server,
      config: OPTIONS,
      kinds: KINDS,
      clock,
      seed: i + 1,
      counted,
      log: (level, text) => void logs.push(`${level} ${text}`),
    }),
  )
  t.teardown(async () => {
    await Promise.all(told.map(({ stop }) => stop()))
    await server.close()
  })
  for (const { source } of told) await source.start()
  await untilWithin(clock, 20_000, 'synced', () => told.every(({ source }) => source.synced))
  const statusOfObject = (resource: 'dnsrecords' | 'stubdomains', name: string): Status =>
    (cluster.list(resource).find(({ metadata }) => metadata.name === name)?.status ?? {}) as Status
  return {
    cluster,
    server,
    clock,
    counted,
    logs,
    status: statusOfObject,
    /** `Accepted=True Served | Conflicting=False NoConflict`, of generation 1 unless it says another one. */
    line: (resource: 'dnsrecords' | 'stubdomains', name: string): string => {
      const { conditions = [], observedGeneration } = statusOfObject(resource, name)
      const texts = conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)
      return [...texts, ...(observedGeneration === 1 ? [] : [`of ${observedGeneration}`])].join(' | ')
    },
    within: (what: string, condition: () => boolean) => untilWithin(clock, 30_000, what, condition),
    /** Lets time go by in which nothing is to happen. */
    pass: (ms: number) => {
      const until = clock.nowMs() + ms
      return untilWithin(clock, ms + 1000, 'time', () => clock.nowMs() >= until)
    },
    patches: () => server.count(({ method }) => method === 'PATCH'),
  }
}

/** With `created` in seconds and a generation. */
const object = (name: string, spec: object, created = 1, generation = 1, place = {}): RawObject => ({
  metadata: { name, generation, creationTimestamp: new Date(created * 1000).toISOString(), ...place },
  spec,
})
const record = (namespace: string, name: string, values: readonly string[], created = 1, generation = 1) =>
  object(name, { name: 'www.example.org', type: 'A', values }, created, generation, { namespace })
const stub = (name: string, zone: string, created = 1, generation = 1, upstream = '10.0.0.1') =>
  object(name, { zone, upstreams: [upstream] }, created, generation)

const SERVED = 'Accepted=True Served | Conflicting=False NoConflict'

t.test('each object is told once what becomes of it, and again when that changes', async t => {
  const { cluster, line, status, within, pass, patches, counted } = await world(t, 1, cluster => {
    cluster.apply('dnsrecords', record('team', 'old', ['192.0.2.1'], 1))
    cluster.apply('dnsrecords', record('other', 'young', ['192.0.2.2'], 2))
    cluster.apply('dnsrecords', record('default', 'stranger', ['192.0.2.3'], 1))
    cluster.apply('stubdomains', stub('corp', 'corp.example'))
    cluster.apply('stubdomains', stub('own', 'x.cluster.local'))
  })
  await within('five statuses', () => patches() === 5)
  await pass(5000)
  t.equal(patches(), 5, 'nothing more, though each write comes back as a change')
  t.equal(line('dnsrecords', 'old'), SERVED)
  t.equal(line('dnsrecords', 'young'), 'Accepted=False Conflict | Conflicting=True OlderObject')
  t.equal(line('dnsrecords', 'stranger'), 'Accepted=False NotDelegated | Conflicting=False NoConflict')
  t.equal(line('stubdomains', 'corp'), SERVED)
  t.equal(line('stubdomains', 'own'), 'Accepted=False OwnZone | Conflicting=False NoConflict')
  t.match(status('dnsrecords', 'young').conditions, [
    { message: 'DNSRecord team/old has the name, and is older', observedGeneration: 1 },
    { message: 'DNSRecord team/old has the name, and is older' },
  ])
  const { servedSince } = status('dnsrecords', 'old')
  t.match(servedSince, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  t.equal(status('dnsrecords', 'young').servedSince, undefined)

  await pass(60_000)
  const withStatus = (name: string, changed: RawObject): RawObject => ({
    ...changed,
    status: status('dnsrecords', name),
  })
  cluster.apply('dnsrecords', withStatus('old', record('team', 'old', ['192.0.2.9'], 1, 2)))
  await within('the new generation', () => line('dnsrecords', 'old') === `${SERVED} | of 2`)
  t.equal(status('dnsrecords', 'old').servedSince, servedSince, 'served since as long as before')
  cluster.delete('dnsrecords', 'old', 'team')
  await within('the younger one', () => line('dnsrecords', 'young') === SERVED)

  cluster.apply('stubdomains', {
    ...stub('corp', 'corp.example', 1, 2, 'nowhere'),
    status: status('stubdomains', 'corp'),
  })
  await within(
    'the refusal',
    () => line('stubdomains', 'corp') === 'Accepted=False Invalid | Conflicting=False NoConflict | of 2',
  )
  t.match(status('stubdomains', 'corp'), {
    servedSince: /Z$/,
    conditions: [
      { message: "upstream 'nowhere': this is no IP address; what it said before goes on being served" },
      {},
    ],
  })
  await pass(5000)
  t.equal(patches(), 8)
  t.equal(counted.get('seamark_status_writes_total{result=written}'), 8)
})

t.test('three replicas do not argue', async t => {
  const { cluster, line, within, pass, patches } = await world(t, 3, cluster =>
    cluster.apply('stubdomains', stub('corp', 'corp.example')),
  )
  await within('the status', () => line('stubdomains', 'corp') === SERVED)
  await pass(60_000)
  t.ok(patches() <= 3, `${patches()}`)
  const before = patches()
  cluster.apply('stubdomains', stub('younger', 'corp.example', 2))
  await within('the other', () => line('stubdomains', 'younger').startsWith('Accepted=False Conflict'))
  await pass(60_000)
  t.ok(patches() - before <= 3, `${patches() - before}`)
})

t.test(
  'where the permission is missing that is said once, and all is served; later it is looked for again',
  async t => {
    const { server, clock, line, within, pass, patches, logs, cluster } = await world(
      t,
      1,
      cluster => {
        for (let i = 0; i < 20; i++) cluster.apply('stubdomains', stub(`s${i}`, `z${i}.example`))
      },
      true,
    )
    await within('the refusal', () => logs.length === 1)
    t.same(logs, [
      'INFO the status of stubdomains is not written: that needs the right to patch stubdomains/status of seamark.dev',
    ])
    cluster.apply('stubdomains', stub('more', 'more.example'))
    await pass(60_000)
    t.equal(patches(), 1)
    server.forbidden.clear()
    clock.advance(FORBIDDEN_MS)
    await within('another try', () => line('stubdomains', 's19') === SERVED)
    t.equal(logs.length, 1)
  },
)

t.test('what is there is not written again, but for times', async t => {
  const stated: Stated = { generation: 3, observedGeneration: 0, servedSince: '', conditions: [] }
  const good = { message: 'well' }
  const first = statusOf(stated, good, 1000)!
  t.match(first, { observedGeneration: 3, servedSince: '1970-01-01T00:00:01Z' })
  const shown = (status: ObjectStatus): Stated => ({
    ...stated,
    ...status,
    servedSince: status.servedSince ?? '',
  })
  t.equal(statusOf(shown(first), good, 9000), undefined)
  const bad = statusOf(shown(first), { refusal: 'Invalid', message: 'no' }, 9000)!
  t.same(
    bad.conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    [['Accepted', '1970-01-01T00:00:09Z'], ['Conflicting', '1970-01-01T00:00:01Z']],
    'the time of a condition is that of its change',
  ) // biome-ignore format: a table
  t.equal(bad.servedSince, null)
})

t.test(
  'a failure that passes is tried again, one that does not is left, and a queue that is full is counted',
  async t => {
    const clock = new VirtualClock()
    const counted = new Map<string, number>()
    const logs: string[] = []
    const errors: number[] = [500, 422]
    const written: string[] = []
    const keys = Array.from({ length: 10_001 }, (_, i) => `k${i}`)
    const writer = new StatusWriter({
      clock,
      random: () => 0,
      meters: recordingMeters(counted),
      log: (_, text) => void logs.push(text),
      keys: kind => (kind === 'StubDomain' ? keys : []),
      known: (_, key) => ({
        stated: { generation: 1, observedGeneration: 0, servedSince: '', conditions: [] },
        verdict: { message: `served ${key}` },
      }),
      write: async (_, key) => {
        const status = errors.shift()
        if (status !== undefined) throw new ApiError('refused', `no: ${status}`, { status })
        written.push(key)
      },
    })
    writer.note('StubDomain', 'a')
    writer.note('StubDomain', 'b')
    await untilWithin(clock, 100_000, 'both', () => written.length === 1, 1000)
    t.same(written, ['a'], 'the one that failed for a while; the other is not wanted')
    t.same(logs, ['the status of StubDomain a is not written: no: 500'])
    for (const key of keys) writer.note('StubDomain', key)
    writer.stop()
    t.same(
      [...counted].map(([key, n]) => [/result=(\w+)/.exec(key)?.[1], n]),
      [
        ['failed', 2],
        ['written', 1],
        ['dropped', 1],
      ],
    )
  },
)
