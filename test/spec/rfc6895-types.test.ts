// Types and classes (RFC 6895): every type at the apex is data or NODATA, meta types are no data and never silence, and other
// classes get nothing of class IN.

import t, { type Test } from 'tap'
import type { Decoded } from '../support/dns-client.ts'
import { NAME, ZONE } from '../support/target-cluster.ts'
import { PROBED_TYPES } from './ids.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc6895-types')
const NODATA = 'NOERROR aa !answer soa'

spec.probes([
  {
    id: 'isc.type666',
    title: 'type 666 at the apex',
    send: ask({ name: ZONE, type: 666, rd: false }),
    expect: NODATA,
  },
  ...Object.entries(PROBED_TYPES).map(([name, type]) => ({
    id: `type.${name}`,
    title: `${name} at the apex`,
    send: ask({ name: ZONE, type, rd: false }),
    // The DS records of a zone belong to the zone above it (RFC 4035 3.1.4.1).
    expect: name === 'DS' ? 'NOERROR | REFUSED' : `NOERROR aa answer | ${NODATA}`,
  })),
  ...['OPT', 'TKEY', 'TSIG', 'MAILA', 'MAILB', '0', '65535'].map(name => ({
    id: `meta.${name}`,
    title: `${name} as the type asked for`,
    send: ask({ name: ZONE, type: /\d/.test(name) ? Number(name) : name }),
    expect: 'error !answer | NOERROR !answer',
  })),
  ...['CH', 'HS', 'CS', 'NONE', 'ANY', '0', '65280'].map(name => ({
    id: `class.${name}`,
    title: `the class ${name}`,
    send: ask({ name: NAME, class: /\d/.test(name) ? Number(name) : name }),
    expect: 'reply',
    also: noInternetData,
  })),
])

function noInternetData(t: Test, { records }: Decoded): void {
  const all = Object.values(records).flat()
  t.strictSame(
    all.filter(record => record.class === 'IN' && record.type !== 'SOA'),
    [],
  )
}

spec.end()
