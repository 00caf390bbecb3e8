// Certificates that change while serving: when the files are looked at, and what becomes of a state that cannot be used.

import { readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FILES_INTERVAL_MS, TlsFiles, type TlsTexts } from '../../src/listen/tls-files.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const paths = (folder: string): TlsTexts => ({ cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') })

/** Watches the files of a folder as they are; `use` may throw. */
function watch(t: Test, folder: string, use: (texts: TlsTexts) => void = () => undefined) {
  const clock = new VirtualClock()
  const taken: TlsTexts[] = []
  const reasons: string[] = []
  const { cert, key } = paths(folder)
  const files = new TlsFiles({
    paths: { cert, key },
    texts: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') },
    clock,
    changed: texts => {
      use(texts)
      taken.push(texts)
    },
    unusable: reason => reasons.push(reason),
  })
  t.teardown(() => files.stop())
  /** One look, whatever comes of it. */
  const look = async (): Promise<void> => {
    clock.advance(FILES_INTERVAL_MS)
    await until('a look', () => clock.pending > 0)
  }
  return { clock, taken, reasons, files, look }
}

t.test('a changed file is taken', async t => {
  const folder = t.testdir({ 'tls.crt': 'c1', 'tls.key': 'k1' })
  const { look, taken, clock } = watch(t, folder)
  await look()
  t.same(taken, [], 'nothing has changed')
  writeFileSync(join(folder, 'tls.crt'), 'c2')
  clock.advance(FILES_INTERVAL_MS - 1)
  t.same(taken, [], 'not yet')
  await look()
  t.same(taken, [{ cert: 'c2', key: 'k1' }])
  await look()
  t.equal(taken.length, 1, 'once')
})

t.test('a Secret as the kubelet rotates it: a link to another folder', async t => {
  const folder = t.testdir()
  const fill = async (version: string): Promise<void> => {
    await mkdir(join(folder, version))
    writeFileSync(join(folder, version, 'tls.crt'), `c${version}`)
    writeFileSync(join(folder, version, 'tls.key'), `k${version}`)
  }
  await fill('1')
  symlinkSync('1', join(folder, '..data'))
  for (const file of ['tls.crt', 'tls.key']) symlinkSync(`..data/${file}`, join(folder, file))
  const { look, taken } = watch(t, folder)
  await fill('2')
  symlinkSync('2', join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  await look()
  t.same(taken, [{ cert: 'c2', key: 'k2' }])
})

t.test('what does not fit together is told once, and taken when it does', async t => {
  const folder = t.testdir({ 'tls.crt': 'c1', 'tls.key': 'k1' })
  const { look, taken, reasons } = watch(t, folder, ({ cert, key }) => {
    if (cert.slice(1) !== key.slice(1)) throw new Error('they do not belong together')
  })
  writeFileSync(join(folder, 'tls.key'), 'k2')
  await look()
  await look()
  t.same(reasons, ['they do not belong together'])
  writeFileSync(join(folder, 'tls.crt'), 'c2')
  await look()
  t.same(taken, [{ cert: 'c2', key: 'k2' }])
  writeFileSync(join(folder, 'tls.key'), 'k3')
  await look()
  t.equal(reasons.length, 2, 'told again after it was good')
})

t.test('a file that is gone', async t => {
  const folder = t.testdir({ 'tls.crt': 'c1', 'tls.key': 'k1' })
  const { look, taken, reasons } = watch(t, folder)
  renameSync(join(folder, 'tls.key'), join(folder, 'away'))
  await look()
  await look()
  t.match(reasons, [/ENOENT.*tls\.key/])
  renameSync(join(folder, 'away'), join(folder, 'tls.key'))
  await look()
  t.same(taken, [], 'it is as it was')
})

t.test('after the end nothing is taken', async t => {
  const folder = t.testdir({ 'tls.crt': 'c1', 'tls.key': 'k1' })
  const { clock, taken, files } = watch(t, folder)
  writeFileSync(join(folder, 'tls.crt'), 'c2')
  files.stop()
  clock.advance(10 * FILES_INTERVAL_MS)
  t.same(taken, [])
  t.equal(clock.pending, 0)
})
