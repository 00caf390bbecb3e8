// More records than a datagram holds (RFC 2181 section 9, RFC 6891 6.2.5, RFC 9715): TC, an RRset of whole records, no more
// than the client takes and never fragments; everything over TCP, once.

import t, { type Test } from 'tap'
import type { Decoded } from '../support/dns-client.ts'
import { BIG, BIG_RECORDS, bigAddress } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc2181-truncation')

const atMost =
  (octetsMax: number) =>
  (t: Test, _reply: Decoded, octets: Uint8Array): void => {
    t.ok(octets.length <= octetsMax, `${octets.length} octets of ${octetsMax}`)
  }
const sized = (udpSize: number): Uint8Array => ask({ name: BIG, edns: { udpSize } })

spec.probes([
  {
    id: 'trunc.512',
    title: 'without EDNS',
    send: ask({ name: BIG }),
    over: 'udp',
    expect: 'NOERROR aa tc !opt',
    also: atMost(512),
  },
  {
    id: 'trunc.edns100',
    title: 'a payload of 100, which means 512',
    send: sized(100),
    over: 'udp',
    expect: 'NOERROR aa tc opt',
    also: atMost(512),
  },
  {
    id: 'trunc.edns512',
    title: 'a payload of 512',
    send: sized(512),
    over: 'udp',
    expect: 'NOERROR aa tc opt',
    also: atMost(512),
  },
  {
    id: 'trunc.edns600',
    title: 'a payload of 600',
    send: sized(600),
    over: 'udp',
    expect: 'NOERROR aa tc opt',
    also: atMost(600),
  },
  {
    id: 'trunc.edns65535',
    title: 'a payload of 65535',
    send: sized(65535),
    over: 'udp',
    expect: 'NOERROR aa tc opt',
    also: atMost(4096),
  },
  {
    id: 'trunc.tcp',
    title: 'all of them',
    send: ask({ name: BIG }),
    over: 'tcp',
    expect: 'NOERROR aa !tc answer:A',
    also: (t, { records }) => {
      const expected = Array.from({ length: BIG_RECORDS }, (_, i) => bigAddress(i))
      t.strictSame(records.answer.map(({ data }) => data).sort(), expected.sort())
    },
  },
])

spec.end()
