// `seamark explain` beside servers at work: it finds the one that this user runs, asks when there are several, and reads the
// Corefile at hand where there is none.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { askServer } from '../../src/explain/ask-server.ts'
import type { Report } from '../../src/explain/report.ts'
import { query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { seamarkCommand } from '../support/seamark.ts'
import { makePlace, type Place, serveCorefile } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { a, replyTo, UpstreamStub } from '../support/upstream-stub.ts'

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

t.test('what a server at work knows alone: who asks too much, and answers that are stale', async t => {
  const upstream = await UpstreamStub.start((asked, back) =>
    back.send(replyTo(asked, { answer: [a('www.example.org', 1)] })),
  )
  t.teardown(() => upstream.pause())
  const folder = mkdtempSync(join(tmpdir(), 'causes-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 's')
  const { port } = await serveCorefile(
    t,
    `. {
  bind 127.0.0.1
  admin ${path}
  cache 1 {
    serve_stale 1h immediate
  }
  ratelimit {
    queries 1 1
    exempt 10.0.0.0/8
  }
  forward . 127.0.0.1:${upstream.port} {
    max_connect_attempts 1
  }
}
`,
  )
  const request = { command: 'explain', name: 'www.example.org.' }
  const explain = async (from: string): Promise<Report> => {
    for (;;) {
      const report = (await askServer({ path }, { ...request, from })) as unknown as Partial<Report>
      // A hundred commands a second are answered.
      if (report.cause !== undefined) return report as Report
    }
  }
  t.match((await explain('10.0.0.7')).cause, /resolves to 192\.0\.2\.1/, 'in the cache now')
  await upstream.pause()
  let limited = await explain('127.0.0.1')
  await until('a limit', async () => {
    for (let i = 0; i < 20; i++) void query(port, { name: 'www.example.org' }).catch(() => undefined)
    limited = await explain('127.0.0.1')
    return limited.cause.startsWith('ratelimit')
  })
  t.equal(limited.status, 1)
  t.match(limited.cause, /^ratelimit turns 127\.0\.0\.1 away: .+\.$/)
  t.match(limited.advice, /seamark tap --client 127\.0\.0\.1\), or let it: exempt 127\.0\.0\.1\.$/)
  let stale = await explain('10.0.0.7')
  await until('a stale answer', async () => {
    stale = await explain('10.0.0.7')
    return stale.cause.includes('stale')
  })
  t.equal(stale.status, 0)
  t.match(
    stale.cause,
    /^www\.example\.org resolves to 192\.0\.2\.1 out of the cache, and that has been stale for \d+ s\.$/,
  )
  t.match(stale.advice, /^See whether the addresses behind forward answer/)
})
