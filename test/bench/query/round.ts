// One load against several servers in turn, round after round. A round in which Knot loses packets is void and repeated, a
// few times for each row: then the machine was too busy for anything to be learnt. dnsperf begins with all its queries at once,
// more than Linux's default receive buffer holds, which Knot and CoreDNS leave as it is, and once more when the lost ones are
// given up: twice so many may be lost where no rate is set.

import { cpuUs } from '../../support/process-stat.ts'
import type { Context } from '../common/context.ts'
import type { LoadOptions, LoadResult } from '../common/dnsperf.ts'
import { dnsperf } from '../common/dnsperf.ts'
import { h2load } from '../common/h2load.ts'
import type { Figure } from '../common/results.ts'
import { SUBJECTS, type Subject, type SubjectId } from '../common/servers.ts'

const WARM_SECONDS = 1
const QUICK_WARM_SECONDS = 0.3
const VOID_ROUNDS_MAX = 3
const OUTSTANDING = 400
/** What is lost makes room for other queries after a second. */
const TIMEOUT_SECONDS = 1
/** At least, over connections: one that finds a full queue of them is tried again after a second. */
const STREAM_SECONDS_MIN = 3
/** Fewer, where each may cause a query to the upstream. */
const GENTLE_OUTSTANDING = 50
/** How far the share of a response code may be off. */
const SHARE_TOLERANCE = 0.02

/** A load as a row describes it. */
export interface RowLoad {
  /** The query file; where everything is asked once before, one of its own for each measurement. */
  readonly file: (serial: number) => string
  readonly load: Partial<Omit<LoadOptions, 'port' | 'file' | 'seconds' | 'signal'>>
  /** The share that each response code must have. */
  readonly codes: Readonly<Record<string, number>>
  /** Ask everything once before each measurement, so that it is cached. */
  readonly fill: boolean
}

/** A server answered with other codes than it should: its cost says nothing. */
export class WrongAnswersError extends Error {
  readonly code = 'WRONG_ANSWERS'
}

function checkCodes(subject: Subject, result: LoadResult, codes: RowLoad['codes']): void {
  for (const [code, share] of Object.entries(codes)) {
    const got = (result.rcodes[code] ?? 0) / result.completed
    // Also where nothing was answered at all.
    if (!(Math.abs(got - share) <= SHARE_TOLERANCE)) {
      const all = JSON.stringify(result.rcodes)
      throw new WrongAnswersError(
        `${SUBJECTS[subject.id]} answered ${all} of ${result.sent}, not ${share} ${code}`,
      )
    }
  }
}

/** Measurements so far. */
let serial = 0

const loadOf = ({ cores }: Pick<Context, 'cores'>, { port }: Subject, row: RowLoad): LoadOptions => ({
  port,
  file: row.file(serial),
  core: cores.load,
  outstanding: OUTSTANDING,
  timeoutSeconds: TIMEOUT_SECONDS,
  ...row.load,
})

/** The load by the program that knows the transport. */
const ask = (load: LoadOptions): Promise<LoadResult> =>
  load.transport === 'doh' ? h2load(load) : dnsperf(load)

/** µs of the server's processor time a query. Throws WrongAnswersError. */
export async function measure(
  context: Pick<Context, 'cores' | 'effort'>,
  subject: Subject,
  row: RowLoad,
): Promise<Figure & LoadResult> {
  serial++
  const load = loadOf(context, subject, row)
  const { pid } = subject.program
  const isStream = load.transport !== undefined && load.transport !== 'udp'
  const seconds = Math.max(context.effort.seconds, isStream ? STREAM_SECONDS_MIN : 0)
  if (row.fill) await dnsperf({ ...load, runs: 1, outstanding: GENTLE_OUTSTANDING })
  const before = cpuUs(pid)
  const result = await ask({ ...load, seconds })
  const value = (cpuUs(pid) - before) / result.completed
  checkCodes(subject, result, row.codes)
  return { ...result, value }
}

/** The figures of one round, and how many packets Knot lost beyond what may be. */
async function oneRound(
  context: Context,
  subjects: readonly Subject[],
  row: RowLoad,
): Promise<{ figures: Map<SubjectId, Figure>; lost: number }> {
  const figures = new Map<SubjectId, Figure>()
  const saturated = row.load.rate === undefined
  let lost = 0
  for (const subject of subjects) {
    const result = await measure(context, subject, row)
    const { value, perSecond } = result
    figures.set(subject.id, saturated ? { value, perSecond } : { value })
    if (subject.id === 'knot') lost = Math.max(0, result.lost - (saturated ? 2 * OUTSTANDING : 0))
  }
  return { figures, lost }
}

/** What all rounds gave. */
export interface Rounds {
  readonly figures: Map<SubjectId, Figure[]>
  /** Rounds that count though Knot lost packets, because the machine was never quiet enough. */
  readonly doubtful: number
}

/** All rounds of a load on servers that run. */
export async function rounds(context: Context, subjects: readonly Subject[], row: RowLoad): Promise<Rounds> {
  const all = new Map<SubjectId, Figure[]>(subjects.map(({ id }) => [id, []]))
  let doubtful = 0
  let repeats = VOID_ROUNDS_MAX
  const seconds = context.effort.quick ? QUICK_WARM_SECONDS : WARM_SECONDS
  for (const subject of subjects)
    await ask({ ...loadOf(context, subject, row), outstanding: GENTLE_OUTSTANDING, seconds })
  for (let round = 0; round < context.effort.rounds; ) {
    const { figures, lost } = await oneRound(context, subjects, row)
    if (lost > 0) context.say(`  Knot lost ${lost} packets: the machine is busy`)
    if (lost > 0 && repeats-- > 0) continue
    if (lost > 0) doubtful++
    round++
    for (const [id, figure] of figures) all.get(id)!.push(figure)
  }
  return { figures: all, doubtful }
}

/** What a report says about doubtful rounds. */
export const doubt = ({ doubtful }: Rounds): string | undefined =>
  doubtful === 0 ? undefined : `Knot lost packets in ${doubtful} of the rounds`
