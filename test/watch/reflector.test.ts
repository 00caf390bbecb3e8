// The reflector against a client that a test plays by hand: orders of events that a real server shows once in a while.

import t from 'tap'
import { KINDS } from '../../src/objects/kinds.ts'
import { slimService } from '../../src/objects/slim.ts'
import { Reflector } from '../../src/watch/reflector.ts'
import { DEFAULT_TIMING, type ReflectorOptions } from '../../src/watch/reflector-options.ts'
import { RecordingSink } from '../support/recording-sink.ts'
import { type ScriptedCall, ScriptedClient } from '../support/scripted-client.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const { checkMs, settleMs, silenceMs } = DEFAULT_TIMING

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

type Made = ReturnType<typeof make>

/** Lets time go by until the next check, while the watch says something now and then; gives the check's request. */
function untilCheck({ client, clock }: Pick<Made, 'client' | 'clock'>, live: ScriptedCall, version = '1') {
  for (let ms = 0; ms < checkMs; ms += 25_000) {
    clock.advance(25_000)
    live.bookmark(version)
  }
  return client.last
}

/** Synced with default/web at version 1, the sink's log emptied. */
function synced(options: Partial<ReflectorOptions<'Service'>> = {}) {
  const world = make(options)
  const live = world.client.last.open().event('ADDED', web('1')).bookmark('1', true)
  world.sink.calls.length = 0
  return { ...world, live }
}

/** The same with a relist begun beside the live watch, because a check found an object that the watch never told of. */
function relisting(options: Partial<ReflectorOptions<'Service'>> = {}) {
  const world = synced(options)
  untilCheck(world, world.live)
    .open()
    .text(page(['web', 'missed'], '1'))
    .end()
  world.clock.advance(settleMs)
  return { ...world, candidate: world.client.last }
}

const page = (names: readonly string[], version: string, token = '') =>
  JSON.stringify({
    kind: 'ServiceList',
    metadata: { resourceVersion: version, ...(token && { continue: token }) },
    items: names.map(name => ({ ...web(version, name, 'x'), kind: undefined })),
  })

