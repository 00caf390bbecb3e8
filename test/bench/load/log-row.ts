// L15: queries that fail, each of which `errors` would have a line for, with a log whose reader takes its time. Beside it the
// same without `errors`: what the lines cost.

import { spawnSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, Scope } from '../../e2e/processes.ts'
import { dnsperf, type LoadResult } from '../common/dnsperf.ts'
import { writeQueries } from '../common/queries.ts'
import { start } from '../common/servers.ts'
import type { LoadContext, LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const QUERIES = 1_000_000
const QUICK_QUERIES = 20_000
/** Of the queries: asked before, and asked where nothing is logged. */
const WARM_SHARE = 0.02
const SILENT_SHARE = 0.2
const CLIENTS = 20
/** So many wait for their upstream at once at most, half of what may. */
const OUTSTANDING = 500
const READ_OCTETS = 1024
const READ_EVERY_MS = 100
const FIRST_WORD = /^\[/gm

/** A pipe with a name whose reader takes a little of it now and then, and counts lines. */
class SlowPipe {
  readonly path: string
  readonly #descriptor: number
  readonly #timer: NodeJS.Timeout
  readonly #chunk = Buffer.alloc(READ_OCTETS)
  #text = ''

  constructor(scope: Scope) {
    this.path = join(scope.folder('log'), 'pipe')
    const made = spawnSync('mkfifo', [this.path])
    if (made.status !== 0) throw new Error(`mkfifo: ${made.stderr}`)
    // With a writer of its own it is never at its end.
    this.#descriptor = openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK)
    this.#timer = setInterval(() => this.#read(), READ_EVERY_MS)
    scope.add('slow pipe', () => {
      clearInterval(this.#timer)
      closeSync(this.#descriptor)
    })
  }

  #read(): boolean {
    try {
      const count = readSync(this.#descriptor, this.#chunk)
      this.#text += this.#chunk.toString('latin1', 0, count)
      return count > 0
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      return false
    }
  }

  /** The lines so far, those that wait included. */
  lines(): number {
    while (this.#read());
    return this.#text.match(FIRST_WORD)?.length ?? 0
  }
}

/** All queries once against an upstream where nobody listens; the lines of everything after the start. */
async function failing(
  context: LoadContext,
  count: number,
  quiet: boolean,
): Promise<{ readonly load: LoadResult; readonly lines: number }> {
  const { bench, cores, folder } = context
  const scope = new Scope()
  try {
    const pipe = new SlowPipe(scope)
    const [upstreamPort] = (await freePorts(1)) as [number]
    const wrap = ['sh', '-c', 'exec "$@" > "$0" 2>&1', pipe.path]
    const options = { cores: cores.server, upstreamPort, quiet, wrap }
    const { port } = await start(scope, 'seamark', bench, options)
    const begun = pipe.lines()
    const ask = (prefix: string, names: number): Promise<LoadResult> =>
      dnsperf({
        port,
        file: writeQueries(folder, 'failing', distinctNames(prefix, names)),
        core: cores.load,
        runs: 1,
        clients: CLIENTS,
        outstanding: OUTSTANDING,
      })
    await ask('warms', count * WARM_SHARE)
    const load = await ask('fails', count)
    return { load, lines: pipe.lines() - begun }
  } finally {
    await scope.end()
  }
}

const distinctNames = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}-${n}.example.org A`)

export const logRow: LoadRow = {
  title: 'L15 log flood',
  async run(context) {
    const count = context.effort.quick ? QUICK_QUERIES : QUERIES
    const silent = await failing(context, count * SILENT_SHARE, true)
    const logged = await failing(context, count, false)
    const { sent, lost, rcodes } = logged.load
    const failed = rcodes.SERVFAIL ?? 0
    const queries = `${count.toLocaleString('en')} queries`
    return [
      promised({
        title: `L15 lines of the log for ${queries}, ${((failed / sent) * 100).toFixed(0)} % of which failed`,
        unit: 'lines',
        values: { seamark: logged.lines },
        most: BOUNDS.logLines,
        notes: lost > 0 ? [`lost: ${lost}`] : [],
      }),
      promised({
        title: `L15 their throughput (${Math.round(logged.load.perSecond).toLocaleString('en')}/s) against that without \`errors\`, log to a slow pipe`,
        unit: '×',
        values: { seamark: logged.load.perSecond / silent.load.perSecond },
        least: BOUNDS.loggedShare,
      }),
    ]
  },
}
