// Archives of the image: what is written is what tar of this machine reads, and the same octets whatever the order; what others
// write is read.

import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Entry, readTar, writeTar } from '../../scripts/image/tar.ts'
import { absent } from '../support/system-program.ts'

const LONG = `${'a-folder-with-a-long-name/'.repeat(6)}file`
const ENTRIES: Entry[] = [
  { path: 'b/file', kind: 'file', mode: 0o755, content: Buffer.from('text\n') },
  { path: 'a', kind: 'link', mode: 0o777, target: '/b/file' },
  { path: 'b/empty', kind: 'file', mode: 0o600, content: Buffer.alloc(0) },
  { path: 'b/full', kind: 'file', mode: 0o644, content: Buffer.alloc(1024, 'x') },
  { path: 'tmp', kind: 'folder', mode: 0o1777 },
  { path: LONG, kind: 'file', mode: 0o644, content: Buffer.from('long') },
]
const MADE_SECONDS = 1_700_000_000

t.test('is read as it was written, folders before what lies in them', async t => {
  const archive = writeTar(ENTRIES, MADE_SECONDS)
  t.equal(archive.length % 512, 0)
  t.ok(archive.equals(writeTar([...ENTRIES].reverse(), MADE_SECONDS)), 'whatever the order')
  const found = readTar(archive)
  const sort = (entries: readonly Entry[]): Entry[] => [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))
  t.same(sort(found.filter(({ path }) => ENTRIES.some(entry => entry.path === path))), sort(ENTRIES))
  const paths = found.map(({ path }) => path)
  t.ok(paths.indexOf('b') < paths.indexOf('b/file'))
})

t.test('as tar reads it', { skip: absent('tar') }, async t => {
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
  const archive = writeTar(
    ENTRIES.map(entry => (entry.path === 'b/file' ? { ...entry, capability } : entry)),
    MADE_SECONDS,
  )
  const env = { ...process.env, TZ: 'UTC' }
  const listed = execFileSync(
    'tar',
    ['-tvv', '--numeric-owner', '--xattrs', '--xattrs-include=*', '-f', '-'],
    {
      input: archive,
      env,
    },
  )
  const lines = listed.toString().trim().split('\n')
  t.match(lines.join('\n'), /^lrwxrwxrwx +0\/0 +0 2023-11-14 22:13 a -> \/b\/file$/m)
  t.match(lines.join('\n'), /^-rwxr-xr-x\* +0\/0 +5 2023-11-14 22:13 b\/file\n +x: 20 security\.capability$/m)
  t.match(lines.join('\n'), /^drwxrwxrwt +0\/0 +0 2023-11-14 22:13 tmp\/$/m)
  t.ok(
    lines.some(line => line.endsWith(` ${LONG}`)),
    'a long name',
  )
})

t.test('reads what tar writes, in both its ways for long names', { skip: absent('tar') }, async t => {
  const folder = t.testdir({})
  mkdirSync(join(folder, LONG, '..'), { recursive: true })
  writeFileSync(join(folder, LONG), 'long')
  symlinkSync(LONG.slice(0, 90), join(folder, 'link'))
  for (const format of ['gnu', 'posix', 'ustar']) {
    const archive = execFileSync('tar', ['-C', folder, `--format=${format}`, '-cf', '-', '.'])
    const found = readTar(archive)
    t.equal(String(found.find(({ path }) => path === LONG)?.content), 'long', format)
    t.equal(found.find(({ path }) => path === 'link')?.target, LONG.slice(0, 90), format)
  }
})
