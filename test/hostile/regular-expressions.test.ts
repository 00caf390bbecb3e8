// Regular expressions that a name could make slow (CoreDNS 1.14 bounds their length for it): every plugin that matches with one
// takes as long as the name is long, whatever the pattern.

import t from 'tap'
import { type Asked, serverCosts } from '../support/cost.ts'
import { query } from '../support/dns-client.ts'
import { serve, unharmed } from './one-block.ts'

/** The names differ in what the patterns make of them, and in nothing else. */
const HOSTILE = 'a'
const HARMLESS = 'z'
const ROUNDS = 40
const TIMES_MAX = 10
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
    let asked = 0
    const ask = (letter: string): Asked => ({
      pid: served.server.child.pid!,
      ask: () => query(served.port, { name: `${letter.repeat(60)}.${letter.repeat(59)}${asked++ % 10}` }),
    })
    const [hostile = 0, harmless = 0] = await serverCosts([ask(HOSTILE), ask(HARMLESS)], ROUNDS, 0)
    t.ok(hostile < TIMES_MAX * harmless, `${hostile.toFixed(2)} ms beside ${harmless.toFixed(2)} ms`)
    await unharmed(t, served)
  })
}
