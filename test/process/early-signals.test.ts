// Signals that come before the server has started in full: it ends in good order all the same.

import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { spawnSeamark } from '../support/seamark.ts'

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} as soon as it answers`, async t => {
    const port = await freePort()
    const folder = t.testdir({ Corefile: '. {\n bind 127.0.0.1\n whoami\n}\n' })
    const server = spawnSeamark(['-p', String(port)], { cwd: folder })
    t.teardown(() => server.stop('SIGKILL'))
    await server.answers(port)
    t.equal(await server.stop(signal), 0)
  })
  t.test(`${signal} while it waits for the folder`, async t => {
    const port = await freePort()
    const folder = t.testdir({
      Corefile: '. {\n bind 127.0.0.1\n kubernetes cluster.local {\n manifests nowhere\n }\n}\n',
    })
    const server = spawnSeamark(['-p', String(port)], { cwd: folder })
    t.teardown(() => server.stop('SIGKILL'))
    await server.printed('nowhere')
    t.equal(await server.stop(signal), 0)
  })
}
