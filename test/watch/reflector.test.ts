// The reflector against a client that a test plays by hand: orders of events that a real server shows once in a while.

import t from 'tap'
import { KINDS } from '../../src/objects/kinds.ts'
import { slimService } from '../../src/objects/slim.ts'
import { Reflector } from '../../src/watch/reflector.ts'
import type { ReflectorOptions } from '../../src/watch/reflector-options.ts'
import { RecordingSink } from '../support/recording-sink.ts'
import { ScriptedClient } from '../support/scripted-client.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const RELIST_MS = 60_000

function make(options: Partial<ReflectorOptions<'Service'>> = {}) {
  const client = new ScriptedClient()
  const clock = new VirtualClock()
  const sink = new RecordingSink()
  const logs: string[] = []
  const reflector = new Reflector<'Service'>({
    resource: KINDS.Service,
    convert: raw => slimService(raw),
    sink,
    client,
    clock,
    random: () => 0.5,
    timing: { relistMs: RELIST_MS },
    hooks: { log: (level, message) => logs.push(`${level} ${message}`) },
    ...options,
  })
  reflector.start()
  return { client, clock, sink, logs, reflector }
}

const web = (version: string, name = 'web', externalName = version) => ({
  kind: 'Service',
  metadata: { namespace: 'default', name, resourceVersion: version },
  spec: { type: 'ExternalName', externalName },
})

/** Synced with default/web at version 1, the sink's log emptied, and a relist begun beside the live watch. */
function relisting(options: Partial<ReflectorOptions<'Service'>> = {}) {
  const world = make(options)
  const live = world.client.last.open().event('ADDED', web('1')).bookmark('1', true)
  world.sink.calls.length = 0
  for (let ms = 0; ms < RELIST_MS; ms += 30_000) {
    world.clock.advance(30_000)
    live.bookmark('1')
  }
  const candidate = world.client.last
  return { ...world, live, candidate }
}

t.test('what the first watch asks for', async t => {
  const { client } = make({ labelSelector: 'a=b', fieldSelector: 'c!=d' })
  t.equal(client.last.path, '/api/v1/services')
  t.same(Object.fromEntries(client.last.query), {
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '450',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    labelSelector: 'a=b',
    fieldSelector: 'c!=d',
  })
})

t.test('nothing is published before the initial events have ended', async t => {
  const { client, sink, reflector } = make()
  client.last
    .open()
    .event('ADDED', web('1'))
    .event('ADDED', web('2', 'other'))
    .event('DELETED', web('3', 'other'))
  t.same(sink.calls, [])
  t.equal(reflector.status().synced, false)
  client.last.bookmark('3', true)
  t.same(sink.keys('Service'), ['default/web'], 'what was deleted on the way is not there')
  t.match(reflector.status(), { synced: true, objects: 1, relists: 1, lastError: undefined })
})

t.test('a watch resumes from the last event or bookmark', async t => {
  const { client, clock, reflector } = make()
  client.last.open().event('ADDED', web('1')).bookmark('5', true)
  for (const [event, version] of [
    ['ADDED', '6'],
    ['MODIFIED', '7'],
    ['DELETED', '8'],
    ['BOOKMARK', '9'],
  ] as const) {
    client.last.open()
    clock.advance(1000)
    client.last.event(event, web(version)).end()
    clock.advance(0)
    t.equal(client.last.query.get('resourceVersion'), version)
    t.notOk(client.last.query.has('sendInitialEvents'))
  }
  client.last
    .open()
    .event('ADDED', { kind: 'Service', metadata: { namespace: 'default', name: 'unversioned' } })
  client.last.end()
  clock.advance(100)
  t.equal(client.last.query.get('resourceVersion'), '9', 'an object without a version does not lose it')
  t.same(reflector.status().restartsByCause, { closed: 5 })
})

t.test('an object that says the same is not published again', async t => {
  const { client, sink } = make()
  client.last
    .open()
    .event('ADDED', web('1', 'web', 'same'))
    .bookmark('1', true)
  const [before] = sink.state('Service')
  client.last.event('MODIFIED', web('2', 'web', 'same'))
  t.same(sink.calls, ['replace Service 1'])
  client.last.event('MODIFIED', web('3', 'web', 'other'))
  t.same(sink.calls.at(-1), 'upsert Service default/web')
  t.not(sink.state('Service')[0], before)
})

