// A name that does not exist has nothing below it, of no type; a name that has something below it exists (RFC 8020).

import t from 'tap'
import { MISSING, PARENT, ZONE } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc8020-nxdomain')
const NODATA = 'NOERROR aa !answer soa'

spec.probes([
  // Not SOA, which CoreDNS never looks a name up for: NODATA.
  ...['A', 'AAAA', 'SRV', 'TXT', 'MX', 'NS', 'CNAME', 'PTR', 'HTTPS', 'ANY'].map(type => ({
    id: `neg.nxall.${type}`,
    title: `${type} of a missing name`,
    send: ask({ name: MISSING, type }),
    expect: 'NXDOMAIN aa !answer soa',
  })),
  {
    id: 'neg.belownx',
    title: 'below a missing name',
    send: ask({ name: `x.${MISSING}` }),
    expect: 'NXDOMAIN aa !answer soa',
  },
  { id: 'neg.ent', title: 'the namespace', send: ask({ name: PARENT }), expect: NODATA },
  { id: 'neg.ent', title: 'svc', send: ask({ name: `svc.${ZONE}` }), expect: NODATA },
])

spec.end()
