// A query has one question (RFC 9619), or none where it asks for a cookie alone (rfc7873-cookies.test.ts).

import t from 'tap'
import { NAME, ZONE } from '../support/target-cluster.ts'
import { ask, patched, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc9619-qdcount')
const query = ask({ name: NAME })
const question = query.subarray(12)
const other = ask({ name: ZONE, type: 'SOA' }).subarray(12)

spec.probes([
  {
    id: 'hdr.qd0',
    title: 'no question',
    send: patched(query.subarray(0, 12), 4, 0, 0),
    expect: 'FORMERR !records | REFUSED !records | silence',
  },
  {
    id: 'hdr.qd0',
    title: 'a question that is not counted',
    send: patched(query, 4, 0, 0),
    expect: 'FORMERR !records | REFUSED !records | silence',
  },
  {
    id: 'hdr.qd2',
    title: 'two questions',
    send: Uint8Array.of(...patched(query, 4, 0, 2), ...other),
    expect: 'FORMERR !records',
  },
  {
    id: 'hdr.qd2same',
    title: 'the same question twice',
    send: Uint8Array.of(...patched(query, 4, 0, 2), ...question),
    expect: 'FORMERR !records',
  },
])

spec.end()
