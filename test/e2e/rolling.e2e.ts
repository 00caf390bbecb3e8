// A rolling replacement of two instances under load. The load stands for kube-proxy: it spreads questions over the
// instances that it knows, and learns of a stopping one late, as nodes do. Not one question may be lost.

import type { DnsServer } from './dns-server.ts'
import { Load } from './load.ts'
import { replaceAll } from './replace-all.ts'
import { Steady } from './steady.ts'
import { type Context, holds, type Suite } from './suite.ts'

const LAMEDUCK_SECONDS = 4
const STOP_DEADLINE_MS = (LAMEDUCK_SECONDS + 10) * 1000

async function replaceBoth(context: Context, steady: Steady): Promise<void> {
  const instance = (): Promise<DnsServer> =>
    context.serve(context.world.subject, { lameduckSeconds: LAMEDUCK_SECONDS })
  const known: DnsServer[] = [await instance(), await instance()]
  let turn = 0
  const load = Load.start(() => known[turn++ % known.length]!, steady.questions)
  try {
    await replaceAll([...known], {
      start: async () => {
        const fresh = await instance()
        known.push(fresh)
        return fresh
      },
      forget: old => void known.splice(known.indexOf(old), 1),
      stopDeadlineMs: STOP_DEADLINE_MS,
    })
  } finally {
    const { asked, failed, failures, slowestMs } = await load.stop()
    context.note(`${asked} questions, the slowest took ${Math.round(slowestMs)} ms`)
    holds(
      failed === 0,
      `${failed} of ${asked} questions were lost or answered wrongly:\n${failures.join('\n')}`,
    )
  }
}

export const suite: Suite = {
  name: 'rolling replacement',
  async run(context) {
    const steady = await Steady.create(context, 'rolling')
    await context.check('two instances are replaced under load without one lost question', () =>
      replaceBoth(context, steady),
    )
  },
}
