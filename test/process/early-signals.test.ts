// Signals that come before the server has started in full: it ends in good order all the same.

import t from 'tap'
import { makePlace } from '../support/served-corefile.ts'

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} as soon as it answers`, async t => {
    const place = await makePlace(t, '. {\n bind 127.0.0.1\n whoami\n}\n')
    const server = await place.start({ until: 'answer' })
    t.equal(await server.stop(signal), 0)
  })
  t.test(`${signal} while it waits for the folder`, async t => {
    const corefile = '. {\n bind 127.0.0.1\n kubernetes cluster.local {\n manifests nowhere\n }\n}\n'
    const place = await makePlace(t, corefile)
    const server = await place.start({ until: 'spawned' })
    await server.printed('nowhere')
    t.equal(await server.stop(signal), 0)
  })
}
