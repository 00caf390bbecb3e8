// DNS Stateful Operations (RFC 8490 section 5): a server that does not know the opcode says NOTIMP.

import t from 'tap'
import { hex, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc8490-dso')

spec.probes([
  // A keepalive TLV: inactivity and keepalive of 15 s.
  {
    id: 'op.dso',
    title: 'a keepalive',
    send: hex('4d50 3000 0000 0000 0000 0000 0001 0008 00003a98 00003a98'),
    expect: 'NOTIMP !records | FORMERR !records | REFUSED !records',
  },
])

spec.end()