t.test('a relist beside a live watch', async t => {
  t.test('replaces the state in one step and then the watch', async t => {
    const { candidate, live, sink, reflector } = relisting()
    const [before] = sink.state('Service')
    t.equal(live.aborted, false, 'the watch goes on meanwhile')
    candidate.open().event('ADDED', web('1')).event('ADDED', web('2', 'missed'))
    live.event('MODIFIED', web('3'))
    t.same(sink.calls, ['upsert Service default/web'], 'and its events are published at once')
    candidate.event('MODIFIED', web('3')).bookmark('4', true)
    t.same(sink.calls.slice(1), ['replace Service 2'])
    t.not(sink.state('Service')[1], before)
    t.equal(live.aborted, true)
    candidate.event('DELETED', web('5'))
    t.same(sink.keys('Service'), ['default/missed'])
    t.same(reflector.status().restartsByCause, { consistency: 1 })
  })

  t.test('keeps the objects that say the same', async t => {
    const { candidate, sink } = relisting()
    const [before] = sink.state('Service')
    candidate.open().event('ADDED', web('1')).bookmark('1', true)
    t.equal(sink.state('Service')[0], before)
  })

  t.test('is not taken before it has caught up with what the watch told', async t => {
    const { candidate, live, sink } = relisting()
    candidate.open()
    live.event('ADDED', web('2', 'new'))
    candidate.event('ADDED', web('1')).bookmark('1', true)
    t.same(sink.keys('Service'), ['default/new', 'default/web'], 'the new one does not vanish for a moment')
    candidate.event('ADDED', web('2', 'new'))
    t.same(sink.calls.at(-1), 'replace Service 2')
    t.equal(live.aborted, true)
  })

  t.test('catches up with deletions, too', async t => {
    const { candidate, live, sink } = relisting()
    candidate.open().event('ADDED', web('1'))
    live.event('DELETED', web('2'))
    candidate.bookmark('1', true)
    t.same(sink.keys('Service'), [], 'what was deleted does not come back for a moment')
    candidate.event('DELETED', web('2'))
    t.same(sink.calls.at(-1), 'replace Service 0')
  })

  t.test('is taken after a second if it never catches up', async t => {
    const { candidate, live, sink, clock } = relisting()
    candidate.open()
    live.event('ADDED', web('2', 'phantom'))
    candidate.event('ADDED', web('1')).bookmark('1', true)
    clock.advance(1000)
    t.same(sink.calls.at(-1), 'replace Service 1')
  })

  t.test('is taken at once when the watch is lost', async t => {
    const { candidate, live, sink, client } = relisting()
    candidate.open()
    live.event('ADDED', web('2', 'new'))
    candidate.event('ADDED', web('1')).bookmark('1', true)
    live.refuse('network')
    t.same(sink.calls.at(-1), 'replace Service 1')
    candidate.event('ADDED', web('2', 'new'))
    t.same(sink.keys('Service'), ['default/new', 'default/web'])
    t.equal(client.last, candidate, 'no other watch was begun')
  })

  t.test('that fails leaves the watch alone and is tried again', async t => {
    const { candidate, live, sink, clock, client, reflector } = relisting()
    candidate.refuse('unavailable', 503)
    t.equal(live.aborted, false)
    t.match(reflector.status().lastError, /503/)
    clock.advance(100)
    t.not(client.last, candidate)
    client.last.open().event('ADDED', web('1')).bookmark('1', true)
    t.same(sink.calls, ['replace Service 1'])
    t.equal(reflector.status().lastError, undefined)
  })
})

const page = (names: readonly string[], version: string, token = '') =>
  JSON.stringify({
    kind: 'ServiceList',
    metadata: { resourceVersion: version, ...(token && { continue: token }) },
    items: names.map(name => ({ ...web(version, name, 'x'), kind: undefined })),
  })

