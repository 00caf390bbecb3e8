// ANY (RFC 8482): a small answer, and no second way to learn whether a name exists; the zone's name servers.

import t from 'tap'
import { MISSING, NAME, ZONE } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc8482-any')
const SMALL_OCTETS = 512

spec.probes([
  {
    id: 'auth.ns',
    title: 'NS of the zone',
    send: ask({ name: ZONE, type: 'NS' }),
    expect: 'NOERROR aa answer:NS',
  },
  {
    id: 'auth.any',
    title: 'ANY of the zone',
    send: ask({ name: ZONE, type: 'ANY' }),
    expect: 'NOERROR aa !tc',
    also: (t, _reply, octets) => t.ok(octets.length <= SMALL_OCTETS, `${octets.length} octets`),
  },
  {
    id: 'auth.any',
    title: 'ANY of a service',
    send: ask({ name: NAME, type: 'ANY' }),
    expect: 'NOERROR aa !tc',
  },
  {
    id: 'auth.anynx',
    title: 'ANY of a missing name',
    send: ask({ name: MISSING, type: 'ANY' }),
    expect: 'NXDOMAIN aa !answer soa',
  },
])

spec.end()
