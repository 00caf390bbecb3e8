// A Corefile that is broken while the server is away: the configuration before it is served, loudly, until it is mended.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readLastGood } from '../../src/control/last-good.ts'
import { query } from '../support/dns-client.ts'
import { freePort, type Seamark, spawnSeamark } from '../support/seamark.ts'

interface Place {
  readonly port: number
  readonly folder: string
  readonly kept: string
  write(address: string, more?: string): void
  run(): Promise<Seamark>
  get(path: 'metrics' | 'ready?verbose'): Promise<string>
}

async function place(t: Test): Promise<Place> {
  const folder = t.testdir({})
  const [port, metricsPort, readyPort] = [await freePort(), await freePort(), await freePort()]
  const kept = join(folder, 'kept')
  return {
    port,
    folder,
    kept,
    // The import is part of what must be kept.
    write: (address, more = '') => {
      writeFileSync(
        join(folder, 'answers'),
        `template IN A a.test {\n answer "a.test. 5 IN A ${address}"\n}\n`,
      )
      writeFileSync(
        join(folder, 'Corefile'),
        `.:${port} {
          bind 127.0.0.1
          prometheus 127.0.0.1:${metricsPort}
          ready 127.0.0.1:${readyPort}
          import answers
          ${more}
        }`,
      )
    },
    run: async () => {
      const server = spawnSeamark(['-conf', 'Corefile', '-last-good', kept], { cwd: folder })
      t.teardown(() => server.stop('SIGKILL'))
      await server.printed(/^Seamark-/m)
      return server
    },
    get: async path => {
      const at = path === 'metrics' ? metricsPort : readyPort
      return (await fetch(`http://127.0.0.1:${at}/${path}`)).text()
    },
  }
}

const address = async (port: number): Promise<string | undefined> =>
  (await query(port, { name: 'a.test' })).answer[0]

t.test('a restart with a broken Corefile serves what was served before', async t => {
  const { port, folder, kept, write, run, get } = await place(t)
  write('192.0.2.1')
  const first = await run()
  t.match(await get('metrics'), /^seamark_corefile_refused 0$/m)
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
  t.match(await get('metrics'), /^seamark_corefile_refused 1$/m)
  t.match(await get('ready?verbose'), /^OK\nCorefile refused: .*Corefile:5:18/)
  t.match(readFileSync(kept, 'utf8'), '192.0.2.2', 'what is broken is not kept')

  write('192.0.2.4')
  second.child.kill('SIGUSR1')
  await second.printed('Reloading complete')
  t.match(await address(port), /192\.0\.2\.4$/, 'mended')
  t.match(await get('metrics'), /^seamark_corefile_refused 0$/m)
  t.equal(await second.stop(), 0)
})

t.test('nothing to fall back to: what is wrong, and why that is so', async t => {
  const { kept, folder, write } = await place(t)
  write('192.0.2.1', 'nonsense')
  const start = async (): Promise<string> => {
    const server = spawnSeamark(['-conf', 'Corefile', '-last-good', kept], { cwd: folder })
    t.equal(await server.ended(), 1)
    return server.output()
  }
  t.match(await start(), /unknown directive.*\nno last good configuration: ENOENT/)
  writeFileSync(kept, '{}\n')
  t.match(await start(), /unknown directive.*\nno last good configuration: .*kept holds something else/)
})

t.test('a place that takes nothing is told and hinders nobody', async t => {
  const { folder, port, write } = await place(t)
  write('192.0.2.1')
  const server = spawnSeamark(['-conf', 'Corefile', '-last-good', 'no/kept'], { cwd: folder })
  t.teardown(() => server.stop('SIGKILL'))
  await server.printed(/WARNING.*keeping the configuration in no\/kept: ENOENT/)
  await server.answers(port)
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
