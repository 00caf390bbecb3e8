// What no server may fail to answer (RFC 8906): header bits, opcodes, a TSIG of nobody's key. Bits that a server does not know
// come back clear.

import t from 'tap'
import { NAME, ZONE } from '../support/target-cluster.ts'
import { ask, hex, patched, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc8906-no-response')
const soa = ask({ name: ZONE, type: 'SOA', rd: false })
const SOA = 'NOERROR aa answer:SOA !tc'
const UNKNOWN_OPCODE = 'NOTIMP !aa !tc !records'
/** The SOA query with these bits in octets 2 and 3 of the header. */
const withBits = (octet2: number, octet3 = 0): Uint8Array => patched(soa, 2, octet2, octet3)
const opcode = (code: number): Uint8Array => ask({ name: ZONE, type: 'SOA', opcode: code, rd: false })
/** key.example. ANY TSIG hmac-sha256, signed at some time, 32 octets of MAC. */
const tsig = Uint8Array.of(
  ...patched(soa, 10, 0, 1),
  ...hex('036b6579076578616d706c6500 00fa 00ff 00000000 003d 0b686d61632d73686132353600'),
  ...hex('000067000000 012c 0020', 'ab'.repeat(32), '1234 0000 0000'),
)

spec.probes([
  { id: 'isc.aa', title: 'AA', send: withBits(0x04), expect: SOA },
  { id: 'isc.ad', title: 'AD', send: withBits(0, 0x20), expect: SOA },
  { id: 'isc.cd', title: 'CD', send: withBits(0, 0x10), expect: SOA },
  { id: 'isc.ra', title: 'RA', send: withBits(0, 0x80), expect: SOA },
  { id: 'isc.rd', title: 'RD', send: withBits(0x01), expect: `${SOA} rd` },
  { id: 'isc.tc', title: 'TC', send: withBits(0x02), expect: SOA },
  { id: 'isc.zflag', title: 'the reserved bit', send: withBits(0, 0x40), expect: SOA },
  {
    id: 'isc.opcode',
    title: 'opcode 15, the header alone',
    send: hex('3039 7800 0000 0000 0000 0000'),
    expect: UNKNOWN_OPCODE,
  },
  {
    id: 'isc.opcodeflg',
    title: 'opcode 15 and every bit',
    send: hex('3039 7ff0 0000 0000 0000 0000'),
    expect: `${UNKNOWN_OPCODE} !ad`,
  },
  {
    id: 'isc.dnswkk',
    title: 'a TSIG of an unknown key',
    send: tsig,
    expect: 'NOTAUTH | NOERROR | REFUSED | FORMERR',
  },
  {
    id: 'hdr.tcflag',
    title: 'TC, of a name',
    send: patched(ask({ name: NAME }), 2, 0x03),
    expect: 'NOERROR aa !tc answer:A',
  },
  {
    id: 'hdr.flags',
    title: 'AA, RA, Z, AD and CD',
    send: patched(ask({ name: NAME }), 2, 0x05, 0xf0),
    expect: 'NOERROR aa !tc answer:A',
  },
  {
    id: 'op.iquery',
    title: 'IQUERY with an answer and no question',
    send: hex('3039 0800 0000 0001 0000 0000 00 0001 0001 00000000 0004 0a60010a'),
    expect: UNKNOWN_OPCODE,
  },
  { id: 'op.status', title: 'STATUS', send: opcode(2), expect: UNKNOWN_OPCODE },
  ...[3, 7, 8, 9, 10, 11, 12, 13, 14, 15].map(code => ({
    id: `op.${code}`,
    title: `opcode ${code}`,
    send: opcode(code),
    expect: UNKNOWN_OPCODE,
    over: 'udp' as const,
  })),
  { id: 'op.tcp9', title: 'opcode 9', send: opcode(9), over: 'tcp', expect: UNKNOWN_OPCODE },
])

spec.end()
