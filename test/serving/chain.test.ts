import t from 'tap'
import { ZoneTable } from '../../src/query/zone-table.ts'
import { formatName, name } from '../../src/wire/name.ts'
import { Scan } from '../../src/wire/scan.ts'
import { encodeQuestion } from '../support/dns-question.ts'

t.test('which zone a question goes to', async t => {
  const zones = ['org.', 'example.org.', 'sub.example.org.', 'sub.example.org.', 'test.', '.'].map(text => ({
    zone: name(text),
  }))
  const table = new ZoneTable(zones)
  const cases: readonly (readonly [question: string, type: string, zone: string])[] = [
    ['www.sub.example.org.', 'A', 'sub.example.org.'],
    ['SUB.example.org.', 'A', 'sub.example.org.'],
    ['xsub.example.org.', 'A', 'example.org.'],
    ['com.', 'A', '.'],
    ['sub.example.org.', 'DS', 'example.org.'],
    ['Example.ORG.', 'DS', 'org.'],
    ['org.', 'DS', 'org.'],
    ['test.', 'DS', 'test.'],
    ['www.sub.example.org.', 'DS', 'sub.example.org.'],
    ['com.', 'DS', '.'],
    ['.', 'DS', '.'],
  ]
  for (const [question, type, zone] of cases) {
    const packet = encodeQuestion({ name: question, type }, 1)
    const scan = new Scan()
    scan.read(packet, 0, packet.length)
    const index = table.ownerOf(scan)
    t.equal(index < 0 ? 'none' : formatName(table.at(index).zone), zone, `${question} ${type}`)
  }
})
