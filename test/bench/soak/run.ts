// One soak: a fifth of what saturates is asked, slices change, the fuzzer sends its packets, one fault comes after the other, and
// all the while memory and descriptors are looked at.

import { setTimeout as delay } from 'node:timers/promises'
import { runFuzzer } from '../../fuzz/fuzzer.ts'
import { Churn } from '../common/churn.ts'
import type { LoadResult } from '../common/dnsperf.ts'
import type { Subject } from '../common/servers.ts'
import type { LoadContext } from '../load/context.ts'
import { type Sample, sampleOf } from '../load/memory-row.ts'
import { Doing } from './doing.ts'
import { FAULTS } from './faults.ts'
import { LogTail } from './log-tail.ts'
import type { Schedule } from './schedule.ts'

const SHARE = 0.2
const CHANGES_PER_SECOND = 100
const PACKETS_PER_SECOND = 500
const SEED = 4711

/** What came of it. */
export interface Soaked {
  readonly seconds: number
  readonly rate: number
  readonly sent: number
  readonly lost: number
  /** Answers that were not NOERROR, of names that all exist. */
  readonly wrong: number
  readonly changes: number
  readonly packets: number
  /** What the fuzzer found, in words. */
  readonly findings: readonly string[]
  /** How often each fault came. */
  readonly faults: readonly number[]
  /** Faults that the server did not get over, in words. */
  readonly failed: readonly string[]
  readonly bugs: readonly string[]
  readonly samples: readonly Sample[]
}

/** Runs one fault after the other until told to stop. */
async function runFaults(
  context: LoadContext,
  { port }: Subject,
  schedule: Schedule,
  signal: AbortSignal,
  begins: (title: string) => void,
): Promise<{ faults: number[]; failed: string[] }> {
  const stage = { world: context.bench.world, port, awayMs: schedule.away * 1000 }
  const faults = FAULTS.map(() => 0)
  const failed: string[] = []
  const startedMs = performance.now()
  for (let serial = 0; ; serial++) {
    const dueMs = startedMs + (serial + 1) * schedule.betweenFaults * 1000
    if (dueMs >= startedMs + schedule.total * 1000) return { faults, failed }
    const waited = delay(Math.max(0, dueMs - performance.now()), true, { signal }).catch(() => false)
    if (!(await waited)) return { faults, failed }
    const which = serial % FAULTS.length
    const fault = FAULTS[which]!
    faults[which]!++
    begins(fault.title)
    try {
      await fault.run(stage, serial)
      context.say(`  ${fault.title}: over`)
    } catch (error) {
      failed.push(`${fault.title}: ${(error as Error).message}`)
      context.say(`  FAILED ${failed.at(-1)}`)
    }
  }
}

/** Soaks the server. */
export async function soak(context: LoadContext, subject: Subject, schedule: Schedule): Promise<Soaked> {
  const { api, services } = context.bench.world
  const { program, port } = subject
  const rate = Math.round((await context.saturation()) * SHARE)
  const tail = new LogTail(program.logFile)
  const target = {
    port,
    pid: program.pid,
    output: () => tail.bugs().join('\n'),
    alive: () => program.running,
  }
  const startedMs = performance.now()
  const elapsed = (): number => (performance.now() - startedMs) / 1000
  const samples: Sample[] = []
  const sampler = setInterval(() => {
    if (program.running) samples.push(sampleOf(program.pid, elapsed() * rate))
  }, schedule.betweenSamples * 1000)
  const churn = Churn.start(api, services, CHANGES_PER_SECOND)
  const over = new AbortController()
  let lastFault = { title: 'the start', atMs: startedMs }
  const faulty = runFaults(context, subject, schedule, over.signal, title => {
    lastFault = { title, atMs: performance.now() }
  })
  const loads: LoadResult[] = []
  const findings: string[] = []
  const doing = new Doing(program.pid, port)
  const meanwhile = (): string => {
    const seconds = Math.round((performance.now() - lastFault.atMs) / 1000)
    return `${doing.lately()}; ${seconds} s after ${lastFault.title}`
  }
  let packets = 0
  for (let round = 0; elapsed() < schedule.total && program.running; round++) {
    const seconds = schedule.load
    const [load, { tally }] = await Promise.all([
      context.load(subject, { rate, seconds, signal: program.ended }),
      runFuzzer(target, { seed: SEED + round, seconds, rate: PACKETS_PER_SECOND, meanwhile }),
    ])
    loads.push(load)
    packets += tally.packets.udp + tally.packets.tcp
    for (const found of tally.findings) {
      findings.push(`seed ${SEED + round}: ${found.what} [${found.meanwhile}]`)
      context.say(`  ${findings.at(-1)}`)
    }
  }
  doing.stop()
  const seconds = elapsed()
  if (!program.running) over.abort()
  const faults = await faulty
  clearInterval(sampler)
  const changes = Math.round(churn.stop() * seconds)
  const sum = (of: (load: LoadResult) => number): number => loads.reduce((all, load) => all + of(load), 0)
  return {
    ...faults,
    seconds,
    rate,
    changes,
    packets,
    findings,
    samples,
    sent: sum(load => load.sent),
    lost: sum(load => load.lost),
    wrong: sum(({ completed, rcodes }) => completed - (rcodes.NOERROR ?? 0)),
    bugs: tail.bugs(),
  }
}
