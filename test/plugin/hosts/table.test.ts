// What lines of a hosts file give, and what is passed over.

import t from 'tap'
import { FoundValues } from '../../../src/plugin/hosts/multimap.ts'
import { ENTRIES_MAX, HostTable, HostTableBuilder, readTable } from '../../../src/plugin/hosts/table.ts'
import { ipFromBytes } from '../../../src/shared/ip.ts'
import { formatName, name } from '../../../src/wire/name.ts'
import { Scan } from '../../../src/wire/scan.ts'
import { encodeQuestion } from '../../support/dns-question.ts'

const everywhere = { zones: [name('.')], reverse: true }

function tableOf(text: string, rules = everywhere): HostTable {
  const table = new HostTableBuilder(rules)
  for (const line of text.split('\n')) table.addLine(line)
  return new HostTable(table.build())
}

const values = new FoundValues()

function scanOf(owner: string): Scan {
  const packet = encodeQuestion({ name: owner })
  const scan = new Scan()
  scan.read(packet, 0, packet.length)
  return scan
}

/** What was found, by `show`. */
const shown = (show: (octets: Uint8Array) => string): string[] =>
  Array.from({ length: values.count }, (_, i) =>
    show(values.octets.slice(values.ats[i]!, values.ats[i]! + values.lengths[i]!)),
  )

function pointersOf(table: HostTable, owner: string): string[] {
  table.pointers(scanOf(owner), values)
  return shown(formatName)
}

/** The addresses of both families, then, behind `=`, the names of the address. */
function found(table: HostTable, owner: string): string {
  const addresses = ([4, 16] as const).flatMap(octets => {
    values.count = 0
    table.addresses(scanOf(owner), octets, values)
    return shown(address => ipFromBytes(address).text)
  })
  return [...addresses, ...pointersOf(table, owner).map(each => `=${each}`)].join(' ')
}

t.test('lines', async t => {
  const table = tableOf(
    [
      '127.0.0.1 localhost',
      '  10.0.0.1\tA.example.org   b.example.org # and no more c.example.org',
      '#10.0.0.2 d.example.org',
      '10.0.0.3 a.example.org#',
      'fd00:0::1 a.example.org',
      'fe80::1%eth0 link.example.org',
      '::ffff:10.0.0.4 mapped.example.org',
      '10.0.0.5',
      '10.0.0.300 nobody.example.org',
      '010.0.0.6 nobody.example.org',
      'nobody.example.org 10.0.0.7',
      `10.0.0.8 ${'x'.repeat(64)}.example.org a..example.org long.example.org\r`,
      '10.0.0.9 a.example.org.',
      '10.0.0.1 a.example.org',
      '10.0.0.1 a.example.org',
    ].join('\n'),
  )
  const cases: [name: string, found: string][] = [
    ['localhost.', '127.0.0.1'],
    ['A.Example.org.', '10.0.0.1 10.0.0.3 10.0.0.9 fd00::1'],
    ['b.example.org.', '10.0.0.1'],
    ['c.example.org.', ''],
    ['d.example.org.', ''],
    ['link.example.org.', 'fe80::1'],
    ['mapped.example.org.', '10.0.0.4'],
    ['nobody.example.org.', ''],
    ['long.example.org.', '10.0.0.8'],
    ['example.org.', ''],
    ['1.0.0.10.in-addr.arpa.', '=a.example.org. =b.example.org.'],
    ['9.0.0.10.IN-ADDR.arpa.', '=a.example.org.'],
    ['4.0.0.10.in-addr.arpa.', '=mapped.example.org.'],
    ['0.0.10.in-addr.arpa.', ''],
    [`1.${'0.'.repeat(27)}0.0.d.f.ip6.arpa.`, '=a.example.org.'],
  ]
  for (const [owner, expected] of cases) t.equal(found(table, owner), expected, owner)
  t.equal(table.entries, 2 * 11, 'addresses and PTR records, as they were written')
})

t.test('wildcards stand for one label', async t => {
  const table = tableOf(
    '10.0.0.1 *.example.org\nfd00::1 *.example.org\n10.0.0.2 a.example.org\n10.0.0.3 *.\n10.0.0.4 *',
  )
  const cases: [name: string, found: string][] = [
    ['b.example.org.', '10.0.0.1 fd00::1'],
    ['*.example.org.', '10.0.0.1 fd00::1'],
    ['a.example.org.', '10.0.0.2 fd00::1'],
    ['b.b.example.org.', ''],
    ['example.org.', ''],
    ['org.', ''],
    ['.', ''],
    ['1.0.0.10.in-addr.arpa.', ''],
  ]
  for (const [owner, expected] of cases) t.equal(found(table, owner), expected, owner)
})

t.test('zones, and no PTR', async t => {
  const table = tableOf('10.0.0.1 a.example.org b.example.net xexample.org', {
    zones: [name('example.org.')],
    reverse: false,
  })
  t.equal(found(table, 'a.example.org.'), '10.0.0.1')
  t.equal(found(table, 'b.example.net.'), '')
  t.equal(found(table, 'xexample.org.'), '')
  t.equal(found(table, '1.0.0.10.in-addr.arpa.'), '')
  t.equal(table.entries, 1)
})

t.test('which scanned names may have records', async t => {
  const table = tableOf('10.0.0.1 node-1 a.example.org\n10.0.0.2 *.apps.example.org')
  const has = (owner: string): boolean => table.has(scanOf(owner))
  for (const owner of ['node-1', 'NODE-1', 'a.example.org', 'x.apps.example.org', '1.0.0.10.in-addr.arpa'])
    t.ok(has(owner), owner)
  for (const owner of [
    'node-2',
    '.',
    'example.org',
    'apps.example.org',
    'y.x.apps.example.org',
    '2.0.0.10.in-addr.arpa',
  ])
    t.notOk(has(owner), owner)
})

t.test('a file is read in pieces, up to the bound, then the lines of the Corefile', async t => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}.example.org`)
  const read = (lines: readonly string[], inline: readonly string[], rules = everywhere) => {
    const reading = readTable(Buffer.from(lines.join('\n')), inline, rules)
    let pauses = 0
    for (;;) {
      const step = reading.next()
      if (step.done === true) return { built: step.value, pauses }
      pauses++
    }
  }
  const lines = names(1200).map(name => `10.0.0.1 ${name}`)
  const { built, pauses } = read(lines, ['10.0.0.2 n0.example.org'])
  const table = new HostTable(built.build())
  t.equal(pauses, 2)
  t.equal(found(table, 'n1199.example.org.'), '10.0.0.1', 'the last line has no line feed')
  t.equal(found(table, 'n0.example.org.'), '10.0.0.1 10.0.0.2')
  t.equal(pointersOf(table, '1.0.0.10.in-addr.arpa.').length, 1200)
  t.notOk(built.overfull)
  const full = [`10.0.0.1 ${Array.from({ length: ENTRIES_MAX }, (_, i) => `n${i}`).join(' ')}`]
  const forward = { zones: [name('.')], reverse: false }
  const atBound = read(full, [], forward).built
  t.notOk(atBound.overfull)
  atBound.addLine('10.0.0.2 one.more')
  t.ok(atBound.overfull, 'a line of the file too many')
  t.ok(read(full, ['10.0.0.2 one.more'], forward).built.overfull, 'one of the Corefile')
})
