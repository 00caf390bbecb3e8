// What it costs that a server can be watched: the same queries against kubeadm's Corefile as it is, and with the words that let
// people look on, in turns. The first line is of the plain Corefile read again, which is what this machine makes of two equal
// ones. And what `seamark tap` takes of a core, of 10,000 queries a second of which 100 are wanted.

import { connect } from 'node:net'
import { join } from 'node:path'
import { freePorts, Program, Scope } from '../../e2e/processes.ts'
import { isBuilt, programPath } from '../../e2e/programs.ts'
import type { Context, Row } from '../common/context.ts'
import { clusterIps, writeQueries } from '../common/queries.ts'
import type { Figure, RowResult } from '../common/results.ts'
import type { Subject } from '../common/servers.ts'
import { Changing, factors, type Lines, result, roundsOf } from './beside.ts'
import { measure, type RowLoad } from './round.ts'

/** Of what nobody looks at. */
const GOAL = 1.02
const TAP_RATE = 10_000
const TAP_GOAL_PERCENT = 5
const SAMPLED_ONE_OF = 1_000_000
/** One query of so many is of the type that is followed. */
const TAP_ONE_OF = 100

interface Variant extends Lines {
  readonly title: string
  readonly goal?: number
}

/** What is read beside nothing; `receiver` is the path of a receiver of dnstap that reads, where there is one. */
const variants = (
  watched: readonly string[],
  folder: string,
  receiver: string | undefined,
  nobody: number,
): readonly Variant[] => [
  { title: 'the same Corefile (the noise of this machine)', lines: [] },
  { title: '`status` and `admin`, nobody looks', lines: watched, goal: GOAL },
  {
    title: '`trace`, one query of a million',
    lines: [`trace otlp 127.0.0.1:${nobody} {`, `every ${SAMPLED_ONE_OF}`, '}'],
  },
  { title: '`dnstap`, nobody listens', lines: [`dnstap ${join(folder, 'nobody.sock')}`] },
  ...(receiver === undefined ? [] : [{ title: '`dnstap` to a receiver', lines: [`dnstap ${receiver}`] }]),
]

/** The path of a receiver that throws away what it reads, on the core of the load; undefined where it is not built. */
function startReceiver(scope: Scope, { cores, folder, say }: Context): string | undefined {
  if (!isBuilt('dnstap')) {
    say('dnstap is not built: `dnstap` to a receiver is not measured')
    return undefined
  }
  const path = join(folder, 'observed.sock')
  const command = [programPath('dnstap'), '-u', path, '-w', '/dev/null']
  Program.start(scope, folder, 'observed-dnstap', ['taskset', '-c', cores.load, ...command])
  return path
}

/** Follows queries until it is ended; nothing is made of what comes. */
async function follow(port: number, filter: object): Promise<() => void> {
  const socket = connect({ host: '127.0.0.1', port })
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  socket.write(`${JSON.stringify({ command: 'tap', ...filter })}\n`)
  socket.resume()
  return () => socket.destroy()
}

/** Percent of a core that a follower costs, in each round. */
async function tapPercents(context: Context, subject: Subject, admin: number): Promise<Figure[]> {
  const names = clusterIps(context.bench.world.services)
  const lines = names.map((line, i) => (i % TAP_ONE_OF === 0 ? line.replace(/ A$/, ' AAAA') : line))
  const file = writeQueries(context.folder, 'tap', lines)
  const row: RowLoad = { file: () => file, load: { rate: TAP_RATE }, codes: { NOERROR: 1 }, fill: false }
  const figures: Figure[] = []
  for (let round = 0; round < roundsOf(context); round++) {
    const without = (await measure(context, subject, row)).value
    const end = await follow(admin, { type: 'AAAA' })
    const followed = (await measure(context, subject, row)).value
    end()
    // µs a query, so many a second, of the 1,000,000 µs that a core has.
    figures.push({ value: ((followed - without) * TAP_RATE) / 10_000 })
  }
  return figures
}

export const observedRow: Row = {
  id: 'observed',
  title: 'A of a ClusterIP, watched and not',
  async run(context): Promise<RowResult[]> {
    const { bench, folder } = context
    await context.stopAll()
    const scope = new Scope()
    try {
      const file = writeQueries(folder, 'observed', clusterIps(bench.world.services))
      const row: RowLoad = { file: () => file, load: {}, codes: { NOERROR: 1 }, fill: false }
      const [status = 0, admin = 0, nobody = 0] = await freePorts(3)
      const watched = [`status localhost:${status}`, `admin 127.0.0.1:${admin}`]
      const receiver = startReceiver(scope, context)
      const server = await Changing.start(scope, context, bench)
      const results: RowResult[] = []
      for (const { title, goal, ...lines } of variants(watched, folder, receiver, nobody)) {
        const figures = await factors(context, server, lines, row)
        results.push(result(`${this.title}: ${title}`, '×', figures, goal))
      }
      await server.read({ lines: watched })
      const percents = await tapPercents(context, server.subject, admin)
      const title = '`seamark tap` that wants 100 of 10,000 queries/s, of a core'
      results.push(result(title, '%', percents, TAP_GOAL_PERCENT))
      return results
    } finally {
      await scope.end()
    }
  },
}
