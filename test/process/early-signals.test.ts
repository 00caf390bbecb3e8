// Signals that come before the server has started in full: it ends in good order all the same.

import { dirname, join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import t from 'tap'
import manifest from '../../package.json' with { type: 'json' }
import { imageCommand } from '../bench/common/image.ts'
import { runs } from '../support/child-process.ts'
import { shortOrLong } from '../support/long.ts'
import { seamarkCommand } from '../support/seamark.ts'
import { type FileText, makePlace } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** Between two signals: a Node takes some 30 ms until it runs anything. */
const SIGNAL_EVERY_MS = 2

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

const { words, env } = imageCommand(dirname(seamarkCommand.at(-1)!))
const [, ...ofScript] = manifest.scripts.start.split(' ')
const starts: Readonly<Record<string, readonly string[]>> = {
  'the image': ['env', ...Object.entries(env).map(setting => setting.join('=')), ...words],
  'npm start': [
    process.execPath,
    ...ofScript
      .slice(0, ofScript.indexOf('-conf'))
      .map(word => (word.startsWith('-') ? word : join(ROOT, word))),
  ],
}
/** As in a Pod, where the kernel gives the first process only the signals that it asks for. */
const UNASKED_IGNORED = ['sh', '-c', 'trap "" USR1; echo from here; exec "$@"', 'sh']

for (const [title, command] of Object.entries(starts)) {
  t.test(`SIGUSR1 from the first moment on opens no inspector, and reloads: ${title}`, async t => {
    const place = await makePlace(t, ({ dns }) => `.:${dns} {\n bind 127.0.0.1\n whoami\n}\n`)
    const server = await place.start({ until: 'spawned', wrap: () => [...UNASKED_IGNORED, ...command] })
    await server.printed('from here')
    while (runs(server.child) && !/^Seamark-/m.test(server.output())) {
      server.child.kill('SIGUSR1')
      await after(SIGNAL_EVERY_MS)
    }
    await server.answers(place.ports.dns)
    // Whether or not one of those was heard: from now on each is.
    const reloads = (): number => server.output().split('Reloading complete').length
    const before = reloads()
    await until('a reload', async () => {
      server.child.kill('SIGUSR1')
      await after(SIGNAL_EVERY_MS)
      return reloads() > before
    })
    t.equal(await server.stop(), 0)
    t.notMatch(server.output(), /Debugger|inspector/i)
  })
}

/** The moments are so far apart that the last ones lie behind the start, and behind the reload, on a machine with nothing else to do. */
const MOMENTS = shortOrLong(5, 40)
const SPAN_MS = 600
const moments = Array.from({ length: MOMENTS }, (_, i) => (i * SPAN_MS) / MOMENTS)
const full: FileText = ({ dns, health, ready, metrics }) =>
  `.:${dns} {
    bind 127.0.0.1
    health 127.0.0.1:${health}
    ready 127.0.0.1:${ready}
    prometheus 127.0.0.1:${metrics}
    kubernetes cluster.local {
      manifests .
    }
    file zone zone.test
    cache
    forward . 127.0.0.1:9
  }`
const zone = { zone: '$ORIGIN zone.test.\n@ 30 IN SOA ns hostmaster 1 7200 1800 86400 30\n@ 30 IN NS ns\n' }

t.test('SIGTERM at every moment of a start', async t => {
  const place = await makePlace(t, full, zone)
  for (const ms of moments) {
    const server = await place.start({ until: 'spawned' })
    await after(ms)
    const status = await server.stop()
    // Before there is anybody to hear it the kernel ends the process.
    t.ok(status === 0 || server.child.signalCode === 'SIGTERM', `after ${ms} ms: ${status}`)
    t.notMatch(server.output(), /FATAL|recovered from a bug|uncaught/i)
  }
})

t.test('SIGTERM at every moment of a reload', async t => {
  const place = await makePlace(t, full, zone)
  for (const ms of moments) {
    const server = await place.start()
    place.write((ports, folder) => `${typeof full === 'string' ? full : full(ports, folder)}\n# ${ms}\n`)
    server.child.kill('SIGUSR1')
    await after(ms / 4)
    t.equal(await server.stop(), 0, `after ${ms / 4} ms`)
    t.notMatch(server.output(), /FATAL|recovered from a bug|uncaught/i)
  }
})
