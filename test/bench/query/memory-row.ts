// Resident memory: of servers that are started for it alone, with one serving thread and with two, then with response caches
// that are full, then at its highest under random names that nobody asked for before. V8 uses what it may have, so the same
// is done once more in a control group with the limit of the stock manifest's Pod.

import { setTimeout as delay } from 'node:timers/promises'
import { type Program, Scope } from '../../e2e/processes.ts'
import { limitMemory } from '../../support/cgroup-limit.ts'
import { forgetPeak, peakMib, residentMib } from '../../support/process-stat.ts'
import type { Context, Row } from '../common/context.ts'
import { dnsperf } from '../common/dnsperf.ts'
import { distinctExternals, randomNames, writeQueries } from '../common/queries.ts'
import { atMost, FigureTable } from '../common/results.ts'
import { launch, metric, type Subject, type SubjectId, whenReady } from '../common/servers.ts'

/** After the last object is listed. */
const SETTLE_MS = 2000
/** Distinct names beyond the cluster, half of them name errors: five times what the caches of two threads hold. */
const FILLING_NAMES = 200_000
const RANDOM_NAMES = 1_000_000
const QUICK_SHARE = 0.05
/** So that both threads get their share of the clients. */
const CLIENTS = 64
const OUTSTANDING = 100
const ONE_THREAD_MIB = 100
const TWO_THREADS_MIB = 150
/** The limit of the stock manifest. */
const POD_MIB = 170

const ONE: readonly SubjectId[] = ['seamark', 'coredns', 'knot']
const TWO: readonly SubjectId[] = ['seamark', 'coredns']

/** Runs `look` on each server anew in each round. `limitMib`: in a control group with that limit. */
async function each(
  context: Context,
  subjects: readonly SubjectId[],
  options: { readonly cores: string; readonly limitMib?: number },
  look: (subject: Subject, program: Program) => Promise<void>,
): Promise<void> {
  await context.stopAll()
  for (let round = 0; round < context.effort.rounds; round++) {
    for (const id of context.available(subjects)) {
      const scope = new Scope()
      try {
        const limit = options.limitMib === undefined ? undefined : limitMemory(options.limitMib)
        if (limit) scope.add('memory limit', limit.remove, limit.remove)
        const wrap = limit?.words ?? []
        const subject = await launch(scope, id, context.bench, { cores: options.cores, wrap })
        await whenReady(subject, context.bench.world.services).catch(error => {
          if (subject.program.running) throw error
        })
        await delay(SETTLE_MS)
        await look(subject, subject.program)
      } finally {
        await scope.end()
      }
    }
  }
}

/** Asks every line of the file once, or until the server ends. */
const askAll = (context: Context, { port, program }: Subject, file: string): Promise<unknown> =>
  dnsperf({
    port,
    file,
    core: context.cores.load,
    runs: 1,
    clients: CLIENTS,
    outstanding: OUTSTANDING,
    signal: program.ended,
  })

export const oneThreadRow: Row = {
  id: 'memory',
  title: 'resident memory, ready, one serving thread',
  async run(context) {
    const figures = new FigureTable()
    await each(context, ONE, { cores: context.cores.server }, async ({ id }, { pid }) =>
      figures.add(this.title, 'MiB', id, residentMib(pid)),
    )
    return figures.results((_, each) => atMost(ONE_THREAD_MIB, each))
  },
}

/** The query files: names that fill the caches, and random ones. */
function writeNames({ effort, folder }: Context): { filling: string; random: string; randomCount: string } {
  const share = effort.quick ? QUICK_SHARE : 1
  const count = RANDOM_NAMES * share
  return {
    filling: writeQueries(folder, 'filling', distinctExternals(0, FILLING_NAMES * share)),
    random: writeQueries(folder, 'random', randomNames(0, count)),
    randomCount: count.toLocaleString('en'),
  }
}

export const twoThreadsRow: Row = {
  id: 'memory-two',
  title: 'resident memory, two serving threads',
  async run(context) {
    const { filling, random, randomCount } = writeNames(context)
    const figures = new FigureTable()
    await each(context, TWO, { cores: context.cores.twoServers }, async (subject, { pid }) => {
      figures.add(`${this.title}, ready`, 'MiB', subject.id, residentMib(pid))
      await askAll(context, subject, filling)
      figures.add(`${this.title}, response caches full`, 'MiB', subject.id, residentMib(pid))
      context.say(`  ${subject.id}: ${await metric(subject, 'coredns_cache_entries')} cached responses`)
      forgetPeak(pid)
      await askAll(context, subject, random)
      figures.add(`${this.title}, highest under ${randomCount} random names`, 'MiB', subject.id, peakMib(pid))
    })
    return figures.results((_, each) => atMost(TWO_THREADS_MIB, each))
  },
}

/** The same in a Pod of the stock manifest: a server that is killed there has the figure Infinity. */
export const podRow: Row = {
  id: 'memory-pod',
  title: `resident memory, two serving threads in a Pod of ${POD_MIB} MiB`,
  async run(context) {
    const { filling, random, randomCount } = writeNames(context)
    const title = `${this.title}, caches full and ${randomCount} random names`
    const trial = limitMemory(POD_MIB)
    const possible = trial !== undefined
    trial?.remove()
    const nothing = {
      title,
      unit: 'MiB',
      figures: new Map(),
      notes: ['control groups cannot be made here: not measured'],
    }
    if (!possible) return [nothing]
    const figures = new FigureTable()
    await each(
      context,
      TWO,
      { cores: context.cores.twoServers, limitMib: POD_MIB },
      async (subject, program) => {
        for (const file of [filling, random]) if (program.running) await askAll(context, subject, file)
        figures.add(
          title,
          'MiB',
          subject.id,
          program.running ? peakMib(program.pid) : Number.POSITIVE_INFINITY,
        )
      },
    )
    // What a process shares with others counts as resident, not towards the limit: what matters is that it lives.
    return figures.results((_, each) => ({ ...atMost(Number.MAX_VALUE, each), goal: 'lives' }))
  },
}

export const tableRow: Row = {
  id: 'table',
  title: 'answer table, octets a name',
  async run(context) {
    const subject = await context.subject('seamark')
    const value =
      (await metric(subject, 'seamark_table_octets')) / (await metric(subject, 'seamark_table_names'))
    return [{ title: this.title, unit: 'octets', figures: new Map([['seamark', [{ value }]]]) }]
  },
}
