// L11: two instances are replaced one after the other under load. Each instance has a dnsperf of its own for as long as nodes
// send it questions, so nothing is ever asked twice.

import { Scope } from '../../e2e/processes.ts'
import { replaceAll } from '../../e2e/replace-all.ts'
import type { LoadResult } from '../common/dnsperf.ts'
import { type Subject, start } from '../common/servers.ts'
import type { LoadContext, LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const QUERIES_PER_SECOND = 5000
const INSTANCES = 2
/** The lame duck of the stock Corefile, and some more. */
const STOP_DEADLINE_MS = 15_000
/** Longer than any replacement: loads are ended. */
const LOAD_SECONDS = 600

/** An instance and the load on it. */
interface Loaded extends Subject {
  readonly end: () => Promise<LoadResult>
}

async function startLoaded(context: LoadContext, scope: Scope): Promise<Loaded> {
  const subject = await start(scope, 'seamark', context.bench, { cores: context.cores.server })
  const ended = new AbortController()
  const rate = QUERIES_PER_SECOND / INSTANCES
  const load = context.load(subject, { rate, seconds: LOAD_SECONDS, signal: ended.signal })
  return {
    ...subject,
    end: () => {
      ended.abort()
      return load
    },
  }
}

export const replacementRow: LoadRow = {
  title: 'L11 rolling replacement',
  async run(context) {
    const scope = new Scope()
    const results: LoadResult[] = []
    const known = new Set<Loaded>()
    const add = async (): Promise<Loaded> => {
      const fresh = await startLoaded(context, scope)
      known.add(fresh)
      return fresh
    }
    const forget = async (old: Loaded): Promise<void> => {
      known.delete(old)
      results.push(await old.end())
    }
    try {
      for (let n = 0; n < INSTANCES; n++) await add()
      await replaceAll([...known], { start: add, forget, stopDeadlineMs: STOP_DEADLINE_MS })
      for (const last of [...known]) await forget(last)
    } finally {
      await scope.end()
    }
    const sum = (of: 'lost' | 'sent'): number => results.reduce((all, each) => all + each[of], 0)
    const wrong = results.reduce((all, { completed, rcodes }) => all + completed - (rcodes.NOERROR ?? 0), 0)
    return [
      promised({
        title: `L11 lost or wrong of ${sum('sent').toLocaleString('en')} while ${INSTANCES} instances are replaced (${QUERIES_PER_SECOND.toLocaleString('en')}/s)`,
        unit: 'queries',
        values: { seamark: sum('lost') + wrong },
        most: BOUNDS.lostInReplacement,
      }),
    ]
  },
}
