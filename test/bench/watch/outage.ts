// The API server dies and comes back: how high a server's resident memory goes meanwhile, when it lists everything once more.

import { setTimeout as delay } from 'node:timers/promises'
import type { ControlPlane } from '../../e2e/control-plane.ts'
import { forgetPeak, MemorySampler, peakMib } from '../../support/process-stat.ts'
import type { Subject } from '../common/servers.ts'
import { remove, timeToAnswer } from './fresh-services.ts'

const AWAY_MS = 2000
/** After the first change is seen: other resources may still be listed. */
const SETTLE_MS = 3000
const SAMPLE_MS = 50

/** The highest resident memory, in MiB, by the kernel's own account and by looking 20 times a second. */
export interface OutagePeak {
  readonly peakMib: number
  readonly sampledMib: number
}

/** Kills the API server, brings it back, and waits until the server has seen a change made since. */
export async function measureOutage(
  plane: ControlPlane,
  subject: Subject,
  marker: string,
): Promise<OutagePeak> {
  const { pid } = subject.program
  forgetPeak(pid)
  const sampler = new MemorySampler(pid, SAMPLE_MS)
  try {
    await plane.killApiServer()
    await delay(AWAY_MS)
    await plane.startApiServer()
    await timeToAnswer(plane, subject, marker)
    await delay(SETTLE_MS)
    return { peakMib: peakMib(pid), sampledMib: sampler.stop() }
  } finally {
    sampler.stop()
    await remove(plane, marker)
  }
}
