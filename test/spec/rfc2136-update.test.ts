// NOTIFY (RFC 1996) and UPDATE (RFC 2136): nobody may change what the cluster says.

import t from 'tap'
import { NAME, ZONE } from '../support/target-cluster.ts'
import { ask, hex, patched, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc2136-update')
const UPDATED = `updated.demo.svc.${ZONE}`
/** Zone ZONE SOA; one record to be added: UPDATED 60 A 198.51.100.1. */
const update = Uint8Array.of(
  ...patched(ask({ name: ZONE, type: 'SOA', opcode: 5, rd: false }), 8, 0, 1),
  ...ask({ name: UPDATED }).subarray(12, -2),
  ...hex('0001 0000003c 0004 c6336401'),
)

spec.probes([
  {
    id: 'op.notify',
    title: 'NOTIFY',
    send: ask({ name: ZONE, type: 'SOA', opcode: 4, rd: false }),
    expect: 'NOTIMP !records | REFUSED !records | NOTAUTH !records | NOERROR !records',
  },
  {
    id: 'op.update',
    title: 'UPDATE',
    send: update,
    expect: 'NOTIMP !records | REFUSED !records | NOTAUTH !records',
  },
  {
    id: 'op.update.effect',
    title: 'the name of the update is still missing',
    send: ask({ name: UPDATED }),
    expect: 'NXDOMAIN aa soa',
  },
  {
    id: 'op.update.effect',
    title: 'the zone goes on',
    send: ask({ name: NAME }),
    expect: 'NOERROR aa answer:A',
  },
])

spec.end()
