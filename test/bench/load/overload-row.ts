// L3: three times as many queries as Seamark answers, or as many as dnsperf can send. What is lost is lost; the rest must go on
// being answered, and a moment later everything must be as before. Seamark answers more than dnsperf can ask: here it shares its
// core with programs that do nothing, and saturation is measured anew.

import { Program, Scope } from '../../e2e/processes.ts'
import { forgetPeak, peakMib, residentMib } from '../../support/process-stat.ts'
import { type Subject, start } from '../common/servers.ts'
import { CLOSED_LOOP, type LoadContext, type LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const BUSY_PROGRAMS = 10
const BUSY = ['sh', '-c', 'while :; do :; done']
const FACTOR = 3
/** Far more than is answered meanwhile; their answers fit in the receive buffers of so many sockets. */
const OUTSTANDING = 50_000
const CLIENTS = 240
const TIMEOUT_SECONDS = 1
/** So long that what waits in the receive buffer at the end, half a second's answers at most, does not count. */
const SECONDS_MAX = 20
/** A look at whether L2 holds again. */
const PROBE_SECONDS = 0.25
const PROBES_MAX = 20

/** Seconds until a load of half of saturation keeps L2. */
async function recovery(context: LoadContext, subject: Subject, rate: number): Promise<number> {
  const bound = await context.tailBoundMs()
  const endedMs = performance.now()
  for (let probe = 0; probe < PROBES_MAX; probe++) {
    const seconds = (performance.now() - endedMs) / 1000
    const { lost, latencies } = await context.timed(subject, { rate, seconds: PROBE_SECONDS })
    if (lost === 0 && latencies !== undefined && latencies.p99 <= bound) return seconds
  }
  return Number.POSITIVE_INFINITY
}

async function overload(context: LoadContext, scope: Scope) {
  const { cores } = context
  const subject = await start(scope, 'seamark', context.bench, { cores: cores.server })
  const { pid } = subject.program
  const seconds = Math.min(SECONDS_MAX, context.effort.seconds)
  const saturate = { seconds, outstanding: CLOSED_LOOP }
  await context.load(subject, saturate)
  const busy = new Scope()
  try {
    for (let n = 0; n < BUSY_PROGRAMS; n++)
      Program.start(busy, busy.folder('busy'), 'busy', ['taskset', '-c', cores.server, ...BUSY])
    const { perSecond: saturation } = await context.load(subject, saturate)
    const before = residentMib(pid)
    forgetPeak(pid)
    const flood = await context.load(subject, {
      rate: saturation * FACTOR,
      seconds,
      clients: CLIENTS,
      outstanding: OUTSTANDING,
      timeoutSeconds: TIMEOUT_SECONDS,
    })
    return { subject, saturation, flood, seconds, more: peakMib(pid) - before }
  } finally {
    await busy.end()
  }
}

export const overloadRow: LoadRow = {
  title: 'L3 overload',
  async run(context) {
    // Not in the moment that counts.
    await context.tail()
    const scope = new Scope()
    try {
      const { subject, saturation, flood, seconds, more } = await overload(context, scope)
      const recovered = await recovery(context, subject, saturation / 2)
      const asked = (flood.sent / seconds / saturation).toFixed(1)
      const rate = Math.round(saturation).toLocaleString('en')
      return [
        promised({
          title: `L3 answered at ${asked} × saturation (${seconds} s; ${rate}/s on a core shared with ${BUSY_PROGRAMS} busy programs)`,
          unit: '× saturation',
          values: { seamark: flood.completed / seconds / saturation },
          least: BOUNDS.goodputShare,
        }),
        promised({
          title: 'L3 until L2 holds again',
          unit: 's',
          values: { seamark: recovered },
          most: BOUNDS.recoverySeconds,
        }),
        promised({
          title: 'L3 highest resident memory, more than before',
          unit: 'MiB',
          values: { seamark: more },
          most: BOUNDS.overloadMib,
        }),
      ]
    } finally {
      await scope.end()
    }
  },
}
