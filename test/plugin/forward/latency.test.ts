// From when on a question is taken for lost, and how many may go out again.

import t from 'tap'
import { CREDIT_MAX, Latency, RETRY_FIRST_MS, RETRY_MIN_MS } from '../../../src/plugin/forward/latency.ts'

t.test('after what was measured', async t => {
  const latency = new Latency(2000, 0)
  t.equal(latency.retryMs, RETRY_FIRST_MS)
  latency.answered(0, undefined)
  t.equal(latency.retryMs, RETRY_FIRST_MS, 'nothing was measured')
  latency.answered(0, 100)
  t.equal(latency.retryMs, 300, 'the time and twice as much')
  for (let i = 0; i < 100; i++) latency.answered(0, 100)
  t.ok(latency.retryMs < 101)
  for (let i = 0; i < 100; i++) latency.answered(0, 1)
  t.equal(latency.retryMs, RETRY_MIN_MS)
  for (let i = 0; i < 100; i++) latency.answered(0, i % 2 === 0 ? 500 : 1900)
  t.equal(latency.retryMs, 2000, 'never later than it is given up')
  t.equal(new Latency(100, 0).retryMs, 100)
})

t.test('credit', async t => {
  const latency = new Latency(2000, 0)
  const spend = (nowMs: number): number => {
    let spent = 0
    while (latency.mayAskAgain(nowMs)) spent++
    return spent
  }
  t.equal(spend(0), CREDIT_MAX)
  t.equal(spend(1000), 10, 'some by time')
  for (let i = 0; i < 100; i++) latency.answered(1000, 1)
  t.ok(Math.abs(spend(1000) - 20) <= 1, 'some by answers')
  t.equal(spend(1_000_000), CREDIT_MAX)
})

t.test('another upstream needs no credit where this one is not heard', async t => {
  const latency = new Latency(2000, 0)
  while (latency.mayAskAgain(0));
  t.equal(latency.mayAskAnother(0), false)
  latency.asked(0)
  t.equal(latency.mayAskAnother(RETRY_MIN_MS), false)
  t.equal(latency.mayAskAnother(RETRY_FIRST_MS), true)
  latency.answered(RETRY_FIRST_MS, undefined)
  while (latency.mayAskAgain(RETRY_FIRST_MS));
  latency.asked(RETRY_FIRST_MS + 1)
  t.equal(latency.mayAskAnother(RETRY_FIRST_MS + 2), false)
})
