// Sizes of names (RFC 1035 2.3.4): met exactly they are names, beyond they are not; and label types that nobody uses
// (RFC 6891 5, RFC 6672).

import t from 'tap'
import { ZONE } from '../support/target-cluster.ts'
import { ask, hex, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc1035-names')
const HEADER = '1234 0100 0001 0000 0000 0000'
const END = '0001 0001'
const NO_NAME = 'FORMERR !records | silence'
/** Labels of 63 octets in front of a zone of 15. */
const long = (last: number): string => `${`${'x'.repeat(63)}.`.repeat(3)}${'y'.repeat(last)}.${ZONE}`
const label = (octets: number): string => `${octets.toString(16).padStart(2, '0')}${'61'.repeat(octets)}`

spec.probes([
  {
    id: 'name.label63',
    title: 'a label of 63 octets',
    send: ask({ name: `${'x'.repeat(63)}.${ZONE}` }),
    expect: 'NXDOMAIN aa soa',
  },
  // 3 × 64 + 48 + 15
  {
    id: 'name.len255',
    title: 'a name of 255 octets',
    send: ask({ name: long(47) }),
    expect: 'NXDOMAIN aa soa',
  },
  {
    id: 'name.labels',
    title: 'a name of 121 labels',
    send: ask({ name: `${'a.'.repeat(119)}${ZONE}` }),
    expect: 'NXDOMAIN aa soa',
  },
  { id: 'name.len256', title: 'a name of 256 octets', send: ask({ name: long(48) }), expect: NO_NAME },
  {
    id: 'name.len300',
    title: 'a name of 300 octets',
    send: hex(HEADER, label(63).repeat(4), label(42), '00', END),
    expect: NO_NAME,
  },
  {
    id: 'name.type40',
    title: 'the label type 01',
    send: hex(HEADER, '41', '61'.repeat(65), '00', END),
    expect: NO_NAME,
  },
  {
    id: 'name.type80',
    title: 'the label type 10',
    send: hex(HEADER, '81', '61'.repeat(129), '00', END),
    expect: NO_NAME,
  },
  {
    id: 'name.overrun',
    title: 'a label that is longer than the packet',
    send: hex(HEADER, '3f', '61'.repeat(5)),
    expect: NO_NAME,
  },
])

spec.end()
