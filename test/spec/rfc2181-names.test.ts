// Any octet may stand in a label (RFC 2181 section 11): none is read as something else, and each comes back as it was sent.
// Names of JavaScript's own properties are names like any other.

import t from 'tap'
import { NAME, ZONE } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc2181-names')
const NO_MATCH = 'NXDOMAIN aa soa'

/** Below the namespace of NAME, and in place of its service. */
const below = (label: string): Uint8Array => ask({ name: `${label}.demo.svc.${ZONE}` })

spec.probes([
  ...['xcluster.local', 'cluster.local.example.net', 'luster.local', 'cluster.localx'].map(zone => ({
    id: 'name.lookalike',
    title: `web.demo.svc.${zone} is not in the zone`,
    send: ask({ name: `web.demo.svc.${zone}` }),
    expect: 'NXDOMAIN ra !answer',
  })),
  { id: 'name.dotlabel', title: 'a dot inside a label', send: below('web\\.x'), expect: NO_MATCH },
  {
    id: 'name.dotlabel',
    title: 'the whole name as one label',
    send: ask({ name: NAME.replaceAll('.', '\\.') }),
    expect: 'NXDOMAIN',
  },
  {
    id: 'name.dotlabel.zone',
    title: 'a dot that would make the name of a service',
    send: ask({ name: `web\\.demo.svc.${ZONE}` }),
    expect: NO_MATCH,
  },
  {
    id: 'name.dotlabel.zone',
    title: 'a dot inside the zone',
    send: ask({ name: 'web.demo.svc.cluster\\.local' }),
    expect: 'NXDOMAIN !aa',
  },
  { id: 'name.backslash', title: 'a backslash', send: below('web\\\\'), expect: NO_MATCH },
  { id: 'name.escape', title: 'the characters \\046', send: below('web\\\\046'), expect: NO_MATCH },
  { id: 'name.nul', title: 'a NUL in front', send: below('\\000web'), expect: NO_MATCH },
  { id: 'name.nul', title: 'a NUL alone', send: below('\\000'), expect: NO_MATCH },
  { id: 'name.nul.end', title: 'a NUL behind', send: below('web\\000'), expect: NO_MATCH },
  { id: 'name.space', title: 'a space', send: below('web\\032'), expect: NO_MATCH },
])

// biome-ignore format: a list
const PROPERTIES = [
  '__proto__', 'constructor', 'then', 'length', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__',
  'undefined', 'null', 'NaN', 'toJSON',
]
for (const label of PROPERTIES) {
  const id = `name.js.${label}`
  spec.probes([
    { id, title: `a service ${label}`, send: below(label), expect: NO_MATCH },
    {
      id,
      title: `a namespace ${label}`,
      send: ask({ name: `web.${label}.svc.${ZONE}` }),
      expect: NO_MATCH,
    },
    {
      id,
      title: `a port ${label}`,
      send: ask({ name: `_${label}._tcp.${NAME}`, type: 'SRV' }),
      expect: NO_MATCH,
    },
    {
      id,
      title: `${label} elsewhere`,
      send: ask({ name: `${label}.example.net` }),
      expect: 'NXDOMAIN',
    },
  ])
}

spec.end()
