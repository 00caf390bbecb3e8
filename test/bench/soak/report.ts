// What a soak says at its end.

import { type RowResult, reportTable } from '../common/results.ts'
import { metric, type Subject } from '../common/servers.ts'
import { BOUNDS, promised } from '../load/goals.ts'
import { descriptorsChange, growth } from '../load/memory-row.ts'
import { FAULTS } from './faults.ts'
import type { Soaked } from './run.ts'

/** Samples of the beginning, when V8's heaps find their size. */
const WARM_SHARE = 0.2
/** Fewer say nothing of a slope: V8's heaps are still finding their size. */
const SLOPE_QUERIES_MIN = 20e6
const HOUR_SECONDS = 3600

/** What was found, without seeds and ports: each kind once. */
const kindsOf = (findings: readonly string[]): string[] => [
  ...new Set(
    findings.map(text =>
      text
        .replace(/^seed \d+: /, '')
        .replace(/ port \d+/, '')
        .replace(/ \[.*\]$/, ''),
    ),
  ),
]

const count = (value: number): string => Math.round(value).toLocaleString('en')

/** The lines of the report. */
export async function soakResults(subject: Subject, soaked: Soaked): Promise<RowResult[]> {
  const alive = subject.program.running
  const counted = (family: string): Promise<number> =>
    alive ? metric(subject, family) : Promise.resolve(Number.NaN)
  const panics = await counted('coredns_panics_total')
  const restarts = await counted('seamark_thread_restarts_total')
  const samples = soaked.samples.slice(Math.floor(soaked.samples.length * WARM_SHARE))
  const { mib, mibPerMillion } = growth(samples)
  const isLong = soaked.sent >= SLOPE_QUERIES_MIN
  const figure = (title: string, unit: string, value: number, most?: number, notes: readonly string[] = []) =>
    promised({ title, unit, values: { seamark: value }, notes, ...(most !== undefined && { most }) })
  return [
    figure('L13 crashes', 'processes', alive ? 0 : 1, 0),
    figure('L13 bugs that were caught (coredns_panics_total)', 'bugs', panics, 0),
    figure('L13 lines of the log about bugs', 'lines', soaked.bugs.length, 0, soaked.bugs.slice(0, 1)),
    figure('L13 serving threads that had to be replaced', 'threads', restarts, 0),
    figure('L13 faults not got over', 'faults', soaked.failed.length, 0, soaked.failed.slice(0, 1)),
    figure('L13 findings of the fuzzer', 'findings', soaked.findings.length, 0, kindsOf(soaked.findings)),
    figure(`L13 lost of ${count(soaked.sent)}`, 'queries', soaked.lost),
    figure('L13 wrong answers', 'answers', soaked.wrong, 0),
    figure(
      'L13 slope of resident memory',
      'MiB a million queries',
      mibPerMillion,
      isLong ? BOUNDS.slopeMib : undefined,
      isLong ? [] : ['too short for a verdict'],
    ),
    figure('L13 more resident memory at the end', 'MiB', mib, undefined, [
      `${samples[0]?.residentMib.toFixed(1)} after the first fifth`,
    ]),
    figure('L13 most and fewest open descriptors, difference', 'descriptors', descriptorsChange(samples)),
  ]
}

/** What was done, in words, and the table. */
export function soakReport(
  machine: readonly string[],
  soaked: Soaked,
  results: readonly RowResult[],
): string {
  const faults = FAULTS.map(({ title }, at) => `- fault ${title}: ${soaked.faults[at]} times`)
  return [
    '# A soak',
    '',
    ...machine,
    `${(soaked.seconds / HOUR_SECONDS).toFixed(2)} hours, ${count(soaked.rate)} queries a second (20 % of saturation), ${count(soaked.changes)} changes of`,
    `EndpointSlices, ${count(soaked.packets)} packets of the fuzzer. Memory counts after the first fifth. Meanwhile:`,
    '',
    ...faults,
    '',
    reportTable(results, ['seamark'], []),
    '',
    ...soaked.findings.map(finding => `- ${finding}`),
  ].join('\n')
}
