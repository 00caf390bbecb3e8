// edns-tcp-keepalive (RFC 7828): nothing over UDP; over TCP a client that asks may be told, in two octets of 100 ms each, how
// long its connection may be idle. An option with a value in a query is malformed.

import t from 'tap'
import { NAME } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc7828-keepalive')
const KEEPALIVE = 11
const asking = (...value: readonly number[]): Uint8Array =>
  ask({ name: NAME, edns: { options: [{ code: KEEPALIVE, data: Uint8Array.from(value) }] } })

spec.probes([
  {
    id: 'keepalive.udp',
    title: 'ignored',
    send: asking(),
    over: 'udp',
    expect: 'NOERROR aa answer:A opt !option:11',
  },
  {
    id: 'keepalive.tcp',
    title: 'two octets (BIND: or nothing)',
    send: asking(),
    over: 'tcp',
    expect: spec.target.kind === 'seamark' ? 'NOERROR aa answer:A option:11' : 'NOERROR aa answer:A opt',
    also: (t, { edns }) => {
      const told = edns?.options.filter(({ code }) => code === KEEPALIVE) ?? []
      t.ok(told.length <= 1 && told.every(({ data }) => data.length === 2))
    },
  },
  {
    id: 'keepalive.bad',
    title: 'a value in a query',
    send: asking(0, 100),
    over: 'tcp',
    expect: 'FORMERR | NOERROR aa answer:A opt',
  },
  {
    id: 'keepalive.bad',
    title: 'a value of one octet',
    send: asking(1),
    over: 'tcp',
    expect: 'FORMERR | NOERROR aa answer:A opt',
  },
])

spec.end()