t.test('a list that begins again forgets its first pages', async t => {
  const { client, clock, sink } = make({ watchList: false })
  client.last
    .open()
    .text(page(['deleted', 'kept'], '10', 'next'))
    .end()
  t.equal(client.last.query.get('continue'), 'next')
  client.last.refuse('gone', 410)
  t.equal(client.last.query.get('continue'), null)
  client.last
    .open()
    .text(page(['kept'], '12'))
    .end()
  t.same(sink.calls, ['replace Service 1'])
  t.same(sink.keys('Service'), ['default/kept'])
  t.equal(client.last.query.get('resourceVersion'), '12', 'the watch begins where the list ended')
  client.last.open().event('ADDED', web('13', 'next'))
  client.last.end()
  clock.advance(100)
  t.equal(client.last.query.get('resourceVersion'), '13')
})

t.test('a paged relist beside a live watch is taken once its own watch is open', async t => {
  const { client, clock, sink } = make({ watchList: false })
  client.last
    .open()
    .text(page(['web'], '1'))
    .end()
  const live = client.last.open()
  clock.advance(30_000)
  live.bookmark('1')
  clock.advance(30_000)
  sink.calls.length = 0
  client.last
    .open()
    .text(page(['web', 'missed'], '3'))
    .end()
  t.same(sink.calls, [])
  t.equal(client.last.query.get('resourceVersion'), '3')
  client.last.open()
  t.same(sink.calls, ['replace Service 2'])
  t.equal(live.aborted, true)
  client.last.event('DELETED', web('4', 'missed'))
  t.same(sink.keys('Service'), ['default/web'])
})

for (const [title, body] of [
  ['cut', '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":[{"metadata":'],
  ['of another kind', '{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}'],
  [
    'with a foreign item',
    '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":[{"kind":"Pod"}]}',
  ],
  ['without a version', '{"kind":"ServiceList","metadata":{},"items":[]}'],
  ['that is HTML', '<html><body>welcome to the hotel</body></html>'],
  ['that is empty', ''],
] as const) {
  t.test(`a list ${title} is not published`, async t => {
    const { client, clock, sink, reflector } = make({ watchList: false })
    client.last.open().text(body).end()
    t.same(sink.calls, [])
    t.same(reflector.status().restartsByCause, { protocol: 1 })
    const requests = client.calls.length
    clock.advance(100)
    t.equal(client.calls.length, requests + 1, 'and asked for again')
  })
}

t.test('nothing is heard after stop', async t => {
  const { client, clock, sink, reflector } = make()
  const live = client.last.open().event('ADDED', web('1')).bookmark('1', true)
  reflector.stop()
  t.equal(live.aborted, true)
  const requests = client.calls.length
  clock.advance(3_600_000)
  reflector.wake()
  clock.advance(1000)
  t.equal(client.calls.length, requests)
  t.same(sink.calls, ['replace Service 1'])
})

t.test('stop in the middle of a back-off', async t => {
  const { client, clock, reflector } = make()
  client.last.refuse('network')
  reflector.stop()
  clock.advance(60_000)
  t.equal(client.calls.length, 1)
})

t.test('delays', async t => {
  for (const [title, code, status, retryAfterMs, from, to] of [
    ['a refused connection before the first sync', 'network', 0, undefined, 0, 1500],
    ['403', 'forbidden', 403, undefined, 5000, 35_000],
    ['429 without Retry-After', 'throttled', 429, undefined, 0, 30_000],
    ['503 with Retry-After', 'unavailable', 503, 20_000, 20_000, 22_001],
  ] as const) {
    const { client, clock } = make({ watchList: false })
    for (let attempt = 0; attempt < 12; attempt++) {
      client.last.refuse(code, status, retryAfterMs)
      const requests = client.calls.length
      clock.advance(from - 1)
      if (from > 0 && client.calls.length !== requests) t.fail(`${title}: too early`)
      clock.advance(to - from + 1)
      t.equal(client.calls.length, requests + 1, `${title}: attempt ${attempt}`)
    }
  }
})

t.test('a watch that ends at once again and again is not asked for in a loop', async t => {
  const { client, clock } = make()
  client.last.open().event('ADDED', web('1')).bookmark('1', true)
  for (let n = 0; n < 600; n++) {
    client.last.open().bookmark('1').end()
    clock.advance(100)
  }
  t.ok(client.calls.length < 30, `${client.calls.length} requests in a minute`)
})
