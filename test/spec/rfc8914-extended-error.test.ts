// Extended errors (RFC 8914): an option for servers to send. In a query it means nothing; in replies it says why there is
// nothing, to clients with EDNS only.

import t from 'tap'
import { extendedError } from '../support/extended-error.ts'
import { MISSING, NAME } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc8914-extended-error')
const EDE = 15

spec.probes([
  {
    id: 'ede',
    title: 'in a query',
    send: ask({ name: NAME, edns: { options: [{ code: EDE, data: Uint8Array.of(0, 4, 0x68, 0x69) }] } }),
    expect: 'NOERROR aa answer:A opt !option:15',
  },
  { id: 'ede', title: 'without EDNS', send: ask({ name: MISSING }), expect: 'NXDOMAIN aa soa !opt' },
])
if (spec.target.kind === 'seamark') {
  spec.probes([
    {
      id: 'ede',
      title: 'why there is nothing',
      send: ask({ name: MISSING, edns: true }),
      expect: 'NXDOMAIN aa soa option:15',
      also: (t, { edns }) => t.equal(extendedError(edns), '0 no service nope in namespace demo'),
    },
    {
      id: 'ede',
      title: 'an answer without one',
      send: ask({ name: NAME, edns: true }),
      expect: 'NOERROR aa answer:A opt !option:15',
    },
  ])
}

spec.end()
