// What parsers stumbled over (RFC 9267): counts that the octets do not back, and pointers that lead nowhere, to themselves, or
// a long way. FORMERR or silence, and at once.

import t from 'tap'
import { NAME } from '../support/target-cluster.ts'
import { ask, hex, patched, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc9267-parsing')
const query = ask({ name: NAME })
const MALFORMED = 'FORMERR !records | silence'
const HEAD = '1234 0100 0001 0000 0000 0000'
const END = '0001 0001'
/** Pointers that each lead to the one before, the first to a name; the last one is the question's. */
const chain = Array.from({ length: 2000 }, (_, i) =>
  (0xc000 | (12 + Math.max(0, 2 * i - 2))).toString(16),
).join('')

spec.probes([
  {
    id: 'hdr.count.an',
    title: '65535 answers that are not there',
    send: patched(query, 6, 0xff, 0xff),
    expect: MALFORMED,
  },
  {
    id: 'hdr.count.ns',
    title: '65535 authorities that are not there',
    send: patched(query, 8, 0xff, 0xff),
    expect: MALFORMED,
  },
  {
    id: 'hdr.count.ar',
    title: '65535 additionals that are not there',
    send: patched(query, 10, 0xff, 0xff),
    expect: MALFORMED,
  },
  {
    id: 'hdr.allcounts',
    title: 'all counts 65535',
    send: patched(query, 4, ...new Array<number>(8).fill(0xff)),
    over: 'udp',
    expect: MALFORMED,
  },
  {
    id: 'hdr.allcounts',
    title: 'all counts 65535',
    send: patched(query, 4, ...new Array<number>(8).fill(0xff)),
    over: 'tcp',
    expect: MALFORMED,
  },

  { id: 'name.ptr.self', title: 'a pointer to itself', send: hex(HEAD, 'c00c', END), expect: MALFORMED },
  {
    id: 'name.ptr.forward',
    title: 'a pointer forwards',
    send: hex(HEAD, 'c012', END, '0377656200'),
    expect: MALFORMED,
  },
  {
    id: 'name.ptr.header',
    title: 'a pointer into the header',
    send: hex(HEAD, 'c000', END),
    expect: MALFORMED,
  },
  {
    id: 'name.ptr.outside',
    title: 'a pointer beyond the packet',
    send: hex(HEAD, 'ffff', END),
    expect: MALFORMED,
  },
  {
    id: 'name.ptr.loop',
    title: 'a label that points back to itself',
    send: hex(HEAD, '03777777 c00c', END),
    expect: MALFORMED,
  },
  { id: 'name.ptr.cut', title: 'half a pointer', send: hex(HEAD, 'c0'), expect: MALFORMED },
  { id: 'name.ptr.chain', title: 'a chain of 2000 pointers', send: hex(HEAD, chain, END), expect: MALFORMED },
])

spec.end()
