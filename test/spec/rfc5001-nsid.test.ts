// NSID (RFC 5001): an identifier for those who ask and where the Corefile says so, and nothing else.

import t from 'tap'
import { NAME, ZONE } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc5001-nsid', { lines: 'nsid spec-1' })
const NSID = { code: 3, data: new Uint8Array(0) }
const asking = (edns: object = {}): Uint8Array =>
  ask({ name: ZONE, type: 'SOA', rd: false, edns: { options: [NSID], ...edns } })

spec.probes([
  {
    id: 'isc.ednsnsid',
    title: 'ISC asks for the SOA with NSID',
    send: asking(),
    expect: 'NOERROR aa answer:SOA opt',
  },
  {
    id: 'isc.edns1nsid',
    title: 'the same in EDNS version 1',
    send: asking({ version: 1 }),
    expect: 'BADVERS !answer opt',
  },
  {
    id: 'nsid',
    title: 'not asked for',
    send: ask({ name: NAME, edns: true }),
    expect: 'NOERROR aa answer:A opt !option:3',
  },
])
if (spec.target.kind === 'seamark') {
  spec.probes([
    {
      id: 'nsid',
      title: 'the words of the directive',
      send: asking(),
      expect: 'NOERROR aa answer:SOA option:3',
      also: (t, { edns }) => t.equal(Buffer.from(edns!.options[0]!.data).toString(), 'spec-1'),
    },
  ])
}

spec.end()
