// The property under the fault matrix: any sequence of changes and faults, and once everything is well again the sink
// holds what the cluster holds. FAULT_SEEDS and FAULT_STEPS make the run still longer; a failure names its seed.

import t from 'tap'
import type { Backup } from '../support/fake-cluster.ts'
import { service, slice } from '../support/fake-objects.ts'
import { shortOrLong } from '../support/long.ts'
import { seededRandom } from '../support/random.ts'
import { World } from './watched-api.ts'

const SEEDS = Number(process.env.FAULT_SEEDS ?? shortOrLong(15, 120))
const STEPS = Number(process.env.FAULT_STEPS ?? 100)
/** Long enough for silence (50 s), back-off (30 s) and a check (115 s) one after another. */
const HEALED_WITHIN_MS = 300_000

type Step = (world: World, pick: (below: number) => number) => void | Promise<void>

const eachWatch = (
  world: World,
  pick: (below: number) => number,
  action: (watch: FakeWatch) => void,
): void => {
  for (const watch of world.server.watches()) if (pick(2) === 0) action(watch)
}
type FakeWatch = ReturnType<World['server']['watches']>[number]

/** A backup that was made on the way, to be restored later with or without a word to those who watch. */
const backups = new WeakMap<World, Backup>()

const changes: readonly Step[] = [
  (world, pick) => {
    const ip = `10.96.0.${pick(6)}`
    const shapes = [
      { clusterIPs: [ip] },
      { clusterIP: 'None', clusterIPs: ['None'] },
      { type: 'ExternalName', externalName: 'a.b' },
    ]
    world.cluster.apply('services', service(`ns-${pick(3)}`, `s-${pick(5)}`, shapes[pick(3)]))
  },
  (world, pick) => world.cluster.delete('services', `s-${pick(5)}`, `ns-${pick(3)}`),
  (world, pick) => {
    const addresses = Array.from({ length: pick(4) }, () => `10.0.0.${pick(9)}`)
    world.cluster.apply('endpointslices', slice(`ns-${pick(3)}`, `e-${pick(6)}`, `s-${pick(5)}`, addresses))
  },
  (world, pick) => world.cluster.delete('endpointslices', `e-${pick(6)}`, `ns-${pick(3)}`),
  (world, pick) => world.cluster.apply('namespaces', { metadata: { name: `ns-${pick(3)}` } }),
  (world, pick) => world.cluster.delete('namespaces', `ns-${pick(3)}`),
  (world, pick) =>
    world.cluster.apply('services', { metadata: { namespace: 'ns-0', name: `Not-${pick(2)}-a-name!` } }),
]

const faults: readonly Step[] = [
  (world, pick) => eachWatch(world, pick, watch => watch.kill()),
  (world, pick) => eachWatch(world, pick, watch => watch.end()),
  (world, pick) => eachWatch(world, pick, watch => (watch.cut = true)),
  (world, pick) => eachWatch(world, pick, watch => (watch.muted = true)),
  (world, pick) => eachWatch(world, pick, watch => watch.lose++),
  (world, pick) =>
    eachWatch(world, pick, watch => watch.send(['{', '[]\n', '{"type":"ADDED","object":7}\n'][pick(3)]!)),
  world => world.cluster.compact(),
  (world, pick) =>
    world.server.answer({
      status: [410, 429, 500, 403, 401, 200][pick(6)]!,
      body: '<html>',
      times: 1 + pick(4),
    }),
  (world, pick) => {
    world.server.chunking = (['event', 'octet', 'batch'] as const)[pick(3)]!
    world.server.goneAs = (['status', 'event'] as const)[pick(2)]!
    world.server.watchList = (['on', 'on', 'ignore', 422] as const)[pick(4)]!
  },
  (world, pick) => (pick(2) === 0 ? world.server.freeze() : world.server.thaw()),
  (world, pick) => (pick(2) === 0 ? world.server.pause() : world.server.resume()),
  async (world, pick) => {
    await world.server.kill()
    await world.pass(pick(40_000))
    await world.server.listen()
  },
  world => world.server.bookmark(),
  (world, pick) => {
    const backup = backups.get(world)
    const told = pick(2) === 0
    if (backup === undefined || pick(2) === 0) backups.set(world, world.cluster.backUp())
    else if (told) world.server.restore(backup)
    else world.cluster.restore(backup)
  },
]

t.test(`${SEEDS} seeds of ${STEPS} steps`, { timeout: 0 }, async t => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed)
    const pick = (below: number): number => Math.floor(random() * below)
    const world = await World.make(t, {
      seed,
      json: seed % 3 === 0,
      timing: { pageSize: 3 },
    })
    for (let step = 0; step < STEPS; step++) {
      const choices = random() < 0.75 ? changes : faults
      await choices[pick(choices.length)]!(world, pick)
      if (pick(4) === 0) await world.pass(pick(3000), 500)
    }
    world.server.heal()
    world.server.thaw()
    world.server.resume()
    const healed = world.within(HEALED_WITHIN_MS, 'healed', () => world.converged(), 1000)
    const error = await healed.then(
      () => undefined,
      () => world.source.status(),
    )
    t.same(error, undefined, `seed ${seed}: the sink holds what the cluster holds`)
    await world.pass(130_000, 5000)
    t.ok(world.converged(), `seed ${seed}: and goes on doing so`)
    await world.source.stop()
    await world.server.close()
  }
})
