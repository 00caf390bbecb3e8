// Zone transfers (RFC 5936, RFC 1995): nobody gets the cluster's zone unless the Corefile says so.

import t from 'tap'
import { NAME, ZONE } from '../support/target-cluster.ts'
import { ask, hex, patched, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc5936-transfer')
const NOTHING = 'error !records | NOERROR !answer'
const axfr = ask({ name: ZONE, type: 'AXFR', rd: false })
/** With the SOA of a serial in the authority section (RFC 1995 section 3). */
const ixfr = Uint8Array.of(
  ...patched(ask({ name: ZONE, type: 'IXFR', rd: false }), 8, 0, 1),
  ...hex('c00c 0006 0001 00000000 0016 00 00 00000001 00000e10 00000e10 00000e10 00000e10'),
)

spec.probes([
  { id: 'xfr.axfr.udp', title: 'AXFR', send: axfr, over: 'udp', expect: NOTHING },
  { id: 'xfr.axfr.tcp', title: 'AXFR', send: axfr, over: 'tcp', expect: NOTHING },
  {
    id: 'xfr.axfr.tcp',
    title: 'AXFR of a service',
    send: ask({ name: NAME, type: 'AXFR' }),
    over: 'tcp',
    expect: NOTHING,
  },
  { id: 'xfr.ixfr', title: 'IXFR', send: ixfr, expect: 'error !records | NOERROR !answer' },
])

spec.end()
