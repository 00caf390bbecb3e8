// The cause of what became of a name, and what to do about it: rules tried in order, the first that fits speaks. A rule looks at
// what the server told on the way (notes, the reason in the reply) and at what stands behind the name.

import { bare, type Case, type Rule, type Verdict } from './case.ts'
import { ANSWERED } from './rules/answered.ts'
import { elsewhere, noSearchPath } from './rules/client.ts'
import { CLUSTER, stale, unlisted } from './rules/cluster.ts'
import { CONFIGURED, reasoned } from './rules/corefile.ts'
import { externalName } from './rules/external-name.ts'
import { refusedRecord } from './rules/records.ts'
import { SPELLING } from './rules/spelling.ts'
import { cached, upstream } from './rules/upstream.ts'

const UNANSWERED: readonly Rule[] = [
  elsewhere,
  ...CONFIGURED,
  refusedRecord,
  unlisted,
  stale,
  externalName,
  ...CLUSTER,
  noSearchPath,
  ...SPELLING,
  upstream,
  cached,
  reasoned,
]

/** The verdict; every case has one. */
export function causeOf(one: Case): Verdict {
  for (const rule of one.outcome === 'answer' ? [elsewhere, ...ANSWERED] : UNANSWERED) {
    const verdict = rule(one)
    if (verdict) return verdict
  }
  const { transcript } = one
  const what = transcript.outcome === 'silence' ? 'nobody answers it' : `the server says ${transcript.rcode}`
  const who = transcript.plugin === '' ? '' : ` (${transcript.plugin})`
  return {
    cause: `${bare(transcript.name)} has no ${transcript.type} record: ${what}${who}.`,
    advice: 'Follow the steps above to the plugin that says so.',
  }
}
