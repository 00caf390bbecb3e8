// A file put in another's place: whole or not at all, under a name that nobody knows before.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { replaceFile } from '../../src/shared/replace-file.ts'

t.test('what is written takes the place of what was there', async t => {
  const file = join(t.testdir({ state: 'old' }), 'state')
  await replaceFile(file, handle => handle.writeFile('new'))
  t.equal(readFileSync(file, 'utf8'), 'new')
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('a link in its place, or under any name beside it, is not written through', async t => {
  const folder = t.testdir({ victim: 'untouched' })
  const victim = join(folder, 'victim')
  const file = join(folder, 'state')
  symlinkSync(victim, file)
  for (const name of [`state.${process.pid}.tmp`, 'state.tmp']) symlinkSync(victim, join(folder, name))
  const names: string[] = []
  for (let i = 0; i < 3; i++) {
    await replaceFile(file, async handle => {
      names.push(...readdirSync(folder).filter(name => /^state\.[0-9a-f]{16}\.tmp$/.test(name)))
      await handle.writeFile('new')
    })
  }
  t.equal(readFileSync(victim, 'utf8'), 'untouched')
  t.equal(readFileSync(file, 'utf8'), 'new')
  t.equal(new Set(names).size, 3, 'another name each time')
})

t.test('what fails leaves the old file and nothing beside it', async t => {
  const folder = t.testdir({ state: 'old' })
  const file = join(folder, 'state')
  await t.rejects(
    replaceFile(file, () => Promise.reject(new Error('no space'))),
    { message: 'no space' },
  )
  t.same(readdirSync(folder), ['state'])
  t.equal(readFileSync(file, 'utf8'), 'old')
})

t.test('what a process that was killed left behind goes, and nothing else', async t => {
  const folder = t.testdir({ state: 'old' })
  const path = (name: string): string => join(folder, name)
  const others = ['state.old.tmp', 'state.0123456789abcdef.tmp.bak', 'other.0123456789abcdef.tmp']
  for (const name of [...others, 'state.0123456789abcdef.tmp', 'state.fedcba9876543210.tmp'])
    writeFileSync(path(name), '')
  const longAgo = new Date(Date.now() - 3_600_000)
  for (const name of [...others, 'state.0123456789abcdef.tmp']) utimesSync(path(name), longAgo, longAgo)
  mkdirSync(path('state.aaaaaaaaaaaaaaaa.tmp'))
  utimesSync(path('state.aaaaaaaaaaaaaaaa.tmp'), longAgo, longAgo)
  await replaceFile(path('state'), handle => handle.writeFile('new'))
  t.notOk(existsSync(path('state.0123456789abcdef.tmp')), 'one of long ago')
  t.ok(existsSync(path('state.fedcba9876543210.tmp')), 'one that may be written now')
  for (const name of others) t.ok(existsSync(path(name)), name)
})

t.test(
  'a folder that cannot be written to',
  { skip: process.getuid?.() === 0 && 'root may write anywhere' },
  async t => {
    const folder = t.testdir({ state: 'old' })
    chmodSync(folder, 0o500)
    t.teardown(() => chmodSync(folder, 0o700))
    await t.rejects(
      replaceFile(join(folder, 'state'), handle => handle.writeFile('new')),
      { code: 'EACCES' },
    )
  },
)
