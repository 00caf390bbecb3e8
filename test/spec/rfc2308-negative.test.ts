// Negative answers (RFC 2308): the rcode, our authority, one SOA of the zone with a TTL that is no more than its minimum, and
// an OPT record where one was asked with.

import t from 'tap'
import { MISSING, NAME } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc2308-negative')
const NODATA = 'NOERROR aa !tc !answer soa'

spec.probes([
  {
    id: 'neg.nx',
    title: 'a missing name',
    send: ask({ name: MISSING }),
    expect: 'NXDOMAIN aa !tc !answer soa !opt',
  },
  {
    id: 'neg.nodata',
    title: 'a missing type',
    send: ask({ name: NAME, type: 'MX' }),
    expect: `${NODATA} !opt`,
  },
  {
    id: 'neg.nxedns',
    title: 'a missing name, with EDNS',
    send: ask({ name: MISSING, edns: true }),
    expect: 'NXDOMAIN aa !tc !answer soa opt',
  },
  {
    id: 'neg.aaaa',
    title: 'AAAA at a name with A alone',
    send: ask({ name: NAME, type: 'AAAA' }),
    expect: NODATA,
  },
  ...['HTTPS', 'SVCB', 'TXT', 'TYPE65300'].map(type => ({
    id: `neg.${type}`,
    title: `${type} at a name with A alone`,
    send: ask({ name: NAME, type }),
    expect: NODATA,
  })),
])

spec.end()
