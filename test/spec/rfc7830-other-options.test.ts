// Options that mean nothing here: padding (RFC 7830) is for encrypted transports, chain queries (RFC 7901) for resolvers that
// validate.

import t from 'tap'
import { NAME } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc7830-other-options')
const CHAIN = 13

spec.probes([
  {
    id: 'padding',
    title: '100 octets of padding',
    send: ask({ name: NAME, edns: { options: [{ code: 12, data: new Uint8Array(100) }] } }),
    expect: 'NOERROR aa answer:A opt !option:12',
  },
  {
    id: 'chain',
    title: 'a chain query that trusts the root',
    send: ask({ name: NAME, edns: { options: [{ code: CHAIN, data: Uint8Array.of(0) }] } }),
    expect: 'NOERROR aa answer:A opt !option:13',
  },
])

spec.end()
