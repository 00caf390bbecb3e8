// Records as the command line prints them.

import t from 'tap'
import { name } from '../../src/wire/name.ts'
import { rr, soaRdata, srvRdata, txtRdata } from '../../src/wire/record.ts'
import { rdataText } from '../../src/wire/record-text.ts'
import { TYPE } from '../../src/wire/rrtype.ts'

t.test('the data of each record, on one line', async t => {
  const cases: [type: number, rdata: Uint8Array, text: string][] = [
    [TYPE.A, Uint8Array.of(192, 0, 2, 1), '192.0.2.1'],
    [TYPE.AAAA, Uint8Array.of(0xfd, ...Array(14).fill(0), 1), 'fd00::1'],
    [TYPE.CNAME, name('b.org'), 'b.org.'],
    [TYPE.MX, Uint8Array.of(0, 10, ...name('mx.b.org')), '10 mx.b.org.'],
    [TYPE.SRV, srvRdata(0, 50, 80, name('a.b.org')), '0 50 80 a.b.org.'],
    [TYPE.SOA, soaRdata(name('ns.b.org'), name('h.b.org'), [1, 2, 3, 4, 5]), 'ns.b.org. h.b.org. 1 2 3 4 5'],
    [TYPE.TXT, txtRdata('1.1.0', 'a "b" \\ \u0007'), '"1.1.0" "a \\"b\\" \\\\ \\007"'],
    [65280, Uint8Array.of(1, 255), '\\# 2 01ff'],
    [65280, Uint8Array.of(), '\\# 0'],
  ]
  for (const [type, rdata, text] of cases) t.equal(rdataText(rr(name('a.org'), type, 30, rdata)), text)
})
