// What words of the Corefile cost: a server with the words beside the same one without, in turns. It is one process that reads
// the one Corefile and the other: of two, one may be compiled better by a third.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { eventually, type Scope } from '../../e2e/processes.ts'
import { cpuUs } from '../../support/process-stat.ts'
import type { ServiceShape } from '../common/cluster.ts'
import type { Context } from '../common/context.ts'
import type { CorefileChange } from '../common/corefile.ts'
import { type Figure, medianOf, type RowResult } from '../common/results.ts'
import { type Bench, type Subject, start, whenReady } from '../common/servers.ts'
import { measure, type RowLoad } from './round.ts'

/** What tells 2 % from noise takes more rounds than other rows have. */
const ROUNDS_MIN = 7
const WARM_SECONDS = 0.3
/** A server is at rest that took no more than that of such a while; so often it is looked at, at most. */
const REST_US = 10_000
const REST_MS = 300
const RESTS_MAX = 20

/** Lines of the Corefile. */
export interface Lines {
  /** Of the server block. */
  readonly lines: readonly string[]
  /** Of its `kubernetes`. */
  readonly kubernetes?: readonly string[]
}

/** A server whose Corefile imports lines that can be changed. */
export class Changing {
  readonly subject: Subject
  readonly #files: readonly [lines: string, kubernetes: string]
  readonly #services: readonly ServiceShape[]

  private constructor(subject: Subject, files: readonly [string, string], services: readonly ServiceShape[]) {
    this.subject = subject
    this.#files = files
    this.#services = services
  }

  static async start(
    scope: Scope,
    { cores, folder }: Context,
    bench: Bench,
    change: CorefileChange = {},
  ): Promise<Changing> {
    const files = [join(folder, 'changing.lines'), join(folder, 'changing.kubernetes')] as const
    for (const file of files) writeFileSync(file, '')
    const { world } = bench
    const importing = { ...bench, world: { ...world, access: [...world.access, `import ${files[1]}`] } }
    const subject = await start(scope, 'seamark', importing, {
      cores: cores.server,
      change: { ...change, add: [...(change.add ?? []), `import ${files[0]}`] },
    })
    return new Changing(subject, files, world.services)
  }

  /** Serves with these lines from now on. */
  async read({ lines, kubernetes = [] }: Lines): Promise<void> {
    const { program } = this.subject
    const reloads = (): number => program.log().split('Reloading complete').length
    const before = reloads()
    const [file, kubernetesFile] = this.#files
    writeFileSync(file, lines.map(line => `${line}\n`).join(''))
    writeFileSync(kubernetesFile, kubernetes.map(line => `${line}\n`).join(''))
    process.kill(program.pid, 'SIGUSR1')
    await eventually('a reload', () => reloads() > before)
    // With other words other objects may be watched: they are listed anew.
    await whenReady(this.subject, this.#services)
  }
}

/** So many rounds. */
export const roundsOf = ({ effort }: Context): number =>
  effort.quick ? effort.rounds : Math.max(ROUNDS_MIN, effort.rounds)

/** Until what a reload leaves to be done is done: objects that are listed anew, what is collected of those before. */
async function whenAtRest(pid: number): Promise<void> {
  for (let look = 0; look < RESTS_MAX; look++) {
    const before = cpuUs(pid)
    await setTimeout(REST_MS)
    if (cpuUs(pid) - before <= REST_US) return
  }
}

/** How many times as much a query costs with the lines as without, in each round. */
export async function factors(
  context: Context,
  server: Changing,
  lines: Lines,
  row: RowLoad,
): Promise<Figure[]> {
  const { cores, effort } = context
  const warming = { cores, effort: { ...effort, seconds: WARM_SECONDS } }
  const costOf = async (read: Lines): Promise<number> => {
    await server.read(read)
    // What is listed anew, and what is compiled anew, belongs to the reload.
    await measure(warming, server.subject, row)
    await whenAtRest(server.subject.program.pid)
    return (await measure(context, server.subject, row)).value
  }
  const figures: Figure[] = []
  for (let round = 0; round < roundsOf(context); round++) {
    // Whoever is first has the quieter machine, or not: either is first in turn.
    const first = await costOf(round % 2 === 0 ? lines : { lines: [] })
    const second = await costOf(round % 2 === 0 ? { lines: [] } : lines)
    figures.push({ value: round % 2 === 0 ? first / second : second / first })
  }
  return figures
}

/** A line of the report about one server. */
export function result(title: string, unit: string, figures: readonly Figure[], goal?: number): RowResult {
  const all: RowResult['figures'] = new Map([['seamark', figures]])
  if (goal === undefined) return { title, unit, figures: all }
  const value = medianOf(all, 'seamark')
  return {
    title,
    unit,
    figures: all,
    goal: `≤ ${goal}`,
    met: value === undefined ? undefined : value <= goal,
  }
}
