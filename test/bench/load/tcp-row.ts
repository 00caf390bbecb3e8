// L12: many persistent TCP connections, queries pipelined.

import { cpuUs } from '../../support/process-stat.ts'
import type { Subject } from '../common/servers.ts'
import { CLOSED_LOOP, type LoadContext, type LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const CONNECTIONS = 200
const OUTSTANDING = 1000
const SECONDS_MAX = 15
/** A connection that finds a full queue of them is tried again after a second. */
const SECONDS_MIN = 3

/** The rate over TCP against that over UDP, and how busy the server was. */
async function compare(context: LoadContext, subject: Subject) {
  const seconds = Math.max(SECONDS_MIN, Math.min(SECONDS_MAX, context.effort.seconds))
  const udp = await context.load(subject, { seconds, outstanding: CLOSED_LOOP })
  const load = { transport: 'tcp', clients: CONNECTIONS, outstanding: OUTSTANDING, seconds } as const
  const before = cpuUs(subject.program.pid)
  const tcp = await context.load(subject, load)
  const busy = (cpuUs(subject.program.pid) - before) / tcp.seconds / 1e6
  return { seconds, share: tcp.perSecond / udp.perSecond, busy, reconnections: tcp.reconnections }
}

export const tcpRow: LoadRow = {
  title: 'L12 persistent TCP connections',
  async run(context) {
    const own = await compare(context, await context.subject('seamark'))
    const [knotId] = context.available(['knot'])
    const knot = knotId && (await compare(context, await context.subject(knotId)))
    const both = (of: 'share' | 'reconnections') => ({ seamark: own[of], ...(knot && { knot: knot[of] }) })
    return [
      promised({
        title: `L12 rate over ${CONNECTIONS} TCP connections (${own.seconds} s), share of the rate over UDP`,
        unit: '×',
        values: both('share'),
        least: BOUNDS.tcpShare,
        notes: [`its core was ${Math.round(own.busy * 100)} % busy`],
      }),
      promised({
        title: 'L12 connections that ended early',
        unit: 'connections',
        values: both('reconnections'),
        most: BOUNDS.tcpDropped,
      }),
    ]
  },
}
