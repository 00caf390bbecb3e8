// Row 18 of the fault matrix: 10,000 Services and as many EndpointSlices of ten endpoints, 50 MB of JSON from a server
// in a process of its own; a third of that in the short form. The state arrives in one step, and reading it never stops the event loop. All is measured by the
// processor time that it takes, so that a busy machine fails nothing.

import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { unpackEndpoints } from '../../src/objects/endpoints.ts'
import { KINDS } from '../../src/objects/kinds.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { endpointAccess } from '../../src/watch/access.ts'
import { ApiClient } from '../../src/watch/client.ts'
import { MetadataList } from '../../src/watch/metadata-list.ts'
import { ApiSource } from '../../src/watch/source.ts'
import { outputOf, runs, spawnChild } from '../support/child-process.ts'
import { shortOrLong } from '../support/long.ts'
import { seededRandom } from '../support/random.ts'
import { RecordingSink } from '../support/recording-sink.ts'
import { until } from '../support/until.ts'
import { row } from './fault-rows.ts'

const SERVICES = shortOrLong(3000, 10_000)
const SYNCED_WITHIN_MS = 5000
const TURN_MAX_MS = 100
/** A check of consistency may cost so much of what reading everything costs. */
const CHECK_MAX_SHARE = 0.4

async function largeServer(t: Test, ...flags: string[]): Promise<string> {
  const main = fileURLToPath(new URL('../support/fake-api-server-main.ts', import.meta.url))
  const child = spawnChild(process.execPath, ['--no-warnings', main, '--services', `${SERVICES}`, ...flags])
  const output = outputOf(child)
  t.teardown(async () => {
    child.kill()
    await until('the end of the server', () => !runs(child))
  })
  await until('its address', () => output().includes('\n'), 120_000)
  return /listening on (\S+)/.exec(output())![1]!
}

/** Measures every turn of the event loop until the function that comes back is called for the longest. */
function measureTurns(): () => number {
  let longest = 0
  let running = true
  let before = process.threadCpuUsage()
  const turn = (): void => {
    const now = process.threadCpuUsage()
    longest = Math.max(longest, now.user + now.system - before.user - before.system)
    before = now
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  return () => {
    running = false
    return Math.round(longest / 1000)
  }
}

const PATHS = [KINDS.Namespace.path, KINDS.Service.path, KINDS.EndpointSlice.path]

/** What a check of consistency lists of one resource. */
const versionsOf = (client: ApiClient, path: string): Promise<string[]> =>
  new Promise((resolve, reject) => {
    const seen: string[] = []
    new MetadataList({
      client,
      clock: systemClock,
      path,
      query: {},
      silenceMs: 50_000,
      receiver: { item: key => seen.push(key), done: () => resolve(seen), failed: reject },
    })
  })

for (const flags of [[], ['--paged']]) {
  t.test(row(18, flags.length === 0 ? 'streamed' : 'paged'), async t => {
    const url = await largeServer(t, ...flags)
    const sink = new RecordingSink()
    const client = new ApiClient({ access: endpointAccess({ from: 'endpoint', url }), clock: systemClock })
    const synced = Promise.withResolvers<void>()
    const source = new ApiSource({
      client,
      sink,
      clock: systemClock,
      random: seededRandom(18),
      hooks: {
        synced: () => {
          if (source.synced) synced.resolve()
        },
      },
    })
    const longestTurnMs = measureTurns()
    const before = process.threadCpuUsage()
    await source.start()
    await synced.promise
    const after = process.threadCpuUsage()
    const syncedMs = Math.round((after.user + after.system - before.user - before.system) / 1000)
    const turnMs = longestTurnMs()
    const longestCheckTurnMs = measureTurns()
    const checkedFrom = process.threadCpuUsage()
    const versions = (await Promise.all(PATHS.map(path => versionsOf(client, path)))).flat()
    const checked = process.threadCpuUsage(checkedFrom)
    const checkMs = Math.round((checked.user + checked.system) / 1000)
    const checkTurnMs = longestCheckTurnMs()
    await source.stop()
    client.close()
    t.ok(syncedMs <= SYNCED_WITHIN_MS, `synced with ${syncedMs} ms of processor time`)
    t.ok(turnMs <= TURN_MAX_MS, `the longest turn took ${turnMs} ms`)
    t.equal(versions.length, 2 * SERVICES + 100)
    t.ok(
      checkMs <= CHECK_MAX_SHARE * syncedMs,
      `a check of consistency takes ${checkMs} ms beside ${syncedMs} ms`,
    )
    t.ok(checkTurnMs <= TURN_MAX_MS, `its longest turn took ${checkTurnMs} ms`)
    t.same(sink.calls.toSorted(), [
      `replace EndpointSlice ${SERVICES}`,
      'replace Namespace 100',
      `replace Service ${SERVICES}`,
    ])
    const endpoints = sink
      .state('EndpointSlice')
      .reduce((sum, slice) => sum + unpackEndpoints(slice.endpoints).length, 0)
    t.equal(endpoints, 10 * SERVICES)
  })
}
