import t from 'tap'
import { formatDuration } from '../../src/shared/duration.ts'

t.test('durations as Go prints them', async t => {
  const cases: [durationMs: number, text: string][] = [
    [0, '0s'],
    [0.000005, '5ns'],
    [0.0015, '1.5µs'],
    [1.5, '1.5ms'],
    [250, '250ms'],
    [1000, '1s'],
    [1500.25, '1.50025s'],
    [30_000, '30s'],
    [90_000, '1m30s'],
    [300_000, '5m0s'],
    [3_600_000, '1h0m0s'],
    [90_061_001, '25h1m1.001s'],
    [-5000, '-5s'],
  ]
  for (const [durationMs, text] of cases) t.equal(formatDuration(durationMs), text)
})
