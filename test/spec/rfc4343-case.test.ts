// Case is folded for ASCII letters and for nothing else (RFC 4343), and the question comes back as it was spelled.

import t from 'tap'
import { MISSING, NAME, ZONE } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc4343-case')
const mixed = (name: string): string =>
  [...name].map((char, i) => (i % 3 === 0 ? char.toUpperCase() : char)).join('')
const NO_MATCH = 'NXDOMAIN aa soa'

spec.probes([
  { id: 'name.0x20', title: 'mixed case', send: ask({ name: mixed(NAME) }), expect: 'NOERROR aa answer:A' },
  {
    id: 'name.upper',
    title: 'upper case',
    send: ask({ name: NAME.toUpperCase() }),
    expect: 'NOERROR aa answer:A',
  },
  {
    id: 'name.0x20nx',
    title: 'a missing name in mixed case',
    send: ask({ name: mixed(MISSING) }),
    expect: NO_MATCH,
  },
  {
    id: 'name.8bit',
    title: 'octets from 128 to 190',
    send: ask({ name: `${octets(128, 190)}.demo.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
  {
    id: 'name.8bit',
    title: 'octets from 193 to 255',
    send: ask({ name: `${octets(193, 255)}.demo.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
  {
    id: 'name.8bit.folded',
    title: 'the letter w with its highest bit set',
    send: ask({ name: `\\247eb.demo.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
  // U+212A in lower case is k: the zone's name must not be found in its spelling.
  {
    id: 'name.kelvin',
    title: 'the Kelvin sign for a k',
    send: ask({ name: `\\226\\132\\170ube.demo.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
  {
    id: 'name.ctl',
    title: 'CR, LF and ESC',
    send: ask({ name: `\\013\\010\\027[31mweb.demo.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
])

function octets(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, i) => `\\${from + i}`).join('')
}

spec.end()
