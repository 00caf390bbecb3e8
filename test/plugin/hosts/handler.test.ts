// What `hosts` answers, hands on and fails; how it follows its file.

import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hostsWord } from '../../../src/plugin/hosts/hosts.ts'
import { FILE_MAX_OCTETS } from '../../../src/plugin/hosts/source.ts'
import { answering } from '../../support/answering.ts'
import { until } from '../../support/until.ts'

const NAMES =
  '10.0.0.1 node-1 a.example.org\nfd00::1 a.example.org\n10.0.0.2 *.apps.example.org b.example.net\n'

/** `hosts` over a file of the test's own, with lines for its block. */
function hosts(t: Test, block: string, zones = '', text = NAMES) {
  const file = join(t.testdir({ names: text }), 'names')
  const at = answering(hostsWord, `hosts ${file} ${zones} {\n${block}\n}`)
  t.teardown(() => at.stop())
  return { file, at }
}

t.test('questions', async t => {
  const { at } = hosts(t, 'ttl 60\nfallthrough')
  const cases: [question: string, answer: string][] = [
    ['Node-1. A', 'NOERROR aa Node-1. 60 A'],
    ['node-1. AAAA', 'NOERROR aa'],
    ['node-1. TXT', 'NOERROR aa'],
    ['node-1. ANY', 'NOERROR aa'],
    ['a.example.org. AAAA', 'NOERROR aa a.example.org. 60 AAAA'],
    ['x.apps.example.org. A', 'NOERROR aa x.apps.example.org. 60 A'],
    ['x.apps.example.org. AAAA', 'NOERROR aa'],
    ['1.0.0.10.in-addr.arpa. PTR', 'NOERROR aa 1.0.0.10.in-addr.arpa. 60 PTR, 1.0.0.10.in-addr.arpa. 60 PTR'],
    ['1.0.0.10.in-addr.arpa. A', 'next'],
    ['9.0.0.10.in-addr.arpa. PTR', 'next'],
    ['node-1. PTR', 'next'],
    ['node-2. A', 'next'],
    ['node-2. TXT', 'next'],
    ['. NS', 'next'],
  ]
  for (const [question, answer] of cases) t.equal(await at.ask(question), answer, question)
})

t.test('zones and fallthrough', async t => {
  const cases: [block: string, zones: string, question: string, answer: string][] = [
    ['', 'example.org', 'a.example.org. A', 'NOERROR aa a.example.org. 3600 A'],
    ['', 'example.org', 'b.example.org. A', 'SERVFAIL'],
    ['', 'example.org', 'b.example.org. PTR', 'next'],
    ['', 'example.org', 'b.example.net. A', 'next'],
    ['', 'example.org', '1.0.0.10.in-addr.arpa. PTR', 'NOERROR aa 1.0.0.10.in-addr.arpa. 3600 PTR'],
    ['', 'example.org', '2.0.0.10.in-addr.arpa. PTR', 'next'],
    ['no_reverse', '', '1.0.0.10.in-addr.arpa. PTR', 'next'],
    ['', '', 'b.example.org. TXT', 'SERVFAIL'],
    ['fallthrough example.net', '', 'b.example.org. A', 'SERVFAIL'],
    ['fallthrough example.net', '', 'c.example.net. A', 'next'],
    ['fallthrough', '', 'a.example.org. MX', 'NOERROR aa'],
    ['fallthrough\nfallthrough_unsupported', '', 'a.example.org. MX', 'next'],
    ['fallthrough\nfallthrough_unsupported', '', 'node-1. AAAA', 'NOERROR aa'],
    ['fallthrough example.net\nfallthrough_unsupported', '', 'a.example.org. MX', 'NOERROR aa'],
    ['10.1.1.1 node-1\n10.0.0.1 node-1', '', 'node-1. A', 'NOERROR aa node-1. 3600 A, node-1. 3600 A'],
  ]
  for (const [block, zones, question, answer] of cases) {
    const { at } = hosts(t, block, zones)
    t.equal(await at.ask(question), answer, `${block} ${zones}: ${question}`)
  }
})

t.test('a refusal by SERVFAIL says why', async t => {
  const { at } = hosts(t, '')
  t.match(await at.outcome('other.example. A'), { plugin: '', extendedError: { text: /no fallthrough/ } })
})

/** Lets time pass until the file is looked at, and the look be over. */
async function look({ thread }: ReturnType<typeof answering>, what: string, condition: () => boolean) {
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
  t.match(thread.lines[4], /has 8388609 octets, more than 8388608/)
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
  const many = Array.from({ length: 200_001 }, (_, i) => `n${i}`)
  writeFileSync(file, `10.0.0.7 ${many.join(' ')}\n`)
  await look(at, 'the complaint', () => thread.lines.some(line => /has more than 200000 entries/.test(line)))
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
  const at = answering(hostsWord, `hosts ${join(folder, 'names')}`)
  t.teardown(() => at.stop())
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
  const later = answering(hostsWord, `hosts ${file} {\n10.0.0.1 a.example\n}`)
  t.teardown(() => later.stop())
  t.equal(await later.ask('a.example. A'), 'NOERROR aa a.example. 3600 A')
  t.same(later.thread.lines, [], 'the reader of the Corefile has told')
  writeFileSync(file, '10.0.0.2 b.example\n')
  await look(later, 'the file', () => later.thread.lines.length === 2)
  t.equal(await later.ask('b.example. A'), 'NOERROR aa b.example. 3600 A')

  const never = answering(hostsWord, `hosts ${file} {\nreload 0s\n}`)
  writeFileSync(file, '10.0.0.2 c.example\n')
  never.thread.clock.advance(3_600_000)
  t.equal(await never.ask('b.example. A'), 'NOERROR aa b.example. 3600 A')
  never.stop()
})

t.test('after the end the file is left alone', async t => {
  const { file, at } = hosts(t, '')
  at.stop()
  writeFileSync(file, '10.0.0.9 node-9\n')
  at.thread.clock.advance(60_000)
  t.equal(await at.ask('node-9. A'), 'SERVFAIL')
})