t.test('what the first watch asks for', async t => {
  const { client } = make({ labelSelector: 'a=b', fieldSelector: 'c!=d' })
  t.equal(client.last.path, '/api/v1/services')
  t.same(Object.fromEntries(client.last.query), {
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '450', // all objects may take their time
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
  client.lastWatch.open().event('ADDED', web('1')).bookmark('5', true)
  for (const [event, version] of [
    ['ADDED', '6'],
    ['MODIFIED', '7'],
    ['DELETED', '8'],
    ['BOOKMARK', '9'],
  ] as const) {
    client.lastWatch.open()
    clock.advance(1000)
    client.lastWatch.event(event, web(version)).end()
    clock.advance(0)
    t.equal(client.lastWatch.query.get('resourceVersion'), version)
    t.notOk(client.lastWatch.query.has('sendInitialEvents'))
  }
  client.lastWatch
    .open()
    .event('ADDED', { kind: 'Service', metadata: { namespace: 'default', name: 'unversioned' } })
  client.lastWatch.end()
  clock.advance(100)
  t.equal(client.lastWatch.query.get('resourceVersion'), '9', 'an object without a version does not lose it')
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
  const check = untilCheck({ client, clock }, live)
  t.same(
    Object.fromEntries(check.query),
    { resourceVersion: '0' },
    'an older server answers out of its cache',
  )
  check
    .open()
    .text(page(['web', 'missed'], '3'))
    .end()
  clock.advance(settleMs)
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

t.test('a check of consistency', async t => {
  const asksForVersions = ({ path, query }: ScriptedCall): void => {
    t.equal(path, '/api/v1/services')
    t.same(Object.fromEntries(query), {}, 'of all objects, as they are now')
  }

  t.test('that finds nothing changes nothing, and the next one comes', async t => {
    const { sink, reflector, client, ...world } = synced()
    for (let n = 0; n < 3; n++) {
      const check = untilCheck({ client, ...world }, world.live)
      asksForVersions(check)
      check
        .open()
        .text(page(['web'], '1'))
        .end()
      world.clock.advance(settleMs)
      t.equal(client.last, check)
    }
    t.same(sink.calls, [])
    t.match(reflector.status(), { relists: 1, restartsByCause: {} })
  })

  t.test('waits for events that are on their way', async t => {
    const { sink, client, clock, live } = synced()
    const check = untilCheck({ client, clock }, live)
    check.open()
    live.event('MODIFIED', web('2'))
    check.text(page(['web', 'new'], '4')).end()
    clock.advance(settleMs - 1)
    live.event('ADDED', web('4', 'new', 'x'))
    clock.advance(10_000)
    t.equal(client.last, check, 'nothing was asked for')
    t.same(sink.calls, ['upsert Service default/web', 'upsert Service default/new'])
  })

  for (const [title, names, what] of [
    [
      'an object that the watch never told of',
      ['web', 'a'],
      '1 object is another in the API server (default/a)',
    ],
    ['an object that is gone', [], '1 object is another in the API server (default/web)'],
    [
      'several',
      ['a', 'b', 'c'],
      '4 objects are others in the API server (default/a, default/b, default/c, …)',
    ],
  ] as const) {
    t.test(`finds ${title}`, async t => {
      const { sink, client, clock, live, logs, reflector } = synced()
      untilCheck({ client, clock }, live).open().text(page(names, '1')).end()
      clock.advance(settleMs - 1)
      t.same(logs, [])
      clock.advance(1)
      t.same(logs, [`warning services: ${what}: the watch has lost an event, listing anew`])
      t.equal(client.last.query.get('sendInitialEvents'), 'true')
      t.equal(live.aborted, false)
      client.last.open()
      for (const name of names) client.last.event('ADDED', web('1', name))
      client.last.bookmark('1', true)
      t.same(sink.keys('Service'), names.map(name => `default/${name}`).toSorted())
      t.same(reflector.status().restartsByCause, { consistency: 1 })
    })
  }

  t.test('that fails is made again within half a minute, and says nothing', async t => {
    const { client, clock, live, logs, reflector } = synced()
    const check = untilCheck({ client, clock }, live)
    check.refuse('unavailable', 503)
    clock.advance(30_000)
    t.not(client.last, check)
    asksForVersions(client.last)
    t.same([logs, reflector.status().restartsByCause, live.aborted], [[], {}, false])
  })

  for (const code of ['forbidden', 'not-found', 'refused'] as const) {
    t.test(`that is refused (${code}) is made by a relist`, async t => {
      const { client, clock, live } = synced()
      untilCheck({ client, clock }, live).refuse(code)
      t.equal(client.last.query.get('sendInitialEvents'), 'true')
      t.equal(live.aborted, false)
    })
  }

  t.test('is given up with the watch', async t => {
    const { client, clock, live, logs } = synced()
    const check = untilCheck({ client, clock }, live)
    check
      .open()
      .text(page(['web', 'new'], '4'))
      .end()
    live.refuse('network')
    clock.advance(settleMs)
    t.same(
      logs.filter(line => line.includes('lost an event')),
      [],
    )
  })
})

t.test('another history', async t => {
  /** Synced at version 10,000; the watch is lost as told and open again, and the answer to the probe is this version. */
  function restored(probed: string, lose: (live: ScriptedCall) => void, from = '10000') {
    const world = make()
    const live = world.client.last.open().event('ADDED', web('9000')).bookmark(from, true)
    world.clock.advance(1000)
    lose(live)
    world.clock.advance(100)
    const resumed = world.client.last.open()
    const probe = world.client.last
    probe
      .open()
      .text(page(['web'], probed))
      .end()
    world.clock.advance(0)
    return { ...world, resumed, probe }
  }

  for (const [title, lose] of [
    ['closed', (live: ScriptedCall) => live.bookmark('10000').end()],
    ['cut', (live: ScriptedCall) => live.refuse('network')],
    ['refused', (live: ScriptedCall) => live.refuse('unavailable', 503)],
  ] as const) {
    t.test(`is noticed when a watch was ${title}`, async t => {
      const { client, resumed, probe, logs, reflector, sink } = restored('51', lose)
      t.same(Object.fromEntries(probe.query), { limit: '1' })
      t.equal(resumed.aborted, true)
      t.match(
        logs.at(-1),
        'services: the API server is at version 51, after 10000: its history was restored, listing anew',
      )
      t.same(sink.keys('Service'), ['default/web'], 'the last good state is served meanwhile')
      client.last.open().event('ADDED', web('40', 'old')).bookmark('51', true)
      t.same(sink.keys('Service'), ['default/old'])
      t.match(reflector.status().restartsByCause, { restored: 1 })
    })
  }

  for (const [title, probed, from] of [
    ['a newer version', '10001', '10000'],
    ['the same version', '10000', '10000'],
    ['more digits', '100000', '99999'],
    ['no numbers', 'v9', 'v10'],
    ['a number after none', '51', 'v10'],
  ] as const) {
    t.test(`is not ${title}`, async t => {
      const { client, resumed, probe } = restored(probed, live => live.refuse('network'), from)
      t.equal(resumed.aborted, false)
      t.equal(client.last, probe)
    })
  }

  t.test('is not what the probe was overtaken by', async t => {
    const world = make()
    const live = world.client.last.open().event('ADDED', web('9000')).bookmark('10000', true)
    live.refuse('network')
    world.clock.advance(100)
    const resumed = world.client.last.open()
    const probe = world.client.last
    resumed.event('MODIFIED', web('10005'))
    probe
      .open()
      .text(page(['web'], '10002'))
      .end()
    world.clock.advance(0)
    t.equal(resumed.aborted, false)
  })

  t.test('is noticed by a check, an event and a bookmark, too', async t => {
    const told: [title: string, tell: (live: ScriptedCall, check: ScriptedCall) => void][] = [
      [
        'check',
        (_, check) =>
          check
            .open()
            .text(page(['web'], '51'))
            .end(),
      ],
      ['event', live => live.event('MODIFIED', web('51'))],
      ['bookmark', live => live.bookmark('51')],
    ]
    for (const [title, tell] of told) {
      const { client, clock, logs } = make()
      const live = client.last.open().event('ADDED', web('9000')).bookmark('10000', true)
      for (let ms = 0; ms < checkMs; ms += 25_000) {
        clock.advance(25_000)
        live.bookmark('10000')
      }
      tell(live, client.last)
      clock.advance(0)
      t.match(logs, [/its history was restored/], title)
      t.equal(client.last.query.get('sendInitialEvents'), 'true', title)
    }
  })

  t.test(
    'that runs backwards all the time is read anew again and again, not in a loop, and said once',
    async t => {
      const { client, clock, logs } = make()
      let version = 10_000
      client.last.open().event('ADDED', web('9000')).bookmark(String(version), true)
      for (let ms = 0; ms < 60_000; ms += 100) {
        if (client.last.query.has('sendInitialEvents')) client.last.open().bookmark(String(--version), true)
        client.last.bookmark(String(--version))
        clock.advance(100)
      }
      t.ok(client.calls.length < 40, `${client.calls.length} requests in a minute`)
      t.equal(logs.length, 1)
    },
  )

  t.test('an older server whose cache is behind is asked for its newest version', async t => {
    const { client, clock, sink } = make({ watchList: false })
    client.last
      .open()
      .text(page(['web'], '100'))
      .end()
    const live = client.last.open()
    const check = untilCheck({ client, clock }, live, '100')
    check
      .open()
      .text(page(['web', 'old'], '90'))
      .end()
    t.same(Object.fromEntries(client.last.query), { limit: '1' })
    client.last
      .open()
      .text(page(['web'], '100'))
      .end()
    clock.advance(settleMs)
    t.equal(live.aborted, false)
    t.same(sink.calls, ['replace Service 1'], 'what its cache has is nothing to go by')
  })
})

t.test('how long watches live', async t => {
  const { client, clock, logs, reflector, live } = synced()
  clock.advance(silenceMs)
  t.equal(live.aborted, true, 'the one that began with all objects ends when it is silent')
  t.same([logs, reflector.status().restartsByCause], [[], {}], 'which is nothing to speak of')
  for (let n = 0; n < 5; n++) {
    const watch = client.last.open()
    t.same(
      [watch.query.get('timeoutSeconds'), watch.query.get('resourceVersion')],
      ['40', String(n + 1)],
      'the others are ended by the server, each with a bookmark',
    )
    clock.advance(38_000)
    watch.bookmark(String(n + 2))
    clock.advance(2000)
    watch.end()
    clock.advance(0)
    t.not(client.last, watch, 'and go on at once')
  }
  t.same([logs, reflector.status().restartsByCause], [[], {}])
  const silent = client.last.open()
  clock.advance(silenceMs - 1)
  t.equal(silent.aborted, false)
  clock.advance(1)
  t.equal(silent.aborted, true, 'one that is not even ended is dead')
  t.match(reflector.status(), { restartsByCause: { silence: 1 }, lastError: /heard nothing for 50 s/ })
})

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
