// Regular expressions that a name could make slow (CoreDNS 1.14 bounds their length for it): every plugin that matches with one
// takes as long as the name is long, whatever the pattern.

import t from 'tap'
import { query } from '../support/dns-client.ts'
import { serve, unharmed } from './support.ts'

const ANSWER_MS = 5
const PATTERNS = ['(a+)+$', '(a*)*b', '(a|aa)+$', '(.*)(.*)(.*)(.*)(.*)[^a]a$']

const each = (lines: (pattern: string) => string): string => PATTERNS.map(lines).join('\n')
const anyOf = PATTERNS.map(pattern => `name() matches '${pattern}'`).join(' || ')

/** All of the patterns are tried, and none of them matches. */
const plugins: Readonly<Record<string, string>> = {
  rewrite: each(pattern => `rewrite stop name regex ${pattern} x.test`),
  template: each(pattern => `template ANY ANY . {\nmatch ${pattern}\nrcode NXDOMAIN\nfallthrough\n}`),
  view: `view slow {\nexpr ${anyOf}\n}`,
}

for (const [title, lines] of Object.entries(plugins)) {
  t.test(title, async t => {
    const served = await serve(t, lines)
    let bestMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < 20; i++) {
      const reply = await query(served.port, { name: `${'a'.repeat(60)}.${'a'.repeat(59)}${i % 10}` })
      bestMs = Math.min(bestMs, reply.elapsedMs)
    }
    t.ok(bestMs < ANSWER_MS, `${bestMs.toFixed(2)} ms`)
    await unharmed(t, served)
  })
}
