// Files of `hosts` that change while serving. Time is virtual, the files are real.

import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { HostsFiles } from '../../src/control/hosts-files.ts'
import { hostsWord } from '../../src/plugin/hosts/hosts.ts'
import { FILE_MAX_OCTETS } from '../../src/plugin/hosts/load.ts'
import { type Answering, answering } from '../support/answering.ts'
import { until } from '../support/until.ts'
import { parseWord, testThread } from '../support/words.ts'

const NAMES =
  '10.0.0.1 node-1 a.example.org\nfd00::1 a.example.org\n10.0.0.2 *.apps.example.org b.example.net\n'

/** `hosts` as a thread serves it, and its file as the control thread watches it. */
function watched(t: Test, text: string): Answering & { readonly files: HostsFiles } {
  const images = new Map<string, SharedArrayBuffer>()
  const made = testThread()
  const thread = { ...made, context: { ...made.context, images } }
  const { clock, context } = thread
  const { config } = parseWord(hostsWord, text)
  const files = new HostsFiles({
    clock,
    log: context.log,
    meters: context.meters,
    publish: (key, image) => images.set(key, image),
  })
  const at = answering(hostsWord, text, undefined, thread)
  const setup = { blocks: [{ zones: [], plugins: [{ word: 'hosts', config }] }] }
  files.count(setup)
  files.watch(setup)
  t.teardown(() => files.stop())
  return { ...at, files }
}

/** The same over a file of the test's own, with lines for its block. */
function hosts(t: Test, block: string) {
  const file = join(t.testdir({ names: NAMES }), 'names')
  return { file, at: watched(t, `hosts ${file} {\n${block}\n}`) }
}

/** Lets time pass until the file is looked at, and the look be over. */
async function look({ thread }: Answering, what: string, condition: () => boolean) {
  thread.clock.advance(5000)
  await until(what, condition)
}

t.test('the file is looked at while serving', async t => {
  const { file, at } = hosts(t, '10.9.9.9 inline.example\nfallthrough')
  const { thread } = at
  const gauge = `coredns_hosts_entries{hostsfile=${file}}`
  t.equal(thread.counted.get(gauge), 5 + 4 + 2)
  t.ok((thread.counted.get('coredns_hosts_reload_timestamp_seconds') ?? 0) > 1e9)
  t.same(thread.lines, ['[DEBUG] plugin/hosts: Parsed hosts file into 11 entries'])

  writeFileSync(file, '10.0.0.9 node-9\n')
  thread.clock.advance(4999)
  t.equal(await at.ask('node-9. A'), 'next', 'not before its time')
  thread.clock.advance(1)
  await until('the new file', () => thread.counted.get(gauge) === 4)
  t.equal(await at.ask('node-9. A'), 'NOERROR aa node-9. 3600 A')
  t.equal(await at.ask('node-1. A'), 'next')
  t.equal(await at.ask('inline.example. A'), 'NOERROR aa inline.example. 3600 A')

  rmSync(file)
  await look(at, 'the complaint', () => thread.lines.length === 3)
  t.match(
    thread.lines[2],
    /^\[WARNING\] plugin\/hosts: the hosts file \S+names does not exist; what was read before/,
  )
  t.equal(await at.ask('node-9. A'), 'NOERROR aa node-9. 3600 A', 'the last good state')
  mkdirSync(file)
  await look(at, 'another complaint', () => thread.lines.length === 4)
  t.match(thread.lines[3], /is not a file/)
  rmSync(file, { recursive: true })
  writeFileSync(file, Buffer.alloc(FILE_MAX_OCTETS + 1, '\n'))
  await look(at, 'a third', () => thread.lines.length === 5)
  t.match(thread.lines[4], /has 67108865 octets, more than 67108864/)
  t.equal(await at.ask('node-9. A'), 'NOERROR aa node-9. 3600 A')

  writeFileSync(file, '10.0.0.8 node-8\n')
  await look(at, 'the file again', () => thread.lines.length === 7)
  t.match(thread.lines[6], /^\[INFO\] plugin\/hosts: the hosts file \S+ is there again/)
  t.equal(await at.ask('node-8. A'), 'NOERROR aa node-8. 3600 A')
})

