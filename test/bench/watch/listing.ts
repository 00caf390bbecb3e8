// From the start of a server's process to its first complete answer, and what that took.

import type { Scope } from '../../e2e/processes.ts'
import { eventually } from '../../e2e/processes.ts'
import { cpuUs, peakMib, residentMib } from '../../support/process-stat.ts'
import {
  type Bench,
  knows,
  lastServices,
  launch,
  SUBJECTS,
  type Subject,
  type SubjectId,
} from '../common/servers.ts'

const DEADLINE_MS = 120_000
const POLL_MS = 2

/** What a listing took. */
export interface Listing {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly residentMib: number
  readonly peakMib: number
}

/** Starts a server on these cores, `wrap` put before its command line, and measures until it knows the Services that are listed last. */
export async function measureListing(
  scope: Scope,
  id: SubjectId,
  bench: Bench,
  cores: string,
  wrap: readonly string[] = [],
): Promise<{ subject: Subject; listing: Listing }> {
  const startedMs = performance.now()
  const subject = await launch(scope, id, bench, { cores, wrap })
  for (const service of lastServices(bench.world.services)) {
    const what = `${SUBJECTS[id]} knows ${service.fqdn}`
    await eventually(what, () => knows(subject, service), DEADLINE_MS, POLL_MS)
  }
  const { pid } = subject.program
  const listing = {
    seconds: (performance.now() - startedMs) / 1000,
    cpuSeconds: cpuUs(pid) / 1e6,
    residentMib: residentMib(pid),
    peakMib: peakMib(pid),
  }
  return { subject, listing }
}
