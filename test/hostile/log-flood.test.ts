// Log floods: queries that fail, each of which would be a line. What is written is bounded, what is not is counted and told,
// and another source's lines are not lost by it.

import t from 'tap'
import { RCODE } from '../../src/wire/rcode.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { floodFrom, serve, unharmed } from './one-block.ts'

const FAILURES = 5000
const PACE = 100

t.test('5,000 failures', async t => {
  const served = await serve(t, `errors\nforward . 127.0.0.1:${await freePort()}`)
  const client = await floodFrom(t, served, '127.0.0.2')
  const startMs = performance.now()
  for (let sent = 0; sent < FAILURES; sent += PACE) {
    for (let i = 0; i < PACE; i++) client.send(`n${sent + i}.example.org`)
    await until('their answers', async () => client.replies(RCODE.SERVFAIL) >= sent + PACE)
  }
  const seconds = (performance.now() - startMs) / 1000
  const lines = served.server.output().match(/^\[ERROR\] plugin\/errors: .*$/gm) ?? []
  t.ok(lines.length >= 100, `${lines.length} lines: the first ones are there`)
  t.ok(lines.length <= 100 + 5 * (seconds + 1), `${lines.length} lines in ${seconds.toFixed(1)} s`)
  const dropped = await served.counted('seamark_log_dropped_lines_total')
  t.ok(dropped >= FAILURES - lines.length - 10, `${dropped} lines counted as dropped`)
  // Health checks fail in their own time.
  await served.server.printed(/^\[WARNING\] plugin\/forward: .* is down/m)
  t.pass('what else there is to say is said')
  await unharmed(t, served)
})