/** Lets a look at a file that is as it was come to its end: it is one call of the file system. */
async function looked(): Promise<void> {
  for (let i = 0; i < 5; i++) await stat('.')
}

t.test('what is wrong is told once, and again only when it has been right', async t => {
  const { file, at } = hosts(t, 'reload 1s')
  const { thread } = at
  const warnings = () => thread.lines.filter(line => line.startsWith('[WARNING]')).length
  rmSync(file)
  await look(at, 'the complaint', () => warnings() === 1)
  for (let i = 0; i < 20; i++) {
    thread.clock.advance(1000)
    await looked()
  }
  t.equal(warnings(), 1)
  // The same octets as ever, but another file.
  writeFileSync(file, NAMES)
  await look(at, 'the file again', () => thread.lines.some(line => line.startsWith('[INFO]')))
  rmSync(file)
  await look(at, 'the second complaint', () => warnings() === 2)
})

t.test('a file with too many entries is not read again until it changes', async t => {
  const { file, at } = hosts(t, 'reload 1s\nno_reverse')
  const { thread } = at
  const many = Array.from({ length: 1_000_001 }, (_, i) => `n${i}`)
  writeFileSync(file, `10.0.0.7 ${many.join(' ')}\n`)
  await look(at, 'the complaint', () => thread.lines.some(line => /has more than 1000000 entries/.test(line)))
  t.equal(await at.ask('node-1. A'), 'NOERROR aa node-1. 3600 A')
  const lines = thread.lines.length
  for (let i = 0; i < 10; i++) {
    thread.clock.advance(1000)
    await looked()
  }
  t.equal(thread.lines.length, lines)
})

t.test('a ConfigMap: a link that comes to lead elsewhere, to a file of the same size and time', async t => {
  const folder = t.testdir({ one: { names: '10.0.0.1 node\n' }, two: { names: '10.0.0.2 node\n' } })
  const then = new Date(1_700_000_000_000)
  for (const version of ['one', 'two']) utimesSync(join(folder, version, 'names'), then, then)
  symlinkSync('one', join(folder, '..data'))
  symlinkSync(join('..data', 'names'), join(folder, 'names'))
  const at = watched(t, `hosts ${join(folder, 'names')}`)
  const octet = async (): Promise<number | undefined> => {
    const outcome = await at.outcome('node. A')
    return typeof outcome === 'object' ? outcome.answer[0]?.rdata[3] : undefined
  }
  t.equal(await octet(), 1)
  symlinkSync('two', join(folder, '..tmp'))
  renameSync(join(folder, '..tmp'), join(folder, '..data'))
  const lines = at.thread.lines.length
  await look(at, 'the other file', () => at.thread.lines.length > lines)
  t.equal(await octet(), 2)
})

t.test('a file that comes later, and one that is never looked at again', async t => {
  const folder = t.testdir({})
  const file = join(folder, 'names')
  const later = watched(t, `hosts ${file} {\n10.0.0.1 a.example\n}`)
  t.equal(await later.ask('a.example. A'), 'NOERROR aa a.example. 3600 A')
  t.same(later.thread.lines, [], 'the reader of the Corefile has told')
  writeFileSync(file, '10.0.0.2 b.example\n')
  await look(later, 'the file', () => later.thread.lines.length === 2)
  t.equal(await later.ask('b.example. A'), 'NOERROR aa b.example. 3600 A')

  const never = watched(t, `hosts ${file} {\nreload 0s\n}`)
  writeFileSync(file, '10.0.0.2 c.example\n')
  never.thread.clock.advance(3_600_000)
  t.equal(await never.ask('b.example. A'), 'NOERROR aa b.example. 3600 A')
})

t.test('after the end the file is left alone', async t => {
  const { file, at } = hosts(t, '')
  at.files.stop()
  writeFileSync(file, '10.0.0.9 node-9\n')
  at.thread.clock.advance(60_000)
  t.equal(await at.ask('node-9. A'), 'SERVFAIL')
})
