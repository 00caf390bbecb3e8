import t from 'tap'
import { idleLimitMs, STREAM_LIMITS } from '../../src/listen/stream-limits.ts'

t.test('the idle timeout shrinks as connections are taken', async t => {
  const limits = { ...STREAM_LIMITS, connectionsMax: 1000, idleTimeoutMs: 10_000 }
  const cases: [number, number][] = [
    [0, 10_000],
    [500, 10_000],
    [750, 5500],
    [1000, 1000],
    [1100, 1000],
  ]
  for (const [connections, ms] of cases)
    t.equal(Math.round(idleLimitMs(limits, connections)), ms, `${connections}`)
})
