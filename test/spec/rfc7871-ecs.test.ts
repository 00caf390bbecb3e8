// Client subnet (RFC 7871): no answer here depends on it, so it is checked and not repeated (another server may repeat it,
// with a scope of its own); a malformed one is FORMERR (section 7.1.2).

import t from 'tap'
import { ZONE } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc7871-ecs')
const subnet = (octets: readonly number[], version = 0): Uint8Array =>
  ask({
    name: ZONE,
    type: 'SOA',
    rd: false,
    edns: { version, options: [{ code: 8, data: Uint8Array.from(octets) }] },
  })
const V4 = [0, 1, 24, 0, 192, 0, 2]

const OK =
  spec.target.kind === 'seamark' ? 'NOERROR aa answer:SOA opt !option:8' : 'NOERROR aa answer:SOA opt'
const MALFORMED = 'FORMERR !records | REFUSED !records'

spec.probes([
  {
    id: 'isc.ednssubnet',
    title: 'ISC asks for the SOA with a subnet',
    send: subnet([0, 1, 0, 0]),
    expect: OK,
  },
  {
    id: 'isc.edns1subnet',
    title: 'the same in EDNS version 1',
    send: subnet([0, 1, 0, 0], 1),
    expect: 'BADVERS !records opt !option:8',
  },
  { id: 'ecs.v4', title: '192.0.2.0/24', send: subnet(V4), expect: OK },
  { id: 'ecs.v6', title: '2001:db8::/32', send: subnet([0, 2, 32, 0, 0x20, 0x01, 0x0d, 0xb8]), expect: OK },
  { id: 'ecs.zero', title: '0.0.0.0/0', send: subnet([0, 1, 0, 0]), expect: OK },
  {
    id: 'ecs.scope',
    title: 'a scope in a query',
    send: subnet([0, 1, 24, 24, 192, 0, 2]),
    expect: MALFORMED,
  },
  {
    id: 'ecs.family',
    title: 'family 3',
    send: subnet([0, 3, 24, 0, 192, 0, 2]),
    expect: `${MALFORMED} | ${OK}`,
  },
  {
    id: 'ecs.bits',
    title: 'bits beyond the prefix',
    send: subnet([0, 1, 20, 0, 192, 0, 255]),
    expect: MALFORMED,
  },
])

spec.end()
