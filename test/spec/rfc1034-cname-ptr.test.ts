// Aliases (RFC 1034 3.6.2) and reverse names (RFC 1035 3.5).

import t, { type Test } from 'tap'
import { type Decoded, decodeMessage } from '../support/dns-client.ts'
import { ADDRESS, EXTERNAL, FORWARDED, NAME, REVERSE, REVERSE_MISSING } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc1034-cname-ptr')
const INSIDE = EXTERNAL.replace('ext', 'inside')

/** The records of the answer, in the order of the packet. */
const inOrder =
  (...expected: readonly string[]) =>
  (t: Test, _reply: Decoded, octets: Uint8Array): void => {
    const records = decodeMessage(octets).records.answer.map(
      ({ name, type, data }) => `${name} ${type} ${data}`,
    )
    t.strictSame(records, expected)
  }

spec.probes([
  {
    id: 'cname.a',
    title: 'an alias and the address of its target, which is forwarded',
    send: ask({ name: EXTERNAL }),
    expect: 'NOERROR aa answer:CNAME',
    also: inOrder(`${EXTERNAL}. CNAME ${FORWARDED}.`, `${FORWARDED}. A 192.0.2.80`),
  },
  {
    id: 'cname.cname',
    title: 'the alias alone, asked for by its type',
    send: ask({ name: EXTERNAL, type: 'CNAME' }),
    expect: 'NOERROR aa answer:CNAME',
    also: inOrder(`${EXTERNAL}. CNAME ${FORWARDED}.`),
  },
  {
    id: 'cname.aaaa',
    title: 'an alias whose target lacks the type',
    send: ask({ name: EXTERNAL, type: 'AAAA' }),
    expect: 'NOERROR aa answer:CNAME !answer:AAAA',
    also: inOrder(`${EXTERNAL}. CNAME ${FORWARDED}.`),
  },
  {
    id: 'cname.inside',
    title: 'an alias inside the zone',
    send: ask({ name: INSIDE }),
    expect: 'NOERROR aa answer:CNAME',
    also: inOrder(`${INSIDE}. CNAME ${NAME}.`, `${NAME}. A ${ADDRESS}`),
  },
  {
    id: 'ptr',
    title: 'the name of an address',
    send: ask({ name: REVERSE, type: 'PTR' }),
    expect: 'NOERROR aa answer:PTR',
    also: inOrder(`${REVERSE}. PTR ${NAME}.`),
  },
  {
    id: 'ptr.a',
    title: 'another type at a reverse name',
    send: ask({ name: REVERSE }),
    expect: 'NOERROR aa !answer soa',
  },
  {
    id: 'ptr.nx',
    title: 'an address that nobody has',
    send: ask({ name: REVERSE_MISSING, type: 'PTR' }),
    expect: 'NXDOMAIN !answer',
  },
  {
    id: 'ptr.case',
    title: 'a reverse name in another case',
    send: ask({ name: REVERSE.replace('in-addr', 'IN-aDDR'), type: 'PTR' }),
    expect: 'NOERROR aa answer:PTR',
  },
])

spec.end()
