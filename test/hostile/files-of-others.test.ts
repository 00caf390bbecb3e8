// Files that a Corefile names and others may write: a zone out of a repository, a list of names that a sidecar fetches. A pipe
// or a device in the place of one is told, and not waited for: the thread that reads them also follows the cluster.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfiguration } from '../../src/setup/configuration.ts'
import { lookUpHosts } from '../../src/setup/hosts.ts'
import { readRegular, readRegularSoon } from '../../src/shared/regular-file.ts'
import { makeAuthority } from '../support/certificates.ts'

const skip = process.platform === 'linux' ? false : 'needs mkfifo and /dev/zero'

/** What stands in place of a file. */
const KINDS = ['pipe', 'device', 'folder'] as const
/** Blocks that name it as FILE, and what is told. */
const BLOCKS: readonly (readonly [block: string, told: RegExp])[] = [
  ['import FILE\nwhoami', /cannot import .*FILE: .*no regular file/],
  ['file FILE a.test', /no regular file/],
  ['file including-FILE a.test', /no regular file/],
  ['hosts FILE', /is not a file/],
  ['forward . ./FILE', /no regular file/],
  ['autopath FILE\nwhoami', /no regular file/],
  ['loadbalance weighted FILE\nwhoami', /no regular file/],
  [
    'policy {\n names from * block file FILE\n}\nkubernetes cluster.local {\n manifests .\n}',
    /no regular file/,
  ],
  ['prometheus 127.0.0.1:9 {\n tls FILE\n}\nwhoami', /no regular file/],
  ['tls FILE key.pem\nwhoami', /no regular file/],
  ['tls cert.pem FILE\nwhoami', /no regular file/],
  ['tls cert.pem key.pem FILE\nwhoami', /no regular file/],
  ['forward . tls://127.0.0.1:9 {\n tls FILE\n}', /no regular file/],
]

const folderOfThem = (test: Test): string => {
  const folder = test.testdir({})
  spawnSync('mkfifo', [join(folder, 'pipe')])
  symlinkSync('/dev/zero', join(folder, 'device'))
  mkdirSync(join(folder, 'folder'))
  const { cert, key } = makeAuthority().issue('dns.test')
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key)
  for (const kind of KINDS)
    writeFileSync(join(folder, `including-${kind}`), `@ 60 SOA ns h 1 2 3 4 5\n$INCLUDE ${kind}\n`)
  return folder
}

t.test('what is no file is told, and neither waited for nor read', { skip }, async t => {
  const folder = folderOfThem(t)
  const file = join(folder, 'Corefile')
  for (const kind of KINDS) {
    for (const [block, told] of BLOCKS) {
      const lines = block.replaceAll('FILE', kind)
      writeFileSync(file, `${lines.startsWith('tls ') ? 'tls://.:5301' : '.:5301'} {\n${lines}\n}\n`)
      const { problems } = await lookUpHosts(readConfiguration({ file, port: 5301 }))
      const texts = problems.map(({ message }) => message)
      const pattern = new RegExp(told.source.replace('FILE', kind))
      t.ok(
        texts.some(text => pattern.test(text)),
        `${lines}: ${texts.join(' | ')}`,
      )
    }
  }
})

t.test('a Corefile itself may come out of a pipe', { skip }, async t => {
  const folder = folderOfThem(t)
  writeFileSync(join(folder, 'corefile'), '. {\n whoami\n}\n')
  const writing = spawn('sh', ['-c', 'exec cat corefile > pipe'], { cwd: folder, stdio: 'ignore' })
  const written = new Promise(resolve => writing.once('exit', resolve))
  const { setup, problems } = readConfiguration({ file: join(folder, 'pipe'), port: 5301 })
  t.equal(await written, 0)
  t.same(problems, [])
  t.ok(setup)
})

t.test('the null device is an empty file', { skip }, async t => {
  const folder = folderOfThem(t)
  const file = join(folder, 'Corefile')
  writeFileSync(file, '. {\n import /dev/null\n whoami\n}\n')
  t.same(readConfiguration({ file, port: 5301 }).problems, [])
  t.equal(await readRegularSoon('/dev/null', 0), '')
})

t.test('a file that is too large is not read', async t => {
  const file = join(t.testdir({ file: 'x'.repeat(100) }), 'file')
  t.equal(readRegular(file, 100).length, 100)
  t.throws(() => readRegular(file, 99), { message: `${file} has 100 octets, more than the 99 that are read` })
  await t.rejects(readRegularSoon(file, 99), { code: 'ENOTREGULAR' })
})
