// L14: the packet fuzzer beside good traffic, which must not feel it. Good traffic goes to Knot then, on the core that Seamark
// shares with it while it is fuzzed: what Knot loses there, the machine does.

import { runFuzzer } from '../../fuzz/fuzzer.ts'
import type { Finding } from '../../fuzz/tally.ts'
import { besideKnot } from './beside-knot.ts'
import type { LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const PACKETS_PER_SECOND = 2000
const QUERIES_PER_SECOND = 10_000
const SECONDS_MAX = 30
const SEED = 20_261

export const attackRow: LoadRow = {
  title: 'L14 attack mix',
  async run(context) {
    const bound = BOUNDS.attackOfTail * (await context.tailBoundMs())
    const seconds = Math.min(SECONDS_MAX, context.effort.seconds)
    const { port, program } = await context.subject('seamark')
    const target = { port, pid: program.pid, output: () => program.log(), alive: () => program.running }
    const findings: Finding[] = []
    let packets = 0
    const { own, knot, doubt } = await besideKnot(
      context,
      async asked => {
        const [{ tally }, good] = await Promise.all([
          runFuzzer(target, { seed: SEED, seconds, rate: PACKETS_PER_SECOND }),
          context.timed(asked, { rate: QUERIES_PER_SECOND, seconds }),
        ])
        findings.push(...tally.findings)
        packets = tally.packets.udp + tally.packets.tcp
        return good
      },
      ({ lost, latencies }) => lost === 0 && latencies !== undefined && latencies.p99 <= bound,
    )
    const perSecond = Math.round(packets / seconds).toLocaleString('en')
    const at = `at ${QUERIES_PER_SECOND.toLocaleString('en')}/s beside ${perSecond} odd packets a second (${seconds} s)`
    return [
      promised({
        title: `L14 good queries lost ${at}`,
        unit: 'queries',
        values: { seamark: own.lost, ...(knot && { knot: knot.lost }) },
        most: BOUNDS.lostUnderAttack,
        notes: [doubt],
      }),
      promised({
        title: `L14 p99 of good queries ${at}`,
        unit: 'ms',
        values: {
          seamark: own.latencies?.p99 ?? Number.NaN,
          ...(knot?.latencies && { knot: knot.latencies.p99 }),
        },
        most: bound,
        because: `${BOUNDS.attackOfTail} × the bound of L2`,
        notes: [doubt],
      }),
      promised({
        title: 'L14 wrong answers and the like that the fuzzer found',
        unit: 'findings',
        values: { seamark: findings.length },
        most: BOUNDS.findings,
        notes: findings.slice(0, 1).map(({ what }) => what),
      }),
    ]
  },
}
