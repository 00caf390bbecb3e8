// A Corefile that is broken while the server is away: the configuration before it is served, loudly, until it is mended.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readLastGood } from '../../src/control/last-good.ts'
import { query } from '../support/dns-client.ts'
import type { Seamark } from '../support/seamark.ts'
import { type FileText, makePlace, type Place } from '../support/served-corefile.ts'

/** A Corefile of three parts, which answers with that address; the import is part of what must be kept. */
const corefile =
  (more = ''): FileText =>
  ({ dns, metrics, ready }) =>
    `.:${dns} {
          bind 127.0.0.1
          prometheus 127.0.0.1:${metrics}
          ready 127.0.0.1:${ready}
          import answers
          ${more}
        }`
const answers = (address: string): string =>
  `template IN A a.test {\n answer "a.test. 5 IN A ${address}"\n}\n`

interface Kept extends Omit<Place, 'write'> {
  readonly port: number
  readonly kept: string
  write(address: string, more?: string): void
  run(): Promise<Seamark>
}

async function place(t: Test): Promise<Kept> {
  const place = await makePlace(t, corefile())
  const kept = join(place.folder, 'kept')
  return {
    ...place,
    port: place.ports.dns,
    kept,
    write(address, more) {
      writeFileSync(join(place.folder, 'answers'), answers(address))
      place.write(corefile(more))
    },
    run: () => place.start({ flags: ['-last-good', kept] }),
  }
}

const address = async (port: number): Promise<string | undefined> =>
  (await query(port, { name: 'a.test' })).answer[0]

t.test('a restart with a broken Corefile serves what was served before', async t => {
  const { port, folder, kept, write, run, get, metrics } = await place(t)
  write('192.0.2.1')
  const first = await run()
  t.match(await metrics(), /^seamark_corefile_refused 0$/m)
  write('192.0.2.2')
  first.child.kill('SIGUSR1')
  await first.printed('Reloading complete')
  t.equal(await first.stop(), 0)

  write('192.0.2.3', 'nonsense')
  rmSync(join(folder, 'answers'))
  const second = await run()
  t.match(second.output(), /the Corefile cannot be served: .*Corefile:5:18: error: .*answers/)
  t.match(second.output(), /serving the configuration of 20\d\d-\S+Z, which .*kept has kept/)
  t.match(await address(port), /192\.0\.2\.2$/, 'the last one that was served, with its import')
  t.match(await metrics(), /^seamark_corefile_refused 1$/m)
  t.match(await get('ready', '/ready?verbose'), /^200 OK\nCorefile refused: .*Corefile:5:18/)
  t.match(readFileSync(kept, 'utf8'), '192.0.2.2', 'what is broken is not kept')

  write('192.0.2.4')
  second.child.kill('SIGUSR1')
  await second.printed('Reloading complete')
  t.match(await address(port), /192\.0\.2\.4$/, 'mended')
  t.match(await metrics(), /^seamark_corefile_refused 0$/m)
  t.equal(await second.stop(), 0)
})

t.test('nothing to fall back to: what is wrong, and why that is so', async t => {
  const { kept, write, start: spawn } = await place(t)
  write('192.0.2.1', 'nonsense')
  const start = async (): Promise<string> => {
    const server = await spawn({ flags: ['-last-good', kept], until: 'spawned' })
    t.equal(await server.ended(), 1)
    return server.output()
  }
  t.match(await start(), /unknown directive.*\nno last good configuration: ENOENT/)
  writeFileSync(kept, '{}\n')
  t.match(await start(), /unknown directive.*\nno last good configuration: .*kept holds something else/)
})

t.test('a place that takes nothing is told and hinders nobody', async t => {
  const { port, write, start } = await place(t)
  write('192.0.2.1')
  const server = await start({ flags: ['-last-good', 'no/kept'], until: 'answer' })
  await server.printed(/WARNING.*keeping the configuration in no\/kept: ENOENT/)
  t.match(await address(port), /192\.0\.2\.1$/)
})

t.test('what is no configuration', async t => {
  const folder = t.testdir({
    empty: '',
    other: '{"seamark":"snapshot"}\n',
    half: '{"seamark":"last good configuration 1","sha256":"00"}\n{"blocks":[',
  })
  const cases: readonly [file: string, reason: RegExp][] = [
    ['absent', /ENOENT/],
    ['empty', /JSON/],
    ['other', /holds something else/],
    ['half', /is damaged/],
  ]
  for (const [file, reason] of cases) t.match(readLastGood(join(folder, file)), reason, file)
})

t.test('what is kept is judged to the last field before it counts', async t => {
  const { write, run, kept } = await place(t)
  write('192.0.2.1')
  t.equal(await (await run()).stop(), 0)
  const [, content = ''] = readFileSync(kept, 'utf8').split('\n')
  const good = JSON.parse(content) as { blocks: Record<string, unknown>[]; savedAtMs: number }
  const [block] = good.blocks
  const [directive] = block!.directives as Record<string, unknown>[]
  const changed = (change: object): object => ({ ...good, blocks: [{ ...block, ...change }] })
  const nested = (depth: number): object =>
    depth === 0 ? { ...directive } : { ...directive, block: [nested(depth - 1)] }
  const hostile: readonly (readonly [what: string, kept: unknown])[] = [
    ['no object', []],
    ['no blocks', { savedAtMs: 0 }],
    ['blocks that are none', { ...good, blocks: [null] }],
    ['no date', { ...good, savedAtMs: 1e300 }],
    ['no key', changed({ keys: [] })],
    ['a key without a token', changed({ keys: [{ text: '.', scheme: 'dns', zone: '.' }] })],
    ['a key of no scheme', changed({ keys: [{ ...(block!.keys as object[])[0], scheme: 'constructor' }] })],
    ['a key of no zone', changed({ keys: [{ ...(block!.keys as object[])[0], zone: 'a..b.' }] })],
    ['directives that are none', changed({ directives: ['forward . 192.0.2.1'] })],
    ['a word that is none', changed({ directives: [{ ...directive, word: 'whoami' }] })],
    ['blocks within blocks without end', changed({ directives: [nested(100)] })],
  ]
  const forge = (value: unknown): void => {
    const text = JSON.stringify(value)
    const sha256 = createHash('sha256').update(text).digest('hex')
    writeFileSync(kept, `${JSON.stringify({ seamark: 'last good configuration 1', sha256 })}\n${text}\n`)
  }
  forge(good)
  t.same(readLastGood(kept), good, 'as it was saved')
  for (const [what, value] of hostile) {
    forge(value)
    t.equal(readLastGood(kept), `${kept} holds no configuration`, what)
  }
  rmSync(kept)
  spawnSync('mkfifo', [kept])
  t.equal(readLastGood(kept), `${kept} is no regular file`, 'a pipe')
})
