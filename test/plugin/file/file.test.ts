import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { zoneKey } from '../../../src/plugin/file/config.ts'
import { fileWord } from '../../../src/plugin/file/file.ts'
import type { Handler } from '../../../src/plugin/plugin.ts'
import { formatName, name } from '../../../src/wire/name.ts'
import type { Outcome, Reply } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { parseWord, query, reply, testThread } from '../../support/words.ts'
import { line } from './zone-texts.ts'

const ZONE =
  '$TTL 5\n@ SOA ns host 7 2 3 4 5\n@ NS ns\nns A 192.0.2.53\nwww A 192.0.2.80\na.ent A 192.0.2.81\n'

t.test('the directive', async t => {
  const directory = t.testdir({ db: ZONE, bad: `${ZONE}www A x\n`, nosoa: '$TTL 5\nwww A 192.0.2.1\n' })
  const parse = (text: string, zones: readonly string[] = ['example.org.']) =>
    parseWord(fileWord, text, { directory, zones })
  const zonesOf = (text: string, zones?: readonly string[]) =>
    parse(text, zones).config?.zones.map(({ origin, reloadMs, byModification, loaded }) => ({
      origin,
      reloadMs,
      byModification,
      serial: loaded?.serial,
    }))
  const plain = { origin: 'example.org.', reloadMs: 60_000, byModification: false, serial: 7 }
  t.same(zonesOf('file db'), [plain], 'the zones of the block')
  t.same(zonesOf('file db A.test b.test.'), [
    { ...plain, origin: 'a.test.' },
    { ...plain, origin: 'b.test.' },
  ])
  t.same(zonesOf('file db 10.0.0.0/24'), [{ ...plain, origin: '0.0.10.in-addr.arpa.' }])
  t.same(zonesOf('file db {\nreload 30s\nreload_by_mtime\n}'), [
    { ...plain, reloadMs: 30_000, byModification: true },
  ])
  t.same(zonesOf('file db {\nreload 0\n}'), [{ ...plain, reloadMs: 0 }])
  t.same(zonesOf('file db {\nreload 1ns\n}'), [{ ...plain, reloadMs: 100 }])
  t.same(
    zonesOf('file db a.test\nfile db b.test {\nreload 0\n}')?.map(({ reloadMs }) => reloadMs),
    [60_000, 0],
  )
  t.same(parse('file db').config?.fallthrough, undefined)
  t.same(parse('file db {\nfallthrough\n}').config?.fallthrough, ['.'])
  t.same(parse('file db {\nfallthrough a.test B.test\n}').config?.fallthrough, ['a.test.', 'b.test.'])
  t.doesNotThrow(() => structuredClone(parse('file db').config))

  const complaints: readonly (readonly [text: string, complaint: RegExp])[] = [
    ['file', /^2:1: error: file needs a zone file/],
    [
      'file db {\nfoo\n}',
      /^3:1: error: unknown property of file \(found "foo"; allowed: fallthrough, reload, reload_by_mtime/,
    ],
    ['file db {\nreload\n}', /^3:1: error: reload needs /],
    ['file db {\nreload x\n}', /^3:8: error: .*must be a duration/],
    ['file db {\nreload_by_mtime x\n}', /^3:17: error: reload_by_mtime takes no arguments/],
    ['file db {\nupstream\n}', /^3:1: warning: upstream was removed from file/],
    ['file gone', /^2:6: warning: ENOENT.*; tried again every 1m0s \(found "gone"\)/],
    ['file gone {\nreload 0\n}', /^2:6: error: ENOENT/],
  ]
  for (const [text, complaint] of complaints) t.match(parse(text).complaints[0], complaint, text)
  t.match(
    parse('file bad').complaints[0],
    /:7:7: error: this is not an IPv4 address$/,
    'mistakes of the zone file have their place there',
  )
  t.match(parse('file nosoa').complaints[0], /:1:1: error: no SOA record for the zone example.org.$/)
})

/** A handler for `file db …` in a block where it is the last plugin, or not. */
function handler(t: Test, text: string, files: Record<string, string>, last = false) {
  const directory = t.testdir(files)
  const { config, complaints } = parseWord(fileWord, text, { directory, zones: ['example.org.'] })
  if (!config) throw new TypeError(complaints.join('\n'))
  const images = new Map<string, SharedArrayBuffer>()
  const thread = testThread()
  const handlers: Handler[] = []
  const made = fileWord.create(config, { ...thread.context, images: images, handlers })
  handlers.push(made)
  if (!last) handlers.push({ handle: packet => packet.fail(0) })
  const ask = async (question: string): Promise<string> =>
    shown(await askHandler(made, query(question), () => reply({ plugin: 'next' })))
  return { directory, config, images, made, ask }
}

function shown(outcome: Outcome): string {
  const { rcode, plugin, answer } = outcome as Reply
  return [plugin || 'nobody', rcode, ...answer.map(line)].join(' ')
}

t.test('questions', async t => {
  const { ask } = handler(t, 'file db example.org\nfile sub sub.example.org', {
    db: `${ZONE}host.sub A 192.0.2.99`,
    sub: ZONE.replace('192.0.2.80', '192.0.2.88'),
  })
  t.equal(await ask('www.example.org. A'), 'file 0 www.example.org. 5 A 192.0.2.80')
  t.equal(
    await ask('www.sub.example.org. A'),
    'file 0 www.sub.example.org. 5 A 192.0.2.88',
    'the longest zone has it',
  )
  t.equal(await ask('host.sub.example.org. A'), 'file 3', 'whatever the shorter one says')
  t.equal(await ask('gone.example.org. A'), 'file 3')
  t.equal(await ask('example.com. A'), 'next 0')
  t.equal(await ask('org. A'), 'next 0')
  t.equal(await ask('example.org. AXFR'), 'nobody 5')
  t.equal(await ask('www.example.org. IXFR'), 'nobody 5')
})

t.test('nobody behind', async t => {
  const { ask } = handler(t, 'file db', { db: ZONE }, true)
  t.equal(await ask('example.com. A'), 'nobody 5', 'the name is not for this server')
})

t.test('fallthrough', async t => {
  const { ask } = handler(t, 'file db a.test b.test {\nfallthrough a.test\n}', { db: ZONE })
  t.equal(await ask('gone.a.test. A'), 'next 0')
  t.equal(await ask('ent.a.test. A'), 'next 0', 'nothing is at an empty non-terminal')
  t.equal(await ask('a.test. A'), 'next 0', 'nor at an apex with SOA and NS only')
  t.equal(await ask('www.a.test. AAAA'), 'file 0')
  t.equal(await ask('gone.b.test. A'), 'file 3')
  t.equal(await ask('ent.b.test. A'), 'file 0')
})

t.test('a file that is not there yet', async t => {
  const { ask, config, images, directory, made } = handler(t, 'file later', {})
  t.equal(await ask('www.example.org. A'), 'nobody 2')
  t.equal(made.copyOf?.(name('example.org.')), 'not-ready')
  writeFileSync(join(directory, 'later'), ZONE)
  const { config: read } = parseWord(fileWord, 'file later', { directory, zones: ['example.org.'] })
  images.set(zoneKey(config.zones[0]!), read!.zones[0]!.loaded!.image)
  t.equal(
    await ask('www.example.org. A'),
    'file 0 www.example.org. 5 A 192.0.2.80',
    'served once it is published',
  )
})

t.test('a zone for a transfer', async t => {
  const { made } = handler(t, 'file db', { db: ZONE })
  const copy = made.copyOf?.(name('Example.ORG.'))
  if (typeof copy !== 'object') throw new TypeError('no copy')
  t.equal(copy.serial, 7)
  t.equal(copy.opening, copy.soa)
  const owners: string[] = []
  for (let step = copy.records(), next = step.next(); !next.done; next = step.next()) {
    owners.push(formatName(next.value.owner))
  }
  t.same(owners, ['example.org.', 'a.ent.example.org.', 'ns.example.org.', 'www.example.org.'])
  t.equal(made.copyOf?.(name('www.example.org.')), undefined, 'a name of the zone is no zone')
  t.equal(made.copyOf?.(name('example.com.')), undefined)
})
