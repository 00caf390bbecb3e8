// Names that look as if they might mean several (RFC 4592): none of them does in a cluster's zone.

import t from 'tap'
import { NAME, ZONE } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc4592-wildcards')
const NO_MATCH = 'NXDOMAIN aa soa'

spec.probes([
  {
    id: 'name.star',
    title: 'a star for the service',
    send: ask({ name: `*.demo.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
  {
    id: 'name.star',
    title: 'a star for the namespace',
    send: ask({ name: `web.*.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
  {
    id: 'name.any',
    title: 'any for the service',
    send: ask({ name: `any.demo.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
  {
    id: 'name.any',
    title: 'any for the namespace',
    send: ask({ name: `web.any.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
  {
    id: 'name.underscore',
    title: 'a port that is not there',
    send: ask({ name: `_nope._tcp.${NAME}`, type: 'SRV' }),
    expect: NO_MATCH,
  },
  {
    id: 'name.underscore',
    title: 'another protocol',
    send: ask({ name: `_http._udp.${NAME}`, type: 'SRV' }),
    expect: NO_MATCH,
  },
  {
    id: 'name.below',
    title: 'five labels below a service',
    send: ask({ name: `a.b.c.d.e.${NAME}` }),
    expect: NO_MATCH,
  },
])

spec.end()
