// A rolling replacement as a Deployment does it: a new instance, then the end of an old one, which nodes learn late.

import { setTimeout as delay } from 'node:timers/promises'
import type { Program } from './processes.ts'

/** How long nodes go on sending questions to an instance that was told to stop. */
const NODES_LAG_MS = 2000

/** What a replacement does to the instances, and who is told. */
export interface Replacement<Instance> {
  /** Starts another one, which gets questions from when it is ready. */
  readonly start: () => Promise<Instance>
  /** Nobody sends questions there from now on. */
  readonly forget: (old: Instance) => Promise<void> | void
  /** Of an instance that was told to stop. */
  readonly stopDeadlineMs: number
}

/** Replaces one instance after the other. Throws where one does not end in time, or not in good order. */
export async function replaceAll<Instance extends { readonly program: Program }>(
  instances: readonly Instance[],
  { start, forget, stopDeadlineMs }: Replacement<Instance>,
): Promise<void> {
  for (const old of instances) {
    await start()
    old.program.signal('SIGTERM')
    await delay(NODES_LAG_MS)
    await forget(old)
    await old.program.exited(stopDeadlineMs)
    if (old.program.outcome !== 0) throw new Error(`the stopped instance ended with ${old.program.outcome}`)
  }
}
