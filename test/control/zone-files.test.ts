// Zone files that change while serving. Time is virtual; the files are real, and change their length so that no clock of a
// file system decides whether a change is seen.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ZoneFiles } from '../../src/control/zone-files.ts'
import { fileWord } from '../../src/plugin/file/file.ts'
import { ZoneImage } from '../../src/plugin/file/image.ts'
import { lines } from '../plugin/file/zone-texts.ts'
import { untilWithin } from '../support/virtual-clock.ts'
import { parseWord, testThread } from '../support/words.ts'

const zone = (serial: number, rest = ''): string => `$TTL 5\n@ SOA ns host ${serial} 2 3 4 5\n${rest}`

/** A watch over `file db …`, started; `text` is what is written to db first. */
function watching(t: Test, text: string | undefined, options = '') {
  const directory = t.testdir(text === undefined ? {} : { db: text })
  const { config } = parseWord(fileWord, `file db {\n${options}\n}`, { directory, zones: ['example.org.'] })
  const thread = testThread()
  const published: { key: string; zone: ZoneImage }[] = []
  const changed: string[] = []
  const files = new ZoneFiles({
    clock: thread.clock,
    log: thread.context.log,
    publish: (key, image) => published.push({ key, zone: new ZoneImage(image) }),
    changed: origin => changed.push(origin),
  })
  files.watch({ blocks: [{ zones: [], plugins: [{ word: 'file', config }] }] })
  t.teardown(() => files.stop())
  const file = join(directory, 'db')
  const write = (text: string): void => writeFileSync(file, text)
  /** Lines of the log, the folder hidden. */
  const log = (): string[] => thread.lines.splice(0).map(text => text.replaceAll(`${directory}/`, ''))
  /** Lets time go by until something was logged or published. */
  const look = async (): Promise<void> => {
    const before = [thread.lines.length, published.length]
    const happened = (): boolean => thread.lines.length > before[0]! || published.length > before[1]!
    await untilWithin(thread.clock, 120_000, 'a look at the file', happened, 10_000)
  }
  /** Lets ten minutes go by. */
  const pass = async (): Promise<void> => {
    const endMs = thread.clock.nowMs() + 600_000
    await untilWithin(thread.clock, 700_000, 'ten minutes', () => thread.clock.nowMs() >= endMs, 10_000)
  }
  return { ...thread, files, file, published, changed, write, look, pass, log }
}

t.test('a new serial', async t => {
  const { write, look, pass, published, changed, log } = watching(t, zone(1, 'www A 192.0.2.1\n'))
  await pass()
  t.same(published, [], 'nothing changed')
  write(zone(2, 'www A 192.0.2.2\nmore A 192.0.2.3\n'))
  await look()
  t.same(
    published.map(({ key }) => key.split(' ')[0]),
    ['example.org.'],
  )
  t.same(lines(published[0]!.zone.records()), [
    'more.example.org. 5 A 192.0.2.3',
    'www.example.org. 5 A 192.0.2.2',
  ])
  t.same(changed, ['example.org.'])
  t.same(log(), ['[INFO] plugin/file: Successfully reloaded zone "example.org." in "db" with 2 SOA serial'])
  write(zone(1, 'www A 192.0.2.100\n'))
  await look()
  t.equal(published.at(-1)?.zone.serial, 1, 'a lower one is new too, as in CoreDNS')
})

t.test('the same serial', async t => {
  const { write, look, pass, published, log } = watching(t, zone(1))
  write(zone(1, 'www A 192.0.2.1\n'))
  await look()
  t.same(published, [])
  t.same(log(), [
    '[WARNING] plugin/file: "db" changed, but not its SOA serial 1: zone "example.org." stays as it was',
  ])
  await pass()
  t.same(log(), [], 'told once')
})

t.test('reload_by_mtime takes it all the same', async t => {
  const { write, look, published } = watching(t, zone(1), 'reload_by_mtime')
  write(zone(1, 'www A 192.0.2.1\n'))
  await look()
  t.same(
    published.map(({ zone }) => zone.recordCount),
    [1],
  )
})

t.test('a broken file keeps the zone', async t => {
  const { write, look, pass, published, log } = watching(t, zone(1))
  write(zone(2, 'www A 192.0.2.1\nwww AAAA x\n  NOPE\n'))
  await look()
  t.same(published, [])
  t.same(log(), [
    '[ERROR] plugin/file: Parsing zone "example.org.": db:4:10: error: this is not an IPv6 address',
    '[ERROR] plugin/file: Parsing zone "example.org.": db:5:3: error: this is neither a TTL, a class nor a type',
  ])
  await pass()
  write(zone(2, 'www A 192.0.2.11\n'))
  await look()
  t.equal(published.length, 1)
  t.match(log(), [/Successfully reloaded/], 'the same mistakes were not told again')
})

t.test('a file that goes and comes', async t => {
  const { file, write, look, published, log } = watching(t, zone(1))
  rmSync(file)
  await look()
  t.match(log(), [/^\[ERROR\] plugin\/file: Failed to open zone "example.org." in "db": ENOENT/])
  write(zone(2))
  await look()
  t.equal(published.length, 1)
})

t.test('a file that was not there at the start', async t => {
  const { write, look, pass, published, log } = watching(t, undefined, 'reload 10s')
  await look()
  t.match(log(), [/Failed to open zone/])
  await pass()
  write(zone(1))
  await look()
  t.equal(published.length, 1)
})

t.test('reload 0 and stop look no more', async t => {
  const never = watching(t, zone(1), 'reload 0')
  never.write(zone(2, 'www A 192.0.2.1\n'))
  await never.pass()
  t.same(never.published, [])
  const stopped = watching(t, zone(1))
  stopped.files.stop()
  stopped.write(zone(2, 'www A 192.0.2.1\n'))
  await stopped.pass()
  t.same(stopped.published, [])
})
