// `seamark explain` beside servers at work: it finds the one that this user runs, asks when there are several, and reads the
// Corefile at hand where there is none.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { seamarkCommand } from '../support/seamark.ts'
import { makePlace, type Place } from '../support/served-corefile.ts'

const corefile = ({ dns }: { readonly dns: number }): string =>
  `.:${dns} {\n  bind 127.0.0.1\n  admin\n  hosts {\n    192.0.2.7 shop.test\n  }\n}\n`

t.test('the server that is asked', async t => {
  const runtime = mkdtempSync(join(tmpdir(), 'seamark-run-'))
  t.teardown(() => rmSync(runtime, { recursive: true }))
  const start = (place: Place) =>
    place.start({ wrap: command => ['env', `XDG_RUNTIME_DIR=${runtime}`, ...command] })
  const place = await makePlace(t, corefile)
  const explain = (...args: string[]): Promise<{ status: number; stdout: string }> => {
    const [program = '', ...flags] = seamarkCommand
    const env = { ...process.env, XDG_RUNTIME_DIR: runtime }
    return new Promise(resolve => {
      execFile(program, [...flags, 'explain', ...args], { cwd: place.folder, env }, (error, stdout) =>
        resolve({ status: error ? Number(error.code) : 0, stdout }),
      )
    })
  }
  const here = await explain('shop.test.')
  t.equal(here.status, 0, 'no server: the Corefile at hand')
  t.match(here.stdout, /^Cause: shop\.test resolves to 192\.0\.2\.7, says hosts\.$/m)

  const first = await start(place)
  place.write('nonsense {')
  const found = await explain('shop.test.')
  t.equal(found.status, 0, 'the server answers, whatever the Corefile says now')
  t.match(found.stdout, /^Cause: shop\.test resolves to 192\.0\.2\.7, says hosts\.$/m)
  t.equal((await explain('none.test.')).status, 1)

  const other = await makePlace(t, corefile)
  const second = await start(other)
  const several = await explain('shop.test.')
  t.equal(several.status, 2)
  t.match(
    several.stdout,
    /^Cause: Several servers run here: \S+\/\d+\.sock, \S+\/\d+\.sock\.\nDo: Say which one with --server\.$/m,
  )
  const named = `${runtime}/seamark-${process.getuid!()}/${second.child.pid}.sock`
  t.equal((await explain('shop.test.', '--server', named)).status, 0)
  await first.stop()
  await second.stop()

  const gone = await explain('shop.test.', '--server', named)
  t.equal(gone.status, 2)
  t.match(gone.stdout, /^Cause: The server at \S+ does not answer: .*\.\nDo: See whether the server runs/)
  const nobody = `127.0.0.1:${await freePort()}`
  t.match((await explain('shop.test.', '--server', nobody)).stdout, /does not answer: .*ECONNREFUSED/)
  t.match(
    (await explain('shop.test.', '--server', 'nowhere')).stdout,
    /^Cause: "nowhere" is neither a path nor HOST:PORT\.$/m,
  )
  const broken = await explain('shop.test.')
  t.equal(broken.status, 2)
  t.match(broken.stdout, /^Cause: The Corefile cannot be served: \S+:1:\d+: error: /m)
})
