// What a hosts file costs, and where it ends.

import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hostsWord } from '../../../src/plugin/hosts/hosts.ts'
import { FILE_MAX_OCTETS, loadHosts } from '../../../src/plugin/hosts/load.ts'
import { answering } from '../../support/answering.ts'

t.test('half a million names are served', async t => {
  const file = join(t.testdir({}), 'names')
  const count = 500_000
  const lines = Array.from({ length: count }, (_, i) => `0.0.0.0 ads-${i.toString(36)}.tracker.example.com`)
  writeFileSync(file, lines.join('\n'))
  const at = answering(hostsWord, `hosts ${file} {\nno_reverse\nfallthrough\n}`)
  for (const i of [0, 1, 250_000, count - 1]) {
    const name = `ads-${i.toString(36)}.tracker.example.com.`
    t.equal(await at.ask(`${name} A`), `NOERROR aa ${name} 3600 A`)
  }
  t.equal(await at.ask('ads-.tracker.example.com. A'), 'next')
  const read = loadHosts({ file, zones: ['.'], inline: [], reverse: false })
  if (!('image' in read)) throw new Error(read.problem)
  t.equal(read.entries, count)
  t.ok(read.image.byteLength < 70 * count, `${read.image.byteLength} octets`)
  t.equal(loadHosts({ file, zones: ['.'], inline: [], reverse: false }), read, 'it is read once')
})

t.test('a file is read whole or not at all', async t => {
  const folder = t.testdir({ large: '', names: '10.0.0.1 node\n' })
  truncateSync(join(folder, 'large'), FILE_MAX_OCTETS + 1)
  const load = (name: string) =>
    loadHosts({ file: join(folder, name), zones: ['.'], inline: [], reverse: true })
  t.match(load('large'), { tooMuch: true, problem: /has 67108865 octets, more than 67108864/ })
  t.match(load('gone'), { tooMuch: false, problem: /does not exist/ })
  t.match(load('.'), { tooMuch: false, problem: /is not a file/ })
  t.match(load('names'), { entries: 2 })
})
