// What `forward` tells somebody who wants to know what becomes of a query.

import type { Trace } from '../../query/packet.ts'
import { rcodeName } from '../../wire/rcode.ts'

const tenths = (ms: number): number => Math.round(ms * 10) / 10

/** Tells which upstream answered, what, and after how long. */
export function noteReply(
  trace: Trace,
  to: string,
  code: number,
  protocol: 'udp' | 'tcp',
  tookMs: number,
): void {
  const [rcode, ms] = [rcodeName(code), tenths(tookMs)]
  trace.note('forward', `${to} answered ${rcode} over ${protocol} in ${ms} ms`, { to, ms, rcode })
}

/** Tells which upstream did not, and why. */
export function noteFailure(trace: Trace, to: string, error: string, tookMs: number): void {
  const ms = tenths(tookMs)
  trace.note('forward', `${to} did not answer in ${ms} ms: ${error}`, { to, ms, error })
}
